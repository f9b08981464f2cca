"""Scored figures → coverage, and skill over naive forecasts with a bootstrap over dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.backtest_table import GROUPS

NAIVE = ("no_change", "chain")

_RESAMPLES, _SEED = 2_000, 1
_INTERVAL = (0.05, 0.95)
_SCORES = ("crps", "crps_no_change", "crps_chain")


def next_only(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the first certificate that followed each start."""
    first = pl.col("months").min().over("deal", "fitted_to")
    return table.filter(pl.col("months") == first)


def summarise_groups(table: pl.DataFrame) -> pl.DataFrame:
    """Return a row a group, and one of all: coverage, and skill with its 90 % interval."""
    scored = table.filter(pl.col("crps").is_not_null())
    parts = [(group, scored.filter(pl.col("group") == group)) for group in GROUPS]
    rows = [{"group": name} | _summary(part) for name, part in [*parts, ("all", scored)]]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(_shares(), pl.Float64))


def summarise_figures(table: pl.DataFrame) -> pl.DataFrame:
    """Return a row a deal's figure in the order of the table: bands missed, and skill."""
    scored = table.filter(pl.col("crps").is_not_null())
    scores = [pl.col(name).filter(pl.col("crps_chain").is_not_null()).sum() for name in _SCORES]
    own, *naive = scores
    return scored.group_by("deal", "group", "figure", maintain_order=True).agg(
        pl.len().alias("n"),
        pl.col("in_90").sum().alias("inside"),
        ((pl.col("observed") < pl.col("p5")) & ~pl.col("in_90")).sum().alias("below"),
        ((pl.col("observed") > pl.col("p95")) & ~pl.col("in_90")).sum().alias("above"),
        pl.col("pit").mean(),
        *(
            pl.when(other > 0.0).then(1.0 - own / other).alias(f"skill_{name}")
            for name, other in zip(NAIVE, naive, strict=True)
        ),
    )


def _shares() -> list[str]:
    """Return the columns that are null where nothing was scored."""
    skills = [f"{part}_{name}" for name in NAIVE for part in ("skill", "low", "high")]
    return ["in_50", "share_in_50", "in_90", "share_in_90", *skills]


def _summary(scored: pl.DataFrame) -> dict[str, Any]:
    """Return one group's figures; a share is None where nothing was scored."""
    compared = scaled_scores(scored)
    row: dict[str, Any] = {
        "n": len(scored), "dates": scored["date"].n_unique(),
        **{name: scored[name].cast(pl.Float64).mean()
           for name in ("in_50", "share_in_50", "in_90", "share_in_90")},
        "n_skill": len(compared),
    }  # fmt: skip
    for name in NAIVE:
        row |= _skill(compared, name)
    return row


def scaled_scores(scored: pl.DataFrame) -> pl.DataFrame:
    """Return rows that both naive forecasts know, scores divided by the figure's mean score.

    A figure's mean is over its dates and all three forecasts, so that every figure weighs alike
    and no forecast sets the scale.
    """
    known = scored.drop_nulls(_SCORES)
    mean = pl.mean_horizontal(_SCORES).mean().over("deal", "figure")
    return known.with_columns(pl.col(name) / mean for name in _SCORES)


def _skill(compared: pl.DataFrame, name: str) -> dict[str, float | None]:
    """Return 1 − mean CRPS / mean CRPS of a naive forecast, with its interval."""
    keys = (f"skill_{name}", f"low_{name}", f"high_{name}")
    if compared[f"crps_{name}"].sum() == 0.0:  # nothing compared, or nothing to be better than
        return dict.fromkeys(keys)
    by_date = compared.group_by("date").agg(pl.col(_SCORES).sum()).sort("date")
    own, naive = by_date["crps"].to_numpy(), by_date[f"crps_{name}"].to_numpy()
    low, high = np.quantile(bootstrap_skill(own, naive), _INTERVAL)
    return dict(zip(keys, (float(1.0 - own.sum() / naive.sum()), low, high), strict=True))


def bootstrap_skill(own: Floats, naive: Floats) -> Floats:
    """Return the skill of dates drawn with replacement, float64[resample].

    `own` and `naive` float64[date] are sums of scores. Resamples in which the naive forecast makes
    no error at all are left out.
    """
    generator = np.random.Generator(np.random.Philox(key=_SEED))
    times = generator.multinomial(own.size, np.full(own.size, 1.0 / own.size), _RESAMPLES)
    error = times @ naive
    skill = 1.0 - (times @ own)[error > 0.0] / error[error > 0.0]
    return np.asarray(skill)
