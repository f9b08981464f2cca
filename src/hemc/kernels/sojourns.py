"""One path's matrices → how long its loans stay in a state, and where they go when they leave.

With S(t) the probability to have stayed until month t, a loan that stands in a state since month t
leaves in the first month T with S(T) ≤ u·S(t): one uniform for the whole stay. A guide table over
S finds T in about one step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels import rng
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import N_LIVE

Draws = tuple[np.uint64, int, int]  # seed, path and loan

#: Cells of the guide table over S in (0, 1).
GUIDE = 512
#: Below this S has lost its digits, and a sojourn is drawn month by month.
SMALLEST_SURVIVAL = 1e-250


class Sojourns(NamedTuple):
    """How long loans stay: one path's survival in each long-sojourn state."""

    cumulative: Floats  # [class, state, t, d + 1] the path's rows
    destination: Ints  # [state, d + 1]
    survival: Floats  # [class, state, t + 1] probability to have stayed from month 0 on
    guide: Ints  # [class, state, cell] first month whose survival lies below the cell's end
    is_long: Ints  # [state] 1 where a sojourn is drawn at once
    stay_place: Ints  # [state] column of the state itself in its cumulative row


@step
def fill_survival(cumulative: Floats, place: int, survival: Floats) -> None:
    """Fill S(t) of one state from its cumulative rows [t, d + 1]."""
    survival[0] = 1.0
    for t in range(survival.size - 1):
        survival[t + 1] = survival[t] * (cumulative[t, place] - cumulative[t, place - 1])


@step
def fill_guide(survival: Floats, guide: Ints) -> None:
    """Fill, for each cell of S, the first month (1 at least) with a survival below its end."""
    month = 1
    for k in range(guide.size - 1, -1, -1):
        end = (k + 1) / guide.size
        while month < survival.size and survival[month] >= end:
            month += 1
        guide[k] = month


@step
def fill_sojourns(sojourns: Sojourns) -> None:
    """Prepare the long sojourns of one path from its cumulative rows."""
    for c in range(sojourns.survival.shape[0]):
        for s in range(N_LIVE):
            if sojourns.is_long[s]:
                survival, guide = sojourns.survival[c, s], sojourns.guide[c, s]
                fill_survival(sojourns.cumulative[c, s], sojourns.stay_place[s], survival)
                fill_guide(survival, guide)


@step
def leave_month(survival: Floats, guide: Ints, month: int, u: float) -> int:
    """Return the month in which a loan leaves, through the guide table."""
    x = u * survival[month]
    leaves = max(guide[int(x * guide.size)], month + 1)
    while leaves < survival.size and survival[leaves] > x:
        leaves += 1
    return int(leaves)


@step
def leave_by_months(rows: Floats, place: int, month: int, draws: Draws) -> int:
    """Return the same month, drawn step by step from cumulative rows [t, d + 1]."""
    seed, path, number = draws
    leaves = month + 1
    while leaves <= rows.shape[0]:
        u = rng.draw_loan(seed, rng.LONG_STAY, path, number, leaves)
        stay = rows[leaves - 1, place] - rows[leaves - 1, place - 1]
        if u >= stay:
            return leaves
        leaves += 1
    return leaves


@step
def leaving_destination(cumulative: Floats, destination: Ints, place: int, u: float) -> int:
    """Return where a loan goes that leaves its state, whose own column is `place`."""
    before = cumulative[place - 1]
    stay = cumulative[place] - before
    v = u * (1.0 - stay)
    if v >= before:
        v += stay
    j = 0
    while v >= cumulative[j] and destination[j + 1] >= 0:
        j += 1
    if j == place:  # rounding at the edge of the band that is left out
        j = place + 1 if destination[place + 1] >= 0 else place - 1
    return int(destination[j])


@step
def end_of_stay(sojourns: Sojourns, c: int, state: int, month: int, u: float, draws: Draws) -> int:
    """Return the month in which a loan leaves the state where it stands since `month`.

    One month more than there are where it outlasts them.
    """
    survival = sojourns.survival[c, state]
    if survival[month] < SMALLEST_SURVIVAL:
        rows = sojourns.cumulative[c, state]
        return leave_by_months(rows, sojourns.stay_place[state], month, draws)
    return leave_month(survival, sojourns.guide[c, state], month, u)


@step
def destination_of(sojourns: Sojourns, c: int, state: int, month: int, u: float) -> int:
    """Return where a loan goes that leaves a long-sojourn state in `month`."""
    place = sojourns.stay_place[state]
    row = sojourns.cumulative[c, state, month - 1]
    return leaving_destination(row, sojourns.destination[state], place, u)
