"""Figures of paths → statistics with standard errors, by the way in which the paths were drawn.

The unit of every error is the independent one: the path, or the consecutive paths that a sampling
method drew together. An error is that of the mean of the statistic's influence values over units
(Hampel 1974), which for plain, unweighted paths is the textbook formula.

Weights are likelihood ratios, whose mean is known to be 1: averages are calibrated to it, which is
regression on the weight as a control variate (Owen and Zhou 2000). Dividing by the sum of weights
instead would add its noise to small probabilities; not dividing at all, to everything else.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.errors import InternalError
from hemc.kernels.flows import Floats

QUANTILES = {
    "p1": 0.01, "p5": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75,
    "p90": 0.90, "p95": 0.95, "p99": 0.99, "p99_9": 0.999,
}  # fmt: skip
SHORTFALLS = {"es_97_5": 0.975, "es_99": 0.99}

#: An amount below half a cent is none.
HALF_CENT = 0.005

_BAND = 1.96
_FEWEST_IN_TAIL = 10


class Estimate(NamedTuple):
    """A statistic and its standard error; nan where the paths do not give one."""

    value: float
    standard_error: float


class Design(NamedTuple):
    """How paths were drawn, as far as errors depend on it.

    `unit_paths` consecutive paths are one independent unit. `weight` float64[p], of mean 1, is
    None where all paths weigh the same, and `control` what it was calibrated by, None where it
    was not. `counts` tells which paths count, None for all of them.
    """

    unit_paths: int = 1
    weight: Floats | None = None
    control: Floats | None = None
    counts: NDArray[np.bool_] | None = None

    @property
    def is_even(self) -> bool:
        """Tell whether all paths count and weigh the same."""
        return self.weight is None and self.counts is None

    @property
    def is_plain(self) -> bool:
        """Tell whether all paths count, are independent and weigh the same."""
        return self.unit_paths == 1 and self.is_even

    def weights(self, n_paths: int) -> Floats:
        """Return what each path weighs in averages, float64[n_paths]."""
        weight = np.ones(n_paths) if self.weight is None else self.weight
        return weight if self.counts is None else weight * self.counts


PLAIN = Design()


def design_of(ratio: Floats, unit_paths: int) -> Design:
    """Return the design of paths with likelihood ratios float64[p], which may all be 1.

    Weights are ratio × (1 + (1 − mean)·(ratio − mean) / variance): their mean is 1, and averages
    with them are those of regression on the ratio. Where a few paths are too far from that mean
    to be calibrated with positive weights, they are divided by it.
    """
    if (ratio == 1.0).all():
        return Design(unit_paths)
    average, deviation = ratio.mean(), ratio.std()
    if deviation > 0.0:
        control = (ratio - average) / deviation
        factor = 1.0 + (1.0 - average) / deviation * control
        if factor.min() > 0.0:
            return Design(unit_paths, ratio * factor, control)
    return Design(unit_paths, ratio / average)


def counted(x: Floats, counts: NDArray[np.bool_], design: Design) -> tuple[Floats, Design]:
    """Return the values x[p] that count and their design.

    Plain paths that do not count are left out; where paths hang together, they weigh nothing.
    """
    if counts.all():
        return x, design
    if design.is_plain:
        return x[counts], PLAIN
    return x, design._replace(counts=counts)


class Sample(NamedTuple):
    """One figure by path, in path order and ascending; made by `take_sample`."""

    values: Floats  # [p]
    design: Design
    ordered: Floats  # [k] values that count
    weight_to: Floats | None  # [k] weight up to each ordered value, in all k; None: k = 1, 2, …


def take_sample(values: Floats, design: Design = PLAIN) -> Sample:
    """Sort a figure float64[p] once for all its statistics."""
    if design.is_even:
        return Sample(values, design, np.sort(values), None)
    weights = design.weights(values.size)
    order = np.argsort(values, kind="stable")
    order = order[weights[order] > 0.0]
    weight = np.cumsum(weights[order])
    return Sample(values, design, values[order], weight * (order.size / weight[-1]))


def mean(x: Floats, design: Design = PLAIN) -> Estimate:
    """Return the mean over paths, of shape float64[p]."""
    value = _average(x, design)
    return Estimate(value, _error_of_average(x, value, design))


def standard_deviation(x: Floats, design: Design = PLAIN) -> Estimate:
    """Return the standard deviation and its error by the delta method."""
    if x.size < 2:
        return Estimate(float("nan"), float("nan"))
    square = (x - _average(x, design)) ** 2
    variance = _average(square, design)
    sd = float(x.std(ddof=1)) if design.is_even else variance**0.5
    spread = _error_of_average(square, variance, design)
    return Estimate(sd, spread / (2.0 * sd) if sd > 0.0 else 0.0)


def probability(happened: Floats, design: Design = PLAIN) -> Estimate:
    """Return the share of paths; without a hit or without a miss there is no standard error."""
    p = _average(happened, design)
    if not 0.0 < p < 1.0:
        return Estimate(p, float("nan"))
    if design.is_plain:
        return Estimate(p, (p * (1.0 - p) / happened.size) ** 0.5)
    return Estimate(p, _error_of_average(happened, p, design))


def quantile(sample: Sample, level: float) -> Estimate:
    """Return a quantile; the error is a 95 % interval's half width / 1.96.

    The interval holds every x whose empirical distribution lies within 1.96 standard errors, taken
    at the quantile, of the level; where it runs out of the sample there is no error to state.
    """
    n = sample.ordered.size
    value = value_at(sample, level)
    reach = _BAND * _error_of_rank(sample, level, value)
    if np.isnan(reach):  # a single unit knows no error
        return Estimate(value, float("nan"))
    low, high = _place(sample, n * level - reach), _place(sample, n * level + reach, upper=True)
    if n * level < reach or high >= n:
        return Estimate(value, float("nan"))
    return Estimate(value, float(sample.ordered[high] - sample.ordered[low]) / (2.0 * _BAND))


def expected_shortfall(sample: Sample, level: float) -> Estimate:
    """Return the mean beyond a quantile, with the error of ψ = q + (x − q)⁺/(1 − level)."""
    design = sample.design
    psi = excess_values(sample, level)
    value = _average(psi, design)
    enough = _paths_beyond(sample, level, value_at(sample, level)) >= _FEWEST_IN_TAIL
    return Estimate(value, _error_of_average(psi, value, design) if enough else float("nan"))


def excess_values(sample: Sample, level: float) -> Floats:
    """Return ψ = q + (x − q)⁺/(1 − level) of each path, float64[p]; its mean is the shortfall."""
    q = value_at(sample, level)
    return np.asarray(q + np.maximum(sample.values - q, 0.0) / (1.0 - level))


def distribution(x: Floats, design: Design, statistics: tuple[str, ...]) -> dict[str, Estimate]:
    """Return the named statistics of one figure over paths."""
    sample = take_sample(x, design)
    found: dict[str, Estimate] = {}
    for name in statistics:
        if name == "mean":
            found[name] = mean(x, design)
        elif name == "sd":
            found[name] = standard_deviation(x, design)
        elif name == "probability":
            found[name] = probability((x > HALF_CENT).astype(np.float64), design)
        elif name in QUANTILES:
            found[name] = quantile(sample, QUANTILES[name])
        else:
            found[name] = expected_shortfall(sample, SHORTFALLS[name])
    return found


def effective_sample_size(
    x: Floats, design: Design = PLAIN, estimate: Estimate | None = None
) -> float:
    """Return the plain paths whose mean of `x` would have the error that this mean has.

    `estimate` is the mean where it is not made of `x` alone. For weights alone the size is close
    to `kish_sample_size` where weight and figure are unrelated. A single unit states no error: it
    counts as one path, however many it holds.
    """
    if design.is_plain and estimate is None:
        return float(x.size)
    error = (estimate or mean(x, design)).standard_error
    if np.isnan(error):
        return 1.0
    variance = _average((x - _average(x, design)) ** 2, design)
    return variance / error**2 if error > 0.0 else float(x.size)


def kish_sample_size(weight: Floats) -> float:
    """Return (Σw)² / Σw², Kish's (1965) effective number of weighted paths."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def _average(x: Floats, design: Design) -> float:
    """Return the average of paths that count, by their weights."""
    return float(x.mean() if design.is_even else np.average(x, weights=design.weights(x.size)))


def _error_of_average(x: Floats, average: float, design: Design) -> float:
    """Return the standard error of `_average`: that of the mean influence over units."""
    if not design.is_even:
        x = weighted_influence(x - average, design)
    units = _unit_means(x, design.unit_paths)
    return float(units.std(ddof=1) / units.size**0.5) if units.size > 1 else float("nan")


def weighted_influence(moved: Floats, design: Design) -> Floats:
    """Return what deviations `moved` float64[p] from an average are to it by weight, float64[p].

    What the control explains is left out: its mean is known.
    """
    weights = design.weights(moved.size)
    moved = moved * weights / weights.mean()
    if design.control is not None:
        moved = moved - (moved * design.control).mean() * design.control
    return np.asarray(moved)


def _unit_means(x: Floats, unit_paths: int) -> Floats:
    """Return the means over the independent units."""
    if unit_paths == 1:
        return x
    if x.size % unit_paths:
        raise InternalError(f"{x.size} paths are no whole number of units of {unit_paths}")
    return np.asarray(x.reshape(-1, unit_paths).mean(axis=1))


def value_at(sample: Sample, level: float) -> float:
    """Return the first value whose share of weight up to it exceeds the level."""
    n = sample.ordered.size
    return float(sample.ordered[min(_place(sample, n * level), n - 1)])


def _place(sample: Sample, rank: float, upper: bool = False) -> int:
    """Return the place of a rank among the ordered values: the one at it, or the one above."""
    if sample.weight_to is None:
        return int(np.ceil(rank) if upper else np.floor(rank))
    if upper:
        return int(np.searchsorted(sample.weight_to, rank, side="left")) + 1
    return int(np.searchsorted(sample.weight_to, rank, side="right"))


def _error_of_rank(sample: Sample, level: float, value: float) -> float:
    """Return the standard error of the empirical distribution at a quantile, in ranks."""
    n = sample.ordered.size
    if sample.design.is_plain:
        return float((n * level * (1.0 - level)) ** 0.5)
    below = (sample.values <= value).astype(np.float64)
    return n * _error_of_average(below, _average(below, sample.design), sample.design)


def _paths_beyond(sample: Sample, level: float, value: float) -> float:
    """Return the effective number of paths at a quantile and beyond."""
    if sample.design.is_even:
        return sample.ordered.size * (1.0 - level)
    return kish_sample_size(sample.design.weights(sample.values.size)[sample.values >= value])
