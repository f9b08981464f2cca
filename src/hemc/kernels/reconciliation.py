"""Terms, collections and note flows go in, gaps in USD come out: was the deal's order kept?

Everything is read from the finished flows: rolls from opening to closing balance, what each step
and class could claim from `kernels/dues.py`, and for the order the rule that whoever ranks lower
receives nothing while a better rank is unpaid. So an amount that a step gets wrong shows even
where the cash still adds up.
"""

from __future__ import annotations

import math

import numpy as np

from hemc.kernels.deal_terms import (
    CAP_CARRYOVER,
    COLLECTIONS,
    IMPLIED,
    INTEREST,
    REIMBURSEMENT,
    SHARED,
    Collections,
    DealTerms,
)
from hemc.kernels.dues import Claims, claim_interest, claim_principal, step_due
from hemc.kernels.flows import Floats, NoteFlows
from hemc.kernels.jit import kernel
from hemc.kernels.principal import DUST
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
    INTEREST_DUE,
    ORDER,
    PRINCIPAL,
    UNREIMBURSED,
    DRAWS,
    WRITEDOWNS,
    WRITE_UPS,
    NEGATIVE,
) = range(len(IDENTITIES))


@step
def keep_worst(gaps: Floats, identity: int, gap: float) -> None:
    """Keep the larger absolute gap; a gap that is not a number is infinite."""
    size = math.inf if math.isnan(gap) else abs(gap)
    gaps[identity] = max(gaps[identity], size)


@step
def check_cash(
    terms: DealTerms, flows: Collections, notes: NoteFlows, gaps: Floats, p: int, t: int
) -> float:
    """Compare collections with what steps took, steps with classes, the pool with its flows.

    Returns what the insurer has been paid back.
    """
    taken, interest, principal, repaid = 0.0, notes.draw_interest[p, t], 0.0, 0.0
    for j in range(notes.step_paid.shape[2]):
        kind, paid = terms.step_kind[j], notes.step_paid[p, t, j]
        taken += paid
        interest += paid if kind == INTEREST or kind == CAP_CARRYOVER else 0.0  # noqa: PLR1714
        principal += paid if kind >= COLLECTIONS else 0.0
        repaid += paid if kind == REIMBURSEMENT else 0.0
    principal += notes.draw_principal[p, t]
    for k in range(terms.is_notional.size):
        interest -= notes.interest[p, t, k]
        principal -= notes.principal[p, t, k]
    keep_worst(gaps, CASH, flows.interest[p, t] + flows.principal[p, t] - taken)
    keep_worst(gaps, CASH, interest)
    keep_worst(gaps, CASH, principal)
    fall = flows.pool[p, t] - flows.pool[p, t + 1]
    keep_worst(gaps, POOL_ROLL, flows.principal[p, t] + flows.loss[p, t] - fall)
    return repaid


@step
def check_rolls(flows: Collections, notes: NoteFlows, gaps: Floats, p: int, t: int) -> None:
    """Roll each class from opening to closing; OC = pool − notes; nothing is negative."""
    closing, least = 0.0, min(flows.pool[p, t + 1], notes.unreimbursed[p, t])
    for k in range(notes.balance.shape[2]):
        roll = notes.balance[p, t, k] - notes.principal[p, t, k]
        roll += notes.write_up[p, t, k] - notes.writedown[p, t, k]
        keep_worst(gaps, NOTE_ROLL, roll - notes.balance[p, t + 1, k])
        closing += notes.balance[p, t + 1, k]
        least = min(least, notes.balance[p, t + 1, k], notes.shortfall[p, t, k])
        least = min(least, notes.interest[p, t, k], notes.principal[p, t, k])
        least = min(least, notes.writedown[p, t, k], notes.write_up[p, t, k])
    for j in range(notes.step_paid.shape[2]):
        least = min(least, notes.step_paid[p, t, j])
    least = min(least, notes.draw_interest[p, t], notes.draw_principal[p, t])
    keep_worst(gaps, OC_ROLL, notes.oc[p, t + 1] - (flows.pool[p, t + 1] - closing))
    keep_worst(gaps, NEGATIVE, min(least, 0.0))


@step
def check_order(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claims: Claims, claim: float,
    gaps: Floats, p: int, t: int,
) -> None:  # fmt: skip
    """Nobody gets more than is due, nobody anything before a better rank; classes by the rules."""
    for k in range(claims.balance.size):
        claims.balance[k] = notes.balance[p, t, k]
    paid_off, n_steps = 0.0, notes.step_paid.shape[2]
    for j in range(terms.step_kind.size):
        paid = notes.step_paid[p, t, j] if j < n_steps else notes.draw_principal[p, t]
        if j < n_steps:
            claims.due[j] = step_due(terms, flows, notes, claims, claim, paid_off, (j, p, t))
        if terms.step_kind[j] >= COLLECTIONS and paid != 0.0:
            paid_off += paid
            keep_worst(gaps, PRINCIPAL, claim_principal(paid, terms, notes, claims, (j, p, t)))
    below = 0.0
    for j in range(n_steps - 1, -1, -1):
        paid, due = notes.step_paid[p, t, j], claims.due[j]
        keep_worst(gaps, ORDER, max(paid - due, min(due - paid, below)))
        below += paid
    for k in range(claims.balance.size):
        expected = notes.balance[p, t, k] - claims.balance[k]
        keep_worst(gaps, PRINCIPAL, notes.principal[p, t, k] - expected)


@step
def check_interest(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claims: Claims, gaps: Floats, p: int,
    t: int,
) -> None:  # fmt: skip
    """Every class is paid or still owed what it may claim; a step's classes share what is short."""
    pays, has_carryover = t < flows.default_month[p], notes.carryover.shape[1] > 0
    for j in range(notes.step_paid.shape[2]):
        if terms.step_kind[j] != INTEREST:
            continue
        share = (
            notes.step_paid[p, t, j] / claims.due[j] if claims.due[j] > 0.0 else 0.0
        )
        senior_short = 0.0
        for i in range(terms.step_order.shape[1]):
            k = terms.step_order[j, i]
            if k < 0:
                break
            paid, short = notes.interest[p, t, k], notes.shortfall[p, t, k]
            if has_carryover and terms.is_carried[k]:
                paid -= notes.carryover_paid[p, t, k]
                roll = claims.carryover[k] - notes.carryover_paid[p, t, k]
                keep_worst(gaps, INTEREST_DUE, roll - notes.carryover[p, t, k])
            keep_worst(gaps, INTEREST_DUE, paid + short - claims.interest[k])
            if pays and terms.is_insured[k]:
                keep_worst(gaps, DRAWS, short)
            elif terms.is_sequential[j]:
                keep_worst(gaps, INTEREST_DUE, min(paid, senior_short))
                senior_short += short
            else:
                keep_worst(gaps, INTEREST_DUE, paid - share * claims.interest[k])


@step
def check_draws(
    terms: DealTerms, flows: Collections, notes: NoteFlows, gaps: Floats, p: int, t: int
) -> None:
    """The pool covers what an insurer that pays has insured, and nobody else draws."""
    drawn, pays = notes.draw_principal[p, t], t < flows.default_month[p]
    insured, any_insured = drawn, False
    for k in range(terms.is_insured.size):
        if terms.is_insured[k]:
            any_insured = True
            insured += notes.balance[p, t + 1, k] + notes.writedown[p, t, k]
    if not (pays and any_insured):
        keep_worst(gaps, DRAWS, drawn + notes.draw_interest[p, t])
        return
    is_final = t == flows.loss.shape[1] - 1
    excess = insured - (0.0 if is_final else flows.pool[p, t + 1])
    keep_worst(gaps, DRAWS, drawn - (excess if excess > DUST else 0.0))


@step
def check_writedowns(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claims: Claims, gaps: Floats, p: int,
    t: int,
) -> None:  # fmt: skip
    """Writedowns are the notes in excess of pool, shared by exposed classes as the deal says.

    Write-ups are OC after the payments, at most what was written down, senior first.
    """
    pays, is_final = t < flows.default_month[p], t == flows.loss.shape[1] - 1
    # The draw is paid after the write-up: it stands in the principal but not in this OC.
    written, up, oc, exposed = 0.0, 0.0, flows.pool[p, t + 1] - notes.draw_principal[p, t], 0.0
    before, reversible = 0.0, 0.0
    for k in range(claims.unreversed.size):
        written += notes.writedown[p, t, k]
        up += notes.write_up[p, t, k]
        oc -= notes.balance[p, t, k] - notes.principal[p, t, k]
        standing = notes.balance[p, t + 1, k] + notes.writedown[p, t, k]
        before += standing
        exposed += 0.0 if pays and terms.is_insured[k] else standing
        reversible += claims.unreversed[k]
    excess = before - (0.0 if is_final else flows.pool[p, t + 1])
    is_due = is_final or terms.undercollateralization != IMPLIED
    keep_worst(gaps, WRITEDOWNS, written - (excess if is_due and excess > DUST else 0.0))
    keep_worst(gaps, WRITE_UPS, up - min(max(oc, 0.0), reversible))
    check_who_bears(terms, notes, claims, written, exposed, gaps, (p, t, int(pays)))


@step
def check_who_bears(
    terms: DealTerms, notes: NoteFlows, claims: Claims, written: float, exposed: float,
    gaps: Floats, at: tuple[int, ...],
) -> None:  # fmt: skip
    """Last class first or pro rata; up again most senior first; roll what is not reversed."""
    p, t, pays = at
    junior, senior = 0.0, 0.0
    for k in range(claims.unreversed.size - 1, -1, -1):
        amount, balance = notes.writedown[p, t, k], notes.balance[p, t + 1, k]
        if pays == 1 and terms.is_insured[k]:
            keep_worst(gaps, WRITEDOWNS, amount)
            continue
        if terms.undercollateralization == SHARED and written > 0.0:
            keep_worst(gaps, WRITEDOWNS, amount - written * (balance + amount) / exposed)
        elif terms.undercollateralization != SHARED:
            keep_worst(gaps, WRITEDOWNS, min(amount, junior))
        junior += balance
    for k in range(claims.unreversed.size):
        keep_worst(gaps, WRITE_UPS, min(notes.write_up[p, t, k], senior))
        claims.unreversed[k] -= notes.write_up[p, t, k]
        senior += claims.unreversed[k]
        claims.unreversed[k] += notes.writedown[p, t, k]


@step
def reconcile_month(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claims: Claims, gaps: Floats, p: int,
    t: int,
) -> None:  # fmt: skip
    """Check all identities of one month."""
    claim = notes.unreimbursed[p, t - 1] if t > 0 else 0.0
    claim *= 1.0 + terms.reimbursement_monthly[t]
    repaid = check_cash(terms, flows, notes, gaps, p, t)
    drawn = notes.draw_interest[p, t] + notes.draw_principal[p, t]
    keep_worst(gaps, UNREIMBURSED, claim - repaid + drawn - notes.unreimbursed[p, t])
    check_rolls(flows, notes, gaps, p, t)
    claim_interest(terms, flows, notes, claims, p, t)
    check_order(terms, flows, notes, claims, claim, gaps, p, t)
    check_interest(terms, flows, notes, claims, gaps, p, t)
    check_draws(terms, flows, notes, gaps, p, t)
    check_writedowns(terms, flows, notes, claims, gaps, p, t)


@step
def is_over(flows: Collections, notes: NoteFlows, p: int, t: int) -> bool:
    """Tell whether a month begins with nothing, brings nothing in and pays nothing."""
    total = flows.pool[p, t] + flows.pool[p, t + 1] + flows.interest[p, t]
    total += flows.principal[p, t] + flows.loss[p, t]
    total += notes.unreimbursed[p, t] + notes.draw_interest[p, t] + notes.draw_principal[p, t]
    if t > 0:
        total += notes.unreimbursed[p, t - 1]
    if total != 0.0:
        return False
    for j in range(notes.step_paid.shape[2]):
        total += notes.step_paid[p, t, j]
    for k in range(notes.balance.shape[2]):
        total += notes.balance[p, t, k] + notes.balance[p, t + 1, k] + notes.shortfall[p, t, k]
        total += notes.shortfall[p, t - 1, k] if t > 0 else 0.0
        total += notes.interest[p, t, k] + notes.principal[p, t, k]
        total += notes.writedown[p, t, k] + notes.write_up[p, t, k]
    return total == 0.0 and notes.oc[p, t + 1] == 0.0


@step
def check_opening(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claims: Claims, gaps: Floats, p: int
) -> None:
    """Clear the path's gaps, then compare its first balances and OC with those at cut-off."""
    for identity in range(gaps.size):
        gaps[identity] = 0.0
    oc = flows.pool[p, 0] - notes.oc[p, 0]
    for k in range(terms.balance_open.size):
        keep_worst(gaps, NOTE_ROLL, notes.balance[p, 0, k] - terms.balance_open[k])
        oc -= terms.balance_open[k]
        claims.unreversed[k] = 0.0
    keep_worst(gaps, OC_ROLL, oc)


@kernel
def reconcile_paths(terms: DealTerms, flows: Collections, notes: NoteFlows, gaps: Floats) -> None:
    """Fill `gaps[p, identity]`, largest over months, and `notes.largest_gap[p]` over all."""
    k, j = terms.balance_open.size, terms.step_kind.size
    claims = Claims(np.zeros(k), np.zeros(k), np.empty(k), np.empty(k), np.empty(j))
    for p in range(flows.loss.shape[0]):
        check_opening(terms, flows, notes, claims, gaps[p], p)
        for t in range(flows.loss.shape[1]):
            if not is_over(flows, notes, p, t):
                reconcile_month(terms, flows, notes, claims, gaps[p], p, t)
        notes.largest_gap[p] = gaps[p].max()
