"""The order of payments told plainly: a Deal's settings interpreted step by step for one path.

Written from docs/model.md (section 6) and the meaning of the keys in docs/deals.md, in another
form than the kernel: amounts stand in dicts by class name, a function for each kind of step says
what is due, and principal rules are generators of (class, amount).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hemc.inputs.deal import Deal
from hemc.inputs.overcollateralization import Trigger

#: USD. Less is rounding: neither drawn nor written down.
DUST = 1e-4


class PoolMonth(NamedTuple):
    """What a month of the pool brings, and which payment it is."""

    number: int
    days: float  # since the payment before
    interest: float
    recoveries: float
    principal: float
    loss: float
    pool_open: float
    pool_close: float
    net_rate: float  # of the opening pool, per year
    states: dict[str, float]  # delinquent balance after the month, by state
    insurer_pays: bool = True  # False: absent, or in default by this month
    index_rate: float = 0.0
    is_last: bool = False


@dataclass
class Books:
    """What is carried from month to month; amounts by class are dicts."""

    balance: dict[str, float]
    unpaid: dict[str, float]
    cut: dict[str, float]  # by the net WAC cap, not yet paid
    written: dict[str, float]  # down and not yet up again
    claim: float = 0.0
    losses: float = 0.0  # to date, less recoveries
    target: float | None = None
    delinquency: dict[str, deque[float]] = field(default_factory=dict)
    tripped: set[str] = field(default_factory=set)


@dataclass
class Paid:
    """One month as it was paid."""

    steps: dict[str, float] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    interest: dict[str, float] = field(default_factory=dict)
    principal: dict[str, float] = field(default_factory=dict)
    carryover: dict[str, float] = field(default_factory=dict)
    writedown: dict[str, float] = field(default_factory=dict)
    write_up: dict[str, float] = field(default_factory=dict)
    balance: dict[str, float] = field(default_factory=dict)
    shortfall: dict[str, float] = field(default_factory=dict)
    draw_interest: float = 0.0
    draw_principal: float = 0.0
    claim: float = 0.0
    oc: float = 0.0
    oc_target: float = 0.0
    triggers: dict[str, tuple[float, float, bool]] = field(default_factory=dict)


@dataclass
class Scene:
    """A month being paid: the deal, the pool's month, the books, and what was so far."""

    deal: Deal
    pool: PoolMonth
    books: Books
    paid: Paid
    opening: dict[str, float]
    owed: dict[str, float]
    target: float

    @property
    def notes(self) -> float:
        """Notes outstanding now."""
        return sum(self.books.balance.values())


def pay_deal(
    deal: Deal, balances: dict[str, float], losses_to_date: float, months: list[PoolMonth]
) -> list[Paid]:
    """Pay all months of a path; `balances` are those of classes with a balance at cut-off."""
    names = [c.name for c in deal.classes]
    zero = dict.fromkeys(names, 0.0)
    books = Books(dict(balances), dict(zero), dict(zero), dict.fromkeys(balances, 0.0))
    books.losses = losses_to_date
    return [pay_one(deal, month, books) for month in months]


def pay_one(deal: Deal, pool: PoolMonth, books: Books) -> Paid:
    """Pay one month: each step in its turn, then the insurer, then writedowns."""
    paid = Paid()
    paid.interest, paid.carryover = dict.fromkeys(books.unpaid, 0.0), dict.fromkeys(books.cut, 0.0)
    paid.principal, paid.writedown, paid.write_up = (
        dict.fromkeys(books.balance, 0.0) for _ in range(3)
    )
    paid.oc_target = set_target(deal, pool, books, paid)
    scene = Scene(deal, pool, books, paid, dict(books.balance), {}, paid.oc_target)
    scene.owed = entitlements(scene)
    books.claim *= 1 + (reimbursement_rate(deal, pool)) / 12
    cash = pool.interest + pool.recoveries + pool.principal
    for step in deal.steps:
        due = DUE[step.pay](scene, step)
        amount = min(cash, due)
        hand_over(scene, step, amount)
        paid.steps[step.label], paid.due[step.label] = amount, due
        cash -= amount
    write_up(scene)
    if pool.insurer_pays and deal.insurer is not None:
        draw(scene)
    books.unpaid = dict(scene.owed)
    write_down(scene)
    paid.balance, paid.shortfall = dict(books.balance), dict(books.unpaid)
    paid.oc, paid.claim = pool.pool_close - scene.notes, books.claim
    return paid


# What is due to each kind of step.


def fee_due(scene: Scene, step: Any) -> float:
    """A rate on pool or notes, or a fixed amount; at most the cap."""
    if step.base == "fixed":
        due = float(step.amount)
    elif step.base == "pool":
        due = step.rate / 12 * scene.pool.pool_open
    else:
        due = step.rate / 12 * sum(scene.opening[c] for c in step.classes or scene.opening)
    return due if step.cap is None else min(due, float(step.cap))


def premium_due(scene: Scene, step: Any) -> float:
    """The rate on the opening balances; nothing to an insurer that is not there."""
    if not scene.pool.insurer_pays:
        return 0.0
    insured = [c.name for c in scene.deal.insured_classes if c.name in scene.opening]
    return step.rate / 12 * sum(scene.opening[c] for c in step.classes or insured if c in insured)


def interest_due(scene: Scene, step: Any) -> float:
    """What the classes are owed."""
    return sum(scene.owed[c] for c in interest_classes(scene, step))


def cap_carryover_due(scene: Scene, step: Any) -> float:
    """What the cap has cut so far."""
    return sum(scene.books.cut[c] for c in carryover_classes(scene, step))


def collections_due(scene: Scene, step: Any) -> float:
    """The month's principal collections, as far as the classes have a balance."""
    return min(scene.pool.principal, sum(scene.books.balance[c] for c in among(scene, step)))


def hold_oc_due(scene: Scene, step: Any) -> float:
    """What leaves OC where it was, or at its target where it may be released."""
    oc_open = scene.pool.pool_open - sum(scene.opening.values())
    kept = min(oc_open, scene.target) if may_build(scene) else oc_open
    return clip(scene.notes - (scene.pool.pool_close - kept), 0.0, scene.notes)


def cover_due(scene: Scene, step: Any) -> float:
    """The principal deficiency of the classes."""
    balance = sum(scene.books.balance[c] for c in step.classes)
    return clip(balance - scene.pool.pool_close, 0.0, balance)


def build_oc_due(scene: Scene, step: Any) -> float:
    """What OC lacks of its target."""
    if not may_build(scene):
        return 0.0
    oc = scene.pool.pool_close - scene.notes
    return clip(scene.target - oc, 0.0, scene.notes)


def reimbursement_due(scene: Scene, step: Any) -> float:
    """The insurer's claim."""
    return scene.books.claim


def residual_due(scene: Scene, step: Any) -> float:
    """All that is left."""
    return float("inf")


DUE = {
    "fee": fee_due, "premium": premium_due, "interest": interest_due,
    "cap_carryover": cap_carryover_due, "collections": collections_due, "hold_oc": hold_oc_due,
    "cover": cover_due, "build_oc": build_oc_due, "reimbursement": reimbursement_due,
    "residual": residual_due,
}  # fmt: skip


# Who receives what a step was paid.


def hand_over(scene: Scene, step: Any, amount: float) -> None:
    """Give a step's amount to those it is for."""
    if step.pay == "interest":
        share_out(scene.owed, interest_classes(scene, step), amount, scene.paid.interest,
                  in_order=step.order == "sequential")  # fmt: skip
    elif step.pay == "cap_carryover":
        share_out(scene.books.cut, carryover_classes(scene, step), amount, scene.paid.carryover)
    elif step.pay in ("collections", "hold_oc", "cover", "build_oc"):
        give_principal(scene, amount, among(scene, step))
    elif step.pay == "reimbursement":
        scene.books.claim -= amount


def share_out(
    debts: dict[str, float], who: list[str], amount: float, paid: dict[str, float],
    in_order: bool = False,
) -> None:  # fmt: skip
    """Pay debts in order or pro rata."""
    total = sum(debts[c] for c in who)
    left = amount
    for c in who:
        share = min(left, debts[c]) if in_order else amount * debts[c] / total if total else 0.0
        debts[c] -= share
        paid[c] += share
        left -= share


def give_principal(scene: Scene, amount: float, who: list[str]) -> None:
    """Let the principal rules share an amount among some classes."""
    left = amount
    for rule in scene.deal.principal:
        for c, wanted in wishes(scene, rule, amount, left, who):
            given = min(left, wanted, scene.books.balance[c])
            scene.books.balance[c] -= given
            scene.paid.principal[c] += given
            left -= given


def wishes(
    scene: Scene, rule: Any, amount: float, left: float, who: list[str]
) -> Iterator[tuple[str, float]]:
    """Yield what a rule wants of an amount for each class; it may get less."""
    balance, opening = scene.books.balance, scene.opening
    if rule.rule == "lockout" and rule.class_name in who and sum(opening.values()):
        share = at(rule.shares, scene.pool.number, "share", rule.share_after)
        part = share * opening[rule.class_name] / sum(opening.values())
        yield rule.class_name, min(part, 1.0) * amount
    elif rule.rule == "fixed_share" and rule.class_name in who:
        if rule.after_retired is None or opening[rule.after_retired] <= DUST:
            yield rule.class_name, rule.share * amount
    elif rule.rule == "target_balance" and rule.class_name in who:
        goal = float(at(rule.schedule, scene.pool.number, "balance", 0))
        yield rule.class_name, max(balance[rule.class_name] - goal, 0.0)
    elif rule.rule == "sequential":
        yield from ((c, balance[c]) for c in rule.classes or opening if c in who)
    elif rule.rule == "pro_rata":
        # Poured in rounds: what one class cannot take goes to the others in the same proportion.
        takers = [c for c in rule.classes or opening if c in who and opening[c] > 0]
        for _ in range(len(takers)):
            open_ = [c for c in takers if balance[c] > 0]
            base = sum(opening[c] for c in open_)
            rest = left
            for c in open_:
                wanted = min(rest * opening[c] / base, balance[c])
                left -= wanted
                yield c, wanted


# Terms of the month.


def at(entries: Any, number: int, key: str, after: Any) -> Any:
    """Return what holds at a payment number."""
    return next((getattr(e, key) for e in entries if number <= e.until_payment), after)


def clip(x: float, low: float, high: float) -> float:
    """Return x within limits."""
    return min(max(x, low), high)


def may_build(scene: Scene) -> bool:
    """Tell whether OC may be built or released already."""
    oc = scene.deal.overcollateralization
    return oc is not None and scene.pool.number >= oc.build_from_payment


def among(scene: Scene, step: Any) -> list[str]:
    """Return the classes that a step's principal may go to."""
    return list(getattr(step, "classes", ()) or scene.opening)


def interest_classes(scene: Scene, step: Any) -> list[str]:
    """Return the classes whose interest a step pays."""
    return list(step.classes or [c.name for c in scene.deal.classes])


def carryover_classes(scene: Scene, step: Any) -> list[str]:
    """Return the classes whose cut interest a step pays."""
    return list(step.classes or [c.name for c in scene.deal.classes if c.net_wac_cap])


def reimbursement_rate(deal: Deal, pool: PoolMonth) -> float:
    """Return the rate a year on what the insurer is owed."""
    return 0.0 if deal.insurer is None else pool.index_rate + deal.insurer.reimbursement_margin


def entitlements(scene: Scene) -> dict[str, float]:
    """Return what each class is owed; what the cap cuts goes to the books."""
    fraction = {"30/360": 1 / 12, "actual/360": scene.pool.days / 360}
    strip, left = {}, scene.pool.pool_open
    for c in scene.deal.classes:
        if c.kind == "notional":
            scheduled = float(at(c.schedule, scene.pool.number, "balance", 0))
            strip[c.name] = min(scheduled, left)
            left -= strip[c.name]
    coupons = sum(c.coupon * strip[c.name] for c in scene.deal.classes if c.name in strip)
    cap = float("inf")
    if scene.pool.pool_open > 0:
        cap = max(scene.pool.net_rate - coupons / scene.pool.pool_open, 0.0) / 12
    owed = {}
    for c in scene.deal.classes:
        coupon = c.coupon if c.coupon is not None else scene.pool.index_rate + c.margin
        full = coupon * fraction[c.day_count]
        rate = min(full, cap) if c.net_wac_cap else full
        base, arrears = (
            strip.get(c.name, scene.opening.get(c.name, 0.0)),
            scene.books.unpaid[c.name],
        )
        owed[c.name] = arrears + (base + arrears) * rate
        if c.net_wac_cap:
            cut = (base + arrears) * (full - rate)
            scene.books.cut[c.name] += scene.books.cut[c.name] * full + cut
    return owed


def set_target(deal: Deal, pool: PoolMonth, books: Books, paid: Paid) -> float:
    """Return the OC target of the month from the pool's flows; note the triggers' values."""
    books.losses += pool.loss - pool.recoveries
    oc = deal.overcollateralization
    if oc is None:
        return 0.0
    full = money(oc.target, oc.target_share, deal.original_notes)
    target, step = full, oc.step_down
    if step is not None and pool.number >= step.payment:
        floor = money(step.floor, step.floor_share, deal.closing_pool)
        target = min(max(step.share * pool.pool_close, floor), full)
    pulled = [t for t in oc.triggers if is_tripped(deal, t, pool, books, paid)]
    if any(t.effect == "stop_step_down" for t in pulled):
        target = max(target, _target_before(deal, pool, full) if books.target is None
                     else books.target)  # fmt: skip
    books.target = target
    for t in pulled:
        if t.effect == "raise_target":
            target = max(target, money(t.target, t.target_share, deal.original_notes))
    if oc.delinquency_multiple is not None:
        m = oc.delinquency_multiple
        late = sum(pool.states[s] for s in m.states)
        average = rolling(books, "multiple", late, m.average_months)
        target = max(target, m.multiple * average)
    return target


def _target_before(deal: Deal, pool: PoolMonth, full: float) -> float:
    """Return the target at cut-off, stepped down already or not."""
    step = deal.overcollateralization.step_down
    if pool.number - 1 < step.payment:
        return full
    floor = money(step.floor, step.floor_share, deal.closing_pool)
    return min(max(step.share * pool.pool_open, floor), full)


def is_tripped(deal: Deal, t: Trigger, pool: PoolMonth, books: Books, paid: Paid) -> bool:
    """Measure a trigger, note value and threshold, and tell whether it is tripped."""
    if t.measure == "delinquency":
        late = sum(pool.states[s] for s in t.states)
        share = late / pool.pool_close if pool.pool_close > 0 else 0.0
        value = rolling(books, t.name, share, t.average_months)
    else:
        value = books.losses / float(deal.closing_pool)
    threshold = at(t.thresholds, pool.number, "value", t.threshold_after)
    tripped = value > threshold or (not t.cures and t.name in books.tripped)
    if tripped:
        books.tripped.add(t.name)
    paid.triggers[t.name] = (value, threshold, tripped)
    return tripped


def rolling(books: Books, name: str, value: float, n_months: int) -> float:
    """Return the average of the last months, this one included."""
    values = books.delinquency.setdefault(name, deque(maxlen=n_months))
    values.append(value)
    return sum(values) / len(values)


def money(amount: Any, share: float | None, base: Any) -> float:
    """Return USD, or a share of a base."""
    return float(amount) if amount is not None else (share or 0.0) * float(base)


# Without cash.


def draw(scene: Scene) -> None:
    """Let the insurer pay interest that insured classes miss and notes in excess of the pool."""
    insured = [c.name for c in scene.deal.insured_classes]
    for c in insured:
        scene.paid.draw_interest += scene.owed[c]
        scene.paid.interest[c] += scene.owed[c]
        scene.owed[c] = 0.0
    scene.paid.draw_principal = excess(scene, [c for c in insured if c in scene.books.balance])
    give_principal(scene, scene.paid.draw_principal,
                   [c for c in insured if c in scene.books.balance])  # fmt: skip
    scene.books.claim += scene.paid.draw_interest + scene.paid.draw_principal


def excess(scene: Scene, classes: list[str]) -> float:
    """Return by how much classes exceed the pool; at the end, all of them."""
    pool = 0.0 if scene.pool.is_last else scene.pool.pool_close
    over = sum(scene.books.balance[c] for c in classes) - pool
    return over if over > DUST else 0.0


def write_up(scene: Scene) -> None:
    """Reverse writedowns as far as OC reaches, most senior first."""
    oc = max(scene.pool.pool_close - scene.notes, 0.0)
    for c in scene.books.balance:
        back = min(oc, scene.books.written[c])
        scene.books.written[c] -= back
        scene.books.balance[c] += back
        scene.paid.write_up[c] = back
        oc -= back


def write_down(scene: Scene) -> None:
    """Take notes in excess of the pool off balances, as the deal says; insured classes are spared.

    At the end nothing stays outstanding, whatever the deal says.
    """
    way, balance = scene.deal.undercollateralization, scene.books.balance
    if way == "implied" and not scene.pool.is_last:
        return
    spared = {c.name for c in scene.deal.insured_classes if scene.pool.insurer_pays}
    exposed = [c for c in balance if c not in spared]
    total = sum(balance[c] for c in exposed)
    loss = min(excess(scene, list(balance)), total)
    left = loss
    for c in reversed(exposed):
        share = loss * balance[c] / total if way == "pro_rata" and total else min(left, balance[c])
        left -= share
        scene.paid.writedown[c] = share
    for c in exposed:
        balance[c] -= scene.paid.writedown[c]
        scene.books.written[c] += scene.paid.writedown[c]
