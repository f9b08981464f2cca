"""One figure on the same paths in two runs → its difference with the difference's own error.

Paths with common random numbers move together, so the error of a difference is far below what two
independent runs would give; both are returned, so that a reader sees what the common numbers are
worth. The error is that of the differences of influence values path by path (Hampel 1974). That of
a quantile needs the density there, estimated in each run (Hall and Sheather 1988): for quantiles
the error of a difference is itself good to a fifth or so, and best with thousands of paths.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import ndtri

from hemc.errors import InternalError
from hemc.kernels.flows import Floats
from hemc.outputs.estimates import (
    HALF_CENT,
    QUANTILES,
    SHORTFALLS,
    Design,
    Estimate,
    distribution,
    excess_values,
    take_sample,
    value_at,
    weighted_influence,
)

_NORMAL_975 = 1.96


class Difference(NamedTuple):
    """A statistic in two runs and their difference; nan where the paths give no error."""

    before: Estimate
    after: Estimate
    value: float
    standard_error: float  # on common random numbers
    independent_standard_error: float  # what independent seeds would give


#: Columns of a difference in a table.
DIFFERENCE_SCHEMA = {
    "base_value": pl.Float64, "base_standard_error": pl.Float64, "value": pl.Float64,
    "standard_error": pl.Float64, "difference": pl.Float64,
    "difference_standard_error": pl.Float64, "independent_standard_error": pl.Float64,
}  # fmt: skip


def difference_figures(found: Difference) -> tuple[float, ...]:
    """Return a difference's figures in the order of `DIFFERENCE_SCHEMA`."""
    return (*found.before, *found.after, *found[2:])


def difference(
    before: Floats, after: Floats, statistic: str, designs: tuple[Design, Design]
) -> Difference:
    """Return how a statistic of one figure differs between two runs on the same paths.

    `before` and `after` are float64[p] in the same path order, `designs` tells how each run's
    paths weigh; `statistic` is one of measures.parquet. Raises InternalError for runs of
    different length or unit.
    """
    unit = designs[0].unit_paths
    if before.shape != after.shape or unit != designs[1].unit_paths:
        raise InternalError("a difference path by path needs the same paths in both runs")
    runs = [
        _Run(x, design, distribution(x, design, (statistic,))[statistic])
        for x, design in ((before, designs[0]), (after, designs[1]))
    ]
    moved = [_influence(run, statistic) for run in runs]
    errors = [_error(m, unit) for m in (moved[1] - moved[0], *moved)]
    first, second = runs[0].estimate, runs[1].estimate
    few = np.isnan(first.standard_error) or np.isnan(second.standard_error)
    if few and (statistic in QUANTILES or statistic in SHORTFALLS):
        errors = [float("nan")] * 3  # too few paths in the tail
    independent = float(np.hypot(errors[1], errors[2]))
    return Difference(first, second, second.value - first.value, errors[0], independent)


def independent_difference(before: Estimate, after: Estimate) -> Difference:
    """Return the difference of two estimates from paths that have nothing in common."""
    error = float(np.hypot(before.standard_error, after.standard_error))
    return Difference(before, after, after.value - before.value, error, error)


class _Run(NamedTuple):
    """A figure of one run and a statistic of it."""

    x: Floats
    design: Design
    estimate: Estimate


def _influence(run: _Run, statistic: str) -> Floats:
    """Return how far each path moves a statistic from its value, float64[p], mean about 0."""
    x, design, (value, _) = run
    if statistic == "probability":
        moved = (x > HALF_CENT) - value
    elif statistic == "mean":
        moved = x - value
    elif statistic == "sd":
        center = np.average(x, weights=design.weight)
        moved = ((x - center) ** 2 - value**2) / (2.0 * value) if value > 0.0 else 0.0 * x
    elif statistic in SHORTFALLS:
        moved = excess_values(take_sample(x, design), SHORTFALLS[statistic]) - value
    else:
        level = QUANTILES[statistic]
        moved = (level - (x <= value)) * _spacing(run, level)
    influence: Floats = np.asarray(moved, dtype=np.float64)
    return influence if design.is_even else weighted_influence(influence, design)


def _spacing(run: _Run, level: float) -> float:
    """Return what a quantile rises for a rise of its level, 1 / density."""
    sample = take_sample(run.x, run.design)
    n = sample.ordered.size
    z = float(ndtri(level))
    square = float(np.exp(-(z**2)) / (2.0 * np.pi))  # of the normal density
    shape = 1.5 * square / (2.0 * z**2 + 1.0)
    width = float(np.cbrt(_NORMAL_975**2 * shape / n))
    low, high = max(level - width, 0.5 / n), min(level + width, 1.0 - 0.5 / n)
    return (value_at(sample, high) - value_at(sample, low)) / (high - low)


def _error(moved: Floats, unit_paths: int) -> float:
    """Return the standard error of the mean of influence values over independent units."""
    units = moved.reshape(-1, unit_paths).mean(axis=1)
    return float(units.std(ddof=1) / units.size**0.5) if units.size > 1 else float("nan")
