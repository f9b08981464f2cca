"""Scored figures → coverage and skill over naive forecasts by group, with a bootstrap over dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.backtest_table import GROUPS

NAIVE = ("no_change", "chain")

_RESAMPLES = 2_000
_INTERVAL = (0.05, 0.95)
_SCORES = ("crps", "crps_no_change", "crps_chain")


def summarise_groups(table: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return a row a group, and one of all: coverage, and skill with its 90 % interval."""
    scored = table.filter(pl.col("crps").is_not_null())
    parts = [(group, scored.filter(pl.col("group") == group)) for group in GROUPS]
    return pl.DataFrame(
        [{"group": name} | _summary(part, seed) for name, part in [*parts, ("all", scored)]]
    )


def _summary(scored: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Return one group's figures; a share is None where nothing was scored."""
    compared = scaled_scores(scored)
    row: dict[str, Any] = {
        "n": len(scored), "dates": scored["date"].n_unique(),
        **{name: scored[name].cast(pl.Float64).mean()
           for name in ("in_50", "share_in_50", "in_90", "share_in_90")},
        "n_skill": len(compared),
    }  # fmt: skip
    for name in NAIVE:
        row |= _skill(compared, name, seed)
    return row


def scaled_scores(scored: pl.DataFrame) -> pl.DataFrame:
    """Return rows that both naive forecasts know, scores divided by the figure's mean score.

    A figure's mean is over its dates and all three forecasts, so that every figure weighs alike
    and no forecast sets the scale.
    """
    known = scored.drop_nulls(_SCORES)
    mean = pl.mean_horizontal(_SCORES).mean().over("deal", "figure")
    return known.with_columns(pl.col(name) / mean for name in _SCORES)


def _skill(compared: pl.DataFrame, name: str, seed: int) -> dict[str, float | None]:
    """Return 1 − mean CRPS / mean CRPS of a naive forecast, with its interval."""
    keys = (f"skill_{name}", f"low_{name}", f"high_{name}")
    if compared.is_empty():
        return dict.fromkeys(keys)
    by_date = compared.group_by("date").agg(pl.col(_SCORES).sum()).sort("date")
    own, naive = by_date["crps"].to_numpy(), by_date[f"crps_{name}"].to_numpy()
    low, high = np.quantile(bootstrap_skill(own, naive, seed), _INTERVAL)
    return dict(zip(keys, (float(1.0 - own.sum() / naive.sum()), low, high), strict=True))


def bootstrap_skill(own: Floats, naive: Floats, seed: int) -> Floats:
    """Return the skill of dates drawn with replacement, float64[resample].

    `own` and `naive` float64[date] are sums of scores. Resamples in which the naive forecast makes
    no error at all are left out.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    times = generator.multinomial(own.size, np.full(own.size, 1.0 / own.size), _RESAMPLES)
    error = times @ naive
    skill = 1.0 - (times @ own)[error > 0.0] / error[error > 0.0]
    return np.asarray(skill)
