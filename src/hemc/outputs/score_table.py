"""A forecast of the next certificate and the one that came → a scored row a figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.backtest_table import INFERRED, LEVELS, NO_VARIANCE, group_of
from hemc.outputs.estimates import Design, design_of
from hemc.outputs.next_certificate import forecast_points
from hemc.outputs.scores import (
    SAME,
    absolute_error,
    continuous_ranked_probability_score,
    is_inside,
    probability_integral_transform,
    varies,
)

MISSING = "missing: "
OTHER_THAN_CERTAIN = "forecast with certainty, and another figure came"

#: The middle of an atom is its place: scores of one certificate need no luck.
_MIDDLE = 0.5

#: A normal distribution's 95 % point, where a band has no width on a side.
_NORMAL_95 = 1.645

SCHEMA = {
    "deal": pl.String, "fitted_to": pl.Date, "date": pl.Date, "group": pl.String,
    "figure": pl.String, "observed": pl.Float64, "mean": pl.Float64,
    **dict.fromkeys(LEVELS, pl.Float64), "pit": pl.Float64, "in_50": pl.Boolean,
    "in_90": pl.Boolean, "share_in_50": pl.Float64, "share_in_90": pl.Float64,
    "crps": pl.Float64, "distance": pl.Float64, "note": pl.String,
}  # fmt: skip


class Came(NamedTuple):
    """The certificate that came: its figures by name, why others are missing, which are inferred.

    `fitted_to` is the date of the certificate from which it was forecast.
    """

    deal: str
    fitted_to: dt.date
    date: dt.date
    figures: Mapping[str, float]
    missing: Mapping[str, str]
    inferred: frozenset[str]


def score_table(forecast: pl.LazyFrame, came: Came) -> pl.DataFrame:
    """Return score.parquet: every figure of next_month.parquet but those that repeat another.

    Of the forecast, one column at a time is in memory.
    """
    weight = forecast.select("weight").collect().to_series().to_numpy()
    design = design_of(weight, 1)
    keys = {"deal": came.deal, "fitted_to": came.fitted_to, "date": came.date}
    rows = []
    for figure in forecast.collect_schema().names():
        if figure not in ("path", "weight") and (group := group_of(figure)) is not None:
            draws = forecast.select(figure).collect().to_series().cast(pl.Float64)
            row = _score(draws, design, came, figure)
            rows.append(keys | {"group": group, "figure": figure} | row)
    return pl.DataFrame(rows, schema=SCHEMA)


def surprises(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows outside their 90 % band, the farthest out first."""
    return (
        table.filter(~pl.col("in_90"))
        .sort(pl.col("distance").abs(), descending=True, nulls_last=False, maintain_order=True)
        .to_dicts()
    )


def _score(draws: pl.Series, design: Design, came: Came, figure: str) -> dict[str, Any]:
    """Return forecast, what came and, where both are there, its place and scores."""
    points = forecast_points(draws, design, LEVELS.values())
    row: dict[str, Any] = dict(zip((*LEVELS, "mean"), points, strict=True))
    if figure in came.missing or figure not in came.figures:
        return row | {"note": MISSING + came.missing.get(figure, "not on the certificate")}
    x, observed = draws.to_numpy(), came.figures[figure]
    row |= {"observed": observed, "note": INFERRED if figure in came.inferred else ""}
    if not varies(x):
        return row | _certain(observed, row["p50"])
    inside = {
        f"in_{name}": is_inside(observed, row[low], row[high])
        for name, low, high in (("50", "p25", "p75"), ("90", "p5", "p95"))
    }
    share = {
        f"share_in_{name}": float(
            np.average((x >= row[low]) & (x <= row[high]), weights=design.weight)
        )
        for name, low, high in (("50", "p25", "p75"), ("90", "p5", "p95"))
    }
    return row | inside | share | {
        "pit": probability_integral_transform(x, observed, _MIDDLE, design.weight),
        "crps": continuous_ranked_probability_score(x, observed, design.weight),
        "distance": _distance(x, observed, row),
    }  # fmt: skip


def _certain(observed: float, forecast: float) -> dict[str, Any]:
    """Return the scores of a figure that the run left no doubt about: none, unless it was wrong."""
    if abs(observed - forecast) <= SAME:
        return {"note": NO_VARIANCE}
    return {
        "in_50": False, "in_90": False, "share_in_50": 1.0, "share_in_90": 1.0,
        "pit": float(observed > forecast), "crps": absolute_error(forecast, observed),
        "note": OTHER_THAN_CERTAIN,
    }  # fmt: skip


def _distance(draws: Floats, observed: float, row: Mapping[str, Any]) -> float:
    """Return how far from the median a figure lies, 1 being the end of the 90 % band on its side.

    Where the band ends at the median, as counts that are mostly zero do, the forecast's deviation
    stands in for its width.
    """
    end = row["p95"] if observed >= row["p50"] else row["p5"]
    width = abs(end - row["p50"])
    if width <= SAME:
        width = _NORMAL_95 * float(draws.std())
    return float((observed - row["p50"]) / width)
