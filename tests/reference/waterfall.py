"""The priority of payments told plainly: one path, one month after the other, classes as records.

Written from the description of the deal (docs/model.md, section 6), in another form than the
kernels: waterfalls are queues of (who, claim) served from the front, amounts stand in dicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hemc.kernels.flows import DealTerms, PoolFlows


@dataclass
class Note:
    """A class of notes and what has happened to it this month."""

    balance: float
    is_notional: bool
    is_insured: bool
    unpaid_interest: float = 0.0
    unreversed: float = 0.0
    paid: dict[str, float] = field(default_factory=dict)


def serve(queue: list[tuple[object, float]], cash: float) -> list[tuple[object, float]]:
    """Pay the claims of a queue from the front until the cash is gone."""
    served = []
    for who, claim in queue:
        amount = max(min(claim, cash), 0.0)
        served.append((who, amount))
        cash -= amount
    return served


def pay_path(terms: DealTerms, flows: PoolFlows, p: int) -> dict[str, np.ndarray]:
    """Return the fields of NoteFlows for one path, without the path axis and the largest gap."""
    notes = [
        Note(float(balance), bool(notional), bool(insured))
        for balance, notional, insured in zip(
            terms.balance_open, terms.is_notional, terms.is_insured, strict=True
        )
    ]
    n_months = flows.loss.shape[1]
    oc = flows.balance[p, 0] - sum(note.balance for note in notes)
    story = {"balance": [[note.balance for note in notes]], "oc": [oc]}
    unreimbursed = 0.0
    for t in range(n_months):
        month = pay_month(terms, flows, notes, (p, t), unreimbursed)
        unreimbursed = month["unreimbursed"]
        for name, amount in month.items():
            story.setdefault(name, []).append(amount)
    return {name: np.array(values) for name, values in story.items()}


def pay_month(terms, flows, notes, at, unreimbursed):
    """Pay one month, change the notes and return what was paid."""
    p, t = at
    last = t == flows.loss.shape[1] - 1
    pool_open, pool_close = flows.balance[p, t], flows.balance[p, t + 1]
    outstanding = sum(note.balance for note in notes)
    oc_open = pool_open - outstanding
    collected = sum(
        getattr(flows, name)[p, t]
        for name in ("interest", "recoveries", "scheduled", "prepaid", "proceeds")
    )
    claims = interest_claims(terms, notes, pool_open, flows.net_rate_balance[p, t], t)
    for note in notes:
        note.paid = dict.fromkeys(("principal", "interest", "writedown", "write_up"), 0.0)

    target = oc_target(terms, pool_close, t)
    wanted = oc_open if not terms.may_build[t] else min(oc_open, target)
    hold = np.clip(outstanding - (pool_close - wanted), 0.0, outstanding)
    build = 0.0
    if terms.may_build[t]:
        build = np.clip(target - (pool_close - outstanding + hold), 0.0, outstanding - hold)
    claim = unreimbursed * (1 + terms.reimbursement_monthly[t])
    paid = dict(
        serve(
            [
                ("fees", terms.fee_monthly * pool_open),
                ("premium", terms.premium_monthly * outstanding),
                ("interest", sum(claims)),
                ("hold", hold),
                ("reimbursement", claim),
                ("build", build),
                ("residual", np.inf),
            ],
            collected,
        )
    )
    part = principal_part(terms, notes, outstanding, t)
    pay_interest(notes, claims, paid["interest"])
    pay_principal(terms, notes, paid["hold"] + paid["build"], part)
    write_up(notes, pool_close - sum(note.balance for note in notes))

    draw_interest = sum(note.unpaid_interest for note in notes if note.is_insured)
    for note in notes:
        if note.is_insured:
            note.paid["interest"] += note.unpaid_interest
            note.unpaid_interest = 0.0
    covered = 0.0 if last else pool_close
    draw_principal = 0.0
    if any(note.is_insured for note in notes):
        draw_principal = above(sum(note.balance for note in notes), covered)
        pay_principal(terms, notes, draw_principal, part)
    if last or terms.undercollateralization in (1, 2):
        loss = above(sum(note.balance for note in notes), covered)
        write_down(notes, loss, pro_rata=terms.undercollateralization == 1)
    return {
        "balance": [note.balance for note in notes],
        **{name: [note.paid[name] for note in notes] for name in notes[0].paid},
        "shortfall": [note.unpaid_interest for note in notes],
        "premium": paid["premium"],
        "fees": paid["fees"],
        "draw_interest": draw_interest,
        "draw_principal": draw_principal,
        "reimbursement": paid["reimbursement"],
        "unreimbursed": claim - paid["reimbursement"] + draw_interest + draw_principal,
        "residual": paid["residual"],
        "oc": pool_close - sum(note.balance for note in notes),
        "oc_target": target,
    }


def above(notes, pool):
    """Return notes above the pool, rounding aside."""
    return notes - pool if notes - pool > 1e-4 else 0.0


def oc_target(terms, pool_close, t):
    """Return the OC target of the month."""
    if not terms.step_down_share[t]:
        return terms.target[t]
    stepped = max(terms.step_down_share[t] * pool_close, terms.target_floor)
    return min(stepped, terms.target[t])


def interest_claims(terms, notes, pool_open, net_rate_balance, t):
    """Return what each class is owed: the month's interest, arrears, and interest on them."""
    schedule = [(k, terms.notional[t, k]) for k, note in enumerate(notes) if note.is_notional]
    strip = dict(serve(schedule, pool_open))
    cap = np.inf
    if terms.has_net_wac_cap and pool_open > 0:
        coupons = sum(
            terms.accrual[t, k] / terms.year_fraction[t, k] * amount for k, amount in strip.items()
        )
        cap = max((net_rate_balance - coupons) / pool_open / 12, 0.0)
    claims = []
    for k, note in enumerate(notes):
        rate = terms.accrual[t, k] if note.is_notional else min(terms.accrual[t, k], cap)
        base = strip[k] if note.is_notional else note.balance
        claims.append(base * rate + note.unpaid_interest * (1 + rate))
    return claims


def pay_interest(notes, claims, cash):
    """Share cash pro rata to the claims."""
    for note, claim in zip(notes, claims, strict=True):
        note.paid["interest"] = claim / sum(claims) * cash if sum(claims) else 0.0
        note.unpaid_interest = claim - note.paid["interest"]
        if cash == sum(claims):
            note.paid["interest"], note.unpaid_interest = claim, 0.0


def principal_part(terms, notes, outstanding, t):
    """Return the lockout class's part of principal."""
    if terms.lockout_class < 0 or not outstanding:
        return 0.0
    pro_rata = notes[terms.lockout_class].balance / outstanding
    return terms.lockout_share[t] * pro_rata


def pay_principal(terms, notes, amount, part):
    """Serve the lockout class its part, then every class in order."""
    queue = [(note, note.balance) for note in notes]
    if terms.lockout_class >= 0:
        locked = notes[terms.lockout_class]
        first = min(locked.balance, amount, part * amount)
        queue = [
            (locked, first),
            *((n, n.balance - first if n is locked else n.balance) for n in notes),
        ]
    for note, paid in serve(queue, amount):
        note.balance -= paid
        note.paid["principal"] += paid


def write_up(notes, oc):
    """Reverse writedowns up to OC, senior first."""
    for note, amount in serve([(note, note.unreversed) for note in notes], max(oc, 0.0)):
        note.paid["write_up"] = amount
        note.balance += amount
        note.unreversed -= amount


def write_down(notes, loss, pro_rata):
    """Share a loss pro rata to balances, or serve it from the most junior class up."""
    outstanding = sum(note.balance for note in notes)
    shares = serve([(note, note.balance) for note in reversed(notes)], loss)
    if pro_rata and outstanding:
        shares = [(note, loss * note.balance / outstanding) for note in notes]
    for note, amount in shares:
        note.paid["writedown"] = amount
        note.balance -= amount
        note.unreversed += amount
