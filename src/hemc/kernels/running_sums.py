"""Entries to and exits from a state → balances and cash by month, as running sums.

Current loans of one rate are sums: each adds a and c of its schedule b(t) = a − c·(1+ρ)^t to the
first month that it pays and takes them out of the month that it leaves in; one pass over the months
turns the running sums into balances and instalments. In the month that it leaves in, a loan counts
by itself. Frozen balances are sums whatever their rate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.loans import BALANCE, COUNT, INTEREST, NET_RATE_BALANCE, PREPAID, SCHEDULED
from hemc.kernels.records import Records
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import BANKRUPTCY, CURRENT, REO

#: Elements of a month in the sums of current loans of one rate: of a, of c and of loans.
N_CURRENT = 4
#: What becomes of loans that start current and leave: the rows of `Sums.first`.
PAYS_OFF, MOVES = range(2)
#: Rows of `Sums.flows`, of current loans: scheduled principal; balances paid off; opening balance
#: × net rate a month of loans that pay, and of those that pay off and owe half of it; balances and
#: loans after the month.
SCHEDULED_PRINCIPAL, PAID_OFF, NET_OPENING, NET_PAID_OFF, CLOSING, N_CLOSING = range(6)
#: Column of the net rate × balance in a month's row of the frozen states; balance changes of
#: bankruptcy, foreclosure and REO stand before it, changes of their counts behind.
FROZEN_NET_RATE, FROZEN_COUNT = 3, 4
N_FROZEN = 7


class RateGroup:
    """Loans of one rate; a record."""

    growth: float  # 1 + ρ
    net_share: float  # part of interest that is left after the fee
    scheduled_a: float  # sum over the loans that start current
    scheduled_c: float
    first: int  # position among the loans that start current
    end: int  # position after its last one


class Sums(NamedTuple):
    """One path's sums; zero between paths."""

    first: Floats  # [PAYS_OFF …, (t + 2) × N_CURRENT] loans of one rate that leave, by month
    current: Floats  # [rate group, (t + 2) × N_CURRENT] changes of the current loans
    until: Ints  # [rate group] last month in which they may change; each path sets it
    frozen: Floats  # [t + 2, N_FROZEN] changes in bankruptcy, foreclosure, REO
    flows: Floats  # [SCHEDULED_PRINCIPAL …, t]


@step
def change_current(
    sums: Floats, month: int, sign: float, scheduled_a: float, scheduled_c: float
) -> None:
    """Add a schedule to the current loans of its rate from a month on, or take it out."""
    at = np.uint64(month) * np.uint64(N_CURRENT)
    sums[at] += sign * scheduled_a
    sums[at + np.uint64(1)] += sign * scheduled_c
    sums[at + np.uint64(2)] += sign


@step
def settle_first(
    first: Floats, last: int, group: RateGroup, powers: Floats, current: Floats, flows: Floats
) -> None:
    """Turn the exits of the loans of one rate that start current into changes of `current`.

    Settle the payoffs among them. There are none after month `last`. `first` is cleared.
    """
    pays_off, moves = first[PAYS_OFF], first[MOVES]
    rate = (group.growth - 1.0) * group.net_share
    n_used = (last + 1) * N_CURRENT
    for j in range(n_used):
        current[j] = -(pays_off[j] + moves[j])
    paid_off, net_paid_off = flows[PAID_OFF], flows[NET_PAID_OFF]
    for t in range(last):
        at = np.uint64(t + 1) * np.uint64(N_CURRENT)
        balance = pays_off[at] - pays_off[at + np.uint64(1)] * powers[t]
        paid_off[t] += balance
        net_paid_off[t] += rate * balance
    pays_off[: n_used + N_CURRENT] = 0.0  # with those that outlast the months
    moves[: n_used + N_CURRENT] = 0.0
    change_current(current, 1, 1.0, group.scheduled_a, group.scheduled_c)
    current[N_CURRENT + 2] += group.end - group.first - 1


@step
def settle_current(
    current: Floats, until: int, group: RateGroup, powers: Floats, flows: Floats
) -> None:
    """Turn the changes of the paying current loans of one rate into cash and balances.

    There are none after month `until`. `current` is cleared.
    """
    rho = group.growth - 1.0
    a = c = n = 0.0
    for t in range(until):
        at = np.uint64(t + 1) * np.uint64(N_CURRENT)
        a += current[at]
        c += current[at + np.uint64(1)]
        n += current[at + np.uint64(2)]
        is_any = n > 0.0  # else nothing is left of the sums but rounding
        opening = a - c * powers[t] if is_any else 0.0
        principal = rho * (c * powers[t]) if is_any else 0.0
        flows[SCHEDULED_PRINCIPAL, t] += principal
        flows[NET_OPENING, t] += rho * group.net_share * opening
        flows[CLOSING, t] += opening - principal
        flows[N_CLOSING, t] += n
    current[: (until + 2) * N_CURRENT] = 0.0


@step
def add_flows(flows: Floats, months: Floats) -> None:
    """Add what became of the current loans to the path's output and clear it."""
    for t in range(months.shape[0]):
        row = months[t]
        row[SCHEDULED] += flows[SCHEDULED_PRINCIPAL, t]
        row[PREPAID] += flows[PAID_OFF, t]
        row[INTEREST] += flows[NET_OPENING, t] + 0.5 * flows[NET_PAID_OFF, t]
        row[NET_RATE_BALANCE] += 12.0 * (flows[NET_OPENING, t] + flows[NET_PAID_OFF, t])
        row[BALANCE + CURRENT] += flows[CLOSING, t]
        row[COUNT + CURRENT] += flows[N_CLOSING, t]
    flows[:] = 0.0


@step
def settle_rates(groups: Records[RateGroup], powers: Floats, sums: Sums, months: Floats) -> None:
    """Settle the current loans of all rates."""
    for g in range(groups.size):
        settle_current(sums.current[g], sums.until[g], groups[g], powers[g], sums.flows)
    add_flows(sums.flows, months)


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
