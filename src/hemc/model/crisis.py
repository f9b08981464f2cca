"""Crises that arrive rarely and last for years → their level by path, and its law by month.

The level is shot noise (Parzen 1962, ch. 4.5): each crisis adds its peak times the same shape.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from hemc.kernels import rng
from hemc.kernels.flows import Floats
from hemc.settings.crisis import CrisisSettings
from hemc.settings.scenario import ScenarioSettings

#: Horizons at which the deviation of both components together is that of the Gaussian alone.
MATCHED_MONTHS = (12, 24, 36, 48, 60)

_STEP = 1.0 / 256.0  # of the grid of levels, probit units
_REACH = 7.0  # of the table of thresholds, in deviations
_CERTAIN = 6.0  # probits beyond which a probability is within 1e-9 of 0 or 1, whatever the factor
_POINTS_PER_DEVIATION = 32


class CrisisLaw(NamedTuple):
    """Distribution of the crisis level in one month."""

    level: Floats  # [point] probit units
    probability: Floats  # [point]


def crisis_shape(settings: CrisisSettings, n_months: int) -> Floats:
    """Return the level of a crisis of peak 1 by month from its arrival's, float64[n_months]."""
    month = np.arange(1.0, n_months + 1.0)
    beyond = np.maximum(month - settings.months_up - settings.months_flat, 0.0)
    rise = np.minimum(month / settings.months_up, 1.0)
    return np.asarray(rise * np.exp2(-beyond / settings.half_life_months))


def draw_crises(
    settings: CrisisSettings, seed: int, first_path: int, n_paths: int, n_months: int
) -> Floats:
    """Draw the crisis level of consecutive paths, float64[n_paths, n_months]; none at cut-off.

    One uniform a month says whether a crisis arrives and, if so, how high it will reach.
    """
    u = np.empty((n_paths, n_months))
    rng.draw_uniforms_paths(np.uint64(seed), rng.CRISIS, first_path, u)
    scaled = u * settings.months_between
    shape = crisis_shape(settings, n_months)
    level = np.zeros((n_paths, n_months))
    for p, t in np.argwhere(scaled < 1.0):  # in month order on each path: the same bits always
        level[p, t:] += peak(settings, float(scaled[p, t])) * shape[: n_months - t]
    return level


def peak(settings: CrisisSettings, u: float) -> float:
    """Return the peak at a uniform."""
    return settings.lowest_peak + (settings.highest_peak - settings.lowest_peak) * u


def crisis_variance(settings: CrisisSettings, n_months: int) -> Floats:
    """Return the variance of the level by month, float64[n_months]."""
    low, high = settings.lowest_peak, settings.highest_peak
    arrival = 1.0 / settings.months_between
    mean, square = (
        arrival * (low + high) / 2.0,
        arrival * (low * low + low * high + high * high) / 3.0,
    )
    shape = crisis_shape(settings, n_months)
    return np.asarray(np.cumsum(shape**2) * (square - mean * mean))


def credit_sd(settings: ScenarioSettings) -> float:
    """Return the stationary deviation of the Gaussian factor, less what crises bring.

    With crises the variances at MATCHED_MONTHS together are those of the Gaussian factor alone;
    a single deviation cannot match each of them. Zero where crises bring more than that.
    """
    if settings.crisis.component == "off":
        return settings.credit_sd
    months = np.array(MATCHED_MONTHS)
    share = 1.0 - settings.credit_persistence ** (2.0 * months)
    brought = crisis_variance(settings.crisis, int(months[-1]))[months - 1]
    left = settings.credit_sd**2 - brought.sum() / share.sum()
    return float(np.sqrt(max(left, 0.0)))


def crisis_laws(settings: CrisisSettings, n_months: int) -> list[CrisisLaw]:
    """Return the distribution of the level in every month.

    Arrivals of different months are independent, so that each month's law is the one before,
    convolved with what a crisis of that age adds. Peaks lie on a grid of levels; masses are split
    between neighbours so that means are exact.
    """
    mass: Floats = np.ones(1)
    laws = []
    for height in crisis_shape(settings, n_months):
        mass = np.convolve(mass, _one_crisis(settings, float(height)))
        kept = int(np.flatnonzero(mass > 1e-15)[-1]) + 1
        mass = mass[:kept]
        level: Floats = _STEP * np.arange(kept, dtype=np.float64)
        laws.append(CrisisLaw(level, mass))
    return laws


def thresholds_with_crises(wanted: Floats, laws: list[CrisisLaw], scale: Floats) -> Floats:
    """Return thresholds whose mean probability over both components is Φ(`wanted`).

    `wanted` float64[t, …] in probit units without any factor; `scale` float64[t] is
    √(1 + variance of the Gaussian factor). With the crisis level C the mean of
    Φ(x + Z + C) is E[Φ((x + C)/scale)], which is tabulated and inverted month by month.
    """
    out = np.empty_like(wanted)
    for t, law in enumerate(laws):
        out[t] = _inverse(wanted[t], law, float(scale[t]))
    return out


def _inverse(wanted: Floats, law: CrisisLaw, scale: float) -> Floats:
    """Return the thresholds of one month: from a table, and one step of Newton's."""
    n = int(2 * _REACH * _POINTS_PER_DEVIATION) + 1
    x = np.linspace(-_REACH, _REACH, n) * scale - float(law.level @ law.probability)
    probit = _mean_probit(x, law, scale)
    inside = np.abs(wanted) < _CERTAIN
    start = np.interp(wanted[inside], probit, x)
    slope = np.interp(start, x, np.gradient(probit, x))
    out = wanted * scale
    out[inside] = start + (wanted[inside] - _mean_probit(start, law, scale)) / slope
    return out


def _mean_probit(x: Floats, law: CrisisLaw, scale: float) -> Floats:
    """Return the probit of the mean probability at thresholds x, float64[x]."""
    values = ndtr((x[:, None] + law.level) / scale)
    return np.asarray(ndtri(values @ law.probability))


def _one_crisis(settings: CrisisSettings, height: float) -> Floats:
    """Return the probabilities of what arrivals of one month add when a crisis stands at `height`.

    No arrival adds nothing; otherwise a uniform over peaks × `height`, its mass on the grid.
    """
    arrival = 1.0 / settings.months_between
    peaks = (np.arange(64) + 0.5) / 64.0
    place = np.array([peak(settings, u) for u in peaks]) * height / _STEP
    below = np.floor(place).astype(np.int64)
    mass = np.zeros(int(below.max()) + 2)
    np.add.at(mass, below, arrival * (1.0 - (place - below)) / peaks.size)
    np.add.at(mass, below + 1, arrival * (place - below) / peaks.size)
    mass[0] += 1.0 - arrival
    return mass
