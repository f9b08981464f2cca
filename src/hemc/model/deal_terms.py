"""A deal and a date go in; its order of payments in arrays, by month of the projection, comes out.

Names of classes become positions, rates become monthly, lists by payment number become columns.
The kernels in `hemc.kernels.waterfall` run on nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hemc.errors import InputError
from hemc.inputs.by_payment import in_force
from hemc.inputs.calendar import payment_dates, previous_payment_date
from hemc.inputs.deal import Deal, NoteClass
from hemc.inputs.payment_order import (
    Fee,
    FixedShare,
    Interest,
    Lockout,
    OneClass,
    Premium,
    ProRata,
    Step,
    TargetBalance,
)
from hemc.kernels import deal_terms as codes
from hemc.kernels.deal_terms import (
    ClassMonth,
    ClassTerms,
    DealTerms,
    Flags,
    MonthTerms,
    RuleTerms,
    StepTerms,
)
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.records import Records, records
from hemc.model.oc_target import OcTerms, compile_oc_target

STEP_KINDS = {
    "fee": codes.FEE, "premium": codes.PREMIUM, "interest": codes.INTEREST,
    "cap_carryover": codes.CAP_CARRYOVER, "collections": codes.COLLECTIONS,
    "hold_oc": codes.HOLD_OC, "cover": codes.COVER, "build_oc": codes.BUILD_OC,
    "reimbursement": codes.REIMBURSEMENT, "residual": codes.RESIDUAL,
}  # fmt: skip
CONVENTIONS = {
    "implied": codes.IMPLIED, "pro_rata": codes.SHARED, "reverse_order": codes.REVERSE_ORDER,
}  # fmt: skip


class MonthlyDeal(NamedTuple):
    """A deal laid out by month of a projection."""

    terms: DealTerms
    oc: OcTerms
    year_fraction: Floats  # [t, k] day-count fraction of the month
    step_names: tuple[str, ...]
    class_names: tuple[str, ...]

    @property
    def n_months(self) -> int:
        """Length of the projection."""
        return self.terms.months.size


def compile_deal(
    deal: Deal,
    next_payment: dt.date,
    balances: Mapping[str, float],
    n_months: int,
    index_rate: float | Floats,
    loss_to_date: float = 0.0,
) -> MonthlyDeal:
    """Lay out the terms of a deal by month of the projection.

    `next_payment` lies in the month of the projection's first payment; `balances` holds the
    class balances at cut-off, USD (a notional class may be named, its balance is its schedule);
    `index_rate` is the index per year, flat or by month float64[n_months]; `loss_to_date` the
    pool's loss less recoveries by cut-off. Raises InputError for a missing, unknown or negative
    balance and for a payment before the deal's second, whose accrual would start at closing, a
    date that no certificate states.
    """
    first = deal.payment_number(next_payment)
    if first < 2:
        expected = f"a payment after the first, {deal.first_payment_date}"
        raise InputError(f"deal {deal.series}", "next payment", str(next_payment), expected)
    numbers = range(first, first + n_months)
    fractions = _year_fractions(deal, next_payment, n_months)
    margin = deal.insurer.reimbursement_margin if deal.insurer else 0.0
    oc = deal.overcollateralization
    build_from = oc.build_from_payment if oc else 1
    is_notional = np.array([c.kind == "notional" for c in deal.classes])
    index = np.broadcast_to(np.asarray(index_rate, dtype=np.float64), n_months)
    coupons = np.stack([_coupons(c, index) for c in deal.classes], axis=1)
    notional = np.array([[_notional(c, n) for c in deal.classes] for n in numbers])
    in_step, step_order = _step_classes(deal)
    rules, in_rule, rule_amount = _rules(deal, numbers)
    terms = DealTerms(
        classes=records(
            len(deal.classes), ClassTerms,
            balance_open=_balances_open(deal, balances),
            is_notional=is_notional,
            is_capped=[c.net_wac_cap for c in deal.classes],
            is_carried=_mask(deal, _carried(deal)),
            is_insured=_mask(deal, [c.name for c in deal.insured_classes]),
        ),
        class_months=records(
            fractions.shape, ClassMonth,
            accrual=fractions * coupons,
            notional=notional,
            notional_rate=np.where(is_notional, coupons, 0.0),
        ),
        months=records(
            n_months, MonthTerms,
            may_build=[n >= build_from for n in numbers],
            reimbursement=(index + margin) / 12,
            has_notional=notional.any(axis=1),
        ),
        steps=_steps(deal),
        in_step=in_step,
        step_order=step_order,
        rules=rules,
        in_rule=in_rule,
        rule_amount=rule_amount,
        has_cap=any(c.net_wac_cap for c in deal.classes),
        undercollateralization=CONVENTIONS[deal.undercollateralization],
        round_to_cents=False,
    )  # fmt: skip
    return MonthlyDeal(
        terms,
        compile_oc_target(deal, first, n_months, loss_to_date),
        fractions,
        tuple(step.label for step in deal.steps),
        tuple(c.name for c in deal.classes),
    )


def _steps(deal: Deal) -> Records[StepTerms]:
    """Lay out the steps, the insurer's payment of principal behind the last."""

    def by_step(value: Callable[[Step], object], draw: object = 0) -> list[object]:
        return [*map(value, deal.steps), draw]

    return records(
        len(deal.steps) + 1, StepTerms,
        kind=by_step(lambda s: STEP_KINDS[s.kind], codes.DRAW),
        rate=by_step(lambda s: (getattr(s, "rate", None) or 0.0) / 12),
        amount=by_step(lambda s: float(getattr(s, "amount", None) or 0)),
        cap=by_step(_cap),
        is_on_pool=by_step(lambda s: isinstance(s, Fee) and s.base == "pool"),
        is_sequential=by_step(_is_sequential),
    )  # fmt: skip


def _step_classes(deal: Deal) -> tuple[Flags, Ints]:
    """Return which classes each step is about, as flags [j + 1, k] and as lists ended by -1."""
    insured = [c.name for c in deal.insured_classes if c.kind != "notional"]
    lists = [*(_classes_of(deal, step) for step in deal.steps), insured]
    order = np.full((len(lists), len(deal.classes)), -1)
    for j, names in enumerate(lists):
        order[j, : len(names)] = [_position(deal, name) for name in names]
    return np.stack([_mask(deal, names) for names in lists]), order


def _is_sequential(step: Step) -> bool:
    return isinstance(step, Interest) and step.order == "sequential"


def _cap(step: Step) -> float:
    """Return the most that a fee takes a month."""
    return float(step.cap) if isinstance(step, Fee) and step.cap is not None else np.inf


def _classes_of(deal: Deal, step: Step) -> Sequence[str]:
    """Return the classes that a step is about, in its order."""
    named: tuple[str, ...] = getattr(step, "classes", ())
    if named:
        return named
    if isinstance(step, Interest):
        return [c.name for c in deal.classes]
    if isinstance(step, Premium):
        return [c.name for c in deal.insured_classes if c.kind != "notional"]
    if step.kind == "cap_carryover":
        return [c.name for c in deal.classes if c.net_wac_cap]
    return [c.name for c in deal.term_classes]


def _carried(deal: Deal) -> list[str]:
    """Return the classes for which what the cap cuts is carried over."""
    steps = [step for step in deal.steps if step.kind == "cap_carryover"]
    return [name for step in steps for name in _classes_of(deal, step)]


class _Entry(NamedTuple):
    """One entry of the principal rules as the kernel knows it."""

    kind: int
    class_name: str | None
    classes: Sequence[str]
    after: str | None
    amount: list[float]  # by month


def _rules(deal: Deal, numbers: range) -> tuple[Records[RuleTerms], Flags, Floats]:
    """Lay out the principal rules; a sequential rule becomes an entry for each class."""
    entries = [entry for rule in deal.principal for entry in _entries(deal, rule, numbers)]
    rules = records(
        len(entries), RuleTerms,
        kind=[e.kind for e in entries],
        k=[_position(deal, e.class_name) for e in entries],
        after=[_position(deal, e.after) for e in entries],
    )  # fmt: skip
    amount = np.array([e.amount for e in entries], dtype=np.float64)
    in_rule = np.stack([_mask(deal, e.classes) for e in entries])
    return rules, in_rule, np.ascontiguousarray(amount.T)


def _entries(deal: Deal, rule: object, numbers: range) -> list[_Entry]:
    """Return the entries of one rule."""
    nothing = [0.0] * len(numbers)
    if isinstance(rule, OneClass):
        amount = [_rule_amount(rule, number) for number in numbers]
        after = rule.after_retired if isinstance(rule, FixedShare) else None
        return [_Entry(_RULE_KINDS[type(rule)], rule.class_name, (), after, amount)]
    names = getattr(rule, "classes", ()) or [c.name for c in deal.term_classes]
    if isinstance(rule, ProRata):
        return [_Entry(codes.PRO_RATA, None, names, None, nothing)]
    return [_Entry(codes.ALL, name, (), None, nothing) for name in names]


_RULE_KINDS: dict[type, int] = {
    Lockout: codes.LOCKOUT, FixedShare: codes.FIXED_SHARE, TargetBalance: codes.TARGET_BALANCE,
}  # fmt: skip


def _rule_amount(rule: OneClass, number: int) -> float:
    """Return the share or balance that a rule names for a payment."""
    if isinstance(rule, FixedShare):
        return rule.share
    if isinstance(rule, Lockout):
        entry = in_force(rule.shares, number)
        return rule.share_after if entry is None else entry.share
    if isinstance(rule, TargetBalance):
        scheduled = in_force(rule.schedule, number)
        return 0.0 if scheduled is None else float(scheduled.balance)
    raise TypeError(f"no amount for {rule!r}")


def _position(deal: Deal, name: str | None) -> int:
    """Return the position of a class, -1 for none."""
    return -1 if name is None else [c.name for c in deal.classes].index(name)


def _mask(deal: Deal, names: Sequence[str]) -> Flags:
    """Return which classes are named, bool[k]."""
    return np.array([c.name in names for c in deal.classes])


def _year_fractions(deal: Deal, next_payment: dt.date, n_months: int) -> Floats:
    """Return the day-count fraction of each month and class, [n_months, n_classes]."""
    dates = [previous_payment_date(next_payment, deal.payment_day)]
    dates += payment_dates(next_payment, n_months, deal.payment_day)
    days = np.diff(np.array(dates, dtype="datetime64[D]")).astype(np.float64)
    by_count = {"30/360": np.full(n_months, 1 / 12), "actual/360": days / 360}
    return np.stack([by_count[c.day_count] for c in deal.classes], axis=1)


def _coupons(note_class: NoteClass, index: Floats) -> Floats:
    """Return the annual rate of a class by month: its coupon, or index [t] + margin."""
    if note_class.coupon is not None:
        return np.full(index.size, note_class.coupon)
    return index + (note_class.margin or 0.0)


def _notional(note_class: NoteClass, number: int) -> float:
    """Return the scheduled balance at a payment; zero after the schedule and without one."""
    entry = in_force(note_class.schedule, number)
    return 0.0 if entry is None else float(entry.balance)


def _balances_open(deal: Deal, balances: Mapping[str, float]) -> Floats:
    """Return the balance of each class at cut-off, zero for a notional class."""
    document = f"deal {deal.series}"
    names = [c.name for c in deal.term_classes]
    unknown = sorted(set(balances) - {c.name for c in deal.classes})
    if unknown:
        expected = "a class of the deal: " + ", ".join(names)
        raise InputError(document, "balances at cut-off", f"class {unknown[0]}", expected)
    for name in names:
        found = balances.get(name)
        if found is None or not 0 <= found < np.inf:
            place = f"balance of class {name} at cut-off"
            raise InputError(document, place, str(found).lower(), "USD, 0 or more")
    held = [balances[c.name] if c.name in names else 0.0 for c in deal.classes]
    return np.array(held, dtype=np.float64)
