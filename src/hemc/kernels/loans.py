"""Every loan of a pool month by month along a path: moves, cash and balances (reference form).

A loan's schedule is b(m) = a − c·(1+ρ)^m after m instalments. A loan in current or a bucket is
exactly as many instalments behind as its bucket says; in 180+, bankruptcy, foreclosure and REO
nothing is paid and the paid-through month stands still. Nothing else moves money.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels import rng
from hemc.kernels.jit import kernel
from hemc.kernels.pool import Pool
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints, MoveRates, PathFactors, cumulate_path
from hemc.states import BANKRUPTCY, CHARGED_OFF, CURRENT, D150, D180, FORECLOSURE, PAID_OFF, REO

#: Columns of a month's row in the kernel's output; balances and counts by state follow.
INTEREST, SCHEDULED, PREPAID, PROCEEDS, LOSS, NET_RATE_BALANCE, BALANCE, COUNT = *range(7), 16
N_COLUMNS = 26

#: Instalments that one move can bring: from 150 days behind to current.
MOST_INSTALMENTS = 1 + D150

#: A balance of less is none: what rounding leaves of a schedule that has been paid, USD.
HALF_CENT = 0.005


class LossRules(NamedTuple):
    """How much of a charged-off balance is lost, and who pays in bankruptcy.

    `severity[0]` holds equally likely severities of a loan charged off from current or a bucket,
    180+ or bankruptcy, `severity[1]` those from foreclosure and REO.
    """

    severity: Floats  # [route, grid]
    bankruptcy_paying_share: float


class ClassShares(NamedTuple):
    """Latent classes: `cumulative[state, class]` of the class of a loan given its first state."""

    cumulative: Floats  # [state, class]


class LoanTerms(NamedTuple):
    """One loan as scalars; the arrays of Pool at its position."""

    scheduled_a: float
    scheduled_c: float
    growth: float
    net_share: float
    maturity: int


class Cash(NamedTuple):
    """What one loan pays in one month."""

    interest: float
    scheduled: float
    prepaid: float


@step
def loan_terms(pool: Pool, i: int) -> LoanTerms:
    """Return the loan at a position of the pool."""
    return LoanTerms(
        pool.scheduled_a[i],
        pool.scheduled_c[i],
        pool.growth[i],
        pool.net_share[i],
        pool.maturity[i],
    )


@step
def next_state(cumulative: Floats, destination: Ints, u: float) -> int:
    """Return the destination whose band of the cumulative row holds `u`, best first."""
    j = 0
    while u >= cumulative[j]:
        j += 1
    return int(destination[j])


@step
def monthly_rate(loan: LoanTerms) -> float:
    """Return ρ."""
    return loan.growth - 1.0


@step
def pay_instalments(loan: LoanTerms, power: float, n: int) -> tuple[Cash, float]:
    """Pay `n` instalments; `power` is (1+ρ)^paid so far. Return cash and the new power.

    Fewer where the schedule ends before: a re-age into a bucket further behind than the loan was
    moves its schedule forward, and with it its last instalment.
    """
    new, paid = power, 0
    while paid < n and loan.scheduled_a - loan.scheduled_c * new * loan.growth > -HALF_CENT:
        new *= loan.growth
        paid += 1
    principal = loan.scheduled_c * (new - power)
    gross = paid * monthly_rate(loan) * loan.scheduled_a - principal
    return Cash(gross * loan.net_share, principal, 0.0), new


@step
def pay_off(loan: LoanTerms, balance: float, months_behind: int) -> Cash:
    """Repay the balance within a month: interest of the arrears and of half a month."""
    gross = monthly_rate(loan) * balance * (months_behind + 0.5)
    return Cash(gross * loan.net_share, 0.0, balance)


@step
def draw_severity(rules: LossRules, state: int, u: float) -> float:
    """Return the severity of a loan charged off from `state`."""
    route = 1 if state in (FORECLOSURE, REO) else 0
    return float(rules.severity[route, int(u * rules.severity.shape[1])])


@step
def charge_off(balance: float, severity: float) -> tuple[float, float]:
    """Return loss and proceeds of a charge-off, each from the severity."""
    return severity * balance, (1.0 - severity) * balance


@step
def draw_class(shares: ClassShares, state: int, u: float) -> int:
    """Return the latent class of a loan that starts in `state`."""
    c = 0
    while u >= shares.cumulative[state, c]:
        c += 1
    return c


@step
def is_cure_after_maturity(state: int, to: int) -> bool:
    """Tell whether a move after maturity repays the loan: to current or to a better bucket."""
    return to < D180 and (to < state or state >= D180)


@step
def pays_in_bankruptcy(rules: LossRules, state: int, to: int, u: float) -> bool:
    """Tell whether a loan that stays in bankruptcy pays an instalment this month."""
    return state == BANKRUPTCY and to == BANKRUPTCY and u < rules.bankruptcy_paying_share


@step
def instalments(is_late: bool, behind: int, state: int, to: int) -> tuple[int, int]:
    """Return how many instalments a move between live states brings, and months behind then.

    `behind` is counted at the start of the month. A re-age (out of 180+, bankruptcy or
    foreclosure into current or a bucket) carries no cash and leaves the balance as it is; after
    maturity nothing is paid.
    """
    if is_late or to >= D180:
        return 0, behind + 1
    if state >= D180:
        return 0, to
    return 1 + state - to, to


@step
def settle_loan(
    loan: LoanTerms, power: float, behind: int, month: int, state: int, to: int
) -> tuple[Cash, float, int]:
    """Settle a month's move between live states. Return cash, the new power, months behind."""
    n, behind = instalments(month > loan.maturity, behind, state, to)
    cash, power = pay_instalments(loan, power, n)
    return cash, power, behind


@step
def record(row: Floats, cash: Cash) -> None:
    """Add a loan's cash to the month's row."""
    row[INTEREST] += cash.interest
    row[SCHEDULED] += cash.scheduled
    row[PREPAID] += cash.prepaid


@step
def simulate_loan(
    loan: LoanTerms,
    start: tuple[int, int, float, float],
    moves: tuple[Floats, Ints],
    rules: LossRules,
    draws: tuple[np.uint64, int, int],
    months: Floats,
) -> float:
    """Move one loan until it leaves the pool or the months end; return what it lost.

    `start` is state, months behind, (1+ρ)^paid and balance; `moves` the cumulative rows
    [state, t, d] of the loan's class and their destinations; `draws` seed, path and loan;
    `months` the path's output [t, N_COLUMNS].
    """
    state, behind, power, balance = start
    cumulative, destination = moves
    seed, path, number = draws
    net_rate = 12.0 * monthly_rate(loan) * loan.net_share
    words = rng.philox4x32(number, 0, path, rng.MOVE, seed)
    for t in range(months.shape[0]):
        month = t + 1
        if month & 3 == 0:
            words = rng.philox4x32(number, month >> 2, path, rng.MOVE, seed)
        u = rng.uniform(words[month & 3])
        to = next_state(cumulative[state, t], destination[state], u)
        row = months[t]
        row[NET_RATE_BALANCE] += net_rate * balance
        if to == CHARGED_OFF:
            u = rng.draw_loan(seed, rng.SEVERITY, path, number, month)
            loss, proceeds = charge_off(balance, draw_severity(rules, state, u))
            row[LOSS] += loss
            row[PROCEEDS] += proceeds
            return loss
        if to == PAID_OFF or (month > loan.maturity and is_cure_after_maturity(state, to)):
            record(row, pay_off(loan, balance, behind))
            return 0.0
        cash, power, behind = settle_loan(loan, power, behind, month, state, to)
        if rules.bankruptcy_paying_share > 0.0 and month <= loan.maturity:
            u = rng.draw_loan(seed, rng.BANKRUPTCY_PAYS, path, number, month)
            if pays_in_bankruptcy(rules, state, to, u):
                cash, power = pay_instalments(loan, power, 1)
                behind -= 1
        record(row, cash)
        balance = loan.scheduled_a - loan.scheduled_c * power
        state = to
        if (month == loan.maturity and state == CURRENT) or balance < HALF_CENT:
            row[SCHEDULED] += balance
            return 0.0
        row[BALANCE + state] += balance
        row[COUNT + state] += 1.0
    return 0.0


@step
def simulate_path(
    pool: Pool,
    destination: Ints,
    cumulative: Floats,
    rules: LossRules,
    shares: ClassShares,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Move every loan of the pool along one path.

    `cumulative` is [class, state, t, d]; `draws` are seed and path; `out` the months
    [t, N_COLUMNS] and the lifetime loss by first state and class [state, class].
    """
    seed, path = draws
    months, loss_by_origin = out
    n_classes = shares.cumulative.shape[1]
    for i in range(pool.balance.size):
        loan = loan_terms(pool, i)
        state = pool.state[i]
        number = pool.loan[i]
        c = 0
        if n_classes > 1:
            c = draw_class(shares, state, rng.draw_loan(seed, rng.CLASS, path, number, 0))
        power = (loan.scheduled_a - pool.balance[i]) / loan.scheduled_c
        start = (state, pool.behind[i], power, pool.balance[i])
        moves = (cumulative[c], destination)
        loss = simulate_loan(loan, start, moves, rules, (seed, path, number), months)
        loss_by_origin[state, c] += loss


@kernel
def simulate_paths(
    pool: Pool,
    rates: MoveRates,
    factors: PathFactors,
    rules: LossRules,
    shares: ClassShares,
    draws: tuple[np.uint64, int],
    out: tuple[Floats, Floats],
) -> None:
    """Simulate a block of paths; `draws` are seed and the number of the block's first path.

    `out` are zeroed: months [p, t, N_COLUMNS] and loss by origin [p, state, class].
    """
    n_months, n_classes, n_states, n_destinations = rates.threshold.shape
    cumulative = np.empty((n_classes, n_states, n_months, n_destinations + 1))
    seed, first_path = draws
    for p in range(out[0].shape[0]):
        cumulate_path(
            rates, factors.credit[p], factors.prepayment[p], factors.charge_off[p], cumulative
        )
        path_out = (out[0][p], out[1][p])
        path = (seed, first_path + p)
        simulate_path(pool, rates.destination, cumulative, rules, shares, path, path_out)


@kernel
def recover_paths(
    loss: NDArray[np.float64], stock: float, share_monthly: float, n_months: int, out: Floats
) -> None:
    """Fill `out[p, t]` with recoveries: a share of what was lost in the last `n_months`.

    `stock` was lost at cut-off; a month's own losses recover from the next month on.
    """
    for p in range(loss.shape[0]):
        charged_off = stock
        for t in range(loss.shape[1]):
            out[p, t] = share_monthly * max(charged_off, 0.0)
            charged_off += loss[p, t]
            if t == n_months - 1:
                charged_off -= stock
            elif t >= n_months:
                charged_off -= loss[p, t - n_months]
