"""A path's books and a month's rates go in, interest owed and paid comes out."""

from __future__ import annotations

import math

from hemc.kernels.deal_terms import ClassMonth, ClassTerms, Month
from hemc.kernels.flows import Ints
from hemc.kernels.records import Records
from hemc.kernels.step import step


class Book:
    """A class in the books of a path while a month is being paid, USD."""

    opening: float  # balance at the beginning of the month
    balance: float
    owed: float  # interest
    carried: float  # interest that the net WAC cap cut
    unreversed: float  # writedowns not yet written up
    interest: float  # paid this month, carry-over and draws included
    carryover_paid: float
    principal: float
    writedown: float
    write_up: float


@step
def rounded(amount: float, to_cents: bool) -> float:
    """Return the amount, or what a trustee makes of it: half a cent counts as one.

    What float64 leaves below an exact half, 1e-8 on a million, is less than the hair added.
    """
    return math.floor(amount * 100.0 + 0.5 + 1e-5) / 100.0 if to_cents else amount


@step
def rate_cap(class_months: Records[ClassMonth], month: Month, t: int) -> float:
    """Return the highest rate of the month: the pool's net rate less the notional coupons.

    The cap is a twelfth of an annual rate for every class: 30/actual days times actual/360.
    """
    coupons, pool_left = 0.0, month.pool_open
    for k in range(class_months.shape[1]):
        notional = min(class_months[t, k].notional, pool_left)
        pool_left -= notional
        coupons += notional * class_months[t, k].notional_rate
    if month.pool_open <= 0.0:
        return math.inf
    return max(month.net_rate_balance - coupons, 0.0) / month.pool_open / 12.0


@step
def accrue_interest(
    classes: Records[ClassTerms], class_months: Records[ClassMonth], books: Records[Book],
    month: Month, t: int, has_cap: bool, to_cents: bool,
) -> None:  # fmt: skip
    """Open the month; add to the interest owed its own interest and the month's.

    What the cap cuts is not owed; it is carried over with interest at the full rate where the
    deal says so. A notional balance is its schedule, at most the pool.
    """
    cap = rate_cap(class_months, month, t) if has_cap else math.inf
    pool_left = month.pool_open
    for k in range(classes.size):
        book, full = books[k], class_months[t, k].accrual
        book.opening = base = book.balance
        book.interest = book.carryover_paid = book.principal = 0.0
        book.writedown = book.write_up = 0.0
        if classes[k].is_notional:
            base = min(class_months[t, k].notional, pool_left)
            pool_left -= base
        rate = min(full, cap) if classes[k].is_capped else full
        base += book.owed
        book.owed = rounded(book.owed + base * rate, to_cents)
        if classes[k].is_carried:
            book.carried += book.carried * full + base * (full - rate)


@step
def pay_owed(
    cash: float, step_order: Ints, books: Records[Book], j: int, is_carryover: bool,
    is_sequential: bool,
) -> float:  # fmt: skip
    """Pay a step's classes pro rata to what they are owed, or as listed; return the cash taken."""
    due = 0.0
    for i in range(books.size):
        k = step_order[j, i]
        if k >= 0:
            due += books[k].carried if is_carryover else books[k].owed
    share, left = cash / due if cash < due else 1.0, cash
    for i in range(books.size):
        k = step_order[j, i]
        if k < 0:
            break
        book = books[k]
        owed = book.carried if is_carryover else book.owed
        paid = min(owed, left) if is_sequential else share * owed
        left -= paid
        book.interest += paid
        if is_carryover:
            book.carried -= paid
            book.carryover_paid = paid
        else:
            book.owed -= paid
    return min(cash, due)


@step
def draw_interest(classes: Records[ClassTerms], books: Records[Book]) -> float:
    """Let the insurer pay what insured classes are still owed; return the draw."""
    draw = 0.0
    for k in range(classes.size):
        if classes[k].is_insured:
            draw += books[k].owed
            books[k].interest += books[k].owed
            books[k].owed = 0.0
    return draw
