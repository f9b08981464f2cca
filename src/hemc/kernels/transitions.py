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
    that of the last destination is 1. `normal` tabulates Φ and its slope on a grid.
    """

    threshold: Floats  # [t, class, state, d]
    destination: Ints  # [state, d + 1] best first, payoff in column 0; -1 is padding
    n_destinations: Ints  # [state] without payoff
    payoff_hazard: Floats  # [t, state] −ln(1 − SMM) before the prepayment multiplier
    has_charge_off: NDArray[np.bool_]  # [state] whether the worst destination is charge-off
    lumpiness: float  # shape of the gamma common to all loans of a month; 0 = none
    normal: Floats  # [grid, 2] Φ(x) and step × φ(x)


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


@step
def normal_cdf(x: float, normal: Floats) -> float:
    """Return Φ(x) by cubic Hermite interpolation; error 8.5e-11 at a step of 1/64."""
    position = (x + NORMAL_REACH) * NORMAL_STEPS
    if not position > 0.0:
        return 0.0
    if position >= 2.0 * NORMAL_REACH * NORMAL_STEPS:
        return 1.0
    i = int(position)
    f = position - i
    g = 1.0 - f
    return float(
        normal[i, 0] * (1.0 + 2.0 * f) * g * g
        + normal[i, 1] * f * g * g
        + normal[i + 1, 0] * f * f * (3.0 - 2.0 * f)
        - normal[i + 1, 1] * f * f * g
    )


@step
def lumpy_charge_off(probability: float, gamma: float, shape: float) -> float:
    """Return the month's charge-off probability given the common gamma; its mean is kept.

    1 − exp(−h·g) with h = shape·((1 − L)^(−1/shape) − 1), whose mean over g is L.
    """
    if shape <= 0.0:
        return probability
    kept = 1.0 - probability
    root = math.sqrt(math.sqrt(kept)) if shape == 4.0 else kept ** (1.0 / shape)
    hazard = shape * (1.0 / root - 1.0) if root > 0.0 else np.inf
    return float(1.0 - np.exp(-hazard * gamma))


@step
def cumulate_row(
    threshold: Floats,
    normal: Floats,
    has_charge_off: bool,
    lumpiness: float,
    factors: tuple[float, float, float],
    cumulative: Floats,
) -> None:
    """Write one row's cumulative probabilities, payoff first and then best to worst.

    `factors` are the credit factor, the payoff hazard with its multiplier, and the gamma.
    `threshold[d]` and `cumulative[d + 1]` have the row's own number of destinations.
    """
    credit, hazard, gamma = factors
    n = threshold.size
    stay_in_pool = np.exp(-hazard)
    cumulative[0] = 1.0 - stay_in_pool
    kept = 1.0
    lowest = 0.0
    if has_charge_off:
        lowest = normal_cdf(threshold[0] + credit, normal) if n > 1 else 1.0
        lumpy = lumpy_charge_off(lowest, gamma, lumpiness)
        kept = (1.0 - lumpy) / (1.0 - lowest) if lowest < 1.0 else 0.0
    # Column j cumulates the j best destinations: 1 − P(the n − j worst), scaled by what the
    # lumpy charge-off leaves to the others.
    for j in range(1, n):
        worse = normal_cdf(threshold[n - 1 - j] + credit, normal)
        cumulative[j] = 1.0 - stay_in_pool + stay_in_pool * (1.0 - worse) * kept
    cumulative[n] = 1.0


@step
def cumulate_month(
    rates: MoveRates, factors: MonthFactors, t: int, c: int, s: int, out: Floats
) -> None:
    """Fill `out[d + 1]` with a path's cumulative moves out of a state in row `t`."""
    n = rates.n_destinations[s]
    cumulate_row(
        rates.threshold[t, c, s, :n],
        rates.normal,
        rates.has_charge_off[s],
        rates.lumpiness,
        (
            factors.credit[t],
            rates.payoff_hazard[t, s] * factors.prepayment[t],
            factors.charge_off[t],
        ),
        out[: n + 1],
    )


@kernel
def cumulate_path(
    rates: MoveRates, credit: Floats, prepayment: Floats, charge_off: Floats, out: Floats
) -> None:
    """Fill `out[class, state, t, d + 1]` with a path's cumulative moves; factors are [t]."""
    factors = MonthFactors(credit, prepayment, charge_off)
    for t in range(rates.threshold.shape[0]):
        for c in range(rates.threshold.shape[1]):
            for s in range(rates.threshold.shape[2]):
                cumulate_month(rates, factors, t, c, s, out[c, s, t])
