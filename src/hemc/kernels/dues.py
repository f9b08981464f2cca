"""Terms and finished flows go in, what each step and class could claim comes out: for checking.

Everything is put in another form than in the kernels that pay: rates a year instead of by month,
levels in closed form instead of rounds, OC from collections instead of balances.
"""

from __future__ import annotations

import math

from hemc.kernels.deal_terms import (
    BUILD_OC,
    COLLECTIONS,
    COVER,
    FIXED_SHARE,
    HOLD_OC,
    LOCKOUT,
    PREMIUM,
    PRO_RATA,
    TARGET_BALANCE,
    ClassMonth,
    ClassTerms,
    Flags,
    Month,
    RuleTerms,
    StepTerms,
)
from hemc.kernels.flows import Floats
from hemc.kernels.principal import DUST
from hemc.kernels.records import Records
from hemc.kernels.step import step


class Row:
    """A class in a month as the flows show it, and what it could claim, USD."""

    opening: float
    balance: float
    principal: float
    interest: float
    shortfall_open: float
    shortfall: float
    carryover_open: float
    carryover: float
    carryover_paid: float
    writedown: float
    write_up: float
    unreversed: float  # writedowns of earlier months not yet written up
    claim: float  # interest, arrears included
    carryover_claim: float
    left: float  # balance by the rules after the steps looked at so far


@step
def in_cents(amount: float, is_rounded: bool) -> float:
    """Return the amount in whole cents where the trustee rounds, half a cent up."""
    return round(amount * 100.0 + 2e-5) / 100.0 if is_rounded else amount


@step
def pool_rate(class_months: Records[ClassMonth], month: Month, t: int) -> float:
    """Return a twelfth of the pool's net rate after notional coupons."""
    interest, scheduled, pool = month.net_rate_balance / 12.0, 0.0, month.pool_open
    for k in range(class_months.shape[1]):
        before = min(scheduled, pool)
        scheduled += class_months[t, k].notional
        interest -= (min(scheduled, pool) - before) * class_months[t, k].notional_rate / 12.0
    return max(interest / pool, 0.0) if pool > 0.0 else math.inf


@step
def claim_interest(
    classes: Records[ClassTerms], class_months: Records[ClassMonth], rows: Records[Row],
    month: Month, t: int, has_cap: bool, is_rounded: bool,
) -> None:  # fmt: skip
    """Fill the interest and carry-over that each class may claim for the month."""
    rate, scheduled = math.inf, 0.0
    if has_cap:
        rate = pool_rate(class_months, month, t)
    for k in range(classes.size):
        row, full = rows[k], class_months[t, k].accrual
        before = min(scheduled, month.pool_open)
        scheduled += class_months[t, k].notional
        base = row.opening
        if classes[k].is_notional:
            base = min(scheduled, month.pool_open) - before
        part = min(rate, full) if classes[k].is_capped else full
        row.claim = in_cents(base * part + row.shortfall_open * (1.0 + part), is_rounded)
        cut = (base + row.shortfall_open) * full - (base + row.shortfall_open) * part
        row.carryover_claim = row.carryover_open * (1.0 + full) + cut
        row.left = row.opening


@step
def charge_claim(
    charge: StepTerms, in_step: Flags, rows: Records[Row], month: Month, j: int, is_rounded: bool
) -> float:
    """Return the fee or premium of the month."""
    opening = 0.0
    for k in range(rows.size):
        opening += rows[k].opening if in_step[j, k] else 0.0
    base = month.pool_open if charge.is_on_pool else opening
    due = in_cents(min(charge.cap, charge.amount + base * charge.rate), is_rounded)
    return 0.0 if charge.kind == PREMIUM and not month.pays else due


@step
def principal_claim(
    kind: int, held: float, month: Month, oc_open: float, may_build: bool, paid_off: float
) -> float:
    """Return the principal that a step may pay after earlier steps have paid `paid_off`."""
    if kind == COLLECTIONS:
        return min(held, month.principal)
    if kind == COVER:
        return max(held - month.pool_close, 0.0)
    fall = month.principal + month.loss
    if kind == HOLD_OC:
        release = max(oc_open - month.oc_target, 0.0) if may_build else 0.0
        return min(max(fall - release - paid_off, 0.0), held)
    missing = month.oc_target - (oc_open - fall + paid_off)
    return min(max(missing, 0.0), held) if kind == BUILD_OC and may_build else 0.0


@step
def left_in(in_step: Flags, rows: Records[Row], j: int) -> float:
    """Return what a step's classes have left by the rules."""
    held = 0.0
    for k in range(rows.size):
        held += rows[k].left if in_step[j, k] else 0.0
    return held


@step
def class_limit(amount: float, rule: RuleTerms, term: float, rows: Records[Row]) -> float:
    """Return the most that a rule's one class gets of an amount of principal."""
    if rule.kind == TARGET_BALANCE:
        return max(rows[rule.k].left, term) - term
    share = 1.0
    if rule.kind == LOCKOUT:
        notes = 0.0
        for k in range(rows.size):
            notes += rows[k].opening
        share = min(rows[rule.k].opening / max(notes, DUST) * term, 1.0)
    elif rule.kind == FIXED_SHARE:
        waits = rule.after >= 0 and rows[rule.after].opening > DUST
        share = 0.0 if waits else term
    return share * amount


@step
def level_of(
    amount: float, in_rule: Flags, in_step: Flags, rows: Records[Row], e: int, j: int
) -> float:
    """Return the share of beginning balances that, paid to each class, uses an amount up.

    Classes with less left than their part get what they have left: the level rises past one class
    after the other, the one with the least left of its beginning balance first.
    """
    level = 0.0
    for _ in range(rows.size):
        used, weight = 0.0, 0.0
        for k in range(rows.size):
            if in_rule[e, k] and in_step[j, k]:
                is_full = level * rows[k].opening >= rows[k].left
                used += rows[k].left if is_full else 0.0
                weight += 0.0 if is_full else rows[k].opening
        higher = (amount - used) / weight if weight > 0.0 else math.inf
        if higher <= level:
            break
        level = higher
    return level


@step
def take_principal(
    amount: float, rules: Records[RuleTerms], rule_amount: Floats, in_rule: Flags, in_step: Flags,
    rows: Records[Row], j: int, t: int,
) -> float:  # fmt: skip
    """Share what a step paid among the classes by the deal's rules; return what none could take."""
    given = 0.0
    for e in range(rules.size):
        rule, left = rules[e], amount - given
        if left <= 0.0:
            break
        if rule.kind == PRO_RATA:
            level = level_of(left, in_rule, in_step, rows, e, j)
            for k in range(rows.size):
                if in_rule[e, k] and in_step[j, k]:
                    part = min(rows[k].left, level * rows[k].opening)
                    rows[k].left -= part
                    given += part
        elif in_step[j, rule.k]:
            part = class_limit(amount, rule, rule_amount[t, e], rows)
            part = min(part, left, rows[rule.k].left)
            rows[rule.k].left -= part
            given += part
    return amount - given
