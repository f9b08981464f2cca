"""Tables of moves → tables in which some loans went other ways where no certificate saw them.

Given the tables, loans are exchangeable. One is picked and followed through a few dates by drawing
among its state's loans; then its way is drawn anew, given its state at both ends, among the ways
that every certificate would have reported alike (forward filtering, backward sampling).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from hemc.kernels.dice import Dice, roll, roll_place
from hemc.kernels.move_tables import Series, Tables, count_exit, loss_change, payoff_change
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import CHARGED_OFF, N_LIVE, N_STATES, PAID_OFF

#: Stands for the weight of a known stock's only loan, which can be nowhere else.
SMALLEST = 1e-300


class Way(NamedTuple):
    """Working memory: a loan's states by date of its window, before and after, and messages."""

    old: Ints  # [date of window]
    new: Ints  # [date of window]
    message: Floats  # [date of window, state] probability of the known end given the state


@step
def pick_weighted(values: Floats, n: int, dice: Dice) -> int:
    """Return one of 0 … n − 1 with probability in proportion to its value; −1 if all are 0."""
    total = 0.0
    for j in range(n):
        total += values[j]
    x = roll(dice) * total
    last = -1
    for j in range(n):
        if values[j] > 0.0:
            last = j
            x -= values[j]
            if x < 0.0:
                return j
    return last


@step
def pick_destination(tables: Tables, e: int, s: int, dice: Dice) -> int:
    """Return where one of the loans of a state went in month e; −1 for one repurchased."""
    if s >= N_LIVE:
        return s
    place = roll_place(dice, tables.stock[e - 1, s])
    for j in range(N_STATES):
        place -= tables.moves[e, s, j]
        if place < 0:
            return j
    return -1


@step
def follow_on(tables: Tables, since: tuple[int, int], last: int, way: Way, dice: Dice) -> bool:
    """Follow a loan whose way is known to a date, `since` holds the way's first date and that one.

    Returns False where it was repurchased.
    """
    first, known = since
    for e in range(known + 1, last + 1):
        s = pick_destination(tables, e, way.old[e - 1 - first], dice)
        if s < 0:
            return False
        way.old[e - first] = s
    return True


@step
def follow_forward(
    series: Series, tables: Tables, window: tuple[int, int], way: Way, dice: Dice
) -> bool:
    """Follow a loan of a random state from the window's start; False where there is none."""
    first, last = window
    s = roll_place(dice, N_LIVE)
    if tables.stock[first, s] == 0:
        return False
    way.old[0] = s
    return follow_on(tables, (first, first), last, way, dice)


@step
def pick_exit(tables: Tables, window: tuple[int, int], dice: Dice) -> tuple[int, int, int]:
    """Return date, state before and destination of one of the exits in a window; −1 for none.

    Payoffs and charge-offs are picked equally often: a loan's new way keeps which of them it was.
    """
    first, last = window
    to = PAID_OFF if roll(dice) < 0.5 else CHARGED_OFF
    n = 0
    for e in range(first + 1, last + 1):
        for s in range(N_LIVE):
            n += tables.moves[e, s, to]
    if n == 0:
        return -1, -1, -1
    place = roll_place(dice, n)
    for e in range(first + 1, last + 1):
        for s in range(N_LIVE):
            place -= tables.moves[e, s, to]
            if place < 0:
                return e, s, to
    return -1, -1, -1


@step
def pick_origin(tables: Tables, e: int, s: int, dice: Dice) -> int:
    """Return where one of the loans in a state came from; −1 for a loan added in the month."""
    place = roll_place(dice, tables.stock[e, s])
    for a in range(N_LIVE):
        place -= tables.moves[e, a, s]
        if place < 0:
            return a
    return -1


@step
def follow_back(tables: Tables, window: tuple[int, int], way: Way, dice: Dice) -> int:
    """Follow a loan back from the window's end, of a random state there or of those that left.

    Returns the date at which its known way begins: the window's start, or when it was added; −1
    where there is no such loan.
    """
    first, last = window
    e, s = last, roll_place(dice, N_LIVE + 1)
    if s == N_LIVE:
        left, s, to = pick_exit(tables, window, dice)
        if left < 0:
            return -1
        for month in range(left, last + 1):
            way.old[month - first] = to
        e = left - 1
    elif tables.stock[last, s] == 0:
        return -1
    return follow_origins(tables, first, e, s, way, dice)


@step
def follow_origins(tables: Tables, first: int, e: int, s: int, way: Way, dice: Dice) -> int:
    """Follow a loan of state s at date e back to a first date, or to that at which it was added."""
    way.old[e - first] = s
    while e > first:
        origin = pick_origin(tables, e, s, dice)
        if origin < 0:
            return e
        e, s = e - 1, origin
        way.old[e - first] = s
    return first


@step
def is_alike(series: Series, e: int, s: int, old: int) -> bool:
    """Tell whether a certificate at date e would have reported a loan in s as one in `old`."""
    return bool(series.label[e, s] == series.label[e, old])


@step
def may_end(series: Series, last: int, s: int, old: int) -> bool:
    """Tell whether a loan may end its window in s: as it did, or elsewhere if nothing follows."""
    is_last = series.is_last[last] or (s >= N_LIVE and old >= N_LIVE)
    return s == old or (is_last and is_alike(series, last, s, old))


@step
def send_messages(
    series: Series, weight: Floats, window: tuple[int, int], way: Way, end_is_free: bool
) -> None:
    """Fill the probability of what is reported after each date, given the state at it."""
    first, last = window
    end, old = way.message[last - first], way.old[last - first]
    for s in range(N_STATES):
        ends = may_end(series, last, s, old) if end_is_free else s == old
        end[s] = 1.0 if ends else 0.0
    for e in range(last, first, -1):
        here, after = way.message[e - 1 - first], way.message[e - first]
        for s in range(N_STATES):
            here[s] = 0.0
            if e - 1 > first and not is_alike(series, e - 1, s, way.old[e - 1 - first]):
                continue
            if s >= N_LIVE:
                here[s] = after[s]
                continue
            for j in range(N_STATES):
                here[s] += weight[e, s, j] * after[j]


@step
def draw_start(
    series: Series, tables: Tables, start: Floats, first: int, way: Way, dice: Dice
) -> int:
    """Draw the state at a first date whose stocks are hidden, from the messages.

    `start` holds the Dirichlet parameters of the date's shares, which are integrated out: a loan
    goes with the others that are there.
    """
    here = way.message[0]
    for s in range(N_STATES):
        if s < N_LIVE and is_alike(series, first, s, way.old[0]):
            others = tables.stock[first, s] - (1 if s == way.old[0] else 0)
            here[s] *= max(start[s] + others, SMALLEST)
        else:
            here[s] = 0.0
    return pick_weighted(here, N_STATES, dice)


@step
def draw_way(weight: Floats, window: tuple[int, int], way: Way, s: int, dice: Dice) -> None:
    """Draw the new way from its first state `s` and the messages."""
    first, last = window
    way.new[0] = s
    for e in range(first + 1, last + 1):
        after = way.message[e - first]
        if 0 <= s < N_LIVE:
            for j in range(N_STATES):
                after[j] *= weight[e, s, j]
            s = pick_weighted(after, N_STATES, dice)
        way.new[e - first] = s


@step
def move_loan(
    series: Series, tables: Tables, window: tuple[int, int], states: Ints, k: int
) -> None:
    """Add (k = 1) or take out (k = −1) a loan on its way."""
    first, last = window
    for e in range(first, last + 1):
        s = states[e - first]
        if s < N_LIVE:
            tables.stock[e, s] += k
        if e > first and states[e - 1 - first] < N_LIVE:
            tables.moves[e, states[e - 1 - first], s] += k
            if s >= N_LIVE:
                count_exit(series, tables, e, s, k)


@step
def exits_at(states: Ints, first: int, last: int) -> int:
    """Return the date at which a way leaves the pool, one after the last where it does not."""
    for e in range(first, last + 1):
        if states[e - first] >= N_LIVE:
            return e
    return last + 1


@step
def flow_change(series: Series, tables: Tables, window: tuple[int, int], way: Way) -> float:
    """Return the change of log likelihood of reported flows; the old way is already taken out."""
    first, last = window
    change = 0.0
    for sign in (-1, 1):
        states = way.new if sign > 0 else way.old
        e = exits_at(states, first, last)
        if e <= last and states[e - first] == CHARGED_OFF:
            change += sign * loss_change(series, tables, e, 1)
        if e <= last and states[e - first] == PAID_OFF:
            change += sign * payoff_change(series, tables, e, 1)
    return change


@step
def choose_way(
    series: Series,
    tables: Tables,
    window: tuple[int, int],
    way: Way,
    log_ratio: float,
    dice: Dice,
) -> None:
    """Send the loan its new way with the probability that proposal and reported flows allow."""
    u = roll(dice)
    if way.new[window[1] - window[0]] < 0:
        return
    move_loan(series, tables, window, way.old, -1)
    log_ratio += flow_change(series, tables, window, way)
    kept = u < math.exp(min(log_ratio, 600.0))
    move_loan(series, tables, window, way.new if kept else way.old, 1)


@step
def start_later(way: Way, months: int) -> None:
    """Let the old way begin some months later."""
    for i in range(way.old.size - months):
        way.old[i] = way.old[i + months]


@step
def redraw_loan(
    series: Series, tables: Tables, weight: Floats, start: Floats, way: Way, w: int, dice: Dice
) -> None:
    """Pick a loan at either end of a window of dates and draw its way anew."""
    first, last = series.windows[w, 0], series.windows[w, 1]
    is_backward = roll(dice) < 0.5
    begin = first
    if is_backward:
        begin = follow_back(tables, (first, last), way, dice)
        if begin < 0 or begin == last:
            return
        start_later(way, begin - first)
    elif not follow_forward(series, tables, (first, last), way, dice):
        return
    window = (begin, last)
    send_messages(series, weight, window, way, not is_backward)
    s = way.old[0]
    if is_backward and series.is_first[begin]:
        s = draw_start(series, tables, start[series.deal[last]], begin, way, dice)
    draw_way(weight, window, way, s, dice)
    choose_way(series, tables, window, way, 0.0, dice)
