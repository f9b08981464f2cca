"""Terms and finished flows go in, what each step and class could claim comes out: for checking.

Everything is put in another form than in the kernels that pay: rates a year instead of by month,
limits in closed form instead of running remainders, OC from collections instead of balances.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from hemc.kernels.deal_terms import (
    BUILD_OC,
    CAP_CARRYOVER,
    COLLECTIONS,
    COVER,
    FIXED_SHARE,
    HOLD_OC,
    INTEREST,
    LOCKOUT,
    PREMIUM,
    PRO_RATA,
    REIMBURSEMENT,
    RESIDUAL,
    TARGET_BALANCE,
    Collections,
    DealTerms,
)
from hemc.kernels.flows import Floats, NoteFlows
from hemc.kernels.principal import DUST
from hemc.kernels.step import step


class Claims(NamedTuple):
    """Working memory of the checks of one path, USD."""

    interest: Floats  # [k] owed for the month, arrears included
    carryover: Floats  # [k] owed for what the cap cut
    balance: Floats  # [k] after the steps looked at so far
    unreversed: Floats  # [k] writedowns not yet written up
    due: Floats  # [j]


@step
def to_cents(amount: float, is_rounded: bool) -> float:
    """Return the amount in whole cents where the trustee rounds."""
    if not is_rounded:
        return amount
    cents = round(amount * 100.0)
    return (cents + (1.0 if amount * 100.0 - cents >= 0.5 - 1e-5 else 0.0)) / 100.0


@step
def pool_rate(terms: DealTerms, flows: Collections, p: int, t: int) -> float:
    """Return a twelfth of the pool's net rate after notional coupons."""
    pool = flows.pool[p, t]
    if pool <= 0.0:
        return math.inf
    interest, scheduled = flows.net_rate_balance[p, t] / 12.0, 0.0
    for k in range(terms.is_notional.size):
        before = min(scheduled, pool)
        scheduled += terms.notional[t, k]
        interest -= (min(scheduled, pool) - before) * terms.notional_rate[t, k] / 12.0
    return max(interest / pool, 0.0)


@step
def claim_interest(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claims: Claims, p: int, t: int
) -> None:
    """Fill the interest and carry-over that each class may claim for the month."""
    rate = pool_rate(terms, flows, p, t) if terms.has_cap else math.inf
    scheduled = 0.0
    for k in range(terms.is_notional.size):
        arrears = notes.shortfall[p, t - 1, k] if t > 0 else 0.0
        before = min(scheduled, flows.pool[p, t])
        scheduled += terms.notional[t, k]
        base = notes.balance[p, t, k]
        if terms.is_notional[k]:
            base = min(scheduled, flows.pool[p, t]) - before
        full = terms.accrual[t, k]
        part = min(rate, full) if terms.is_capped[k] else full
        claims.interest[k] = to_cents(
            base * part + arrears * (1.0 + part), terms.round_to_cents
        )
        if terms.is_carried[k]:
            carried = notes.carryover[p, t - 1, k] if t > 0 else 0.0
            cut = (base + arrears) * full - (base + arrears) * part
            claims.carryover[k] = carried * (1.0 + full) + cut


@step
def principal_limit(
    amount: float, terms: DealTerms, notes: NoteFlows, claims: Claims, e: int, p: int, t: int
) -> float:
    """Return the most that a rule's one class gets of an amount of principal."""
    kind, k, after = terms.rule_kind[e], terms.rule_class[e], terms.rule_after[e]
    if kind == TARGET_BALANCE:
        return max(claims.balance[k], terms.rule_amount[t, e]) - terms.rule_amount[t, e]
    share = 1.0
    if kind == LOCKOUT:
        outstanding = 0.0
        for other in range(terms.is_notional.size):
            outstanding += notes.balance[p, t, other]
        own = notes.balance[p, t, k] / outstanding if outstanding > 0.0 else 0.0
        share = min(own * terms.rule_amount[t, e], 1.0)
    elif kind == FIXED_SHARE:
        waits = after >= 0 and notes.balance[p, t, after] > DUST
        share = 0.0 if waits else terms.rule_amount[t, e]
    return share * amount


@step
def level_of(
    amount: float, terms: DealTerms, notes: NoteFlows, claims: Claims, at: tuple[int, ...]
) -> float:
    """Return the share of beginning balances that, paid to each class, uses an amount up.

    Classes with less left than their part get what they have left: the level rises past one class
    after the other, the one with the least left of its beginning balance first.
    """
    e, j, p, t = at
    level = 0.0
    for _ in range(terms.is_notional.size):
        used, weight = 0.0, 0.0
        for k in range(terms.is_notional.size):
            if terms.rule_classes[e, k] and terms.step_class[j, k]:
                is_full = level * notes.balance[p, t, k] >= claims.balance[k]
                used += claims.balance[k] if is_full else 0.0
                weight += 0.0 if is_full else notes.balance[p, t, k]
        if weight <= 0.0:
            return math.inf
        higher = (amount - used) / weight
        if higher <= level:
            break
        level = higher
    return level


@step
def claim_principal(
    amount: float, terms: DealTerms, notes: NoteFlows, claims: Claims, at: tuple[int, ...]
) -> float:
    """Share what a step paid among the classes by the deal's rules; return what none could take."""
    j, p, t = at
    given = 0.0
    for e in range(terms.rule_kind.size):
        left = max(amount - given, 0.0)
        if terms.rule_kind[e] == PRO_RATA:
            level = level_of(left, terms, notes, claims, (e, j, p, t))
            for k in range(terms.is_notional.size):
                if terms.rule_classes[e, k] and terms.step_class[j, k]:
                    part = min(claims.balance[k], level * notes.balance[p, t, k])
                    claims.balance[k] -= part
                    given += part
        elif terms.step_class[j, terms.rule_class[e]] and left > 0.0:
            part = principal_limit(amount, terms, notes, claims, e, p, t)
            part = min(part, left, claims.balance[terms.rule_class[e]])
            claims.balance[terms.rule_class[e]] -= part
            given += part
    return amount - given


@step
def step_due(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claims: Claims, claim: float,
    paid_off: float, at: tuple[int, ...],
) -> float:  # fmt: skip
    """Return what a step may take; `paid_off` is the principal that earlier steps paid."""
    j, p, t = at
    kind, owed, opening, held = terms.step_kind[j], 0.0, 0.0, 0.0
    for k in range(terms.is_notional.size):
        if terms.step_class[j, k]:
            owed += claims.carryover[k] if kind == CAP_CARRYOVER else claims.interest[k]
            opening += notes.balance[p, t, k]
            held += claims.balance[k]
    if kind == INTEREST or kind == CAP_CARRYOVER:  # noqa: PLR1714  a tuple costs a loop
        return owed
    if kind == RESIDUAL:
        return math.inf
    if kind == REIMBURSEMENT:
        return claim
    if kind == COLLECTIONS:
        return min(held, flows.principal[p, t])
    if kind == COVER:
        return max(held - flows.pool[p, t + 1], 0.0)
    target, fall = flows.oc_target[p, t], flows.principal[p, t] + flows.loss[p, t]
    if kind == HOLD_OC:
        release = max(notes.oc[p, t] - target, 0.0) if terms.may_build[t] else 0.0
        return min(max(fall - release - paid_off, 0.0), held)
    if kind == BUILD_OC:
        missing = target - (notes.oc[p, t] - fall + paid_off)
        return min(max(missing, 0.0), held) if terms.may_build[t] else 0.0
    if kind == PREMIUM and t >= flows.default_month[p]:
        return 0.0
    base = flows.pool[p, t] if terms.is_on_pool[j] else opening
    due = min(terms.step_cap[j], terms.step_amount[j] + base * terms.step_rate[j])
    return to_cents(due, terms.round_to_cents)
