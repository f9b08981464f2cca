"""Loans at cut-off → how long each stays where it is: the first event of every loan of a path.

Nine loans in ten are current, stay so until they pay off, and are nothing but a row of sums here;
those that leave current for another state become movers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels import rng
from hemc.kernels.loans import NET_RATE_BALANCE, ClassShares, draw_class
from hemc.kernels.movers import (
    NOBODY,
    PAYOFF,
    STAY,
    WORDS,
    Mover,
    Queue,
    Schedules,
    draw_blocks,
    net_rate,
    stay_frozen,
    wait,
)
from hemc.kernels.pool import Pool
from hemc.kernels.records import Records, records
from hemc.kernels.running_sums import (
    MOVES,
    NET_OPENING,
    SCHEDULED_PRINCIPAL,
    RateGroup,
    Sums,
    change_current,
    settle_first,
)
from hemc.kernels.sojourns import Draws, Places, Sojourns
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import CURRENT


class Starters(NamedTuple):
    """Loans that start current, those of one rate side by side, and what a path makes of them."""

    number: Ints  # [i]
    scheduled_a: Floats  # [i]
    scheduled_c: Floats  # [i]
    maturity: Ints  # [i]
    latent_class: Places  # [i]
    moved: Places  # [i] positions of the loans of one rate that move
    leaves: Places  # [i] month in which they do
    u: Floats  # [WORDS, i]


@step
def draw_classes(number: Ints, shares: ClassShares, draws: Draws, out: Places) -> None:
    """Draw the latent classes of loans that start current."""
    seed, path = draws
    for i in range(number.size):
        out[i] = draw_class(shares, CURRENT, rng.draw_loan(seed, rng.CLASS, path, number[i], 0))


@step
def mature(starters: Starters, i: int, group: RateGroup, powers: Floats, sums: Sums) -> None:
    """Repay a loan at maturity, unless that lies behind the last month."""
    month = starters.maturity[i]
    if month > sums.flows.shape[1]:
        return
    a, c = starters.scheduled_a[i], starters.scheduled_c[i]
    change_current(sums.first[MOVES], month, 1.0, a, c)
    balance = a - c * powers[month - 1]
    sums.flows[SCHEDULED_PRINCIPAL, month - 1] += balance
    sums.flows[NET_OPENING, month - 1] += (group.growth - 1.0) * group.net_share * balance


@step
def end_first_stays(starters: Starters, first: int, n: int, sojourns: Sojourns) -> None:
    """Find the month in which each of `n` loans of one rate leaves current.

    Two steps from the guide reach it for all but a few; so there is no branch to guess.
    """
    latent_class = starters.latent_class[first : first + n]
    u, leaves, beyond = starters.u[STAY], starters.leaves, starters.moved
    n_cells = sojourns.guide.shape[2]
    n_beyond = 0
    for k in range(n):
        c, x = latent_class[k], u[k]
        survival = sojourns.survival[c, CURRENT]
        month = sojourns.guide[c, CURRENT, np.uint32(x * n_cells)]
        month += np.uint32(survival[month] > x)
        month += np.uint32(survival[month] > x)
        leaves[k] = month
        beyond[n_beyond] = k
        n_beyond += int(survival[month] > x)
    for j in range(n_beyond):
        k = beyond[j]
        survival = sojourns.survival[latent_class[k], CURRENT]
        while survival[leaves[k]] > u[k]:
            leaves[k] += np.uint32(1)


@step
def leave_current(
    starters: Starters, group: RateGroup, sojourns: Sojourns, powers: Floats, sums: Sums
) -> tuple[int, int]:
    """Add the loans of one rate to the sums of the months in which they leave.

    Return how many of them move then, and the last of these months. Only maturities are a branch,
    and few.
    """
    u_payoff = starters.u[PAYOFF]
    n_months = sums.flows.shape[1]
    n, last = 0, 1
    latent_class = starters.latent_class[group.first : group.end]
    maturity = starters.maturity[group.first : group.end]
    scheduled_a = starters.scheduled_a[group.first : group.end]
    scheduled_c = starters.scheduled_c[group.first : group.end]
    for k in range(group.end - group.first):
        leaves = starters.leaves[k]
        if leaves > maturity[k]:
            mature(starters, group.first + k, group, powers, sums)
            last = max(last, maturity[k])
            continue
        moves = int(u_payoff[k] >= sojourns.payoff[latent_class[k], leaves])
        change_current(sums.first[moves], leaves, 1.0, scheduled_a[k], scheduled_c[k])
        starters.moved[n] = k
        n += moves * int(leaves <= n_months)
        last = max(last, int(np.int64(leaves)))
    return n, min(last, n_months)


@step
def make_mover(starters: Starters, i: int, g: int, group: RateGroup, mover: Mover) -> None:
    """Write the record of a loan that leaves current for another state."""
    mover.scheduled_a = starters.scheduled_a[i]
    mover.power = starters.scheduled_c[i]
    mover.growth = group.growth
    mover.net_share = group.net_share
    mover.number = starters.number[i]
    mover.group = g
    mover.maturity = starters.maturity[i]
    mover.origin = mover.state = CURRENT
    mover.latent_class = starters.latent_class[i]


@step
def start_current(
    starters: Starters, groups: Records[RateGroup], shares: ClassShares, sojourns: Sojourns,
    schedules: Schedules, sums: Sums, queue: Queue, draws: Draws, n_movers: int,
) -> None:  # fmt: skip
    """Let all loans that start current stay there until they leave."""
    for g in range(groups.size):
        group = groups[g]
        number = starters.number[group.first : group.end]
        if shares.cumulative.shape[1] > 1:
            latent_class = starters.latent_class[group.first : group.end]
            draw_classes(number, shares, draws, latent_class)
        draw_blocks(number, 0, draws, starters.u)
        powers = schedules.powers[g]
        end_first_stays(starters, group.first, number.size, sojourns)
        n, last = leave_current(starters, group, sojourns, powers, sums)
        sums.until[g] = last
        settle_first(sums.first, last, group, powers, sums.current[g], sums.flows)
        for k in range(n):
            i = starters.moved[k]
            make_mover(starters, group.first + i, g, group, queue.movers[n_movers + k])
            wait(queue, n_movers + k, starters.leaves[i])
        n_movers += n


@step
def start_others(
    others: Records[Mover], shares: ClassShares, sojourns: Sojourns, sums: Sums, queue: Queue,
    draws: Draws, months: Floats,
) -> int:  # fmt: skip
    """Let the other loans stay where they are or move in month 1; return how many move then."""
    seed, path = draws
    n = others.size
    queue.leaving[:] = NOBODY
    for i in range(n):
        queue.number[i] = others[i].number
    draw_blocks(queue.number[:n], 0, draws, queue.u)
    n_due, net_opening = 0, 0.0
    for i in range(n):
        queue.movers[i] = others[i]
        mover = queue.movers[i]
        if shares.cumulative.shape[1] > 1:
            u = rng.draw_loan(seed, rng.CLASS, path, mover.number, 0)
            mover.latent_class = draw_class(shares, mover.state, u)
        if sojourns.is_long[mover.state]:
            stay_frozen(i, 0, queue.u[STAY, i], queue, sojourns, sums, draws)
        else:
            queue.due[n_due] = i
            n_due += 1
            net_opening += 12.0 * net_rate(mover) * (mover.scheduled_a - mover.power)
    months[0, NET_RATE_BALANCE] += net_opening
    return n_due


def prepare_starters(pool: Pool) -> tuple[Starters, Records[RateGroup]]:
    """Lay out the loans that start current, those of one rate side by side."""
    i = np.flatnonzero(pool.state == CURRENT)
    i = i[np.argsort(pool.rate_group[i], kind="stable")]
    group = pool.rate_group[i]
    n_groups = pool.group_growth.size
    net_share = np.zeros(n_groups)
    net_share[pool.rate_group] = pool.net_share
    first = np.searchsorted(group, np.arange(n_groups + 1))
    groups = records(
        n_groups, RateGroup, growth=pool.group_growth, net_share=net_share,
        scheduled_a=np.bincount(group, pool.scheduled_a[i], n_groups),
        scheduled_c=np.bincount(group, pool.scheduled_c[i], n_groups),
        first=first[:-1], end=first[1:],
    )  # fmt: skip
    starters = Starters(
        number=pool.loan[i],
        scheduled_a=pool.scheduled_a[i],
        scheduled_c=pool.scheduled_c[i],
        maturity=pool.maturity[i],
        latent_class=np.zeros(i.size, dtype=np.uint32),
        moved=np.empty(i.size, dtype=np.uint32),
        leaves=np.empty(i.size, dtype=np.uint32),
        u=np.empty((WORDS, np.diff(first).max(initial=0))),
    )
    return starters, groups


def prepare_others(pool: Pool) -> Records[Mover]:
    """Lay out the loans that start in another state."""
    i = np.flatnonzero(pool.state != CURRENT)
    return records(
        i.size, Mover, scheduled_a=pool.scheduled_a[i], power=pool.scheduled_a[i] - pool.balance[i],
        growth=pool.growth[i], net_share=pool.net_share[i], number=pool.loan[i],
        group=pool.rate_group[i], maturity=pool.maturity[i], origin=pool.state[i],
        state=pool.state[i], paid=-pool.behind[i],
    )  # fmt: skip
