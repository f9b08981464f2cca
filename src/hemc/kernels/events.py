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
from hemc.kernels.sojourns import GUIDE, Sojourns, fill_sojourns, leave_month
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, MonthFactors, MoveRates, PathFactors
from hemc.states import BANKRUPTCY, CURRENT, FORECLOSURE, N_STATES, REO


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
    rates: MoveRates,
    factors: PathFactors,
    rules: LossRules,
    shares: ClassShares,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Simulate a block of paths; arguments and outputs are those of `loans.simulate_paths`."""
    n_months, n_classes, n_states, width = rates.threshold.shape
    n_loans = pool.loan.size
    seed, first_path = draws
    is_long = np.zeros(n_states, dtype=np.int64)
    is_long[CURRENT] = is_long[FORECLOSURE] = is_long[REO] = 1
    is_long[BANKRUPTCY] = 1 if rules.bankruptcy_paying_share == 0.0 else 0
    stay_place = np.zeros(n_states, dtype=np.uint32)
    for s in range(n_states):
        for j in range(width + 1):
            if rates.destination[s, j] == s:
                stay_place[s] = j
        if stay_place[s] == 0:
            is_long[s] = 0
    powers = np.ones((pool.group_growth.size, max(n_months, MOST_INSTALMENTS) + 1))
    for g in range(powers.shape[0]):
        for t in range(powers.shape[1] - 1):
            powers[g, t + 1] = powers[g, t] * pool.group_growth[g]
    starts = np.full(n_loans + 1, n_loans)
    n_rates = 0
    for i in range(n_loans):
        if i == 0 or pool.rate_group[i] != pool.rate_group[i - 1]:
            starts[n_rates] = i
            n_rates += 1
    tables = Tables(
        Sojourns(
            rates,
            np.ones((n_classes, n_states, n_months, N_STATES)),
            np.full((n_classes, n_states, n_months), -1),
            np.empty((n_classes, n_states, n_months + 1)),
            np.empty((n_classes, n_states, GUIDE), dtype=np.uint32),
            np.empty((n_classes, n_months + 1)),
            is_long,
            stay_place,
        ),
        powers,
        1.0 / powers,
        starts[: n_rates + 1],
        np.zeros((n_months + 2, N_CURRENT)),
        np.zeros((n_months + 2, N_FROZEN)),
        np.empty((WORDS, n_loans)),
        np.empty(WORDS),
    )
    for p in range(out[0].shape[0]):
        path = MonthFactors(factors.credit[p], factors.prepayment[p], factors.charge_off[p])
        fill_sojourns(tables.sojourns, path)
        path_draws, path_out = (seed, first_path + p), (out[0][p], out[1][p])
        for r in range(n_rates):
            run = (starts[r], starts[r + 1])
            follow_rate(pool, run, rules, shares, path, tables, path_draws, path_out)
        settle_frozen(tables.frozen, path_out[0])
