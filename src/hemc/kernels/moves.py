"""The movers that are due in a month → where they go, and the money that moves with them.

Whether the next loan is repaid or falls behind no processor can guess, and a wrong guess costs as
much as the arithmetic of a loan. So destinations are found without branches, movers are sorted by
the kind of move, and a loop for each kind settles them. Loans that are at or past maturity, or may
pay in bankruptcy, are settled one by one by the rules of `kernels/loans.py`.
"""

from __future__ import annotations

import numpy as np

from hemc.kernels.loans import (
    HALF_CENT,
    INTEREST,
    LOSS,
    NET_RATE_BALANCE,
    PREPAID,
    PROCEEDS,
    SCHEDULED,
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
from hemc.kernels.movers import (
    DESTINATION,
    NOBODY,
    PAYOFF,
    PAYS,
    SEVERITY,
    STAY,
    Mover,
    Queue,
    Schedules,
    close_month,
    draw_blocks,
    net_rate,
    stay_current,
    stay_frozen,
)
from hemc.kernels.running_sums import Sums
from hemc.kernels.sojourns import Draws, Places, Sojourns, find_cell, make_rows, skip_stay
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D180,
    FORECLOSURE,
    N_STATES,
    PAID_OFF,
    REO,
)

#: Kinds of moves: the rows of `Queue.kinds`.
REPAY, LOSE, FALL, CURE, FREEZE, BY_THE_BOOK = range(6)
N_KINDS = 6


def kinds_by_destination(pays_in_bankruptcy: bool) -> Places:
    """Return the kind of the moves to each state."""
    kinds = np.full(N_STATES, FALL, dtype=np.uint32)
    kinds[[PAID_OFF, CHARGED_OFF, CURRENT]] = REPAY, LOSE, CURE
    kinds[[BANKRUPTCY, FORECLOSURE, REO]] = FREEZE
    if pays_in_bankruptcy:
        kinds[BANKRUPTCY] = BY_THE_BOOK
    return kinds


@step
def take_leavers(queue: Queue, n_due: int, month: int, schedules: Schedules, months: Floats) -> int:
    """Add the movers that leave a stay in `month` to those due; return how many then are."""
    net_opening = 0.0
    i = queue.leaving[month]
    while i != NOBODY:
        mover = queue.movers[i]
        queue.due[n_due] = i
        n_due += 1
        if mover.state == CURRENT:
            mover.power *= schedules.powers[mover.group, month - 1]
            mover.paid = month - 1
            net_opening += net_rate(mover) * (mover.scheduled_a - mover.power)
        i = mover.after
    months[month - 1, NET_RATE_BALANCE] += 12.0 * net_opening
    return n_due


@step
def prepare_draws(queue: Queue, n: int, month: int, sojourns: Sojourns, credit: Floats) -> None:
    """Write down which loans draw in a month, and see that their rows of moves are made."""
    for k in range(n):
        mover = queue.movers[queue.due[k]]
        queue.number[k] = mover.number
        make_rows(sojourns, credit, mover.latent_class, mover.state, month - 1)


@step
def skip_stays(queue: Queue, n_stay: int, n: int, month: int, sojourns: Sojourns) -> None:
    """Leave movers that end a stay no way to stay, and current ones none to pay off."""
    for k in range(n_stay, n):
        mover = queue.movers[queue.due[k]]
        s = mover.state
        row, place = sojourns.cumulative[mover.latent_class, s, month - 1], sojourns.stay_place[s]
        low = row[0] if s == CURRENT else 0.0
        u = queue.u[DESTINATION, k]
        queue.u[DESTINATION, k] = skip_stay(low, row[place - 1], row[place], u)


@step
def find_destinations(queue: Queue, n: int, month: int, sojourns: Sojourns) -> None:
    """Find where each mover goes and sort them by kind."""
    queue.n_kinds[:] = 0
    for k in range(n):
        mover = queue.movers[queue.due[k]]
        s = mover.state
        row = sojourns.cumulative[mover.latent_class, s, month - 1]
        to = sojourns.destination[s, find_cell(row, queue.u[DESTINATION, k])]
        queue.to[k] = to
        kind = BY_THE_BOOK if month >= mover.maturity else queue.kind_to[to]
        queue.kinds[kind, queue.n_kinds[kind]] = k
        queue.n_kinds[kind] += 1


@step
def repay(queue: Queue, month: int, row: Floats) -> None:
    """Settle payoffs before maturity."""
    prepaid = interest = 0.0
    for n in range(queue.n_kinds[REPAY]):
        mover = queue.movers[queue.due[queue.kinds[REPAY, n]]]
        balance = mover.scheduled_a - mover.power
        prepaid += balance
        interest += net_rate(mover) * balance * (month - 0.5 - mover.paid)
    row[PREPAID] += prepaid
    row[INTEREST] += interest


@step
def lose(queue: Queue, rules: LossRules, loss_by_origin: Floats, row: Floats) -> None:
    """Settle charge-offs."""
    lost = proceeds = 0.0
    for n in range(queue.n_kinds[LOSE]):
        k = queue.kinds[LOSE, n]
        mover = queue.movers[queue.due[k]]
        severity = draw_severity(rules, mover.state, queue.u[SEVERITY, k])
        loss, rest = charge_off(mover.scheduled_a - mover.power, severity)
        lost += loss
        proceeds += rest
        loss_by_origin[mover.origin, mover.latent_class] += loss
    row[LOSS] += lost
    row[PROCEEDS] += proceeds


@step
def end_schedule(mover: Mover, n: int, row: Floats) -> None:
    """Pay `n` instalments at most, which end the schedule; the loan is repaid."""
    terms = LoanTerms(
        mover.scheduled_a, 1.0, mover.growth, mover.net_share, int(np.int64(mover.maturity))
    )
    cash, power = pay_instalments(terms, mover.power, n)
    row[INTEREST] += cash.interest
    row[SCHEDULED] += cash.scheduled + mover.scheduled_a - power


@step
def fall(queue: Queue, month: int, schedules: Schedules, months: Floats) -> int:
    """Settle moves into buckets and 180+; return how many movers are kept for the next month."""
    row = months[month - 1]
    interest = scheduled = net_opening = 0.0
    n_kept = 0
    for j in range(queue.n_kinds[FALL]):
        k = queue.kinds[FALL, j]
        i, to = queue.due[k], queue.to[k]
        mover = queue.movers[i]
        pays = mover.state < D180 and to < D180
        n = 1 + mover.state - to if pays else 0
        power = mover.power * schedules.powers[mover.group, np.uint32(n)]
        balance = mover.scheduled_a - power
        if balance < HALF_CENT:
            end_schedule(mover, n, row)
            continue
        principal = power - mover.power
        scheduled += principal
        interest += mover.net_share * (n * (mover.growth - 1.0) * mover.scheduled_a - principal)
        mover.power = power
        mover.state = to
        mover.paid = month - to if to < D180 else mover.paid
        close_month(mover, row)
        net_opening += net_rate(mover) * balance
        queue.kept[n_kept] = i
        n_kept += 1
    row[INTEREST] += interest
    row[SCHEDULED] += scheduled
    if month < months.shape[0]:
        months[month, NET_RATE_BALANCE] += 12.0 * net_opening
    return n_kept


@step
def cure(
    queue: Queue, month: int, sojourns: Sojourns, schedules: Schedules, sums: Sums, draws: Draws,
    months: Floats,
) -> None:  # fmt: skip
    """Settle moves to current before maturity, and let the loans stay there."""
    row = months[month - 1]
    interest = scheduled = 0.0
    for j in range(queue.n_kinds[CURE]):
        k = queue.kinds[CURE, j]
        i = queue.due[k]
        mover = queue.movers[i]
        n = 1 + mover.state if mover.state < D180 else 0
        power = mover.power * schedules.powers[mover.group, np.uint32(n)]
        if mover.scheduled_a - power < HALF_CENT:
            end_schedule(mover, n, row)
            continue
        principal = power - mover.power
        scheduled += principal
        interest += mover.net_share * (n * (mover.growth - 1.0) * mover.scheduled_a - principal)
        mover.power = power
        mover.state = CURRENT
        u = queue.u[STAY, k], queue.u[PAYOFF, k]
        stay_current(i, month, u, queue, sojourns, schedules, sums, draws, months)
    row[INTEREST] += interest
    row[SCHEDULED] += scheduled


@step
def freeze(queue: Queue, month: int, sojourns: Sojourns, sums: Sums, draws: Draws) -> None:
    """Let loans that go to bankruptcy, foreclosure or REO stay there."""
    for j in range(queue.n_kinds[FREEZE]):
        k = queue.kinds[FREEZE, j]
        i = queue.due[k]
        queue.movers[i].state = queue.to[k]
        stay_frozen(i, month, queue.u[STAY, k], queue, sojourns, sums, draws)


@step
def settle_by_the_book(
    mover: Mover, to: int, month: int, rules: LossRules, u_pays: float, row: Floats
) -> bool:
    """Settle a move other than a charge-off by the rules; tell whether the loan stays."""
    terms = LoanTerms(
        mover.scheduled_a, 1.0, mover.growth, mover.net_share, int(np.int64(mover.maturity))
    )
    state, behind = mover.state, month - 1 - mover.paid
    is_late = month > mover.maturity
    if to == PAID_OFF or (is_late and is_cure_after_maturity(state, to)):
        cash = pay_off(terms, mover.scheduled_a - mover.power, behind)
        row[INTEREST] += cash.interest
        row[PREPAID] += cash.prepaid
        return False
    n, behind = instalments(is_late, behind, state, to)
    if not is_late and pays_in_bankruptcy(rules, state, to, u_pays):
        n, behind = 1, behind - 1
    cash, mover.power = pay_instalments(terms, mover.power, n)
    row[INTEREST] += cash.interest
    row[SCHEDULED] += cash.scheduled
    mover.state, mover.paid = to, month - behind
    balance = mover.scheduled_a - mover.power
    if (month == mover.maturity and to == CURRENT) or balance < HALF_CENT:
        row[SCHEDULED] += balance
        return False
    return True


@step
def move_by_the_book(
    queue: Queue, n_kept: int, month: int, sojourns: Sojourns, sums: Sums, rules: LossRules,
    draws: Draws, months: Floats, loss_by_origin: Floats,
) -> int:  # fmt: skip
    """Move the loans that need it one by one; return how many are kept for the next month."""
    row = months[month - 1]
    for j in range(queue.n_kinds[BY_THE_BOOK]):
        k = queue.kinds[BY_THE_BOOK, j]
        i, to = queue.due[k], queue.to[k]
        mover = queue.movers[i]
        if to == CHARGED_OFF:
            severity = draw_severity(rules, mover.state, queue.u[SEVERITY, k])
            loss, rest = charge_off(mover.scheduled_a - mover.power, severity)
            row[LOSS] += loss
            row[PROCEEDS] += rest
            loss_by_origin[mover.origin, mover.latent_class] += loss
        elif settle_by_the_book(mover, to, month, rules, queue.u[PAYS, k], row):
            if sojourns.is_long[to]:
                stay_frozen(i, month, queue.u[STAY, k], queue, sojourns, sums, draws)
                continue
            close_month(mover, row)
            queue.kept[n_kept] = i
            n_kept += 1
            if month < months.shape[0]:
                rate = 12.0 * net_rate(mover)
                months[month, NET_RATE_BALANCE] += rate * (mover.scheduled_a - mover.power)
    return n_kept


@step
def move_month(
    queue: Queue, n_stay: int, month: int, sojourns: Sojourns, schedules: Schedules, sums: Sums,
    credit: Floats, rules: LossRules, draws: Draws, months: Floats, loss_by_origin: Floats,
) -> int:  # fmt: skip
    """Move the `n_stay` movers that stand first in `due`, and those that leave a stay in `month`.

    Return how many stand first in `due` then.
    """
    n = take_leavers(queue, n_stay, month, schedules, months)
    if n == 0:
        return 0
    prepare_draws(queue, n, month, sojourns, credit)
    draw_blocks(queue.number[:n], month, draws, queue.u)
    skip_stays(queue, n_stay, n, month, sojourns)
    find_destinations(queue, n, month, sojourns)
    row = months[month - 1]
    repay(queue, month, row)
    lose(queue, rules, loss_by_origin, row)
    n_kept = fall(queue, month, schedules, months)
    cure(queue, month, sojourns, schedules, sums, draws, months)
    freeze(queue, month, sojourns, sums, draws)
    n_kept = move_by_the_book(
        queue, n_kept, month, sojourns, sums, rules, draws, months, loss_by_origin
    )
    for k in range(n_kept):
        queue.due[k] = queue.kept[k]
    return n_kept
