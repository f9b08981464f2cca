"""Terms, pool flows and note flows go in, gaps in USD come out: is the priority of payments kept?

Everything is read from the finished flows and put in another form than in `kernels/waterfall.py`:
rolls from opening to closing balance, class amounts in closed form, and for the order of payments
the rule that whoever ranks lower receives nothing while a better rank is unpaid. So an amount
that a step gets wrong shows even where the cash still adds up.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import DealTerms, Floats, NoteFlows, PoolFlows
from hemc.kernels.jit import kernel
from hemc.kernels.month import Month, Payments, Rows, cut_month, cut_rows, read_payments, total
from hemc.kernels.step import step
from hemc.kernels.waterfall import DUST, IMPLIED, PRO_RATA

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
    INTEREST,
    ORDER,
    PRINCIPAL,
    UNREIMBURSED,
    DRAWS,
    WRITEDOWNS,
    WRITE_UPS,
    NEGATIVE,
) = range(len(IDENTITIES))


class Scratch(NamedTuple):
    """Working memory of one path, [k]."""

    nothing: Floats  # zeros
    entitlement: Floats  # interest owed for the month, USD
    unreversed: Floats  # writedowns not yet written up, USD


@step
def keep_worst(gaps: Floats, identity: int, gap: float) -> None:
    """Keep the larger absolute gap; a gap that is not a number is infinite."""
    size = math.inf if math.isnan(gap) else abs(gap)
    gaps[identity] = max(gaps[identity], size)


@step
def pool_rate(month: Month) -> float:
    """Return a twelfth of the pool's net rate after notional coupons, infinite without a cap."""
    if not month.has_net_wac_cap or month.pool_open <= 0.0:
        return math.inf
    interest, scheduled = month.net_rate_balance / 12.0, 0.0
    for k in range(month.is_notional.size):
        before = min(scheduled, month.pool_open)
        scheduled += month.notional[k]
        coupon = month.accrual[k] / month.year_fraction[k]
        interest -= (min(scheduled, month.pool_open) - before) * coupon / 12.0
    return max(interest / month.pool_open, 0.0)


@step
def entitle(month: Month, rows: Rows, entitlement: Floats) -> None:
    """Fill `entitlement` with the interest each class may claim for the month."""
    rate, scheduled = pool_rate(month), 0.0
    for k in range(entitlement.size):
        carried = rows.shortfall_open[k]
        before = min(scheduled, month.pool_open)
        scheduled += month.notional[k]
        if month.is_notional[k]:
            notional = min(scheduled, month.pool_open) - before
            entitlement[k] = carried + (notional + carried) * month.accrual[k]
        else:
            accrual = min(rate, month.accrual[k])
            entitlement[k] = carried + (rows.balance_open[k] + carried) * accrual


@step
def check_cash(month: Month, rows: Rows, payments: Payments, gaps: Floats) -> None:
    """Compare collections and draws with all payments, and the pool with its own flows."""
    cash_in = month.interest + month.principal + payments.draw_interest + payments.draw_principal
    cash_out = payments.fees + payments.premium + payments.reimbursement + payments.residual
    cash_out += total(rows.interest) + total(rows.principal)
    keep_worst(gaps, CASH, cash_in - cash_out)
    fall = month.pool_open - month.pool_close
    keep_worst(gaps, POOL_ROLL, month.principal + month.loss - fall)


@step
def check_rolls(month: Month, rows: Rows, payments: Payments, claim: float, gaps: Floats) -> None:
    """Roll each class and the insurer's claim from opening to closing; OC = pool − notes."""
    for k in range(rows.balance.size):
        roll = rows.balance_open[k] - rows.principal[k] - rows.writedown[k] + rows.write_up[k]
        keep_worst(gaps, NOTE_ROLL, roll - rows.balance[k])
    keep_worst(gaps, OC_ROLL, payments.oc - (month.pool_close - total(rows.balance)))
    claim += payments.draw_interest + payments.draw_principal - payments.reimbursement
    keep_worst(gaps, UNREIMBURSED, claim - payments.unreimbursed)


@step
def check_interest(month: Month, rows: Rows, entitlement: Floats, gaps: Floats) -> None:
    """Every class is paid or still owed its entitlement, short in the same proportion."""
    due, short = total(entitlement), total(rows.shortfall)
    for k in range(entitlement.size):
        gap = rows.interest[k] + rows.shortfall[k] - entitlement[k]
        keep_worst(gaps, INTEREST, gap)
        if due > 0.0 and not month.is_insured.any():
            keep_worst(gaps, INTEREST, rows.shortfall[k] - entitlement[k] * (short / due))


@step
def rank_gap(due: float, paid: float, below: float) -> float:
    """Return what was paid beyond `due`, or paid `below` although something due was not."""
    return max(paid - due, min(due - paid, below))


@step
def required_oc(month: Month) -> float:
    """Return the OC target; after the step-down it follows the ending pool within its limits."""
    if month.step_down_share > 0.0:
        share = month.step_down_share * month.pool_close
        return min(month.target, max(month.target_floor, share))
    return month.target


@step
def check_principal_ranks(
    month: Month, rows: Rows, payments: Payments, oc_open: float, claim: float, gaps: Floats
) -> float:
    """Check hold, reimbursement and build from the bottom up; return what they take in all."""
    target, notes, notes_due = (
        required_oc(month),
        total(rows.balance_open),
        month.principal + month.loss,
    )
    release = max(oc_open - target, 0.0) if month.may_build else 0.0
    hold_due = min(max(notes_due - release, 0.0), notes)
    paid = total(rows.principal) - payments.draw_principal
    held = min(paid, hold_due)
    build_due = min(max(target - (oc_open - notes_due + held), 0.0), notes - held)
    build_due = build_due if month.may_build else 0.0
    built, below = paid - held, payments.residual
    keep_worst(gaps, ORDER, rank_gap(build_due, built, below))
    below += built
    keep_worst(gaps, ORDER, rank_gap(claim, payments.reimbursement, below))
    below += payments.reimbursement
    keep_worst(gaps, ORDER, rank_gap(hold_due, held, below))
    keep_worst(gaps, ORDER, payments.oc_target - target)
    return below + held


@step
def check_ranks(
    month: Month, rows: Rows, payments: Payments, entitled: float, below: float, gaps: Floats
) -> None:
    """Check interest, premium and fees: nobody too much, nothing before a better rank."""
    interest = total(rows.interest) - payments.draw_interest
    keep_worst(gaps, ORDER, rank_gap(entitled, interest, below))
    below += interest
    premium_due = month.premium_monthly * total(rows.balance_open)
    keep_worst(gaps, ORDER, rank_gap(premium_due, payments.premium, below))
    below += payments.premium
    keep_worst(gaps, ORDER, rank_gap(month.fee_monthly * month.pool_open, payments.fees, below))


@step
def check_principal_classes(month: Month, rows: Rows, gaps: Floats) -> None:
    """Compare each class's principal with lockout first, then in order, applied to the total.

    Steps may share the total among themselves in any way: the result is the same.
    """
    left, lockout, locked = total(rows.principal), month.lockout_class, 0.0
    if lockout >= 0 and total(rows.balance_open) > 0.0:
        balance = rows.balance_open[lockout]
        share = month.lockout_share * balance / total(rows.balance_open)
        locked = min(balance, left * min(share, 1.0))
    left -= locked
    for k in range(rows.balance.size):
        first = locked if k == lockout else 0.0
        expected = min(left, rows.balance_open[k] - first)
        left -= expected
        keep_worst(gaps, PRINCIPAL, rows.principal[k] - first - expected)


@step
def check_draws(month: Month, rows: Rows, payments: Payments, gaps: Floats) -> None:
    """Insured classes miss no interest, the pool covers the notes; nobody else draws."""
    drawn = payments.draw_principal
    if not month.is_insured.any():
        keep_worst(gaps, DRAWS, drawn + payments.draw_interest)
        return
    for k in range(rows.shortfall.size):
        if month.is_insured[k]:
            keep_worst(gaps, DRAWS, rows.shortfall[k])
    before = total(rows.balance_open) - total(rows.principal) + drawn
    excess = before - (0.0 if month.is_final else month.pool_close)
    keep_worst(gaps, DRAWS, drawn - (excess if excess > DUST else 0.0))


@step
def check_writedowns(month: Month, rows: Rows, gaps: Floats) -> None:
    """Writedowns are the notes in excess of pool, shared among the classes as the deal says."""
    written, junior = total(rows.writedown), 0.0
    before = total(rows.balance) + written
    excess = before - (0.0 if month.is_final else month.pool_close)
    is_due = month.is_final or month.undercollateralization != IMPLIED
    keep_worst(gaps, WRITEDOWNS, written - (excess if is_due and excess > DUST else 0.0))
    for k in range(rows.balance.size - 1, -1, -1):
        gap = min(rows.writedown[k], junior)
        if month.undercollateralization == PRO_RATA and written > 0.0:
            gap = rows.writedown[k] - written * (rows.balance[k] + rows.writedown[k]) / before
        keep_worst(gaps, WRITEDOWNS, gap)
        junior += rows.balance[k]


@step
def check_write_ups(month: Month, rows: Rows, payments: Payments, gaps: Floats) -> None:
    """Write-ups are OC after the payments, at most what was written down, senior first."""
    cash_paid = total(rows.principal) - payments.draw_principal
    oc = month.pool_close - (total(rows.balance_open) - cash_paid)
    due, senior = min(max(oc, 0.0), total(rows.unreversed)), 0.0
    keep_worst(gaps, WRITE_UPS, total(rows.write_up) - due)
    for k in range(rows.unreversed.size):
        keep_worst(gaps, WRITE_UPS, min(rows.write_up[k], senior))
        rows.unreversed[k] -= rows.write_up[k]
        senior += rows.unreversed[k]
        rows.unreversed[k] += rows.writedown[k]


@step
def check_signs(month: Month, rows: Rows, payments: Payments, gaps: Floats) -> None:
    """Balances and payments are never negative."""
    least = min(month.pool_close, payments.fees, payments.premium, payments.reimbursement)
    least = min(least, payments.residual, payments.unreimbursed)
    least = min(least, payments.draw_interest, payments.draw_principal)
    for k in range(rows.balance.size):
        least = min(least, rows.balance[k], rows.shortfall[k], rows.interest[k])
        least = min(least, rows.principal[k], rows.writedown[k], rows.write_up[k])
    keep_worst(gaps, NEGATIVE, min(least, 0.0))


@step
def reconcile_month(
    month: Month, rows: Rows, payments: Payments, oc_open: float, unreimbursed: float,
    entitlement: Floats, gaps: Floats,
) -> None:  # fmt: skip
    """Check all identities of one month; `entitlement` is scratch."""
    claim = unreimbursed * (1.0 + month.reimbursement_monthly)
    entitle(month, rows, entitlement)
    check_cash(month, rows, payments, gaps)
    check_rolls(month, rows, payments, claim, gaps)
    check_interest(month, rows, entitlement, gaps)
    below = check_principal_ranks(month, rows, payments, oc_open, claim, gaps)
    check_ranks(month, rows, payments, total(entitlement), below, gaps)
    check_principal_classes(month, rows, gaps)
    check_draws(month, rows, payments, gaps)
    check_writedowns(month, rows, gaps)
    check_write_ups(month, rows, payments, gaps)
    check_signs(month, rows, payments, gaps)


@step
def check_opening(
    terms: DealTerms, flows: PoolFlows, notes: NoteFlows, gaps: Floats, p: int
) -> None:
    """Clear the path's gaps, then compare its first balances and OC with those at cut-off."""
    for identity in range(gaps.size):
        gaps[identity] = 0.0
    for k in range(terms.balance_open.size):
        keep_worst(gaps, NOTE_ROLL, notes.balance[p, 0, k] - terms.balance_open[k])
    keep_worst(gaps, OC_ROLL, notes.oc[p, 0] - flows.balance[p, 0] + total(notes.balance[p, 0]))


@step
def reconcile_path(
    terms: DealTerms, flows: PoolFlows, notes: NoteFlows, scratch: Scratch, gaps: Floats, p: int
) -> None:
    """Leave in `gaps` the largest gap of each identity over the months of a path."""
    check_opening(terms, flows, notes, gaps, p)
    for k in range(scratch.unreversed.size):
        scratch.unreversed[k] = 0.0
    claim = 0.0
    for t in range(notes.residual.shape[1]):
        month = cut_month(terms, flows, p, t)
        rows = cut_rows(notes, scratch.nothing, scratch.unreversed, p, t)
        payments = read_payments(notes, p, t)
        reconcile_month(month, rows, payments, notes.oc[p, t], claim, scratch.entitlement, gaps)
        claim = payments.unreimbursed


@kernel
def reconcile_paths(terms: DealTerms, flows: PoolFlows, notes: NoteFlows, gaps: Floats) -> None:
    """Fill `gaps[p, identity]`, largest over months, and `notes.largest_gap[p]` over all."""
    n_classes = terms.balance_open.size
    scratch = Scratch(np.zeros(n_classes), np.empty(n_classes), np.empty(n_classes))
    for p in range(notes.residual.shape[0]):
        reconcile_path(terms, flows, notes, scratch, gaps[p], p)
        notes.largest_gap[p] = gaps[p].max()
