"""Every loan of a pool from move to move along a path (production form, exact in law).

Where `kernels/loans.py` asks each loan each month whether it moves, here a loan in a long-sojourn
state (current, bankruptcy, foreclosure, REO) is asked once when it will leave
(`kernels/sojourns.py`). Work grows with moves, not with loan-months.

Current loans of one rate and frozen balances are running sums over months
(`kernels/running_sums.py`). Everything else moves money by the rules of `kernels/loans.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels import rng
from hemc.kernels.jit import kernel
from hemc.kernels.loans import (
    BALANCE,
    COUNT,
    HALF_CENT,
    INTEREST,
    LOSS,
    NET_RATE_BALANCE,
    PROCEEDS,
    SCHEDULED,
    ClassShares,
    LoanTerms,
    LossRules,
    charge_off,
    draw_class,
    draw_severity,
    is_cure_after_maturity,
    next_state,
    pay_instalments,
    pay_off,
    pays_in_bankruptcy,
    record,
    settle_loan,
)
from hemc.kernels.pool import Pool
from hemc.kernels.running_sums import (
    N_FROZEN,
    PAID_C,
    add_frozen,
    enter_current,
    leave_current,
    settle_current,
    settle_frozen,
)
from hemc.kernels.sojourns import (
    GUIDE,
    Draws,
    Sojourns,
    destination_of,
    end_of_stay,
    fill_sojourns,
    leave_month,
)
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints, MoveRates, PathFactors, cumulate_path
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    FORECLOSURE,
    PAID_OFF,
    REO,
)

#: State of a loan that has left the pool or outlasts the months.
GONE = -1


class Tables(NamedTuple):
    """One path's working memory and what its loans read; allocated once a block."""

    sojourns: Sojourns
    powers: Floats  # [rate group, t + 1] (1+ρ)^t
    discounts: Floats  # [rate group, t + 1] (1+ρ)^−t
    start_power: Floats  # [i] (1+ρ)^paid at cut-off
    current: Floats  # [t + 1, 8] the current loans of one rate
    frozen: Floats  # [t + 2, N_FROZEN] changes in bankruptcy, foreclosure, REO
    words: Floats  # [2, i] uniforms of every loan's first sojourn


class Position(NamedTuple):
    """Where a loan stands at the end of a month; `power` is (1+ρ)^paid."""

    month: int
    state: int
    behind: int
    power: float
    balance: float


@step
def add_short(months: Floats, position: Position, rate: float) -> None:
    """Count a loan in a short-sojourn state at the end of its month and the next opening."""
    t = position.month
    if t > 0:
        months[t - 1, BALANCE + position.state] += position.balance
        months[t - 1, COUNT + position.state] += 1.0
    if t < months.shape[0]:
        months[t, NET_RATE_BALANCE] += rate * position.balance


@step
def draw_stay(draws: Draws, month: int) -> tuple[float, float]:
    """Return the uniforms of a sojourn that begins in `month` and of where it leads."""
    u_stay, u_to, _, _ = rng.philox4x32(draws[2], month, draws[1], rng.STAY, draws[0])
    return rng.uniform(u_stay), rng.uniform(u_to)


@step
def net_rate(loan: LoanTerms) -> float:
    """Return the net rate of a loan per year."""
    return 12.0 * (loan.growth - 1.0) * loan.net_share


@step
def mature(loan: LoanTerms, balance: float, row: Floats) -> None:
    """Pay the last instalment and what is left after it; `balance` is that before both."""
    row[SCHEDULED] += balance
    row[INTEREST] += (loan.growth - 1.0) * balance * loan.net_share


@step
def last_month(loan: LoanTerms, powers: Floats) -> int:
    """Return the month in which a current loan ends: maturity, or when its schedule is paid."""
    last = loan.maturity
    if last >= powers.size:
        if loan.scheduled_a - loan.scheduled_c * powers[powers.size - 1] > -HALF_CENT:
            return last
        last = powers.size - 1
    while loan.scheduled_a - loan.scheduled_c * powers[last] < -HALF_CENT:
        last -= 1
    return last


@step
def stay_current(
    loan: LoanTerms,
    position: Position,
    c: int,
    tables: Tables,
    group: int,
    u: tuple[float, float],
    draws: Draws,
) -> tuple[LoanTerms, Position, int]:
    """Let a current loan stay as long as it does.

    Return its schedule on the calendar, where it stands before it leaves and where it goes:
    GONE where nothing is left to do, CURRENT where it matures.
    """
    month, state, behind, power, balance = position
    leaves = end_of_stay(tables.sojourns, c, state, month, u[0], draws)
    schedule = loan.scheduled_c * power * tables.discounts[group, month]
    loan = LoanTerms(loan.scheduled_a, schedule, loan.growth, loan.net_share, loan.maturity)
    enter_current(tables.current[month], loan)
    last = last_month(loan, tables.powers[group])
    is_mature = leaves > last
    leaves = min(leaves, last)
    if leaves >= tables.current.shape[0]:
        return loan, position, GONE
    to = CURRENT if is_mature else destination_of(tables.sojourns, c, state, leaves, u[1])
    leave_current(tables.current[leaves], loan, to == PAID_OFF)
    if to == PAID_OFF:
        return loan, position, GONE
    power = tables.powers[group, leaves - 1]
    balance = loan.scheduled_a - schedule * power
    return loan, Position(leaves - 1, state, behind, power, balance), to


@step
def stay_frozen(
    loan: LoanTerms,
    position: Position,
    c: int,
    tables: Tables,
    u: tuple[float, float],
    draws: Draws,
) -> tuple[Position, int]:
    """Let a loan in bankruptcy, foreclosure or REO stay; return where it stands then and goes."""
    month, state, behind, power, balance = position
    leaves = end_of_stay(tables.sojourns, c, state, month, u[0], draws)
    add_frozen(tables.frozen, state, month, leaves, balance, net_rate(loan))
    if leaves >= tables.current.shape[0]:
        return position, GONE
    to = destination_of(tables.sojourns, c, state, leaves, u[1])
    return Position(leaves - 1, state, behind + leaves - 1 - month, power, balance), to


@step
def move_loan(
    loan: LoanTerms,
    position: Position,
    to: int,
    rules: LossRules,
    draws: Draws,
    row: Floats,
) -> tuple[Position, float]:
    """Settle the move that follows `position`; return where the loan then stands and its loss.

    The state is GONE for a loan that has left the pool. `row` is the month's output.
    """
    last, state, behind, power, balance = position
    month = last + 1
    left = Position(month, GONE, behind, power, 0.0)
    if to == CHARGED_OFF:
        u = rng.draw_loan(draws[0], rng.SEVERITY, draws[1], draws[2], month)
        loss, proceeds = charge_off(balance, draw_severity(rules, state, u))
        row[LOSS] += loss
        row[PROCEEDS] += proceeds
        return left, loss
    if to == PAID_OFF or (month > loan.maturity and is_cure_after_maturity(state, to)):
        record(row, pay_off(loan, balance, behind))
        return left, 0.0
    cash, power, behind = settle_loan(loan, power, behind, month, state, to)
    if rules.bankruptcy_paying_share > 0.0 and month <= loan.maturity:
        u = rng.draw_loan(draws[0], rng.BANKRUPTCY_PAYS, draws[1], draws[2], month)
        if pays_in_bankruptcy(rules, state, to, u):
            cash, power = pay_instalments(loan, power, 1)
            behind -= 1
    record(row, cash)
    balance = loan.scheduled_a - loan.scheduled_c * power
    if (month == loan.maturity and to == CURRENT) or balance < HALF_CENT:
        row[SCHEDULED] += balance
        return left, 0.0
    return Position(month, to, behind, power, balance), 0.0


@step
def follow_loan(
    loan: LoanTerms,
    position: Position,
    c: int,
    tables: Tables,
    group: int,
    rules: LossRules,
    u_stay: tuple[float, float],
    draws: Draws,
    months: Floats,
) -> float:
    """Move one loan of class `c` from move to move until it is gone; return what it lost."""
    sojourns, loss = tables.sojourns, 0.0
    while position.state != GONE:
        month, state = position.month, position.state
        if state == CURRENT:
            loan, position, to = stay_current(loan, position, c, tables, group, u_stay, draws)
        elif sojourns.is_long[state]:
            position, to = stay_frozen(loan, position, c, tables, u_stay, draws)
        else:
            add_short(months, position, net_rate(loan))
            if month == months.shape[0]:
                return loss
            u = rng.draw_loan(draws[0], rng.MOVE, draws[1], draws[2], month)
            to = next_state(sojourns.cumulative[c, state, month], sojourns.destination[state], u)
        if to == GONE:
            return loss
        row = months[position.month]
        if to == CURRENT == state:
            mature(loan, position.balance, row)
            return loss
        position, lost = move_loan(loan, position, to, rules, draws, row)
        loss += lost
        if position.state != GONE and sojourns.is_long[position.state]:
            u_stay = draw_stay(draws, position.month)
    return loss


@step
def draw_first_stays(seed: np.uint64, path: int, loan: Ints, words: Floats) -> None:
    """Fill `words[2, i]` with what `draw_stay` gives every loan in month 0, in one fast pass."""
    for i in range(loan.size):
        stay, to, _, _ = rng.philox4x32(loan[i], 0, path, rng.STAY, seed)
        words[0, i] = rng.uniform(stay)
        words[1, i] = rng.uniform(to)


@step
def is_paid_off_first(
    loan: LoanTerms, c: int, tables: Tables, u: tuple[float, float], n_months: int
) -> bool:
    """Tell whether a loan that starts current pays off from there, and if so account for it.

    Nine loans in ten do; they need nothing of what a move otherwise takes.
    """
    sojourns = tables.sojourns
    survival, guide = sojourns.survival[c, CURRENT], sojourns.guide[c, CURRENT]
    leaves = leave_month(survival, guide, 0, u[0])
    if leaves > n_months or leaves >= loan.maturity:
        return False
    if destination_of(sojourns, c, CURRENT, leaves, u[1]) != PAID_OFF:
        return False
    enter_current(tables.current[0], loan)
    leave_current(tables.current[leaves], loan, True)
    return True


@step
def follow_path(
    pool: Pool,
    rules: LossRules,
    shares: ClassShares,
    tables: Tables,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Move every loan of the pool along one path, rate by rate.

    `out` are the months [t, N_COLUMNS] and the lifetime loss by first state and class.
    """
    seed, path = draws
    months, loss_by_origin = out
    words = tables.words
    draw_first_stays(seed, path, pool.loan, words)
    n_loans, n_classes = pool.balance.size, shares.cumulative.shape[1]
    for i in range(n_loans):
        group = pool.rate_group[i]
        loan = LoanTerms(
            pool.scheduled_a[i],
            pool.scheduled_c[i],
            pool.growth[i],
            pool.net_share[i],
            pool.maturity[i],
        )
        state = pool.state[i]
        c = 0
        if n_classes > 1:
            c = draw_class(shares, state, rng.draw_loan(seed, rng.CLASS, path, pool.loan[i], 0))
        u = (words[0, i], words[1, i])
        if state != CURRENT or not is_paid_off_first(loan, c, tables, u, months.shape[0]):
            start = Position(0, state, pool.behind[i], tables.start_power[i], pool.balance[i])
            number = (seed, path, pool.loan[i])
            loss_by_origin[state, c] += follow_loan(
                loan, start, c, tables, group, rules, u, number, months
            )
        if i + 1 == n_loans or pool.rate_group[i + 1] != group:
            settle_current(
                tables.current, tables.powers[group], loan.growth, loan.net_share, months
            )
    settle_frozen(tables.frozen, months)


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
    seed, first_path = draws
    is_long = np.zeros(n_states, dtype=np.int64)
    is_long[CURRENT] = is_long[FORECLOSURE] = is_long[REO] = 1
    is_long[BANKRUPTCY] = 1 if rules.bankruptcy_paying_share == 0.0 else 0
    stay_place = np.zeros(n_states, dtype=np.int64)
    for s in range(n_states):
        for j in range(width + 1):
            if rates.destination[s, j] == s:
                stay_place[s] = j
        if stay_place[s] == 0:
            is_long[s] = 0
    powers = np.ones((pool.group_growth.size, n_months + 1))
    for g in range(powers.shape[0]):
        for t in range(n_months):
            powers[g, t + 1] = powers[g, t] * pool.group_growth[g]
    tables = Tables(
        Sojourns(
            np.empty((n_classes, n_states, n_months, width + 1)),
            rates.destination,
            np.empty((n_classes, n_states, n_months + 1)),
            np.empty((n_classes, n_states, GUIDE), dtype=np.int64),
            is_long,
            stay_place,
        ),
        powers,
        1.0 / powers,
        (pool.scheduled_a - pool.balance) / pool.scheduled_c,
        np.zeros((n_months + 1, PAID_C + 1)),
        np.zeros((n_months + 2, N_FROZEN)),
        np.empty((2, pool.balance.size)),
    )
    for p in range(out[0].shape[0]):
        cumulate_path(
            rates,
            factors.credit[p],
            factors.prepayment[p],
            factors.charge_off[p],
            tables.sojourns.cumulative,
        )
        fill_sojourns(tables.sojourns)
        follow_path(pool, rules, shares, tables, (seed, first_path + p), (out[0][p], out[1][p]))
