"""Collections and a deal's terms go in, note flows come out: the order of payments, by month.

The steps of a deal are data: `pay_month` follows them from the first to the last and asks each for
what is due to it. The insurer's payment for principal is one more step behind the last, so that
principal is shared among the classes in one place, whoever pays it. Steps see one month's record
and the books of the path; `close_month` copies them into the flows.

No amount is what the others leave over: the residual follows the certificate's excess-cash formula
and OC is rolled forward from the flows, so that `kernels/reconciliation.py` has something to check.
"""

from __future__ import annotations

from hemc.kernels.deal_terms import (
    BUILD_OC,
    CAP_CARRYOVER,
    COLLECTIONS,
    DRAW,
    FEE,
    HOLD_OC,
    IMPLIED,
    INTEREST,
    PREMIUM,
    REIMBURSEMENT,
    RESIDUAL,
    DealTerms,
    Flags,
    Month,
    StepTerms,
)
from hemc.kernels.flows import Floats, Ints, NoteFlows
from hemc.kernels.jit import kernel
from hemc.kernels.note_interest import Book, accrue_interest, draw_interest, pay_owed, rounded
from hemc.kernels.principal import (
    distribute_principal,
    total_opening,
    without_dust,
    write_down,
    write_up,
)
from hemc.kernels.records import Records
from hemc.kernels.step import step


class PathState:
    """What a path carries from month to month beside its books, and the insurer's payments, USD."""

    oc: float  # pool minus notes
    claim: float  # of the insurer
    draw_interest: float
    draw_principal: float


@step
def charge_due(
    charge: StepTerms, in_step: Flags, books: Records[Book], month: Month, j: int, to_cents: bool
) -> float:
    """Return a fee, or the premium; none is due to an insurer that does not pay."""
    if charge.kind == PREMIUM and not month.pays:
        return 0.0
    base = month.pool_open if charge.is_on_pool else 0.0
    if not charge.is_on_pool:
        for k in range(books.size):
            base += books[k].opening if in_step[j, k] else 0.0
    return rounded(min(charge.rate * base + charge.amount, charge.cap), to_cents)


@step
def principal_due(kind: int, held: float, month: Month, oc_open: float, may_build: bool) -> float:
    """Return what the classes of a step hold above the pool less the OC to keep.

    OC is released down to its target once it may be built. The insurer pays what its classes hold
    above the pool, at final maturity all of it.
    """
    if kind == COLLECTIONS:
        return min(month.principal, held)
    if kind == DRAW:
        excess = without_dust(held - (0.0 if month.is_final else month.pool_close))
        return max(excess, 0.0) if month.pays else 0.0
    if kind == BUILD_OC and not may_build:
        return 0.0
    kept = month.oc_target if kind == BUILD_OC else 0.0
    if kind == HOLD_OC:
        kept = min(oc_open, month.oc_target) if may_build else oc_open
    return min(max(held - (month.pool_close - kept), 0.0), held)


@step
def held_in(in_step: Flags, books: Records[Book], j: int) -> float:
    """Return what the classes of a step have left."""
    held = 0.0
    for k in range(books.size):
        held += books[k].balance if in_step[j, k] else 0.0
    return held


@step
def residual_due(month: Month, charges: float, oc_increase: float) -> float:
    """Return the certificates' cash: interest less charges, loss and OC increase.

    `charges` is what fees, premium, interest and reimbursement took. A release of OC is a
    negative increase. This is the formula of the servicing certificate; it equals the cash left
    only if the pool fell by principal collections plus loss.
    """
    return without_dust(month.interest - charges - month.loss - oc_increase)


@step
def oc_after_payments(month: Month, books: Records[Book]) -> float:
    """Return the ending pool less the notes as they stand."""
    notes = 0.0
    for k in range(books.size):
        notes += books[k].balance
    return month.pool_close - notes


@step
def excess_notes(month: Month, books: Records[Book], convention: int) -> float:
    """Return the notes to write down: what exceeds the pool, at final maturity all of them.

    `implied` notes keep their balance until final maturity; then no convention leaves any.
    """
    if convention == IMPLIED and not month.is_final:
        return 0.0
    oc = oc_after_payments(month, books)
    return max(without_dust((month.pool_close if month.is_final else 0.0) - oc), 0.0)


@step
def pay_month(
    terms: DealTerms, month: Month, books: Records[Book], paid: Floats, state: PathState, t: int
) -> None:
    """Apply all steps of a month: `paid[j]` is what each took, the last what the insurer paid."""
    may_build, to_cents = terms.months[t].may_build, terms.round_to_cents
    accrue_interest(terms.classes, terms.class_months, books, month, t, terms.has_cap, to_cents)
    cash, charges = month.interest + month.principal, 0.0
    state.claim += state.claim * terms.months[t].reimbursement
    for j in range(terms.steps.size):
        kind, amount = terms.steps[j].kind, 0.0
        if kind >= COLLECTIONS:
            amount = principal_due(
                kind, held_in(terms.in_step, books, j), month, state.oc, may_build
            )
            amount = amount if kind == DRAW else min(cash, amount)
            distribute_principal(
                amount, terms.rules, terms.rule_amount, terms.in_rule, terms.in_step, books, j, t
            )
        elif kind == RESIDUAL:
            oc = oc_after_payments(month, books)
            amount = residual_due(month, charges, oc - (month.pool_open - total_opening(books)))
            write_up(oc, books)
            state.draw_interest = draw_interest(terms.classes, books) if month.pays else 0.0
        else:
            if INTEREST <= kind <= CAP_CARRYOVER:
                amount = pay_owed(
                    cash, terms.step_order, books, j, kind == CAP_CARRYOVER,
                    terms.steps[j].is_sequential,
                )  # fmt: skip
            elif kind == REIMBURSEMENT:
                amount = min(cash, state.claim)
                state.claim -= amount
            else:
                due = charge_due(terms.steps[j], terms.in_step, books, month, j, to_cents)
                amount = min(cash, due)
            charges += amount
        paid[j] = amount
        cash -= amount
    state.draw_principal = paid[terms.steps.size - 1]
    state.claim += state.draw_interest + state.draw_principal
    convention = terms.undercollateralization
    excess = excess_notes(month, books, convention)
    if excess > 0.0:
        write_down(excess, terms.classes, books, convention, month.pays)


@step
def close_month(
    notes: NoteFlows, month: Month, books: Records[Book], paid: Floats, state: PathState, p: int,
    t: int,
) -> float:  # fmt: skip
    """Copy the books into the flows and roll OC from them; return all that is owed."""
    fall, owed = 0.0, state.claim
    for k in range(books.size):
        book = books[k]
        notes.balance[p, t + 1, k] = book.balance
        notes.principal[p, t, k] = book.principal
        notes.interest[p, t, k] = book.interest
        notes.shortfall[p, t, k] = book.owed
        notes.writedown[p, t, k] = book.writedown
        notes.write_up[p, t, k] = book.write_up
        if notes.carryover.shape[1] > 0:
            notes.carryover[p, t, k] = book.carried
            notes.carryover_paid[p, t, k] = book.carryover_paid
        fall += book.principal + book.writedown - book.write_up
        owed += book.balance + book.owed + book.carried
        book.opening = book.balance
    for j in range(notes.step_paid.shape[2]):
        notes.step_paid[p, t, j] = paid[j]
    notes.draw_interest[p, t] = state.draw_interest
    notes.draw_principal[p, t] = state.draw_principal
    notes.unreimbursed[p, t] = state.claim
    state.oc = state.oc - month.principal - month.loss + fall
    notes.oc[p, t + 1] = state.oc
    return owed


@step
def pay_bare_month(
    terms: DealTerms, month: Month, books: Records[Book], notes: NoteFlows, state: PathState,
    p: int, t: int,
) -> None:  # fmt: skip
    """Pay a month in which nobody but fees and certificates can be owed anything."""
    cash, charges = month.interest + month.principal, 0.0
    for j in range(notes.step_paid.shape[2]):
        kind, amount = terms.steps[j].kind, 0.0
        if kind == FEE:
            due = charge_due(terms.steps[j], terms.in_step, books, month, j, terms.round_to_cents)
            amount = min(cash - charges, due)
            charges += amount
        elif kind == RESIDUAL:
            amount = residual_due(month, charges, month.pool_close - month.pool_open)
        notes.step_paid[p, t, j] = amount
    state.oc = state.oc - month.principal - month.loss
    notes.oc[p, t + 1] = state.oc


@step
def open_path(
    terms: DealTerms, pool: float, notes: NoteFlows, books: Records[Book], state: PathState, p: int
) -> None:
    """Set balances and OC at cut-off."""
    state.oc = pool
    state.claim = 0.0
    for k in range(books.size):
        book, balance = books[k], terms.classes[k].balance_open
        book.balance = balance
        book.owed = book.carried = book.unreversed = 0.0
        notes.balance[p, 0, k] = balance
        state.oc -= balance
    notes.oc[p, 0] = state.oc


@kernel
def pay_paths(
    terms: DealTerms, flows: Records[Month], n_active: Ints, notes: NoteFlows,
    books: Records[Book], states: Records[PathState], paid: Floats,
) -> None:  # fmt: skip
    """Fill `notes`, which come in as zeros, for every path; `reconcile_paths` adds `largest_gap`.

    `flows` is [p, t]; `books` [k], `states` [1] and `paid` [j + 1] are working memory. After
    `n_active[p]` months nothing comes in any more; once nothing is owed either, the months left
    stay zero. Notes are often paid off in half of the time: months after that are short.
    """
    for p in range(flows.shape[0]):
        open_path(terms, flows[p, 0].pool_open, notes, books, states[0], p)
        owed = 1.0
        for t in range(flows.shape[1]):
            if t >= n_active[p] and owed == 0.0:
                break
            if owed == 0.0 and not terms.months[t].has_notional:
                pay_bare_month(terms, flows[p, t], books, notes, states[0], p, t)
            else:
                pay_month(terms, flows[p, t], books, paid, states[0], t)
                owed = close_month(notes, flows[p, t], books, paid, states[0], p, t)
