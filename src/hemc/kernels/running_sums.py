"""Entries to and exits from a state → balances and cash by month, as running sums.

Current loans of one rate are sums: each adds a and c of its schedule b(t) = a − c·(1+ρ)^t to the
first month that it pays and takes them out of the month that it leaves in; one pass over the months
turns the running sums into balances and instalments. In the month that it leaves in, a loan counts
by itself. Frozen balances are sums whatever their rate.
"""

from __future__ import annotations

from hemc.kernels.loans import (
    BALANCE,
    COUNT,
    INTEREST,
    NET_RATE_BALANCE,
    SCHEDULED,
)
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats
from hemc.states import BANKRUPTCY, CURRENT, REO

#: Columns of a month's row of the current loans of one rate: sums of a, of c and of loans.
N_CURRENT = 4
#: Column of the net rate × balance in a month's row of the frozen states; balance changes of
#: bankruptcy, foreclosure and REO stand before it, changes of their counts behind.
FROZEN_NET_RATE, FROZEN_COUNT = 3, 4
N_FROZEN = 7


@step
def change_current(row: Floats, sign: float, scheduled_a: float, scheduled_c: float) -> None:
    """Add a schedule to the current loans of its rate from a month on, or take it out."""
    row[0] += sign * scheduled_a
    row[1] += sign * scheduled_c
    row[2] += sign


@step
def settle_current(
    current: Floats, powers: Floats, growth: float, net: float, months: Floats
) -> None:
    """Turn the changes of the paying current loans of one rate into cash and balances.

    `current[t + 1]` are the changes of month t's row; they are cleared.
    """
    rho = growth - 1.0
    a = c = n = 0.0
    for t in range(months.shape[0]):
        change = current[t + 1]
        a += change[0]
        c += change[1]
        n += change[2]
        for j in range(N_CURRENT):
            change[j] = 0.0
        if n == 0.0:  # nothing is left of the sums but rounding
            a = c = 0.0
            continue
        row = months[t]
        instalment = rho * c * powers[t]
        row[SCHEDULED] += instalment
        row[INTEREST] += net * (rho * a - instalment)
        opening = a - c * powers[t]
        row[NET_RATE_BALANCE] += 12.0 * rho * net * opening
        row[BALANCE + CURRENT] += opening - instalment
        row[COUNT + CURRENT] += n


@step
def add_frozen(
    frozen: Floats, state: int, since: int, until: int, balance: float, rate: float
) -> None:
    """Count a frozen balance in the ends of months `since` … `until` − 1 and the openings after."""
    column = state - BANKRUPTCY
    frozen[since, column] += balance
    frozen[until, column] -= balance
    frozen[since, FROZEN_COUNT + column] += 1.0
    frozen[until, FROZEN_COUNT + column] -= 1.0
    frozen[since, FROZEN_NET_RATE] += rate * balance
    frozen[until, FROZEN_NET_RATE] -= rate * balance


@step
def settle_frozen(frozen: Floats, months: Floats) -> None:
    """Turn entries and exits of bankruptcy, foreclosure and REO into balances and counts."""
    for column in range(REO - BANKRUPTCY + 1):
        balance, n = frozen[0, column], frozen[0, FROZEN_COUNT + column]
        for t in range(1, months.shape[0] + 1):
            balance += frozen[t, column]
            n += frozen[t, FROZEN_COUNT + column]
            if n == 0.0:
                balance = 0.0
            months[t - 1, BALANCE + BANKRUPTCY + column] += balance
            months[t - 1, COUNT + BANKRUPTCY + column] += n
    opening = frozen[0, FROZEN_NET_RATE]
    for t in range(months.shape[0]):
        months[t, NET_RATE_BALANCE] += opening
        opening += frozen[t + 1, FROZEN_NET_RATE]
    frozen[:] = 0.0
