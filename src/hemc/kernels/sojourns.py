"""One path's matrices → how long its loans stay in a state, and where they go when they leave.

With S(t) the probability to have stayed until month t, a loan that stands in a state since month t
leaves in the first month T with S(T) ≤ u·S(t): one uniform for the whole stay. A guide table over
S finds T in about one step. Rows of the other states are made when a loan first asks for them:
many a month sees no loan 150 days behind.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels import rng
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints, MonthFactors, MoveRates, cumulate_month
from hemc.states import BANKRUPTCY, CURRENT, FORECLOSURE, N_LIVE, N_STATES, REO

#: Indices read from memory are unsigned: numba then looks for no negative ones.
Places = NDArray[np.uint32]
Draws = tuple[np.uint64, int, int]  # seed, path and loan

#: States where a loan is asked once how long it stays.
LONG_STATES = (CURRENT, BANKRUPTCY, FORECLOSURE, REO)

#: Cells of the guide table over S in (0, 1).
GUIDE = 512
#: Below this S has lost its digits, and a sojourn is drawn month by month.
SMALLEST_SURVIVAL = 1e-250
#: The largest number below 1.
_BELOW_ONE = 1.0 - 2.0**-53


class Sojourns(NamedTuple):
    """How long loans stay: one path's survival in each long-sojourn state, and its rows."""

    rates: MoveRates
    cumulative: Floats  # [class, state, t, N_STATES] rows of the path; 1 behind the last move
    made_for: Ints  # [class, state, t] the path that a row was last made for
    survival: Floats  # [class, state, t + 1] probability to have stayed from month 0 on
    guide: Places  # [class, state, cell] first month whose survival lies below the cell's end
    payoff: Floats  # [class, t + 1] chance that a loan that leaves current in month t pays off
    is_long: NDArray[np.bool_]  # [state] whether a sojourn is drawn at once
    stay_place: Places  # [state] column of the state itself in its cumulative row


def prepare_sojourns(rates: MoveRates, pays_in_bankruptcy: bool) -> Sojourns:
    """Lay out the memory of sojourns; who may pay in bankruptcy is asked there each month."""
    n_months, n_classes = rates.threshold.shape[:2]
    stays = rates.destination[:, 1:] == np.arange(N_LIVE)[:, None]
    is_long = stays.any(axis=1) & np.isin(np.arange(N_LIVE), LONG_STATES)
    is_long[BANKRUPTCY] &= not pays_in_bankruptcy
    return Sojourns(
        rates=rates,
        cumulative=np.ones((n_classes, N_LIVE, n_months, N_STATES)),
        made_for=np.full((n_classes, N_LIVE, n_months), -1),
        survival=np.empty((n_classes, N_LIVE, n_months + 1)),
        guide=np.empty((n_classes, N_LIVE, GUIDE), dtype=np.uint32),
        payoff=np.empty((n_classes, n_months + 1)),
        is_long=is_long,
        stay_place=(1 + stays.argmax(axis=1)).astype(np.uint32),
    )


@step
def fill_survival(cumulative: Floats, place: int, survival: Floats) -> None:
    """Fill S(t) of one state from its cumulative rows [t, cell]."""
    survival[0] = 1.0
    for t in range(survival.size - 1):
        survival[t + 1] = survival[t] * (cumulative[t, place] - cumulative[t, place - 1])


@step
def fill_guide(survival: Floats, guide: Places) -> None:
    """Fill, for each cell of S, the first month (1 at least) with a survival below its end."""
    month = 1
    for k in range(guide.size - 1, -1, -1):
        end = (k + 1) / guide.size
        while month < survival.size and survival[month] >= end:
            month += 1
        guide[k] = month


@step
def fill_payoff(cumulative: Floats, place: int, payoff: Floats) -> None:
    """Fill the share of payoffs among loans that leave, from cumulative rows [t, cell]."""
    for t in range(payoff.size - 1):
        stay = cumulative[t, place] - cumulative[t, place - 1]
        payoff[t + 1] = cumulative[t, 0] / (1.0 - stay)


@step
def fill_sojourns(sojourns: Sojourns, factors: MonthFactors) -> None:
    """Prepare the long sojourns of one path from its factors [t]."""
    for c in range(sojourns.survival.shape[0]):
        for s in range(N_LIVE):
            if sojourns.is_long[s]:
                rows, place = sojourns.cumulative[c, s], sojourns.stay_place[s]
                for t in range(rows.shape[0]):
                    cumulate_month(sojourns.rates, factors, t, c, s, rows[t])
                fill_survival(rows, place, sojourns.survival[c, s])
                fill_guide(sojourns.survival[c, s], sojourns.guide[c, s])
                if s == CURRENT:
                    fill_payoff(rows, place, sojourns.payoff[c])


@step
def leave_month(survival: Floats, guide: Places, month: int, u: float) -> int:
    """Return the month in which a loan leaves, through the guide table."""
    x = u * survival[month]
    leaves = max(guide[int(x * guide.size)], month + 1)
    if leaves < survival.size:  # the step that one draw in ten takes, without a branch to guess
        leaves += survival[leaves] > x
    while leaves < survival.size and survival[leaves] > x:
        leaves += 1
    return int(leaves)


@step
def leave_by_months(rows: Floats, place: int, month: int, draws: Draws) -> int:
    """Return the same month, drawn step by step from cumulative rows [t, cell]."""
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
def skip_stay(cumulative: Floats, place: int, u: float) -> float:
    """Return the uniform of a row, given that it is not in the row's own column `place`."""
    before = cumulative[place - 1]
    u *= 1.0 - (cumulative[place] - before)
    if u < before:
        return u
    return float(min(max(u + cumulative[place] - before, cumulative[place]), _BELOW_ONE))


@step
def find_cell(cumulative: Floats, u: float) -> int:
    """Return the cell of a row that holds `u`; counting all cells is faster than to stop."""
    cell = 0
    for j in range(N_STATES):
        cell += u >= cumulative[j]
    return cell


@step
def next_destination(
    sojourns: Sojourns, factors: MonthFactors, path: int, c: int, state: int, t: int, u: float
) -> int:
    """Return where a loan goes in row `t` of its state; `u` is one of a leaving loan if long."""
    row = sojourns.cumulative[c, state, t]
    if sojourns.is_long[state]:
        u = skip_stay(row, sojourns.stay_place[state], u)
    elif sojourns.made_for[c, state, t] != path:
        cumulate_month(sojourns.rates, factors, t, c, state, row)
        sojourns.made_for[c, state, t] = path
    return int(sojourns.rates.destination[state, find_cell(row, u)])
