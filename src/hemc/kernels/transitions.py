"""Factors of a path → its matrices of monthly moves, cumulated for drawing.

A row's moves other than payoff are held as scaled probit thresholds, worst destination first;
the credit factor shifts them, a common gamma makes charge-offs lumpy, payoff comes on top.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.jit import kernel
from hemc.kernels.step import step

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class MoveRates(NamedTuple):
    """Calibrated moves by month of the projection, ready for a path's factors.

    `d` counts the destinations of a row other than payoff, worst first, and is padded. A row's
    cumulative probability up to destination j, given no payoff, is Φ(threshold + credit factor);
    that of the last destination is 1. `normal` tabulates Φ by cubics, as `normal_cdf` reads them.
    """

    threshold: Floats  # [t, class, state, d]
    destination: Ints  # [state, d + 1] best first, payoff in column 0; -1 is padding
    n_destinations: Ints  # [state] without payoff
    payoff_hazard: Floats  # [t, state] −ln(1 − SMM) before the prepayment multiplier
    has_charge_off: NDArray[np.bool_]  # [state] whether the worst destination is charge-off
    lumpiness: float  # shape of the gamma common to all loans of a month; 0 = none
    normal: Floats  # [grid, 4] coefficients of the cubic from a point of the grid to the next


class PathFactors(NamedTuple):
    """What moves all loans together, per path and month."""

    credit: Floats  # [p, t] Z, probit units; positive is worse
    prepayment: Floats  # [p, t] multiplier on the payoff hazard
    charge_off: Floats  # [p, t] gamma with mean 1


class MonthFactors(NamedTuple):
    """One path's factors."""

    credit: Floats  # [t]
    prepayment: Floats  # [t]
    charge_off: Floats  # [t]


#: Grid of the table of Φ: from -NORMAL_REACH to NORMAL_REACH, this many steps a unit.
NORMAL_STEPS = 64
NORMAL_REACH = 9
_LAST_POSITION = 2.0 * NORMAL_REACH * NORMAL_STEPS - 1e-9


#: Constants of `exponential`.
_LOG2_E, _LN_2_HIGH, _LN_2_LOW = (
    1.4426950408889634,
    6.93147180369123816e-01,
    1.90821492927058770e-10,
)
_E_1, _E_2, _E_3 = 1.66666666666666019e-01, -2.77777777770155934e-03, 6.61375632143793436e-05
_E_4, _E_5 = -1.65339022054652515e-06, 4.13813679705723846e-08


@step
def normal_cdf(x: float, normal: Floats) -> float:
    """Return Φ(x) by cubic Hermite interpolation; error 8.5e-11 at a step of 1/64.

    Beyond the table it is its end, 1e-19 from 0 or 1; so no branch keeps loops from vectorising.
    """
    position = (x + NORMAL_REACH) * NORMAL_STEPS
    position = min(max(position, 0.0), _LAST_POSITION)
    i = np.uint32(position)
    f = position - i
    return float(normal[i, 0] + f * (normal[i, 1] + f * (normal[i, 2] + f * normal[i, 3])))


@step
def exponential(x: float) -> float:
    """Return exp(x) for x ≤ 700 in arithmetic that compilers vectorise; error below 1e-15.

    The range is reduced by multiples of ln 2; the quotient is that of FDLIBM's e_exp.c (Copyright
    1993 Sun Microsystems, whose terms ask for this notice). Below −700 it is that of −700.
    """
    x = max(x, -700.0)
    n = math.floor(x * _LOG2_E + 0.5)
    r = (x - n * _LN_2_HIGH) - n * _LN_2_LOW
    s = r * r
    q = r - s * (_E_1 + s * (_E_2 + s * (_E_3 + s * (_E_4 + s * _E_5))))
    power_of_2 = np.int64((np.int64(n) + 1023) << 52).view(np.float64)
    return float((1.0 + (r * q / (2.0 - q) + r)) * power_of_2)


@step
def lumpy_charge_off(probability: float, gamma: float, shape: float) -> float:
    """Return the month's charge-off probability given the common gamma; its mean is kept.

    1 − exp(−h·g) with h = shape·((1 − L)^(−1/shape) − 1), whose mean over g is L.
    """
    if shape <= 0.0:
        return probability
    kept = 1.0 - probability
    root = math.sqrt(math.sqrt(kept)) if shape == 4.0 else kept ** (1.0 / shape)
    hazard = shape * (1.0 / root - 1.0)
    return 1.0 - exponential(-hazard * gamma)


class StateMoves(NamedTuple):
    """The moves out of one state in some months, before a path's factors."""

    threshold: Floats  # [d, t]
    payoff_hazard: Floats  # [t]
    has_charge_off: bool
    lumpiness: float
    normal: Floats


@step
def scale_kept(kept: Floats, gamma: Floats, shape: float) -> None:
    """Turn probabilities of charge-off [t] into what the other moves are scaled by."""
    for t in range(kept.size):
        rest = 1.0 - kept[t]
        lumpy = lumpy_charge_off(kept[t], gamma[t], shape)
        kept[t] = (1.0 - lumpy) / rest if rest > 0.0 else 0.0


@step
def leave_pool(moves: StateMoves, factors: MonthFactors, paid_off: Floats, kept: Floats) -> None:
    """Write the probability of payoff, and by what the other moves but charge-off are scaled.

    `kept[t]` is (1 − lumpy charge-off) / (1 − charge-off).
    """
    for t in range(paid_off.size):
        paid_off[t] = 1.0 - exponential(-moves.payoff_hazard[t] * factors.prepayment[t])
    if not moves.has_charge_off or moves.lumpiness <= 0.0:
        kept[:] = 1.0
        return
    worst, n = moves.threshold[0], moves.threshold.shape[0]
    for t in range(kept.size):  # a loop of its own, since the next one vectorises
        kept[t] = normal_cdf(worst[t] + factors.credit[t], moves.normal) if n > 1 else 1.0
    if moves.lumpiness == 4.0:  # compiled apart: a loop with powers raises them needed or not
        scale_kept(kept, factors.charge_off, 4.0)
    else:
        scale_kept(kept, factors.charge_off, moves.lumpiness)


@step
def cumulate_cell(
    moves: StateMoves, credit: Floats, place: int, paid_off: Floats, kept: Floats,
    cumulative: Floats,
) -> None:  # fmt: skip
    """Write column `place` of cumulative moves [t, d + 1]: payoff or one of the `place` best."""
    n = moves.threshold.shape[0]
    if place == 0 or place >= n:
        for t in range(paid_off.size):
            cumulative[t, place] = paid_off[t] if place == 0 else 1.0
        return
    worse_than = moves.threshold[n - 1 - place]
    for t in range(paid_off.size):
        better = 1.0 - normal_cdf(worse_than[t] + credit[t], moves.normal)
        cumulative[t, place] = paid_off[t] + (1.0 - paid_off[t]) * better * kept[t]


@step
def cumulate_state(
    moves: StateMoves, credit: Floats, paid_off: Floats, kept: Floats, cumulative: Floats
) -> None:
    """Write one state's cumulative moves [t, d + 1]: payoff first, then best to worst.

    `paid_off` and `kept` are those of `leave_pool`.
    """
    for place in range(moves.threshold.shape[0] + 1):
        cumulate_cell(moves, credit, place, paid_off, kept, cumulative)


@kernel
def cumulate_path(
    rates: MoveRates, credit: Floats, prepayment: Floats, charge_off: Floats, out: Floats
) -> None:
    """Fill `out[class, state, t, d + 1]` with a path's cumulative moves; factors are [t]."""
    factors = MonthFactors(credit, prepayment, charge_off)
    n_months, n_classes, n_states, _ = rates.threshold.shape
    paid_off, kept = np.empty(n_months), np.empty(n_months)
    for c in range(n_classes):
        for s in range(n_states):
            moves = StateMoves(
                rates.threshold[:, c, s, : rates.n_destinations[s]].T,
                rates.payoff_hazard[:, s],
                rates.has_charge_off[s],
                rates.lumpiness,
                rates.normal,
            )
            leave_pool(moves, factors, paid_off, kept)
            cumulate_state(moves, credit, paid_off, kept, out[c, s])
