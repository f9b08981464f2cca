"""A loan that does more than pay until it pays off → its stays and moves, until it is gone.

A loan draws a Philox block in the month in which its words are used up: a long sojourn takes two
words (how long, where to), a month in another state one (where to). A word that does not suffice
for a sojourn is dropped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels import rng
from hemc.kernels.loans import (
    BALANCE,
    COUNT,
    HALF_CENT,
    INTEREST,
    LOSS,
    NET_RATE_BALANCE,
    PREPAID,
    PROCEEDS,
    SCHEDULED,
    Cash,
    LoanTerms,
    LossRules,
    charge_off,
    draw_severity,
    instalments,
    is_cure_after_maturity,
    pay_instalments,
    pay_off,
    pays_in_bankruptcy,
)
from hemc.kernels.running_sums import add_frozen, change_current
from hemc.kernels.sojourns import Draws, Sojourns, end_of_stay, next_destination
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints, MonthFactors
from hemc.states import CHARGED_OFF, CURRENT, PAID_OFF

#: State of a loan that has left the pool or outlasts the months.
GONE = -1

#: Words of a Philox block.
WORDS = 4


class Tables(NamedTuple):
    """One path's working memory and what its loans read; allocated once a block."""

    sojourns: Sojourns
    powers: Floats  # [rate group, t] (1+ρ)^t, for MOST_INSTALMENTS months at least
    discounts: Floats  # [rate group, t] (1+ρ)^−t
    starts: Ints  # [r + 1] position of the first loan of each rate, and the number of loans
    current: Floats  # [t + 2, N_CURRENT] current loans of one rate
    frozen: Floats  # [t + 2, N_FROZEN] changes in bankruptcy, foreclosure, REO
    first_u: Floats  # [WORDS, i] uniforms of the first block of each loan of one rate
    u: Floats  # [WORDS] uniforms of a loan's present block


class Position(NamedTuple):
    """Where a loan stands at the end of a month; `power` is (1+ρ)^paid."""

    month: int
    state: int
    behind: int
    power: float
    balance: float


@step
def net_rate(loan: LoanTerms) -> float:
    """Return the net rate of a loan per year."""
    return 12.0 * (loan.growth - 1.0) * loan.net_share


@step
def add_closing(months: Floats, position: Position) -> None:
    """Count a loan at the end of a month."""
    if position.month > 0:
        row = months[position.month - 1]
        row[BALANCE + position.state] += position.balance
        row[COUNT + position.state] += 1.0


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
def draw_block(number: int, month: int, seed: np.uint64, path: int, u: Floats) -> None:
    """Fill `u[WORDS]` with the uniforms of a loan whose words are used up in `month`."""
    words = rng.philox4x32(number, month, path, rng.STAY, seed)
    u[0], u[1] = rng.uniform(words[0]), rng.uniform(words[1])
    u[2], u[3] = rng.uniform(words[2]), rng.uniform(words[3])


@step
def draw_first_blocks(number: Ints, seed: np.uint64, path: int, u: Floats) -> None:
    """Fill `u[WORDS, i]` with every loan's block of month 0, in one fast pass."""
    u_0, u_1, u_2, u_3 = u[0], u[1], u[2], u[3]
    for i in range(number.size):
        words = rng.philox4x32(number[i], 0, path, rng.STAY, seed)
        u_0[i] = rng.uniform(words[0])
        u_1[i] = rng.uniform(words[1])
        u_2[i] = rng.uniform(words[2])
        u_3[i] = rng.uniform(words[3])


@step
def stay_current(
    loan: LoanTerms,
    position: Position,
    leaves: int,
    powers: Floats,
    current: Floats,
    months: Floats,
) -> tuple[Position, bool]:
    """Let a current loan pay until `leaves`, at most to its end; `loan` is on the calendar.

    Return where it stands before it leaves, and whether it matures then; GONE if it outlasts the
    months.
    """
    month, state, behind, power, balance = position
    if month > 0:
        add_closing(months, position)
        change_current(current[month + 1], 1.0, loan.scheduled_a, loan.scheduled_c)
    last = last_month(loan, powers)
    ends = min(leaves, last)
    if ends > months.shape[0]:
        return Position(month, GONE, behind, power, balance), False
    change_current(current[ends], -1.0, loan.scheduled_a, loan.scheduled_c)
    power = powers[ends - 1]
    balance = loan.scheduled_a - loan.scheduled_c * power
    months[ends - 1, NET_RATE_BALANCE] += net_rate(loan) * balance
    return Position(ends - 1, state, behind, power, balance), leaves > last


@step
def stay_frozen(
    loan: LoanTerms, position: Position, leaves: int, frozen: Floats, n_months: int
) -> Position:
    """Let a loan stand in bankruptcy, foreclosure or REO until `leaves`; return where it then does.

    GONE if it outlasts the months.
    """
    month, state, behind, power, balance = position
    add_frozen(frozen, state, month, leaves, balance, net_rate(loan))
    if leaves > n_months:
        return Position(month, GONE, behind, power, balance)
    return Position(leaves - 1, state, behind + leaves - 1 - month, power, balance)


@step
def stay_month(loan: LoanTerms, position: Position, months: Floats) -> Position:
    """Count a loan in another state for this month; GONE if that is the last."""
    add_closing(months, position)
    month, _, behind, power, balance = position
    if month == months.shape[0]:
        return Position(month, GONE, behind, power, balance)
    months[month, NET_RATE_BALANCE] += net_rate(loan) * balance
    return position


@step
def pay_at_once(loan: LoanTerms, power: float, n: int, powers: Floats) -> tuple[Cash, float]:
    """Pay as `pay_instalments`, without a loop unless the schedule ends."""
    new = power * powers[n]
    if loan.scheduled_a - loan.scheduled_c * new <= -HALF_CENT:
        return pay_instalments(loan, power, n)
    principal = loan.scheduled_c * (new - power)
    gross = n * (loan.growth - 1.0) * loan.scheduled_a - principal
    return Cash(gross * loan.net_share, principal, 0.0), new


@step
def move_loan(
    loan: LoanTerms,
    position: Position,
    to: int,
    powers: Floats,
    rules: LossRules,
    draws: Draws,
    row: Floats,
) -> tuple[Position, float]:
    """Settle the move that follows `position`; return where the loan then stands and its loss.

    The state is GONE for a loan that has left the pool. `row` is the month's output.
    """
    month, state, behind, power, balance = position
    month += 1
    left = Position(month, GONE, behind, power, 0.0)
    if to == CHARGED_OFF:
        u = rng.draw_loan(draws[0], rng.SEVERITY, draws[1], draws[2], month)
        loss, proceeds = charge_off(balance, draw_severity(rules, state, u))
        row[LOSS] += loss
        row[PROCEEDS] += proceeds
        return left, loss
    if to == PAID_OFF or (month > loan.maturity and is_cure_after_maturity(state, to)):
        cash = pay_off(loan, balance, behind)
        row[INTEREST] += cash.interest
        row[PREPAID] += cash.prepaid
        return left, 0.0
    n, behind = instalments(month > loan.maturity, behind, state, to)
    cash, power = pay_at_once(loan, power, n, powers)
    if rules.bankruptcy_paying_share > 0.0 and month <= loan.maturity:
        u = rng.draw_loan(draws[0], rng.BANKRUPTCY_PAYS, draws[1], draws[2], month)
        if pays_in_bankruptcy(rules, state, to, u):
            cash, power = pay_instalments(loan, power, 1)
            behind -= 1
    row[INTEREST] += cash.interest
    row[SCHEDULED] += cash.scheduled
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
    group: int,
    tables: Tables,
    rules: LossRules,
    factors: MonthFactors,
    draws: Draws,
    months: Floats,
) -> float:
    """Move one loan of class `c` from stay to stay until it is gone; return what it lost.

    `tables.u` holds its first block.
    """
    sojourns, powers, u = tables.sojourns, tables.powers[group], tables.u
    used = 0
    while True:
        month, state = position.month, position.state
        is_long = sojourns.is_long[state]
        if used + 1 + is_long > WORDS:
            draw_block(draws[2], month, draws[0], draws[1], u)
            used = 0
        is_mature = False
        if not is_long:
            position = stay_month(loan, position, months)
        else:
            leaves = end_of_stay(sojourns, c, state, month, u[used], draws)
            used += 1
            if state == CURRENT:
                schedule = loan.scheduled_c * position.power * tables.discounts[group, month]
                loan = LoanTerms(
                    loan.scheduled_a, schedule, loan.growth, loan.net_share, loan.maturity
                )
                position, is_mature = stay_current(
                    loan, position, leaves, powers, tables.current, months
                )
            else:
                position = stay_frozen(loan, position, leaves, tables.frozen, months.shape[0])
        if position.state == GONE:
            return 0.0
        row = months[position.month]
        if is_mature:
            mature(loan, position.balance, row)
            return 0.0
        to = next_destination(sojourns, factors, draws[1], c, state, position.month, u[used])
        used += 1
        position, loss = move_loan(loan, position, to, powers, rules, draws, row)
        if position.state == GONE:
            return loss
