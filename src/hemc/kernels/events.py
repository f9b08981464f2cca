"""Every loan of a pool from move to move along a path (production form, exact in law).

Where `kernels/loans.py` asks each loan each month whether it moves, here a loan in a long-sojourn
state (current, bankruptcy, foreclosure, REO) is asked once when it will leave
(`kernels/sojourns.py`). Work grows with moves, not with loan-months.

First all loans draw their first stay (`kernels/first_stays.py`): nine in ten pay until they pay off
and are done. The others are moved month by month, all that are due in a month together
(`kernels/moves.py`). Current loans of one rate and frozen balances are running sums over months
(`kernels/running_sums.py`). Money moves by the rules of `kernels/loans.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.first_stays import (
    Starters,
    prepare_others,
    prepare_starters,
    start_current,
    start_others,
)
from hemc.kernels.jit import kernel
from hemc.kernels.loans import MOST_INSTALMENTS, ClassShares, LossRules
from hemc.kernels.movers import WORDS, Mover, Queue, Schedules
from hemc.kernels.moves import N_KINDS, kinds_by_destination, move_month
from hemc.kernels.pool import Pool
from hemc.kernels.records import Records, records
from hemc.kernels.running_sums import (
    N_CURRENT,
    N_FROZEN,
    RateGroup,
    Sums,
    settle_frozen,
    settle_rates,
)
from hemc.kernels.sojourns import Sojourns, fill_sojourns, prepare_sojourns
from hemc.kernels.transitions import Floats, MonthFactors, MoveRates, PathFactors


class Tables(NamedTuple):
    """What paths read, and one path's working memory; allocated once a block."""

    starters: Starters
    groups: Records[RateGroup]
    others: Records[Mover]
    sojourns: Sojourns
    schedules: Schedules
    sums: Sums
    queue: Queue


@kernel
def follow_paths(
    tables: Tables,
    factors: PathFactors,
    rules: LossRules,
    shares: ClassShares,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Simulate a block of paths; outputs are those of `loans.simulate_paths`."""
    starters, groups, others, sojourns, schedules, sums, queue = tables
    seed, first_path = draws
    for p in range(out[0].shape[0]):
        months, loss_by_origin = out[0][p], out[1][p]
        path = MonthFactors(factors.credit[p], factors.prepayment[p], factors.charge_off[p])
        fill_sojourns(sojourns, path)
        d = (seed, first_path + p)
        n = start_others(others, shares, sojourns, sums, queue, d, months)
        start_current(starters, groups, shares, sojourns, schedules, sums, queue, d, others.size)
        for month in range(1, months.shape[0] + 1):
            n = move_month(
                queue,
                n,
                month,
                sojourns,
                schedules,
                sums,
                path.credit,
                rules,
                d,
                months,
                loss_by_origin,
            )
        settle_rates(groups, schedules.powers, sums, months)
        settle_frozen(sums.frozen, months)


def simulate_paths(
    pool: Pool,
    rates: MoveRates,
    factors: PathFactors,
    rules: LossRules,
    shares: ClassShares,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Simulate a block of paths; arguments and outputs are those of `loans.simulate_paths`."""
    tables = prepare_tables(pool, rates, rules.bankruptcy_paying_share > 0.0)
    follow_paths(tables, factors, rules, shares, draws, out)


def prepare_tables(pool: Pool, rates: MoveRates, pays_in_bankruptcy: bool) -> Tables:
    """Lay out a block's working memory; NumPy does so at no cost in compilation."""
    n_months = rates.threshold.shape[0]
    starters, groups = prepare_starters(pool)
    growth = np.ones((groups.size, max(n_months, MOST_INSTALMENTS) + 1))
    growth[:, 1:] = pool.group_growth[:, None]
    powers = np.multiply.accumulate(growth, axis=1)
    n = pool.balance.size
    return Tables(
        starters=starters,
        groups=groups,
        others=prepare_others(pool),
        sojourns=prepare_sojourns(rates, pays_in_bankruptcy),
        schedules=Schedules(powers, 1.0 / powers),
        sums=Sums(
            first=np.zeros((2, (n_months + 2) * N_CURRENT)),
            current=np.zeros((groups.size, (n_months + 2) * N_CURRENT)),
            until=np.zeros(groups.size, dtype=np.int64),
            frozen=np.zeros((n_months + 2, N_FROZEN)),
            flows=np.zeros((6, n_months)),
        ),
        queue=Queue(
            movers=records(n, Mover),
            leaving=np.empty(n_months + 2, dtype=np.uint32),
            due=np.empty(n, dtype=np.uint32),
            kept=np.empty(n, dtype=np.uint32),
            number=np.empty(n, dtype=np.int64),
            u=np.empty((WORDS, n)),
            to=np.empty(n, dtype=np.uint32),
            kinds=np.empty((N_KINDS, n), dtype=np.uint32),
            n_kinds=np.zeros(N_KINDS, dtype=np.uint32),
            kind_to=kinds_by_destination(pays_in_bankruptcy),
        ),
    )
