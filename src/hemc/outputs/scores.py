"""Forecast draws and what came → how far the forecast was off, and where in it the truth lies."""

from __future__ import annotations

import numpy as np

from hemc.kernels.flows import Floats

#: Amounts nearer than half a cent, and counts, are the same figure.
SAME = 0.005


def continuous_ranked_probability_score(
    draws: Floats, observed: float, weight: Floats | None = None
) -> float:
    """Return the CRPS of draws: mean |x − y| − ½ mean |x − x′|.

    In the unit of the figure; of a single draw it is the absolute error. Gneiting and Raftery
    (2007), equation 21. Draws are equally likely where they have no `weight`, float64[draw].
    """
    order = np.argsort(draws, kind="stable")
    x = draws[order]
    share = np.full(x.size, 1.0 / x.size) if weight is None else weight[order] / weight.sum()
    spread = (share * x * (2.0 * np.cumsum(share) - share - 1.0)).sum()
    return float((share * np.abs(x - observed)).sum() - spread)


def probability_integral_transform(
    draws: Floats, observed: float, u: float, weight: Floats | None = None
) -> float:
    """Return the observation's place in the forecast: P(X < y) + u·P(X = y).

    With `u` uniform the place is uniform where the forecast is right, also where it has atoms
    (Czado, Gneiting and Held 2009); with ½ it is the middle of an atom.
    """
    below = np.average(draws < observed - SAME, weights=weight)
    same = np.average(np.abs(draws - observed) <= SAME, weights=weight)
    return float(below + u * same)


def absolute_error(forecast: float, observed: float) -> float:
    """Return the CRPS of a forecast that is one figure; none where both are the same figure."""
    error = abs(forecast - observed)
    return 0.0 if error <= SAME else error


def is_inside(observed: float, low: float, high: float) -> bool:
    """Tell whether a figure lies in a band, its ends included."""
    return low - SAME <= observed <= high + SAME


def varies(draws: Floats) -> bool:
    """Tell whether the forecast leaves anything open."""
    return float(np.ptp(draws)) > SAME
