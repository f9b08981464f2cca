"""Paths of scenarios on common random numbers → measures, differences and weighted results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from hemc.outputs.compare import headline_values
from hemc.outputs.differences import DIFFERENCE_SCHEMA, difference, difference_figures
from hemc.outputs.estimates import design_of
from hemc.outputs.measures import HOLDERS_LOSSES, measure_paths

#: Statistics that are compared with the first scenario's, by measure.
COMPARED = {
    "pool_loss_pct": ("mean", "p95", "es_99"),
    "pool_loss_nine_quarters": ("mean",),
    "oc_exhausted": ("probability",),
    "draws": ("probability",),
    "draws_pv": ("mean",),
    "draws_nine_quarters": ("mean",),
    "writedown": ("probability", "mean"),
}

_KEY = ("measure", "insurer", "note", "month", "statistic")
_DIFFERENCES = tuple(DIFFERENCE_SCHEMA)[4:]


class ScenarioPaths(NamedTuple):
    """The rows of paths.parquet under one scenario."""

    name: str
    paths: pl.DataFrame


def scenario_measures(
    scenarios: list[ScenarioPaths], original_balance: float, unit_paths: int
) -> pl.DataFrame:
    """Return the measures of every scenario, and how some differ from the first scenario's.

    The paths of all scenarios are the same in the same order; `original_balance` of the notes is
    in USD. Differences are null where they are not taken.
    """
    first = scenarios[0].paths
    tables = []
    for name, paths in scenarios:
        measures = measure_paths(paths, original_balance, unit_paths)
        rows = [
            (measure, statistic, *_difference(first, paths, measure, statistic, unit_paths))
            for measure, statistics in COMPARED.items()
            for statistic in statistics
        ]
        columns = ["measure", "statistic", *_DIFFERENCES]
        differences = pl.DataFrame(rows, schema=columns, orient="row")
        without_note = pl.col("note").is_null()
        compared = measures.filter(without_note).join(
            differences, on=["measure", "statistic"], how="left", maintain_order="left"
        )
        others = measures.filter(~without_note)
        tables.append(_labelled(name, None, pl.concat([compared, others], how="diagonal")))
    return pl.concat(tables)


def weighted_measures(
    name: str,
    weights: Mapping[str, float],
    scenarios: list[ScenarioPaths],
    original_balance: float,
    unit_paths: int,
) -> pl.DataFrame:
    """Return the measures of a mixture of scenarios, each path weighing as its scenario does.

    A path under all scenarios is one unit, because its random numbers are the same in all.
    """
    parts = [
        paths.with_columns(pl.col("weight") * weights[scenario])
        for scenario, paths in scenarios
        if weights.get(scenario, 0.0) > 0.0
    ]
    mixed = pl.concat(parts).sort("path", maintain_order=True)
    measures = measure_paths(mixed, original_balance, unit_paths * len(parts))
    return _labelled(name, "; ".join(f"{k} {100.0 * w:g} %" for k, w in weights.items()), measures)


def _difference(
    before: pl.DataFrame, after: pl.DataFrame, measure: str, statistic: str, unit_paths: int
) -> tuple[float | None, ...]:
    """Return the difference of one statistic, its own error and that of independent seeds."""
    if before is after:
        return (None,) * len(_DIFFERENCES)
    designs = tuple(design_of(p["weight"].to_numpy(), unit_paths) for p in (before, after))
    values = [headline_values(paths, measure) for paths in (before, after)]
    found = difference(values[0], values[1], statistic, (designs[0], designs[1]))
    return difference_figures(found)[4:]


def _labelled(name: str, weights: str | None, measures: pl.DataFrame) -> pl.DataFrame:
    """Return rows of scenarios.parquet; what holders lose is compared without the insurer alone."""
    absent = [pl.lit(None, pl.Float64).alias(c) for c in _DIFFERENCES if c not in measures.columns]
    wrapped_loss = pl.col("measure").is_in(HOLDERS_LOSSES) & (pl.col("insurer") == "wrapped")
    return measures.filter(~wrapped_loss).with_columns(absent).select(
        pl.lit(name).alias("scenario"),
        pl.lit(weights, pl.String).alias("weights"),
        *_KEY, "value", "standard_error", "unit",
        pl.col(*_DIFFERENCES).cast(pl.Float64).fill_nan(None),
    )  # fmt: skip
