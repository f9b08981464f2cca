"""Terms, collections and note flows go in, gaps in USD come out: was the deal's order kept?

Everything is read from the finished flows: rolls from opening to closing balance, what each step
and class could claim from `kernels/dues.py`, and for the order the rule that whoever ranks lower
receives nothing while a better rank is unpaid. So an amount that a step gets wrong shows even
where the cash still adds up.
"""

from __future__ import annotations

import math

from hemc.kernels.deal_terms import (
    CAP_CARRYOVER,
    COLLECTIONS,
    IMPLIED,
    INTEREST,
    REIMBURSEMENT,
    RESIDUAL,
    SHARED,
    ClassTerms,
    DealTerms,
    Month,
    StepTerms,
)
from hemc.kernels.dues import (
    Row,
    charge_claim,
    claim_interest,
    left_in,
    principal_claim,
    take_principal,
)
from hemc.kernels.flows import Floats, NoteFlows
from hemc.kernels.jit import kernel
from hemc.kernels.principal import DUST
from hemc.kernels.records import Records
from hemc.kernels.step import step

#: Names of the identities, in the order of the gaps.
IDENTITIES = (
    "cash in = cash out",
    "pool balance roll",
    "note balance roll",
    "overcollateralization roll",
    "interest entitlement",
    "order of payments",
    "principal by class",
    "unreimbursed draws roll",
    "insurer draws",
    "writedowns",
    "write-ups",
    "no negative amount",
)
(
    CASH,
    POOL_ROLL,
    NOTE_ROLL,
    OC_ROLL,
    ENTITLEMENT,
    ORDER,
    PRINCIPAL,
    UNREIMBURSED,
    DRAWS,
    WRITEDOWNS,
    WRITE_UPS,
    NEGATIVE,
) = range(len(IDENTITIES))


class Rank:
    """What a step took and could claim, USD."""

    paid: float
    due: float


class Totals:
    """What is not by class in a month, as the flows show it, USD."""

    oc_open: float
    oc: float
    claim: float  # of the insurer, with the month's interest
    unreimbursed: float
    draw_interest: float
    draw_principal: float


@step
def worst(gap: float, other: float) -> float:
    """Return the larger absolute gap; a gap that is not a number is infinite."""
    return max(gap, math.inf if math.isnan(other) else abs(other))


@step
def read_month(
    notes: NoteFlows, rows: Records[Row], ranks: Records[Rank], totals: Totals, p: int, t: int
) -> float:
    """Copy a month's flows into records; return all that is by class or the insurer's."""
    amounts = 0.0
    for k in range(rows.size):
        row = rows[k]
        row.shortfall_open, row.carryover_open = row.shortfall, row.carryover
        row.opening, row.balance = notes.balance[p, t, k], notes.balance[p, t + 1, k]
        row.principal, row.interest = notes.principal[p, t, k], notes.interest[p, t, k]
        row.shortfall = notes.shortfall[p, t, k]
        row.writedown, row.write_up = notes.writedown[p, t, k], notes.write_up[p, t, k]
        if notes.carryover.shape[1] > 0:
            row.carryover = notes.carryover[p, t, k]
            row.carryover_paid = notes.carryover_paid[p, t, k]
        amounts += row.opening + row.balance + row.shortfall_open + row.shortfall + row.interest
        amounts += row.principal + row.writedown + row.write_up + row.carryover
    for j in range(notes.step_paid.shape[2]):
        ranks[j].paid = notes.step_paid[p, t, j]
    totals.oc_open, totals.oc = notes.oc[p, t], notes.oc[p, t + 1]
    totals.claim, totals.unreimbursed = totals.unreimbursed, notes.unreimbursed[p, t]
    totals.draw_interest = notes.draw_interest[p, t]
    totals.draw_principal = notes.draw_principal[p, t]
    amounts += totals.draw_interest + totals.draw_principal
    return amounts + totals.claim + totals.unreimbursed


@step
def check_cash(
    steps: Records[StepTerms], ranks: Records[Rank], rows: Records[Row], totals: Totals,
    month: Month, gaps: Floats,
) -> None:  # fmt: skip
    """Compare collections with what steps took, steps with classes, the claim with its flows."""
    taken, interest, principal, repaid = 0.0, totals.draw_interest, totals.draw_principal, 0.0
    for j in range(ranks.size):
        kind, paid = steps[j].kind, ranks[j].paid
        taken += paid
        interest += paid if INTEREST <= kind <= CAP_CARRYOVER else 0.0
        principal += paid if kind >= COLLECTIONS else 0.0
        repaid += paid if kind == REIMBURSEMENT else 0.0
    for k in range(rows.size):
        interest -= rows[k].interest
        principal -= rows[k].principal
    gaps[CASH] = worst(gaps[CASH], month.interest + month.principal - taken)
    gaps[CASH] = worst(gaps[CASH], interest)
    gaps[CASH] = worst(gaps[CASH], principal)
    claim = totals.claim - repaid + totals.draw_interest + totals.draw_principal
    gaps[UNREIMBURSED] = worst(gaps[UNREIMBURSED], claim - totals.unreimbursed)


@step
def check_rolls(
    ranks: Records[Rank], rows: Records[Row], totals: Totals, month: Month, gaps: Floats
) -> None:
    """Roll pool and classes from opening to closing; OC = pool − notes; nothing is negative."""
    fall, closing = month.pool_open - month.pool_close, 0.0
    gaps[POOL_ROLL] = worst(gaps[POOL_ROLL], month.principal + month.loss - fall)
    least = min(month.pool_close, totals.unreimbursed, totals.draw_interest, totals.draw_principal)
    for k in range(rows.size):
        row = rows[k]
        roll = row.opening - row.principal + row.write_up - row.writedown
        gaps[NOTE_ROLL] = worst(gaps[NOTE_ROLL], roll - row.balance)
        closing += row.balance
        least = min(least, row.balance, row.shortfall, row.interest)
        least = min(least, row.principal, row.writedown, row.write_up)
    for j in range(ranks.size):
        least = min(least, ranks[j].paid)
    gaps[OC_ROLL] = worst(gaps[OC_ROLL], totals.oc - (month.pool_close - closing))
    gaps[NEGATIVE] = worst(gaps[NEGATIVE], min(least, 0.0))


@step
def claim_steps(
    terms: DealTerms, ranks: Records[Rank], rows: Records[Row], totals: Totals, month: Month,
    t: int,
) -> float:  # fmt: skip
    """Fill what each step may take; return principal that no class could take by the rules."""
    paid_off, adrift = 0.0, 0.0
    for j in range(terms.steps.size):
        kind, paid, due = terms.steps[j].kind, totals.draw_principal, 0.0
        if kind >= COLLECTIONS:
            held = left_in(terms.in_step, rows, j)
            may_build = terms.months[t].may_build
            due = principal_claim(kind, held, month, totals.oc_open, may_build, paid_off)
            paid = ranks[j].paid if j < ranks.size else paid
            paid_off += paid
            adrift += take_principal(
                paid, terms.rules, terms.rule_amount, terms.in_rule, terms.in_step, rows, j, t
            )
        elif INTEREST <= kind <= CAP_CARRYOVER:
            for k in range(rows.size):
                if terms.in_step[j, k]:
                    due += rows[k].claim if kind == INTEREST else rows[k].carryover_claim
        elif kind == REIMBURSEMENT:
            due = totals.claim
        elif kind == RESIDUAL:
            due = math.inf
        else:
            is_rounded = terms.round_to_cents
            due = charge_claim(terms.steps[j], terms.in_step, rows, month, j, is_rounded)
        if j < ranks.size:
            ranks[j].due = due
    return adrift


@step
def check_order(ranks: Records[Rank], rows: Records[Row], adrift: float, gaps: Floats) -> None:
    """Nobody gets more than is due, nobody anything before a better rank; classes by the rules."""
    below = 0.0
    for j in range(ranks.size - 1, -1, -1):
        paid, due = ranks[j].paid, ranks[j].due
        gaps[ORDER] = worst(gaps[ORDER], max(paid - due, min(due - paid, below)))
        below += paid
    gaps[PRINCIPAL] = worst(gaps[PRINCIPAL], adrift)
    for k in range(rows.size):
        expected = rows[k].opening - rows[k].left
        gaps[PRINCIPAL] = worst(gaps[PRINCIPAL], rows[k].principal - expected)


@step
def check_interest(
    terms: DealTerms, ranks: Records[Rank], rows: Records[Row], pays: bool, gaps: Floats
) -> None:
    """Every class is paid or still owed what it may claim; a step's classes share what is short."""
    for j in range(ranks.size):
        if terms.steps[j].kind != INTEREST:
            continue
        share, senior_short = ranks[j].paid / max(ranks[j].due, DUST * DUST), 0.0
        for i in range(rows.size):
            k = terms.step_order[j, i]
            if k < 0:
                break
            row, paid = rows[k], rows[k].interest
            if terms.classes[k].is_carried:
                paid -= row.carryover_paid
                roll = row.carryover_claim - row.carryover_paid - row.carryover
                gaps[ENTITLEMENT] = worst(gaps[ENTITLEMENT], roll)
            gap = paid + row.shortfall - row.claim
            gaps[ENTITLEMENT] = worst(gaps[ENTITLEMENT], gap)
            if pays and terms.classes[k].is_insured:
                gaps[DRAWS] = worst(gaps[DRAWS], row.shortfall)
                continue
            gap = paid - share * row.claim
            if terms.steps[j].is_sequential:
                gap = min(paid, senior_short)
            gaps[ENTITLEMENT] = worst(gaps[ENTITLEMENT], gap)
            senior_short += row.shortfall


@step
def check_draws(
    classes: Records[ClassTerms], rows: Records[Row], totals: Totals, month: Month, gaps: Floats
) -> None:
    """The pool covers what an insurer that pays has insured, and nobody else draws."""
    drawn, any_insured = totals.draw_principal, False
    insured = drawn
    for k in range(classes.size):
        if classes[k].is_insured:
            any_insured = True
            insured += rows[k].balance + rows[k].writedown
    excess = insured - (0.0 if month.is_final else month.pool_close)
    gap = drawn - (excess if excess > DUST else 0.0)
    if not (month.pays and any_insured):
        gap = drawn + totals.draw_interest
    gaps[DRAWS] = worst(gaps[DRAWS], gap)


@step
def check_writedowns(
    classes: Records[ClassTerms], rows: Records[Row], convention: int, month: Month, gaps: Floats
) -> None:
    """Writedowns are the notes in excess of pool, borne by exposed classes as the deal says."""
    written, before, exposed, junior = 0.0, 0.0, 0.0, 0.0
    for k in range(rows.size):
        standing = rows[k].balance + rows[k].writedown
        written += rows[k].writedown
        before += standing
        exposed += 0.0 if month.pays and classes[k].is_insured else standing
    excess = before - (0.0 if month.is_final else month.pool_close)
    is_due = (month.is_final or convention != IMPLIED) and excess > DUST
    gaps[WRITEDOWNS] = worst(gaps[WRITEDOWNS], written - (excess if is_due else 0.0))
    for k in range(rows.size - 1, -1, -1):
        amount, balance = rows[k].writedown, rows[k].balance
        gap = min(amount, junior)
        if month.pays and classes[k].is_insured:
            gap, balance = amount, 0.0
        elif convention == SHARED:
            gap = amount - written * (balance + amount) / max(exposed, DUST)
        gaps[WRITEDOWNS] = worst(gaps[WRITEDOWNS], gap)
        junior += balance


@step
def check_write_ups(rows: Records[Row], totals: Totals, month: Month, gaps: Floats) -> None:
    """Write-ups are OC after the cash, at most what was written down, most senior first."""
    oc, up, reversible, senior = month.pool_close - totals.draw_principal, 0.0, 0.0, 0.0
    for k in range(rows.size):
        oc -= rows[k].opening - rows[k].principal
        up += rows[k].write_up
        reversible += rows[k].unreversed
    gaps[WRITE_UPS] = worst(gaps[WRITE_UPS], up - min(max(oc, 0.0), reversible))
    for k in range(rows.size):
        gaps[WRITE_UPS] = worst(gaps[WRITE_UPS], min(rows[k].write_up, senior))
        rows[k].unreversed -= rows[k].write_up
        senior += rows[k].unreversed
        rows[k].unreversed += rows[k].writedown


@step
def reconcile_month(
    terms: DealTerms, month: Month, rows: Records[Row], ranks: Records[Rank], totals: Totals,
    gaps: Floats, t: int, is_bare: bool,
) -> None:  # fmt: skip
    """Check all identities of one month; a bare one has cash for fees and certificates only."""
    totals.claim *= 1.0 + terms.months[t].reimbursement
    check_cash(terms.steps, ranks, rows, totals, month, gaps)
    check_rolls(ranks, rows, totals, month, gaps)
    if is_bare:
        return
    claim_interest(
        terms.classes, terms.class_months, rows, month, t, terms.has_cap, terms.round_to_cents
    )
    check_order(ranks, rows, claim_steps(terms, ranks, rows, totals, month, t), gaps)
    check_interest(terms, ranks, rows, month.pays, gaps)
    check_draws(terms.classes, rows, totals, month, gaps)
    check_writedowns(terms.classes, rows, terms.undercollateralization, month, gaps)
    check_write_ups(rows, totals, month, gaps)


@step
def check_opening(
    terms: DealTerms, notes: NoteFlows, rows: Records[Row], pool: float, gaps: Floats, p: int
) -> None:
    """Clear gaps and records, then compare first balances and OC with those at cut-off."""
    for identity in range(gaps.size):
        gaps[identity] = 0.0
    oc = pool - notes.oc[p, 0]
    for k in range(rows.size):
        gap = notes.balance[p, 0, k] - terms.classes[k].balance_open
        gaps[NOTE_ROLL] = worst(gaps[NOTE_ROLL], gap)
        oc -= terms.classes[k].balance_open
        rows[k].unreversed = rows[k].shortfall = rows[k].carryover = 0.0
    gaps[OC_ROLL] = worst(gaps[OC_ROLL], oc)


@kernel
def reconcile_paths(
    terms: DealTerms, flows: Records[Month], notes: NoteFlows, gaps: Floats,
    rows: Records[Row], ranks: Records[Rank], totals: Records[Totals],
) -> None:  # fmt: skip
    """Fill `gaps[p, identity]`, largest over months, and `notes.largest_gap[p]` over all.

    `rows` [k], `ranks` [j] and `totals` [1] are working memory.
    """
    for p in range(flows.shape[0]):
        check_opening(terms, notes, rows, flows[p, 0].pool_open, gaps[p], p)
        totals[0].unreimbursed = 0.0
        for t in range(flows.shape[1]):
            amounts = read_month(notes, rows, ranks, totals[0], p, t)
            is_bare = amounts == 0.0 and not terms.months[t].has_notional
            reconcile_month(terms, flows[p, t], rows, ranks, totals[0], gaps[p], t, is_bare)
        largest = 0.0
        for identity in range(gaps.shape[1]):
            largest = max(largest, gaps[p, identity])
        notes.largest_gap[p] = largest
