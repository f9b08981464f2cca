"""Entries to and exits from a state → balances and cash by month, as running sums.

Current loans of one rate are sums: each adds a and c of its schedule b(t) = a − c·(1+ρ)^t to the
month it enters and to the month it leaves, and one pass over the months turns the running sums
into balances, instalments and payoffs. Frozen balances are sums whatever their rate.
"""

from __future__ import annotations

from hemc.kernels.loans import (
    BALANCE,
    COUNT,
    INTEREST,
    NET_RATE_BALANCE,
    PREPAID,
    SCHEDULED,
    LoanTerms,
)
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats
from hemc.states import BANKRUPTCY, CURRENT, REO

#: Columns of a month's row of the current loans of one rate.
IN_A, IN_C, IN_N, OUT_A, OUT_C, OUT_N, PAID_A, PAID_C = range(8)
#: Column of the net rate × balance in a month's row of the frozen states; balance changes of
#: bankruptcy, foreclosure and REO stand before it, changes of their counts behind.
FROZEN_NET_RATE, FROZEN_COUNT = 3, 4
N_FROZEN = 7


@step
def enter_current(row: Floats, loan: LoanTerms) -> None:
    """Add a schedule to the current loans of its rate."""
    row[IN_A] += loan.scheduled_a
    row[IN_C] += loan.scheduled_c
    row[IN_N] += 1.0


@step
def leave_current(row: Floats, loan: LoanTerms, is_payoff: bool) -> None:
    """Take a schedule out of the current loans of its rate."""
    row[OUT_A] += loan.scheduled_a
    row[OUT_C] += loan.scheduled_c
    row[OUT_N] += 1.0
    if is_payoff:
        row[PAID_A] += loan.scheduled_a
        row[PAID_C] += loan.scheduled_c


@step
def settle_current(
    current: Floats, powers: Floats, growth: float, net: float, months: Floats
) -> None:
    """Turn the entries and exits of the current loans of one rate into cash and balances.

    `current` is cleared for the next rate.
    """
    rho = growth - 1.0
    a, c, n = current[0, IN_A], current[0, IN_C], current[0, IN_N]
    current[0] = 0.0
    for t in range(1, current.shape[0]):
        entries = current[t]
        row = months[t - 1]
        before = powers[t - 1]
        row[NET_RATE_BALANCE] += 12.0 * rho * net * (a - c * before)
        paid_off = entries[PAID_A] - entries[PAID_C] * before
        a -= entries[OUT_A]
        c -= entries[OUT_C]
        n -= entries[OUT_N]
        instalment = c * before * rho
        row[PREPAID] += paid_off
        row[SCHEDULED] += instalment
        row[INTEREST] += net * (rho * a - instalment + 0.5 * rho * paid_off)
        a += entries[IN_A]
        c += entries[IN_C]
        n += entries[IN_N]
        if n == 0.0:  # nothing is left of the sums but rounding
            a, c = 0.0, 0.0
        row[BALANCE + CURRENT] += a - c * powers[t]
        row[COUNT + CURRENT] += n
        for j in range(entries.size):
            entries[j] = 0.0


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
