"""Loans that do more than pay until they pay off: where each stands, and when it moves next.

A mover is a record. While it is in a bucket or in 180+ it stands in the list of those that move
every month; while it stays in current, bankruptcy, foreclosure or REO it waits in the calendar for
the month in which it leaves. `kernels/moves.py` moves those that are due.

All that a loan draws in a month are the words of one Philox block, of (loan, month): word
DESTINATION says where it goes, word STAY how long it stays there, word PAYOFF whether a stay in
current ends with a payoff; SEVERITY and PAYS are of loans that are charged off or may pay in
bankruptcy. At cut-off, month 0, only stays are drawn.
"""

from __future__ import annotations

from typing import NamedTuple

from hemc.kernels import rng
from hemc.kernels.loans import (
    BALANCE,
    COUNT,
    HALF_CENT,
    INTEREST,
    NET_RATE_BALANCE,
    PREPAID,
    SCHEDULED,
)
from hemc.kernels.records import Place, Records, Short
from hemc.kernels.running_sums import Sums, add_frozen, change_current
from hemc.kernels.sojourns import Draws, Places, Sojourns, end_of_stay
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import CURRENT

#: Words of a loan's block.
WORDS = 4
DESTINATION, STAY, PAYOFF, PAYS = range(WORDS)
SEVERITY = STAY

#: End of a month's chain in the calendar.
NOBODY = 2**32 - 1


class Mover:
    """Where a loan stands; a record. Amounts are USD.

    `power` is c·(1+ρ)^paid, so that the balance is `scheduled_a` − `power` and an instalment
    multiplies `power` by `growth`; while the loan is current it is c. `paid` is the month that it
    is paid through. `after` is the next mover that leaves in the same month. A line of a core's
    cache holds it all.
    """

    scheduled_a: float
    power: float
    growth: float
    net_share: float
    number: Place
    group: Place
    origin: Place  # state at cut-off
    latent_class: Place
    state: Place
    after: Place
    maturity: Short
    paid: Short


class Schedules(NamedTuple):
    """Powers of each rate."""

    powers: Floats  # [rate group, t] (1+ρ)^t, for MOST_INSTALMENTS months at least
    discounts: Floats  # [rate group, t] (1+ρ)^−t


class Queue(NamedTuple):
    """Who moves when, and working memory of a month's moves, in order of `due`."""

    movers: Records[Mover]
    leaving: Places  # [t + 2] first mover that leaves its stay in month t, or NOBODY
    due: (
        Places  # [i] movers of the month: those that move every month, then those that leave a stay
    )
    kept: Places  # [i] movers of the next month
    number: Ints  # [i] their loans
    u: Floats  # [WORDS, i] their uniforms
    to: Places  # [i] where they go
    kinds: Places  # [kind of move, i] positions in `due`
    n_kinds: Places  # [kind of move]
    kind_to: Places  # [state] kind of the moves there


@step
def draw_blocks(number: Ints, month: int, draws: Draws, u: Floats) -> None:
    """Fill `u[WORDS, i]` with the uniforms of loans in a month, in one fast pass."""
    seed, path = draws
    u_0, u_1, u_2, u_3 = u[0], u[1], u[2], u[3]
    for i in range(number.size):
        words = rng.philox4x32(number[i], month, path, rng.STAY, seed)
        u_0[i] = rng.uniform(words[0])
        u_1[i] = rng.uniform(words[1])
        u_2[i] = rng.uniform(words[2])
        u_3[i] = rng.uniform(words[3])


@step
def net_rate(mover: Mover) -> float:
    """Return the net rate of a loan per month."""
    return (mover.growth - 1.0) * mover.net_share


@step
def wait(queue: Queue, i: int, leaves: int) -> None:
    """Enter a mover in the calendar."""
    queue.movers[i].after = queue.leaving[leaves]
    queue.leaving[leaves] = i


@step
def last_month(mover: Mover, powers: Floats) -> int:
    """Return the month in which a current loan ends: maturity, or when its schedule is paid."""
    last = mover.maturity
    if last >= powers.size:
        if mover.scheduled_a - mover.power * powers[powers.size - 1] > -HALF_CENT:
            return last
        last = powers.size - 1
    while mover.scheduled_a - mover.power * powers[last] < -HALF_CENT:
        last -= 1
    return last


@step
def close_month(mover: Mover, row: Floats) -> None:
    """Count a loan at the end of a month."""
    row[BALANCE + mover.state] += mover.scheduled_a - mover.power
    row[COUNT + mover.state] += 1.0


@step
def stay_current(
    i: int, month: int, u: tuple[float, float], queue: Queue, sojourns: Sojourns,
    schedules: Schedules, sums: Sums, draws: Draws, months: Floats,
) -> None:  # fmt: skip
    """Let a loan that has become current in `month` pay until it leaves, or to its end."""
    mover = queue.movers[i]
    close_month(mover, months[month - 1])
    powers = schedules.powers[mover.group]
    mover.power *= schedules.discounts[mover.group, month]
    c, current = mover.latent_class, sums.current[mover.group]
    leaves = end_of_stay(sojourns, c, CURRENT, month, u[0], mover.number, draws)
    change_current(current, month + 1, 1.0, mover.scheduled_a, mover.power)
    last = last_month(mover, powers)
    ends = min(leaves, last)
    sums.until[mover.group] = max(sums.until[mover.group], min(ends, months.shape[0]))
    if ends > months.shape[0]:
        return
    change_current(current, ends, -1.0, mover.scheduled_a, mover.power)
    if leaves <= last and u[1] >= sojourns.payoff[c, leaves]:
        wait(queue, i, leaves)
        return
    row, balance = months[ends - 1], mover.scheduled_a - mover.power * powers[ends - 1]
    interest = net_rate(mover) * balance
    row[NET_RATE_BALANCE] += 12.0 * interest
    if leaves > last:
        row[SCHEDULED] += balance
        row[INTEREST] += interest
    else:
        row[PREPAID] += balance
        row[INTEREST] += 0.5 * interest


@step
def stay_frozen(
    i: int, month: int, u: float, queue: Queue, sojourns: Sojourns, sums: Sums, draws: Draws
) -> None:
    """Let a loan stand still in bankruptcy, foreclosure or REO, where it is since `month`."""
    mover = queue.movers[i]
    state, n_months = mover.state, sojourns.cumulative.shape[2]
    leaves = end_of_stay(sojourns, mover.latent_class, state, month, u, mover.number, draws)
    balance = mover.scheduled_a - mover.power
    add_frozen(sums.frozen, state, month, leaves, balance, 12.0 * net_rate(mover))
    if leaves <= n_months:
        wait(queue, i, leaves)
