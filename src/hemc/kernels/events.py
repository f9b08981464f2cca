"""Every loan of a pool from move to move along a path (production form, exact in law).

Where `kernels/loans.py` asks each loan each month whether it moves, here a loan in a long-sojourn
state (current, bankruptcy, foreclosure, REO) is asked once when it will leave
(`kernels/sojourns.py`). Work grows with moves, not with loan-months.

Nine loans in ten pay until they pay off and need a few lines here; `kernels/movers.py` follows the
others. Current loans of one rate and frozen balances are running sums over months
(`kernels/running_sums.py`). Everything else moves money by the rules of `kernels/loans.py`.
"""

from __future__ import annotations

import numpy as np

from hemc.kernels import rng
from hemc.kernels.jit import kernel
from hemc.kernels.loans import (
    INTEREST,
    MOST_INSTALMENTS,
    NET_RATE_BALANCE,
    PREPAID,
    ClassShares,
    LoanTerms,
    LossRules,
    draw_class,
    pay_off,
)
from hemc.kernels.movers import (
    WORDS,
    Position,
    Tables,
    draw_first_blocks,
    follow_loan,
    net_rate,
)
from hemc.kernels.pool import Pool
from hemc.kernels.running_sums import (
    N_CURRENT,
    N_FROZEN,
    change_current,
    settle_current,
    settle_frozen,
)
from hemc.kernels.sojourns import Sojourns, fill_sojourns, leave_month, prepare_sojourns
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, MonthFactors, MoveRates, PathFactors
from hemc.states import CURRENT


@step
def pay_off_first(
    loan: LoanTerms, c: int, sojourns: Sojourns, u: tuple[float, float],
    powers: Floats, current: Floats, months: Floats,
) -> bool:  # fmt: skip
    """Tell whether a loan that starts current pays off from there, and if so account for it."""
    leaves = leave_month(sojourns.survival[c, CURRENT], sojourns.guide[c, CURRENT], 0, u[0])
    if leaves > months.shape[0] or leaves >= loan.maturity or u[1] >= sojourns.payoff[c, leaves]:
        return False
    change_current(current[leaves], -1.0, loan.scheduled_a, loan.scheduled_c)
    balance = loan.scheduled_a - loan.scheduled_c * powers[leaves - 1]
    cash = pay_off(loan, balance, 0)
    row = months[leaves - 1]
    row[PREPAID] += cash.prepaid
    row[INTEREST] += cash.interest
    row[NET_RATE_BALANCE] += net_rate(loan) * balance
    return True


@step
def follow_rate(
    pool: Pool,
    run: tuple[int, int],
    rules: LossRules,
    shares: ClassShares,
    factors: MonthFactors,
    tables: Tables,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Move the loans of one rate, those from `run[0]` to before `run[1]`, along one path."""
    seed, path = draws
    months, loss_by_origin = out
    first, last = run
    sojourns, u, n_classes = tables.sojourns, tables.first_u, shares.cumulative.shape[1]
    group, current = pool.rate_group[first], tables.current
    powers = tables.powers[group]
    number, starts_at, balance = (
        pool.loan[first:last],
        pool.state[first:last],
        pool.balance[first:last],
    )
    a_of, c_of = pool.scheduled_a[first:last], pool.scheduled_c[first:last]
    maturity, all_behind = pool.maturity[first:last], pool.behind[first:last]
    growth, net_share = pool.growth[first], pool.net_share[first]
    draw_first_blocks(number, seed, path, u)
    a = scheduled_c = n = 0.0
    for i in range(last - first):
        state, c = starts_at[i], 0
        loan = LoanTerms(a_of[i], c_of[i], growth, net_share, maturity[i])
        if n_classes > 1:
            c = draw_class(shares, state, rng.draw_loan(seed, rng.CLASS, path, number[i], 0))
        if state == CURRENT and sojourns.is_long[CURRENT]:
            a += loan.scheduled_a
            scheduled_c += loan.scheduled_c
            n += 1.0
            if pay_off_first(loan, c, sojourns, (u[0, i], u[1, i]), powers, current, months):
                continue
        for j in range(WORDS):
            tables.u[j] = u[j, i]
        power = (a_of[i] - balance[i]) / c_of[i]
        start = Position(0, state, all_behind[i], power, balance[i])
        loss_by_origin[state, c] += follow_loan(
            loan, start, c, group, tables, rules, factors, (seed, path, number[i]), months
        )
    current[1, 0] += a
    current[1, 1] += scheduled_c
    current[1, 2] += n
    settle_current(current, powers, growth, net_share, months)


@kernel
def follow_paths(
    pool: Pool,
    tables: Tables,
    factors: PathFactors,
    rules: LossRules,
    shares: ClassShares,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Simulate a block of paths; outputs are those of `loans.simulate_paths`."""
    months, loss_by_origin = out
    seed, first_path = draws
    starts = tables.starts
    for p in range(months.shape[0]):
        path = MonthFactors(factors.credit[p], factors.prepayment[p], factors.charge_off[p])
        fill_sojourns(tables.sojourns, path)
        path_draws, path_out = (seed, first_path + p), (months[p], loss_by_origin[p])
        for r in range(starts.size - 1):
            run = (starts[r], starts[r + 1])
            follow_rate(pool, run, rules, shares, path, tables, path_draws, path_out)
        settle_frozen(tables.frozen, months[p])


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
    follow_paths(pool, tables, factors, rules, shares, draws, out)


def prepare_tables(pool: Pool, rates: MoveRates, pays_in_bankruptcy: bool) -> Tables:
    """Lay out a block's working memory; NumPy does so at no cost in compilation."""
    n_months = rates.threshold.shape[0]
    growth = np.ones((pool.group_growth.size, max(n_months, MOST_INSTALMENTS) + 1))
    growth[:, 1:] = pool.group_growth[:, None]
    powers = np.multiply.accumulate(growth, axis=1)
    starts = np.flatnonzero(np.diff(pool.rate_group, prepend=-1, append=-1))
    return Tables(
        sojourns=prepare_sojourns(rates, pays_in_bankruptcy),
        powers=powers,
        discounts=1.0 / powers,
        starts=starts,
        current=np.zeros((n_months + 2, N_CURRENT)),
        frozen=np.zeros((n_months + 2, N_FROZEN)),
        first_u=np.empty((WORDS, np.diff(starts).max(initial=0))),
        u=np.empty(WORDS),
    )
