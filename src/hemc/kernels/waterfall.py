"""Collections and a deal's terms go in, note flows come out: the order of payments, by month.

The steps of a deal are data: `pay_month` follows them from the first to the last and asks each for
what is due to it. The insurer's payment for principal is one more step behind the last, so that
principal is shared among the classes in one place, whoever pays it.

No amount is what the others leave over: the residual follows the certificate's excess-cash formula
and OC is rolled forward from the flows, so that `kernels/reconciliation.py` has something to check.
"""

from __future__ import annotations

import numpy as np

from hemc.kernels.deal_terms import (
    BUILD_OC,
    CAP_CARRYOVER,
    COLLECTIONS,
    DRAW,
    HOLD_OC,
    INTEREST,
    PREMIUM,
    REIMBURSEMENT,
    RESIDUAL,
    Collections,
    DealTerms,
)
from hemc.kernels.flows import NoteFlows
from hemc.kernels.jit import kernel
from hemc.kernels.note_interest import (
    CARRYOVER,
    SHORTFALL,
    Accounts,
    accrue_interest,
    pay_owed,
    rounded,
)
from hemc.kernels.principal import distribute_principal, without_dust, write_down, write_up
from hemc.kernels.step import step


@step
def charge_due(
    terms: DealTerms, flows: Collections, notes: NoteFlows, claim: float, j: int, p: int, t: int
) -> float:
    """Return a fee, the premium (none to an insurer that does not pay) or the insurer's claim."""
    kind = terms.step_kind[j]
    if kind == REIMBURSEMENT:
        return claim
    if kind == PREMIUM and t >= flows.default_month[p]:
        return 0.0
    base = flows.pool[p, t] if terms.is_on_pool[j] else 0.0
    if not terms.is_on_pool[j]:
        for k in range(terms.is_notional.size):
            base += notes.balance[p, t, k] if terms.step_class[j, k] else 0.0
    due = min(terms.step_rate[j] * base + terms.step_amount[j], terms.step_cap[j])
    return rounded(due, terms.round_to_cents)


@step
def principal_due(
    terms: DealTerms, flows: Collections, notes: NoteFlows, accounts: Accounts, j: int, p: int,
    t: int,
) -> float:  # fmt: skip
    """Return the principal of a step: what its classes have above the pool less the OC to keep.

    OC is released down to its target once it may be built. The insurer pays what its classes have
    above the pool, at final maturity all of it.
    """
    kind, held = terms.step_kind[j], 0.0
    for k in range(terms.is_notional.size):
        held += accounts.balance[k] if terms.step_class[j, k] else 0.0
    if kind == COLLECTIONS:
        return min(flows.principal[p, t], held)
    if kind == BUILD_OC and not terms.may_build[t]:
        return 0.0
    if kind == DRAW:
        is_final = t == flows.loss.shape[1] - 1
        excess = without_dust(held - (0.0 if is_final else flows.pool[p, t + 1]))
        return max(excess, 0.0) if t < flows.default_month[p] else 0.0
    kept = flows.oc_target[p, t] if kind == BUILD_OC else 0.0
    if kind == HOLD_OC:
        kept = notes.oc[p, t]
        if terms.may_build[t]:
            kept = min(kept, flows.oc_target[p, t])
    return min(max(held - (flows.pool[p, t + 1] - kept), 0.0), held)


@step
def residual_due(
    flows: Collections, notes: NoteFlows, accounts: Accounts, charges: float, p: int, t: int
) -> float:
    """Return the certificates' cash: interest less charges, loss and OC increase.

    `charges` is what fees, premium, interest and reimbursement took. A release of OC is a
    negative increase. This is the formula of the servicing certificate; it equals the cash left
    only if the pool fell by principal collections plus loss.
    """
    paid_off = 0.0
    for k in range(accounts.balance.size):
        paid_off += notes.balance[p, t, k] - accounts.balance[k]
    oc_increase = flows.pool[p, t + 1] - flows.pool[p, t] + paid_off
    return without_dust(flows.interest[p, t] - charges - flows.loss[p, t] - oc_increase)


@step
def oc_after_payments(flows: Collections, accounts: Accounts, p: int, t: int) -> float:
    """Return the ending pool less the notes as they stand."""
    oc = flows.pool[p, t + 1]
    for k in range(accounts.balance.size):
        oc -= accounts.balance[k]
    return oc


@step
def draw_interest(
    terms: DealTerms, flows: Collections, accounts: Accounts, notes: NoteFlows, p: int, t: int
) -> float:
    """Let the insurer pay what insured classes are still owed; return the draw."""
    draw = 0.0
    if t < flows.default_month[p]:
        for k in range(accounts.balance.size):
            if terms.is_insured[k]:
                draw += accounts.owed[SHORTFALL, k]
                notes.interest[p, t, k] += accounts.owed[SHORTFALL, k]
                accounts.owed[SHORTFALL, k] = 0.0
    notes.draw_interest[p, t] = draw
    return draw


@step
def pay_month(
    terms: DealTerms, flows: Collections, notes: NoteFlows, accounts: Accounts, claim: float,
    p: int, t: int,
) -> float:  # fmt: skip
    """Apply all steps of a month; return the insurer's claim after it."""
    accrue_interest(terms, flows, accounts, p, t)
    cash, charges = flows.interest[p, t] + flows.principal[p, t], 0.0
    claim += claim * terms.reimbursement_monthly[t]
    for j in range(terms.step_kind.size):
        kind, paid = terms.step_kind[j], 0.0
        if kind >= COLLECTIONS:
            paid = principal_due(terms, flows, notes, accounts, j, p, t)
            paid = paid if kind == DRAW else min(cash, paid)
            distribute_principal(paid, terms, accounts, notes, j, p, t)
        elif kind == INTEREST or kind == CAP_CARRYOVER:  # noqa: PLR1714  a tuple costs a loop
            paid = pay_owed(cash, terms, accounts, notes, j, p, t)
            charges += paid
        elif kind == RESIDUAL:
            paid = residual_due(flows, notes, accounts, charges, p, t)
            write_up(oc_after_payments(flows, accounts, p, t), accounts, notes, p, t)
            claim += draw_interest(terms, flows, accounts, notes, p, t)
        else:
            paid = min(cash, charge_due(terms, flows, notes, claim, j, p, t))
            claim -= paid if kind == REIMBURSEMENT else 0.0
            charges += paid
        if kind == DRAW:
            notes.draw_principal[p, t] = paid
            claim += paid
        else:
            notes.step_paid[p, t, j] = paid
            cash -= paid
    write_down(terms, flows, accounts, notes, p, t)
    return claim


@step
def close_month(
    flows: Collections, accounts: Accounts, notes: NoteFlows, p: int, t: int
) -> float:
    """Book balances and what is owed, and roll OC from the flows; return all that is owed."""
    fall, owed = 0.0, 0.0
    for k in range(accounts.balance.size):
        notes.balance[p, t + 1, k] = accounts.balance[k]
        notes.shortfall[p, t, k] = accounts.owed[SHORTFALL, k]
        fall += notes.principal[p, t, k] + notes.writedown[p, t, k] - notes.write_up[p, t, k]
        owed += accounts.balance[k] + accounts.owed[SHORTFALL, k]
        if notes.carryover.shape[1] > 0:
            notes.carryover[p, t, k] = accounts.owed[CARRYOVER, k]
            owed += accounts.owed[CARRYOVER, k]
    notes.oc[p, t + 1] = notes.oc[p, t] - flows.principal[p, t] - flows.loss[p, t] + fall
    return owed


@step
def open_path(
    terms: DealTerms, flows: Collections, accounts: Accounts, notes: NoteFlows, p: int
) -> None:
    """Set balances and OC at cut-off."""
    notes.oc[p, 0] = flows.pool[p, 0]
    for k in range(accounts.balance.size):
        accounts.balance[k] = terms.balance_open[k]
        accounts.owed[SHORTFALL, k] = accounts.owed[CARRYOVER, k] = 0.0
        accounts.unreversed[k] = 0.0
        notes.balance[p, 0, k] = terms.balance_open[k]
        notes.oc[p, 0] -= terms.balance_open[k]


@step
def months_with_cash(flows: Collections, p: int) -> int:
    """Return the number of months until pool and collections are gone for good."""
    t = flows.loss.shape[1]
    while t > 0 and (
        flows.pool[p, t] == 0.0
        and flows.interest[p, t - 1] == 0.0
        and flows.principal[p, t - 1] == 0.0
        and flows.loss[p, t - 1] == 0.0
    ):
        t -= 1
    return t


@kernel
def pay_paths(terms: DealTerms, flows: Collections, notes: NoteFlows) -> None:
    """Fill `notes`, which come in as zeros, for every path; `reconcile_paths` adds `largest_gap`.

    Once nothing comes in and nothing is owed any more, the months left stay zero.
    """
    n_classes = terms.balance_open.size
    accounts = Accounts(np.empty(n_classes), np.empty((2, n_classes)), np.empty(n_classes))
    for p in range(flows.loss.shape[0]):
        open_path(terms, flows, accounts, notes, p)
        claim, owed, n_months = 0.0, np.inf, months_with_cash(flows, p)
        for t in range(flows.loss.shape[1]):
            if t >= n_months and claim + owed == 0.0:
                break
            claim = pay_month(terms, flows, notes, accounts, claim, p, t)
            owed = close_month(flows, accounts, notes, p, t)
            notes.unreimbursed[p, t] = claim
