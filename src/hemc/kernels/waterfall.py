"""Pool flows and deal terms go in, note flows come out: the priority of payments, month by month.

Each rule is a function of a few amounts; `pay_month` applies them in the deal's order and the
loops repeat it. The month's rows serve as working memory: `balance` starts as the opening balance,
`shortfall` as the interest owed, and every payment reduces them, so that nothing is allocated
inside the loop over months.

No amount is what the others leave over: the residual follows the certificate's excess-cash formula
and OC is rolled forward from the flows, so that `kernels/reconciliation.py` has something to check.
"""

from __future__ import annotations

import math

import numpy as np

from hemc.kernels.flows import DealTerms, Floats, NoteFlows, PoolFlows
from hemc.kernels.jit import kernel
from hemc.kernels.month import Month, Payments, Rows, cut_month, cut_rows, total, write_payments
from hemc.kernels.step import step

#: Values of `DealTerms.undercollateralization`.
IMPLIED, PRO_RATA, REVERSE_ORDER = range(3)

# USD. Less is nothing: notes that exceed the pool by less are neither drawn nor written down, and
# so is a residual. float64 leaves some 1e-7 on a pool of a billion, which would count as a draw.
DUST = 1e-4


@step
def without_dust(amount: float) -> float:
    """Return the amount, or zero where it is only rounding."""
    return amount if abs(amount) > DUST else 0.0


@step
def open_month(rows: Rows) -> None:
    """Carry balances and unpaid interest into the month and clear the other rows."""
    for k in range(rows.balance.size):
        rows.balance[k] = rows.balance_open[k]
        rows.shortfall[k] = rows.shortfall_open[k]
        rows.interest[k] = rows.principal[k] = 0.0
        rows.writedown[k] = rows.write_up[k] = 0.0


@step
def rate_cap(month: Month) -> float:
    """Return the highest rate of the month: the pool's net rate less the notional coupons.

    The cap is a twelfth of an annual rate for every class: 30/actual days times actual/360.
    """
    if not month.has_net_wac_cap or month.pool_open <= 0.0:
        return math.inf
    coupons, pool_left = 0.0, month.pool_open
    for k in range(month.is_notional.size):
        notional = min(month.notional[k], pool_left)
        pool_left -= notional
        coupons += notional * month.accrual[k] / month.year_fraction[k]
    return max(month.net_rate_balance - coupons, 0.0) / month.pool_open / 12.0


@step
def accrue_interest(month: Month, rows: Rows) -> None:
    """Add to the shortfall carried forward its own interest and the month's.

    What the cap cuts is not owed. A notional balance is its schedule, at most the pool.
    """
    cap, pool_left = rate_cap(month), month.pool_open
    for k in range(rows.shortfall.size):
        base, rate = rows.balance_open[k], min(month.accrual[k], cap)
        if month.is_notional[k]:
            base, rate = min(month.notional[k], pool_left), month.accrual[k]
            pool_left -= base
        rows.shortfall[k] += (base + rows.shortfall[k]) * rate


@step
def pay_interest(cash: float, rows: Rows) -> float:
    """Pay the classes pro rata to what they are owed; return the cash that takes."""
    due = total(rows.shortfall)
    share = cash / due if cash < due else 1.0
    for k in range(rows.shortfall.size):
        rows.interest[k] = share * rows.shortfall[k]
        rows.shortfall[k] -= rows.interest[k]
    return min(cash, due)


@step
def fee_due(month: Month) -> float:
    """Return the fees on the opening pool."""
    return month.fee_monthly * month.pool_open


@step
def premium_due(month: Month, notes: float) -> float:
    """Return the insurer's premium on the opening notes."""
    return month.premium_monthly * notes


@step
def target_of_month(month: Month) -> float:
    """Return the OC target: fixed, or after the step-down a share of the ending pool."""
    if month.step_down_share == 0.0:
        return month.target
    share = month.step_down_share * month.pool_close
    return min(max(share, month.target_floor), month.target)


@step
def hold_due(month: Month, notes: float, oc_open: float, target: float) -> float:
    """Return the principal that keeps OC, released down to its target once it may be built."""
    kept = min(oc_open, target) if month.may_build else oc_open
    return min(max(notes - (month.pool_close - kept), 0.0), notes)


@step
def reimbursement_due(month: Month, unreimbursed: float) -> float:
    """Return the insurer's claim with the month's interest."""
    return unreimbursed * (1.0 + month.reimbursement_monthly)


@step
def build_due(month: Month, notes: float, target: float) -> float:
    """Return the principal that lifts OC to its target, if it may be built already."""
    if not month.may_build:
        return 0.0
    return min(max(target - (month.pool_close - notes), 0.0), notes)


@step
def residual_due(excess_interest: float, loss: float, oc_increase: float, repaid: float) -> float:
    """Return the certificates' cash: excess interest less loss, OC increase and reimbursement.

    A release of OC is a negative increase. This is the formula of the servicing certificate;
    it equals the cash left only if the pool fell by principal collections plus loss.
    """
    return without_dust(excess_interest - loss - oc_increase - repaid)


@step
def distribute_principal(amount: float, month: Month, rows: Rows) -> None:
    """Pay the lockout class its share of its pro rata part first, then all classes in order."""
    left, lockout, notes = amount, month.lockout_class, total(rows.balance_open)
    if lockout >= 0 and notes > 0.0:
        part = month.lockout_share * rows.balance_open[lockout] / notes
        first = min(rows.balance[lockout], min(part, 1.0) * amount)
        rows.balance[lockout] -= first
        rows.principal[lockout] += first
        left -= first
    for k in range(rows.balance.size):
        paid = min(left, rows.balance[k])
        rows.balance[k] -= paid
        rows.principal[k] += paid
        left -= paid


@step
def draw_interest(month: Month, rows: Rows) -> float:
    """Let the insurer pay what insured classes are still owed; return the draw."""
    draw = 0.0
    for k in range(rows.shortfall.size):
        if month.is_insured[k]:
            draw += rows.shortfall[k]
            rows.interest[k] += rows.shortfall[k]
            rows.shortfall[k] = 0.0
    return draw


@step
def excess_notes(month: Month, notes: float) -> float:
    """Return the notes in excess of the pool; at final maturity all of them."""
    return max(without_dust(notes if month.is_final else notes - month.pool_close), 0.0)


@step
def draw_principal(month: Month, notes: float) -> float:
    """Return the insurer's payment for notes in excess of the pool.

    The policy covers all of a deal's principal as soon as it covers one class.
    """
    return excess_notes(month, notes) if month.is_insured.any() else 0.0


@step
def write_up(oc: float, rows: Rows) -> None:
    """Reverse earlier writedowns without cash as far as OC reaches, most senior first."""
    left = max(oc, 0.0)
    for k in range(rows.balance.size):
        rows.write_up[k] = min(left, rows.unreversed[k])
        rows.balance[k] += rows.write_up[k]
        rows.unreversed[k] -= rows.write_up[k]
        left -= rows.write_up[k]


@step
def write_down(month: Month, rows: Rows) -> None:
    """Take the notes in excess of the pool off the balances: last class first, or pro rata.

    `implied` notes keep their balance until final maturity; then no convention leaves any.
    """
    notes = total(rows.balance)
    excess = excess_notes(month, notes)
    if excess == 0.0 or (month.undercollateralization == IMPLIED and not month.is_final):
        return
    left = excess
    for k in range(rows.balance.size - 1, -1, -1):
        part = excess * rows.balance[k] / notes
        if month.undercollateralization != PRO_RATA:
            part = left
        rows.writedown[k] = min(part, rows.balance[k])
        rows.balance[k] -= rows.writedown[k]
        rows.unreversed[k] += rows.writedown[k]
        left -= rows.writedown[k]


@step
def roll_oc(month: Month, rows: Rows, oc_open: float) -> float:
    """Return OC after the month from OC before it and the month's flows."""
    notes_fall = total(rows.principal) + total(rows.writedown) - total(rows.write_up)
    return oc_open - month.principal - month.loss + notes_fall


@step
def pay_month(month: Month, rows: Rows, oc_open: float, unreimbursed: float) -> Payments:
    """Apply all steps of a month; `unreimbursed` is the insurer's claim at its beginning."""
    open_month(rows)
    notes, target = total(rows.balance), target_of_month(month)
    oc_measured = month.pool_open - notes
    cash = month.interest + month.principal

    fees = min(cash, fee_due(month))
    cash -= fees
    premium = min(cash, premium_due(month, notes))
    cash -= premium
    accrue_interest(month, rows)
    cash -= pay_interest(cash, rows)
    excess_interest = month.interest - fees - premium - total(rows.interest)

    held = min(cash, hold_due(month, notes, oc_open, target))
    cash -= held
    claim = reimbursement_due(month, unreimbursed)
    repaid = min(cash, claim)
    cash -= repaid
    built = min(cash, build_due(month, notes - held, target))
    distribute_principal(held + built, month, rows)
    oc_paid = month.pool_close - total(rows.balance)
    write_up(oc_paid, rows)
    residual = residual_due(excess_interest, month.loss, oc_paid - oc_measured, repaid)

    drawn_interest = draw_interest(month, rows)
    drawn_principal = draw_principal(month, total(rows.balance))
    distribute_principal(drawn_principal, month, rows)
    write_down(month, rows)
    claim += drawn_interest + drawn_principal - repaid
    oc = roll_oc(month, rows, oc_open)
    return Payments(
        fees, premium, repaid, residual, drawn_interest, drawn_principal, claim, oc, target
    )


@step
def open_path(
    terms: DealTerms, flows: PoolFlows, notes: NoteFlows, unreversed: Floats, p: int
) -> None:
    """Set balances and OC at cut-off."""
    for k in range(unreversed.size):
        unreversed[k] = 0.0
        notes.balance[p, 0, k] = terms.balance_open[k]
    notes.oc[p, 0] = flows.balance[p, 0] - total(terms.balance_open)


@step
def pay_path(
    terms: DealTerms, flows: PoolFlows, notes: NoteFlows, nothing: Floats, unreversed: Floats,
    p: int,
) -> None:  # fmt: skip
    """Pay all months of a path; `nothing` is a row of zeros, `unreversed` scratch."""
    open_path(terms, flows, notes, unreversed, p)
    claim = 0.0
    for t in range(notes.residual.shape[1]):
        month = cut_month(terms, flows, p, t)
        rows = cut_rows(notes, nothing, unreversed, p, t)
        payments = pay_month(month, rows, notes.oc[p, t], claim)
        write_payments(payments, notes, p, t)
        claim = payments.unreimbursed


@kernel
def pay_paths(terms: DealTerms, flows: PoolFlows, notes: NoteFlows) -> None:
    """Fill `notes` for every path of the block, but for `largest_gap` (`reconcile_paths`)."""
    n_classes = terms.balance_open.size
    nothing, unreversed = np.zeros(n_classes), np.empty(n_classes)
    for p in range(notes.residual.shape[0]):
        pay_path(terms, flows, notes, nothing, unreversed, p)
