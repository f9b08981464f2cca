"""One path's matrices → how long its loans stay in a state, and where they go when they leave.

With S(t) the probability to have stayed until month t, a loan that stands in a state since month t
leaves in the first month T with S(T) ≤ u·S(t): one uniform for the whole stay. A guide table over
S finds T in about one step. A state's rows are made some months at once when a loan first asks for
them: many a month sees no loan 150 days behind.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels import rng
from hemc.kernels.step import step
from hemc.kernels.transitions import (
    Floats,
    Ints,
    MonthFactors,
    MoveRates,
    StateMoves,
    cumulate_cell,
    cumulate_state,
    leave_pool,
)
from hemc.states import BANKRUPTCY, CURRENT, FORECLOSURE, N_LIVE, N_STATES, REO

#: Indices read from memory are unsigned: numba then looks for no negative ones.
Places = NDArray[np.uint32]
Draws = tuple[np.uint64, int]  # seed and path

#: States where a loan is asked once how long it stays.
LONG_STATES = (CURRENT, BANKRUPTCY, FORECLOSURE, REO)

#: Cells of the guide table over S in (0, 1).
GUIDE = 512
#: Below this S has lost its digits, and a sojourn is drawn month by month.
SMALLEST_SURVIVAL = 1e-250
#: Rows of months that are made together: a month is seldom the only one that asks for them.
_ROWS_AT_ONCE = 4
#: Chances that add up to less are those of rounding.
_NO_CHANCE = 1e-14
#: The largest number below 1.
_BELOW_ONE = 1.0 - 2.0**-53


class Sojourns(NamedTuple):
    """How long loans stay: one path's survival in each long-sojourn state, and its rows."""

    rates: MoveRates
    threshold: Floats  # [class, state, d, t] those of `rates`, each cell's months together
    hazard: Floats  # [state, t]
    paid_off: Floats  # [class, state, t] as `leave_pool` writes them, of the path
    kept: Floats  # [class, state, t]
    destination: Places  # [state, d + 1] that of `rates`
    cumulative: Floats  # [class, state, t, N_STATES] rows of the path; 1 behind the last move
    made: Ints  # [class, state] months whose rows are made
    survival: Floats  # [class, state, t + 2] probability to have stayed from month 0 on; ends in −1
    guide: Places  # [class, state, cell] first month whose survival lies below the cell's end
    payoff: Floats  # [class, t + 2] chance that a loan that leaves current in month t pays off
    is_long: NDArray[np.bool_]  # [state] whether a sojourn is drawn at once
    stay_place: Places  # [state] column of the state itself in its cumulative row


def prepare_sojourns(rates: MoveRates, pays_in_bankruptcy: bool) -> Sojourns:
    """Lay out the memory of sojourns; who may pay in bankruptcy is asked there each month.

    A state that no loan stays in has its own place behind the last move, where nothing is.
    """
    n_months, n_classes = rates.threshold.shape[:2]
    stays = rates.destination[:, 1:] == np.arange(N_LIVE)[:, None]
    place = np.where(stays.any(axis=1), stays.argmax(axis=1), rates.n_destinations)
    is_long = np.isin(np.arange(N_LIVE), LONG_STATES)
    is_long[BANKRUPTCY] &= not pays_in_bankruptcy
    return Sojourns(
        rates=rates,
        threshold=np.ascontiguousarray(rates.threshold.transpose(1, 2, 3, 0)),
        hazard=np.ascontiguousarray(rates.payoff_hazard.T),
        paid_off=np.empty((n_classes, N_LIVE, n_months)),
        kept=np.empty((n_classes, N_LIVE, n_months)),
        destination=rates.destination.astype(np.uint32),
        cumulative=np.ones((n_classes, N_LIVE, n_months, N_STATES)),
        made=np.empty((n_classes, N_LIVE), dtype=np.int64),
        survival=np.full((n_classes, N_LIVE, n_months + 2), -1.0),
        guide=np.empty((n_classes, N_LIVE, GUIDE), dtype=np.uint32),
        payoff=np.zeros((n_classes, n_months + 2)),
        is_long=is_long,
        stay_place=(1 + place).astype(np.uint32),
    )


@step
def state_moves(sojourns: Sojourns, c: int, s: int, first: int, end: int) -> StateMoves:
    """Return the moves out of a state in the rows from `first` to before `end`."""
    rates = sojourns.rates
    return StateMoves(
        sojourns.threshold[c, s, : rates.n_destinations[s], first:end],
        sojourns.hazard[s, first:end],
        rates.has_charge_off[s],
        rates.lumpiness,
        rates.normal,
    )


@step
def make_rows(sojourns: Sojourns, credit: Floats, c: int, s: int, t: int) -> None:
    """Make the rows of a state from `t` on, some at once, unless there are any yet."""
    if t < sojourns.made[c, s]:
        return
    end = min(t + _ROWS_AT_ONCE, credit.size)
    moves, rows = state_moves(sojourns, c, s, t, end), sojourns.cumulative[c, s, t:end]
    paid_off, kept = sojourns.paid_off[c, s, t:end], sojourns.kept[c, s, t:end]
    cumulate_state(moves, credit[t:end], paid_off, kept, rows)
    sojourns.made[c, s] = end


@step
def fill_survival(cumulative: Floats, place: int, survival: Floats) -> None:
    """Fill S(t) of one state from its cumulative rows [t, cell]; the last element stays −1."""
    stayed = survival[0] = 1.0
    for t in range(cumulative.shape[0]):
        stayed *= cumulative[t, place] - cumulative[t, place - 1]
        survival[t + 1] = stayed


@step
def fill_guide(survival: Floats, guide: Places) -> None:
    """Fill, for each cell of S, the first month (1 at least) with a survival below its end."""
    month = 1
    for k in range(guide.size - 1, -1, -1):
        end = (k + 1) / guide.size
        while survival[month] >= end:
            month += 1
        guide[k] = month


@step
def fill_payoff(cumulative: Floats, paid_off: Floats, place: int, payoff: Floats) -> None:
    """Fill the share of payoffs among loans that leave current, from its rows [t, cell].

    It is 1 where the other moves have no chance but that of rounding.
    """
    for t in range(paid_off.size):
        leaves = 1.0 - (cumulative[t, place] - cumulative[t, place - 1])
        payoff[t + 1] = paid_off[t] / leaves if leaves - paid_off[t] > _NO_CHANCE else 1.0


@step
def fill_sojourns(sojourns: Sojourns, factors: MonthFactors) -> None:
    """Prepare one path from its factors [t]: long sojourns, and of rows what all months need."""
    n_classes, _, n_months, _ = sojourns.cumulative.shape
    sojourns.made[:] = 0
    for c in range(n_classes):
        for s in range(N_LIVE):
            moves, rows = state_moves(sojourns, c, s, 0, n_months), sojourns.cumulative[c, s]
            paid_off, kept = sojourns.paid_off[c, s], sojourns.kept[c, s]
            leave_pool(moves, factors, paid_off, kept)
            if sojourns.is_long[s]:
                place = sojourns.stay_place[s]
                for j in range(place - 1, place + 1):
                    cumulate_cell(moves, factors.credit, j, paid_off, kept, rows)
                fill_survival(rows, place, sojourns.survival[c, s])
                fill_guide(sojourns.survival[c, s], sojourns.guide[c, s])
        rows, place = sojourns.cumulative[c, CURRENT], sojourns.stay_place[CURRENT]
        fill_payoff(rows, sojourns.paid_off[c, CURRENT], place, sojourns.payoff[c])


@step
def leave_month(survival: Floats, guide: Places, month: int, u: float) -> int:
    """Return the month in which a loan leaves, through the guide table."""
    x = u * survival[month]
    found: int = guide[int(x * guide.size)]
    leaves = max(found, month + 1)
    leaves += survival[leaves] > x  # one draw in ten; no branch to guess
    while survival[leaves] > x:
        leaves += 1
    return int(leaves)


@step
def leave_by_months(cumulative: Floats, place: int, month: int, number: int, draws: Draws) -> int:
    """Return the same month, drawn step by step from cumulative rows [t, cell]."""
    seed, path = draws
    n_months = cumulative.shape[0]
    leaves = month + 1
    while leaves <= n_months:
        u = rng.draw_loan(seed, rng.LONG_STAY, path, number, leaves)
        if u >= cumulative[leaves - 1, place] - cumulative[leaves - 1, place - 1]:
            return leaves
        leaves += 1
    return leaves


@step
def end_of_stay(
    sojourns: Sojourns, c: int, state: int, month: int, u: float, number: int, draws: Draws
) -> int:
    """Return the month in which a loan leaves the state where it stands since `month`.

    One month more than there are where it outlasts them.
    """
    survival = sojourns.survival[c, state]
    if survival[month] < SMALLEST_SURVIVAL:
        rows = sojourns.cumulative[c, state]
        return leave_by_months(rows, sojourns.stay_place[state], month, number, draws)
    return leave_month(survival, sojourns.guide[c, state], month, u)


@step
def find_cell(row: Floats, u: float) -> int:
    """Return how many of the N_STATES ascending elements of a row are at most `u`.

    The last is 1, above `u`. Four halvings without a branch are faster than to compare with all.
    """
    cell = np.uint32(0)
    for half in (8, 4, 2, 1):
        cell += np.uint32(half) * np.uint32(u >= row[cell + np.uint32(half - 1)])
    return int(cell)


@step
def skip_stay(low: float, before: float, after: float, u: float) -> float:
    """Return the uniform of a row, given that it lies neither below `low` nor in the row's stay.

    `before` and `after` are the cumulative probabilities on both sides of the stay.
    """
    u = low + u * (1.0 - low - (after - before))
    if u < before:
        return u
    return min(max(u + after - before, after), _BELOW_ONE)
