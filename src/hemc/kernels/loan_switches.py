"""Tables of moves → tables in which a loan stood elsewhere on a date that hides where it was.

A rare state that a certificate hides holds a few loans, among thousands that were current at the
ends of a window and of which the steps of `loan_paths` seldom pick those few. So here a loan is
picked by its state on the hidden date, all states alike, and sent through another one: a Metropolis
step whose ratio holds the probabilities of all ways through either state.
"""

from __future__ import annotations

import math

from hemc.kernels.dice import Dice, roll_place
from hemc.kernels.jit import kernel
from hemc.kernels.loan_paths import (
    Way,
    choose_way,
    draw_way,
    follow_on,
    follow_origins,
    is_alike,
    redraw_loan,
    start_later,
)
from hemc.kernels.move_tables import Series, Tables
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats
from hemc.states import N_LIVE, N_STATES

#: Dates and states tried until a certificate hides in which of two states a loan is.
_TRIES = 40


@step
def may_stand(series: Series, way: Way, window: tuple[int, int], e: int, s: int) -> bool:
    """Tell whether a loan may be in s at date e, its ends fixed and all reports as they were.

    One that has left by the window's end may have paid off or been charged off.
    """
    old = way.old[e - window[0]]
    if e in window:
        return s == old or (s >= N_LIVE and old >= N_LIVE)
    return is_alike(series, e, s, old)


@step
def ways_through(
    series: Series, weight: Floats, window: tuple[int, int], way: Way, at: int, state: int
) -> float:
    """Return the probability of a state at date `at` and of the end, given the start.

    Fills the messages that such a way can be drawn from.
    """
    first, last = window
    for e in range(last, first - 1, -1):
        here = way.message[e - first]
        for s in range(N_STATES):
            here[s] = 0.0
            stands = s == state if e == at else may_stand(series, way, window, e, s)
            if stands and e == last:
                here[s] = 1.0
            elif stands:
                here[s] = probability_ahead(weight, way, window, e, s)
    return float(way.message[0][state if at == first else way.old[0]])


@step
def probability_ahead(weight: Floats, way: Way, window: tuple[int, int], e: int, s: int) -> float:
    """Return the probability of what follows date e, given the state then."""
    after = way.message[e + 1 - window[0]]
    if s >= N_LIVE:
        return float(after[s])
    total = 0.0
    for j in range(N_STATES):
        total += weight[e + 1, s, j] * after[j]
    return total


@step
def pick_hidden(series: Series, window: tuple[int, int], dice: Dice) -> tuple[int, int, int]:
    """Return a date of a window and two states that its certificate does not tell apart.

    All such triples are equally likely. A window's end counts where the deal begins or ends there.
    The date is −1 where none was found.
    """
    first, last = window
    for _ in range(_TRIES):
        at = first + roll_place(dice, last - first + 1)
        s, to = roll_place(dice, N_LIVE), roll_place(dice, N_LIVE)
        is_free = (at > first or series.is_first[at]) and (at < last or series.is_last[at])
        if is_free and s != to and is_alike(series, at, s, to):
            return at, s, to
    return -1, 0, 0


@step
def switch_loan(
    series: Series, tables: Tables, weight: Floats, start: Floats, way: Way, w: int, dice: Dice
) -> None:
    """Pick a loan by its state on a hidden date and propose a way through another state then."""
    first, last = series.windows[w, 0], series.windows[w, 1]
    at, s, to = pick_hidden(series, (first, last), dice)
    if at < 0 or tables.stock[at, s] == 0:
        return
    begin = follow_origins(tables, first, at, s, way, dice)
    if begin == at and not series.is_first[at]:
        return  # added in that month, to the current loans
    if not follow_on(tables, (first, at), last, way, dice):
        return
    start_later(way, begin - first)
    window = (begin, last)
    ratio = tables.stock[at, s] / (tables.stock[at, to] + 1.0)
    if at == begin:
        share = start[series.deal[at]]
        ratio *= (share[to] + tables.stock[at, to]) / (share[s] + tables.stock[at, s] - 1.0)
    ratio /= ways_through(series, weight, window, way, at, s)
    ratio *= ways_through(series, weight, window, way, at, to)
    if ratio > 0.0:
        draw_way(weight, window, way, to if at == begin else way.old[0], dice)
        choose_way(series, tables, window, way, math.log(ratio), dice)


@kernel
def redraw_loans(
    series: Series,
    tables: Tables,
    weight: Floats,
    start: Floats,
    way: Way,
    dice: Dice,
    redraws: int,
    switches: int,
) -> None:
    """Redraw loans in each window of dates, and propose to switch others."""
    for w in range(series.windows.shape[0]):
        for _ in range(redraws):
            redraw_loan(series, tables, weight, start, way, w, dice)
        for _ in range(switches):
            switch_loan(series, tables, weight, start, way, w, dice)
