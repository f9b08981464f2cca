"""Simulated losses and those of a large pool → the mean loss by two levels, in the measures.

On equal factors a path's simulated loss differs from its expected one by the loans' own luck only,
so that few simulated paths tell the mean difference and more large-pool paths the rest (Heinrich
2001; Giles 2008).
"""

from __future__ import annotations

import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.estimates import Estimate, mean

#: Large-pool paths with factors of their own for each simulated path.
LARGE_POOL_PATHS = 4

#: Measures that are the lifetime pool loss in one unit or another; no other figure is refined.
COVERED = ("pool_loss", "pool_loss_pct", "pool_loss_pct_original")


def two_level_mean(simulated: Floats, expected: Floats) -> Estimate:
    """Return mean(expected on own paths) + mean(simulated − expected on equal factors).

    `simulated` float64[n]; `expected` float64[m], m > n, whose first n paths have the factors of
    the simulated ones. The levels are independent: se² = s₀²/(m − n) + s₁²/n.
    """
    n = simulated.size
    own, difference = mean(expected[n:]), mean(simulated - expected[:n])
    error = (own.standard_error**2 + difference.standard_error**2) ** 0.5
    return Estimate(own.value + difference.value, error)


def with_two_level_mean(measures: pl.DataFrame, refined: Estimate) -> pl.DataFrame:
    """Return measures.parquet with the mean of pool loss, USD, replaced in each of its units."""
    is_mean = pl.col("measure").is_in(COVERED) & (pl.col("statistic") == "mean")
    simulated = measures.filter(measure="pool_loss", statistic="mean")["value"].item()
    if simulated == 0.0:
        return measures
    unit = pl.col("value") / simulated
    return measures.with_columns(
        value=pl.when(is_mean).then(unit * refined.value).otherwise("value"),
        standard_error=pl.when(is_mean)
        .then(unit * refined.standard_error)
        .otherwise("standard_error"),
    )
