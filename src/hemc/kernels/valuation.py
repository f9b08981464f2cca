"""Cash flows and quotes of the classes go in; prices, yields, lives and durations come out.

Everything is per path and class, to maturity and to call. A yield is bond-equivalent: two
half-years compounded, months of a twelfth of a year (30/360). A discount margin is added to the
index and compounded from payment to payment by the class's own day count.

Both are found by Newton's method on the logarithm of the value. That falls with the rate and is
convex (a sum of falling log-convex terms is log-convex), so that from any rate at which the flows
are worth more than the price each step comes nearer without passing; and it is almost a straight
line, so that few steps are needed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats, Ints
from hemc.kernels.jit import kernel
from hemc.kernels.step import step

#: Columns of the figures: rates per year, price in % of the balance, years, months from cut-off.
(
    YIELD, DISCOUNT_MARGIN, PRICE, DURATION, EFFECTIVE_DURATION, AVERAGE_LIFE, WINDOW_FIRST,
    WINDOW_LAST,
) = range(8)  # fmt: skip
N_FIGURES = 8

#: Rows of the figures.
TO_MATURITY, TO_CALL = range(2)

#: Rates lie between these: flows worth less than their price even at the lowest yield the lowest.
LOWEST_RATE, HIGHEST_RATE = -1.0, 100.0

_MOST_STEPS = 200
_CLOSE = 1e-10  # a Newton step as small as this left an error of its square
_HALF_CENT = 0.005


class ClassFlows(NamedTuple):
    """What a pass of the waterfall paid to the classes, and what decides on the clean-up call."""

    balance: Floats  # [p, t + 1, k]
    principal: Floats  # [p, t, k]
    interest: Floats  # [p, t, k]
    shortfall: Floats  # [p, t, k] interest owed after the month
    pool: Floats  # [p, t + 1]
    unreimbursed: Floats  # [p, t] owed to the insurer after the month


class Quotes(NamedTuple):
    """At what the classes are valued; the same on every path.

    `balance` is what prices refer to, USD at cut-off (a notional class's schedule in month 1);
    nothing is valued where it is zero. `full_price` is what is paid at settlement, accrued interest
    included, USD; nan where no price is quoted. `rate` is the yield at which a class is priced,
    or the discount margin where `by_margin`. `period` is the year fraction of a month by the day
    count of the class, the first from settlement. `lag` is the time from cut-off to settlement.
    """

    balance: Floats  # [k]
    full_price: Floats  # [k]
    accrued: Floats  # [k] USD, part of the full price
    rate: Floats  # [k]
    by_margin: NDArray[np.bool_]  # [k]
    is_floating: NDArray[np.bool_]  # [k]
    is_notional: NDArray[np.bool_]  # [k]
    period: Floats  # [t, k]
    year_fraction: Floats  # [t, k] of the coupon
    index_rate: Floats  # [t] per year
    lag: float  # months of 30 days
    shift: float  # of rates, for the effective duration
    call_balance: float  # pool at which the clean-up call may be exercised, USD; 0 for none


class Legs(NamedTuple):
    """Working memory: a class's cash by month, what its coupon would gain from a higher index."""

    cash: Floats  # [t] USD
    per_index: Floats  # [t] USD per unit of the index


@step
def call_month(flows: ClassFlows, call_balance: float, p: int) -> int:
    """Return the first month after which the pool is small and covers all claims; 0 for never.

    Claims are the notes, unpaid interest and unreimbursed draws.
    """
    for t in range(flows.principal.shape[1]):
        pool = flows.pool[p, t + 1]
        if pool <= call_balance:
            notes, claims = 0.0, flows.unreimbursed[p, t]
            for k in range(flows.principal.shape[2]):
                notes += flows.balance[p, t + 1, k]
                claims += flows.shortfall[p, t, k]
            if notes > _HALF_CENT and pool >= notes + claims:
                return t + 1
    return 0


@step
def gather(flows: ClassFlows, quotes: Quotes, legs: Legs, p: int, k: int) -> int:
    """Fill the legs with a class's flows to maturity; return the months until the last cash.

    The index of the first payment is already set: it gains nothing from a higher one.
    """
    n_paid = 0
    for t in range(legs.cash.size):
        legs.cash[t] = flows.interest[p, t, k] + flows.principal[p, t, k]
        legs.per_index[t] = flows.balance[p, t, k] * quotes.year_fraction[t, k] if t > 0 else 0.0
        if legs.cash[t] > 0.0:
            n_paid = t + 1
    return n_paid


@step
def value_at_yield(legs: Legs, n: int, lag: float, rate: float) -> tuple[float, float]:
    """Return ln(value at settlement) at a bond-equivalent yield and its derivative by the yield."""
    growth = 1.0 + rate / 2.0
    discount = growth ** (-1.0 / 6.0)
    value = slope = 0.0
    for t in range(n - 1, -1, -1):
        slope = slope * discount + value
        value = value * discount + legs.cash[t]
    months = 1.0 - lag + slope * discount / value
    return math.log(value) + (1.0 - lag) * math.log(discount), -months / (12.0 * growth)


@step
def value_at_margin(
    legs: Legs, n: int, quotes: Quotes, k: int, margin: float, shift: float
) -> tuple[float, float]:
    """Return ln(value) at a discount margin and its derivative; `shift` moves the index."""
    value = slope = years = 0.0
    discount = 1.0
    for t in range(n):
        period = quotes.period[t, k]
        one_period = 1.0 / (1.0 + (quotes.index_rate[t] + shift + margin) * period)
        discount *= one_period
        years += period * one_period
        present = (legs.cash[t] + shift * legs.per_index[t]) * discount
        value += present
        slope -= present * years
    return math.log(value), slope / value


@step
def log_value(
    legs: Legs, n: int, quotes: Quotes, k: int, by_margin: bool, rate: float, shift: float
) -> tuple[float, float]:
    """Return ln(value) and its derivative by the rate, after a parallel shift of all rates."""
    if by_margin:
        return value_at_margin(legs, n, quotes, k, rate, shift)
    return value_at_yield(legs, n, quotes.lag, rate + shift)


@step
def solve_rate(legs: Legs, n: int, quotes: Quotes, k: int, by_margin: bool, start: float) -> float:
    """Return the yield or discount margin at the full price, or the bound beyond which it lies."""
    target, rate = math.log(quotes.full_price[k]), start
    for _ in range(_MOST_STEPS):
        value, slope = log_value(legs, n, quotes, k, by_margin, rate, 0.0)
        nearer = min(max(rate + (target - value) / slope, LOWEST_RATE), HIGHEST_RATE)
        if abs(nearer - rate) <= _CLOSE * (1.0 + abs(nearer)):
            return nearer
        rate = nearer
    return math.nan


@step
def quote_rates(legs: Legs, n: int, quotes: Quotes, k: int, row: Floats) -> None:
    """Set yield and discount margin at the price; a class that pays nothing loses everything."""
    for by_margin in range(2):
        column = DISCOUNT_MARGIN if by_margin else YIELD
        row[column] = math.nan
        if math.isnan(quotes.full_price[k]) or (by_margin and not quotes.is_floating[k]):
            continue
        row[column] = LOWEST_RATE
        if n > 0:
            start = quotes.rate[k] if quotes.by_margin[k] == by_margin else 0.0
            row[column] = solve_rate(legs, n, quotes, k, by_margin == 1, start)


@step
def quote_price(legs: Legs, n: int, quotes: Quotes, k: int, row: Floats) -> None:
    """Set the clean price at the class's rate and both durations there."""
    row[PRICE] = -100.0 * quotes.accrued[k] / quotes.balance[k]
    row[DURATION] = row[EFFECTIVE_DURATION] = math.nan
    if n == 0:
        return
    middle = difference = 0.0
    for side in range(-1, 2):
        shift = side * quotes.shift
        value, slope = log_value(legs, n, quotes, k, quotes.by_margin[k], quotes.rate[k], shift)
        difference -= side * math.exp(value)
        if side == 0:
            middle, row[DURATION] = math.exp(value), -slope
    row[PRICE] += 100.0 * middle / quotes.balance[k]
    row[EFFECTIVE_DURATION] = difference / (2.0 * quotes.shift * middle)


@step
def measure_life(
    flows: ClassFlows, legs: Legs, is_notional: bool, p: int, k: int, n: int, called: float,
    row: Floats,
) -> None:  # fmt: skip
    """Set average life of the principal that is paid, and the window in which it is.

    `called` is the balance repaid by the call in month `n`. A notional class has no principal:
    its window is that of its interest.
    """
    paid = weighted = 0.0
    row[WINDOW_FIRST] = row[WINDOW_LAST] = math.nan
    for t in range(n):
        amount = flows.principal[p, t, k] + (called if t == n - 1 else 0.0)
        paid += amount
        weighted += amount * (t + 1)
        if is_notional:
            amount = legs.cash[t]
        if amount > _HALF_CENT:
            row[WINDOW_LAST] = t + 1
            if math.isnan(row[WINDOW_FIRST]):
                row[WINDOW_FIRST] = t + 1
    row[AVERAGE_LIFE] = weighted / paid / 12.0 if paid > 0.0 else math.nan


@step
def owed_at_call(flows: ClassFlows, p: int, k: int, call: int) -> float:
    """Return the balance and unpaid interest that a call in month `call` repays; 0 for no call."""
    return flows.balance[p, call, k] + flows.shortfall[p, call - 1, k] if call > 0 else 0.0


@step
def value_class(
    flows: ClassFlows, quotes: Quotes, legs: Legs, p: int, k: int, call: int, figures: Floats
) -> None:
    """Set the figures of a class on a path, to maturity and to the call in month `call`."""
    n, owed = gather(flows, quotes, legs, p, k), owed_at_call(flows, p, k, call)
    for row in range(2):
        called = 0.0
        if row == TO_CALL:
            if call == 0 or (n <= call and owed == 0.0):  # the call changes nothing
                for column in range(N_FIGURES):
                    figures[p, k, TO_CALL, column] = figures[p, k, TO_MATURITY, column]
                return
            n, called = call, flows.balance[p, call, k]
            legs.cash[n - 1] += owed
        quote_rates(legs, n, quotes, k, figures[p, k, row])
        quote_price(legs, n, quotes, k, figures[p, k, row])
        measure_life(flows, legs, quotes.is_notional[k], p, k, n, called, figures[p, k, row])


@kernel
def value_paths(
    flows: ClassFlows, quotes: Quotes, legs: Legs, calls: Ints, figures: Floats
) -> None:
    """Fill `calls`, int64[p], with the months of the call (0: never) and `figures` of all classes.

    `figures` is float64[p, k, to maturity | to call, column], nan where the figure does not exist;
    a class without a balance to value is left as it is.
    """
    for p in range(flows.principal.shape[0]):
        calls[p] = call_month(flows, quotes.call_balance, p)
        for k in range(flows.principal.shape[2]):
            if quotes.balance[k] > 0.0:
                value_class(flows, quotes, legs, p, k, calls[p], figures)
