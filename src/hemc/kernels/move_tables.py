"""Tables of monthly moves → other tables with the same stocks: exchanges of loans' destinations.

A date's table counts the loans that went from each state of the date before to each state now. Its
margins are stocks. Exchanges along the cycles of the support keep them; the other steps change
what no certificate shows: how exits split into payoffs and charge-offs, in which month loans paid
off between two certificates, and how many loans were added. All are Metropolis steps on
∏ n!/∏ x! · ∏ weight^x, where a row's weights are its probabilities. Exchanges know the other moves
of delinquent rows by their prior alone, which is integrated out: a move that was rare in the last
draw would otherwise stay away for long, and with it the rate that would bring it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.dice import Dice, roll, roll_place
from hemc.kernels.jit import kernel
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import CHARGED_OFF, CURRENT, N_LIVE, N_STATES, PAID_OFF

#: Log likelihood of what cannot be, below zero; finite, so that two of them still compare.
IMPOSSIBLE = 1e6


class Series(NamedTuple):
    """What is known of one or several deals; `e` runs over the months of all of them.

    A deal's first date has no table. `label` groups the states whose numbers a certificate does
    not tell apart: a loan may be in any state with the label of the one it is in.
    """

    is_first: NDArray[np.bool_]  # [e]
    is_last: NDArray[np.bool_]  # [e]
    deal: Ints  # [e]
    interval: Ints  # [e] of the payoff rate of current loans
    multiplier: Floats  # [e] on current → 30, for age
    repurchased: Ints  # [e] current loans taken out of the pool in the month
    additions: Floats  # [e] mean of the number of loans added in the month
    label: Ints  # [e, state]
    windows: Ints  # [window, 2] first and last date between which loans are redrawn
    loss_window: Ints  # [e] which reported loss holds the month's, -1 for none
    loss_fit: Floats  # [window, number charged off] log likelihood of the loss
    payoff_window: Ints  # [e] which reported principal holds the month's, -1 for none
    payoff_mean: Floats  # [window] number paid off that the principal speaks for
    payoff_sd: Floats  # [window]


class Tables(NamedTuple):
    """What a chain supposes about the loans; it changes with every step."""

    moves: Ints  # [e, live state, state] during the month that ends at e
    stock: Ints  # [e, live state] at e
    added: Ints  # [e] to current in the month
    charged_off: Ints  # [loss window]
    paid_off: Ints  # [payoff window]


class Cycles(NamedTuple):
    """Closed walks on the support along which tables with equal margins differ."""

    support: NDArray[np.bool_]  # [live state, state] moves that can be
    cells: Ints  # [cycle, place, 2] row and column; signs alternate from place to place
    length: Ints  # [cycle]
    ticket: Ints  # [ticket] cycle that it stands for; one with more loans on it holds more


class Occupied(NamedTuple):
    """Working memory: the cells of a table that hold loans, and a swap of two of them."""

    cells: Ints  # [live state × state] by row and column
    square: Ints  # [4, 2] a cycle


@step
def loss_change(series: Series, tables: Tables, e: int, k: int) -> float:
    """Return the change of log likelihood when `k` more loans are charged off in month e."""
    w = series.loss_window[e]
    if w < 0:
        return 0.0
    n = tables.charged_off[w] + k
    if n < 0 or n >= series.loss_fit.shape[1]:
        return -IMPOSSIBLE
    return float(series.loss_fit[w, n] - series.loss_fit[w, tables.charged_off[w]])


@step
def payoff_change(series: Series, tables: Tables, e: int, k: int) -> float:
    """Return the change of log likelihood when `k` more loans pay off in month e."""
    w = series.payoff_window[e]
    if w < 0:
        return 0.0
    before = (tables.paid_off[w] - series.payoff_mean[w]) / series.payoff_sd[w]
    after = before + k / series.payoff_sd[w]
    return float(0.5 * (before * before - after * after))


@step
def count_exit(series: Series, tables: Tables, e: int, to: int, k: int) -> None:
    """Add `k` exits of month e to the windows that hold it."""
    if to == CHARGED_OFF and series.loss_window[e] >= 0:
        tables.charged_off[series.loss_window[e]] += k
    if to == PAID_OFF and series.payoff_window[e] >= 0:
        tables.paid_off[series.payoff_window[e]] += k


@step
def longest_exchange(moves: Ints, cells: Ints, n: int) -> int:
    """Return how many loans to exchange at most; the same before and after the exchange.

    Neighbours on a cycle share a row or column, and an exchange keeps their sum.
    """
    least = moves[cells[n - 1, 0], cells[n - 1, 1]] + moves[cells[0, 0], cells[0, 1]]
    for i in range(n - 1):
        pair = moves[cells[i, 0], cells[i, 1]] + moves[cells[i + 1, 0], cells[i + 1, 1]]
        least = min(least, pair)
    return 1 + int(math.sqrt(least))


@step
def gather_evidence(series: Series, tables: Tables, prior_row: Floats, evidence: Floats) -> None:
    """Fill the prior of each move and its number in all months."""
    for s in range(N_LIVE):
        for j in range(N_STATES):
            evidence[s, j] = prior_row[s, j]
            for e in range(series.is_first.size):
                if not series.is_first[e]:
                    evidence[s, j] += tables.moves[e, s, j]


@step
def odds(weight: Floats, evidence: Floats, gain: int, lose: int, m: int) -> float:
    """Return the ratio of a delinquent row's probabilities when one more loan moves elsewhere.

    `m` loans of the exchange have moved. Payoff and charge-off have their weights, the other moves
    a Dirichlet prior, which `evidence` holds with all moves of the row before the exchange.
    """
    if gain >= PAID_OFF and lose >= PAID_OFF:
        return float(weight[gain] / weight[lose])
    if gain < PAID_OFF and lose < PAID_OFF:
        return float((evidence[gain] + m) / (evidence[lose] - m - 1.0))
    others, stays = 0.0, 1.0 - weight[PAID_OFF] - weight[CHARGED_OFF]
    for j in range(PAID_OFF):
        others += evidence[j]
    if gain < PAID_OFF:
        return float(stays * (evidence[gain] + m) / (others + m) / weight[lose])
    return float(weight[gain] * (others - m - 1.0) / (stays * (evidence[lose] - m - 1.0)))


@step
def exchange_ratio(
    moves: Ints, weight: Floats, evidence: Floats, cells: Ints, turn: int, n: int, k: int
) -> float:
    """Return the ratio of probabilities when k loans go round a cycle; 0 where they are too few."""
    ratio = 1.0
    for i in range(0, n, 2):
        lose = cells[i + 1 - turn]
        if moves[lose[0], lose[1]] < k:
            return 0.0
    for m in range(k):
        for i in range(0, n, 2):
            s, gain, lose = cells[i, 0], cells[i + turn, 1], cells[i + 1 - turn, 1]
            ratio *= (moves[s, lose] - m) / (moves[s, gain] + m + 1.0)
            if s == CURRENT:
                ratio *= weight[s, gain] / weight[s, lose]
            else:
                ratio *= odds(weight[s], evidence[s], gain, lose, m)
    return ratio


@step
def send_round(moves: Ints, evidence: Floats, cells: Ints, turn: int, n: int, k: int) -> None:
    """Send k loans round a cycle."""
    for i in range(0, n, 2):
        s, gain, lose = cells[i, 0], cells[i + turn, 1], cells[i + 1 - turn, 1]
        moves[s, gain] += k
        moves[s, lose] -= k
        evidence[s, gain] += k
        evidence[s, lose] -= k


@step
def exchange(
    moves: Ints, weight: Floats, evidence: Floats, cells: Ints, turn: int, n: int, dice: Dice
) -> None:
    """Propose to send some loans round one cycle; `turn` is the direction."""
    for i in range(0, n, 2):  # most cycles have nobody to send
        if moves[cells[i, 0], cells[i + 1 - turn, 1]] == 0:
            return
    k = 1 + roll_place(dice, longest_exchange(moves, cells, n))
    if roll(dice) < exchange_ratio(moves, weight, evidence, cells, turn, n, k):
        send_round(moves, evidence, cells, turn, n, k)


@step
def list_occupied(moves: Ints, support: NDArray[np.bool_], cells: Ints) -> int:
    """Fill the cells of a table that hold loans, by row; return their number."""
    n = 0
    for s in range(N_LIVE):
        for j in range(N_STATES):
            if support[s, j] and moves[s, j] > 0:
                cells[n] = s * N_STATES + j
                n += 1
    return n


@step
def swap(
    moves: Ints,
    weight: Floats,
    evidence: Floats,
    support: NDArray[np.bool_],
    occupied: Occupied,
    n: int,
    dice: Dice,
) -> int:
    """Propose that loans of two occupied cells change destinations; return the occupied after.

    Pairs of cells are all alike, so that a rare move that happened is soon asked to go again.
    """
    cells, square = occupied.cells, occupied.square
    a, b = cells[roll_place(dice, n)], cells[roll_place(dice, n)]
    s, to = a // N_STATES, a % N_STATES
    other, its = b // N_STATES, b % N_STATES
    if s == other or to == its or not support[s, its] or not support[other, to]:
        return n
    square[0, 0], square[0, 1] = s, its
    square[1, 0], square[1, 1] = s, to
    square[2, 0], square[2, 1] = other, to
    square[3, 0], square[3, 1] = other, its
    k = 1 + roll_place(dice, longest_exchange(moves, square, 4))
    ratio, u = exchange_ratio(moves, weight, evidence, square, 0, 4, k), roll(dice)
    after = n + (moves[s, its] == 0) + (moves[other, to] == 0)
    after -= (moves[s, to] == k) + (moves[other, its] == k)
    if u * after * after >= ratio * n * n:
        return n
    send_round(moves, evidence, square, 0, 4, k)
    return list_occupied(moves, support, cells)


@kernel
def exchange_months(
    series: Series,
    tables: Tables,
    weight: Floats,
    evidence: Floats,
    cycles: Cycles,
    occupied: Occupied,
    dice: Dice,
    exchanges: int,
    swaps: int,
) -> None:
    """Propose exchanges along cycles and swaps of occupied cells in each month's table.

    `evidence` holds prior and moves, and changes with these. Rates of delinquent rows are to be
    drawn anew before they are used again.
    """
    if cycles.ticket.size == 0:
        return
    for e in range(series.is_first.size):
        if series.is_first[e]:
            continue
        moves = tables.moves[e]
        for _ in range(exchanges):
            place = roll_place(dice, 2 * cycles.ticket.size)
            c, turn = cycles.ticket[place >> 1], place & 1
            exchange(moves, weight[e], evidence, cycles.cells[c], turn, cycles.length[c], dice)
        n = list_occupied(moves, cycles.support, occupied.cells)
        for _ in range(swaps if n > 0 else 0):
            n = swap(moves, weight[e], evidence, cycles.support, occupied, n, dice)


@step
def split_exit(series: Series, tables: Tables, weight: Floats, e: int, s: int, dice: Dice) -> None:
    """Propose that a loan of state s was charged off rather than paid off in month e, or not."""
    gain = CHARGED_OFF if roll(dice) < 0.5 else PAID_OFF
    lose = PAID_OFF + CHARGED_OFF - gain
    moves, u = tables.moves[e, s], roll(dice)
    if moves[lose] == 0 or weight[e, s, gain] == 0.0:
        return
    k = 1 if gain == CHARGED_OFF else -1
    change = loss_change(series, tables, e, k) + payoff_change(series, tables, e, -k)
    ratio = moves[lose] / (moves[gain] + 1.0) * weight[e, s, gain] / weight[e, s, lose]
    if u < ratio * math.exp(min(change, 600.0)):
        moves[gain] += 1
        moves[lose] -= 1
        count_exit(series, tables, e, gain, 1)
        count_exit(series, tables, e, lose, -1)


@step
def payoff_ratio(moves: Ints, weight: Floats, k: int) -> float:
    """Return the ratio when k current loans more (less if negative) pay off instead of staying."""
    gain, lose = (PAID_OFF, CURRENT) if k > 0 else (CURRENT, PAID_OFF)
    if moves[lose] < abs(k):
        return 0.0
    ratio = 1.0
    for m in range(abs(k)):
        ratio *= (moves[lose] - m) / (moves[gain] + m + 1.0) * weight[gain] / weight[lose]
    return ratio


@step
def fewer_ratio(row: int, moves: Ints, weight: Floats, k: int) -> float:
    """Return the ratio when k of a row's loans, all about to pay off, are not there any more."""
    if moves[PAID_OFF] < k:
        return 0.0
    ratio = 1.0
    for m in range(abs(k)):
        if k > 0:
            ratio *= (moves[PAID_OFF] - m) / ((row - m) * weight[PAID_OFF])
        else:
            ratio *= (row + m + 1.0) * weight[PAID_OFF] / (moves[PAID_OFF] + m + 1.0)
    return ratio


@step
def shift_payoffs(series: Series, tables: Tables, weight: Floats, e: int, dice: Dice) -> None:
    """Propose that some current loans paid off in month e rather than in the next, or later."""
    here = tables.moves[e, CURRENT]
    total = here[PAID_OFF] + here[CURRENT]
    if not series.is_last[e]:
        total = here[PAID_OFF] + tables.moves[e + 1, CURRENT, PAID_OFF]
    most = 1 + int(0.25 * math.sqrt(total))
    k = (1 + roll_place(dice, most)) * (1 if roll(dice) < 0.5 else -1)
    u = roll(dice)
    ratio = payoff_ratio(here, weight[e, CURRENT], k)
    change = payoff_change(series, tables, e, k)
    if not series.is_last[e]:
        row = tables.stock[e, CURRENT] - series.repurchased[e + 1]
        ratio *= fewer_ratio(row, tables.moves[e + 1, CURRENT], weight[e + 1, CURRENT], k)
        if series.payoff_window[e + 1] == series.payoff_window[e]:
            change = 0.0
        else:
            change += payoff_change(series, tables, e + 1, -k)
    if u >= ratio * math.exp(min(change, 600.0)):
        return
    here[PAID_OFF] += k
    here[CURRENT] -= k
    tables.stock[e, CURRENT] -= k
    count_exit(series, tables, e, PAID_OFF, k)
    if not series.is_last[e]:
        tables.moves[e + 1, CURRENT, PAID_OFF] -= k
        count_exit(series, tables, e + 1, PAID_OFF, -k)


@step
def add_loans(series: Series, tables: Tables, weight: Floats, e: int, dice: Dice) -> None:
    """Propose that more loans were added in month e and as many current ones more paid off."""
    mean = series.additions[e]
    most = 1 + int(0.5 * math.sqrt(mean))
    k = (1 + roll_place(dice, most)) * (1 if roll(dice) < 0.5 else -1)
    u = roll(dice)
    if tables.added[e] + k < 0:
        return
    ratio = payoff_ratio(tables.moves[e, CURRENT], weight[e, CURRENT], k)
    for m in range(abs(k)):
        if k > 0:
            ratio *= mean / (tables.added[e] + m + 1.0)
        else:
            ratio *= (tables.added[e] - m) / mean
    if u < ratio * math.exp(min(payoff_change(series, tables, e, k), 600.0)):
        tables.added[e] += k
        tables.moves[e, CURRENT, PAID_OFF] += k
        tables.moves[e, CURRENT, CURRENT] -= k
        count_exit(series, tables, e, PAID_OFF, k)


@kernel
def change_exits(series: Series, tables: Tables, weight: Floats, dice: Dice) -> None:
    """Propose changes of what no certificate shows about each month's exits and additions."""
    for e in range(series.is_first.size):
        if series.is_first[e]:
            continue
        for s in range(N_LIVE):
            split_exit(series, tables, weight, e, s, dice)
        if series.label[e, CURRENT] == series.label[e, PAID_OFF]:
            shift_payoffs(series, tables, weight, e, dice)
        if series.additions[e] > 0.0:
            add_loans(series, tables, weight, e, dice)
