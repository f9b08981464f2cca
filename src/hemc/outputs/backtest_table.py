"""Draws of a certificate's figures, naive forecasts and the certificate → a scored row a figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.scores import (
    absolute_error,
    continuous_ranked_probability_score,
    is_inside,
    probability_integral_transform,
    varies,
)

#: In the order of the page.
GROUPS = ("counts", "balances", "flows", "deal")

LEVELS = {"p5": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}

NO_VARIANCE = "no forecast variance"
DRAWN_START = "starting stock drawn from the posterior"
INFERRED = "observed by the pool roll, not printed"

SCHEMA = {
    "deal": pl.String, "fitted_to": pl.Date, "date": pl.Date, "months": pl.Int64,
    "group": pl.String, "figure": pl.String, "observed": pl.Float64, "mean": pl.Float64,
    **dict.fromkeys(LEVELS, pl.Float64), "pit": pl.Float64, "in_50": pl.Boolean,
    "in_90": pl.Boolean, "share_in_50": pl.Float64, "share_in_90": pl.Float64,
    "crps": pl.Float64, "no_change": pl.Float64, "chain": pl.Float64,
    "crps_no_change": pl.Float64, "crps_chain": pl.Float64, "note": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class ScoredCertificate:
    """A certificate that came after a fit, and the forecasts of it.

    `draws` has a column a figure and a row a path; `drawn` are figures of stocks that the
    certificate at the start did not show; the naive forecasts lack what it did not show.
    """

    deal: str
    fitted_to: dt.date
    date: dt.date
    months: int
    draws: pl.DataFrame
    observed: Mapping[str, float]
    inferred: frozenset[str]
    drawn: frozenset[str]
    no_change: Mapping[str, float]
    chain: Mapping[str, float]


def group_of(figure: str) -> str | None:
    """Return a figure's group; None where it repeats another one.

    Openings are the closings of the month before, per cents are balances over the pool.
    """
    table, _, key = figure.partition(".")
    last = key.rpartition(".")[2]
    if last in ("beginning", "beginning_pool", "pct"):
        return None
    if last in ("number", "active_loan_count"):
        return "counts"
    if table == "delinq" or last == "ending_pool":
        return "balances"
    if table == "losses" or last in ("principal_collections", "interest_collections"):
        return "flows"
    return "deal"


def score_rows(scored: ScoredCertificate, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each figure that was forecast and came.

    `seed` is that of the draws which place an observation within an atom of its forecast.
    """
    key = [seed, scored.fitted_to.toordinal() * 1_000 + scored.months]
    generator = np.random.Generator(np.random.Philox(key=key))
    place = dict(zip(scored.draws.columns, generator.random(scored.draws.width), strict=True))
    for figure in scored.draws.columns:
        group = group_of(figure)
        if group is not None and figure in scored.observed:
            draws = scored.draws[figure].cast(pl.Float64).to_numpy()
            yield _names(scored, figure, group) | _score(scored, figure, draws, place[figure])


def _names(scored: ScoredCertificate, figure: str, group: str) -> dict[str, Any]:
    """Return what a row is about, and what is to be known of it."""
    notes = [DRAWN_START] if figure in scored.drawn else []
    notes += [INFERRED] if figure in scored.inferred else []
    return {
        "deal": scored.deal, "fitted_to": scored.fitted_to, "date": scored.date,
        "months": scored.months, "group": group, "figure": figure, "note": "; ".join(notes),
    }  # fmt: skip


def _score(scored: ScoredCertificate, figure: str, draws: Floats, u: float) -> dict[str, Any]:
    """Return the forecast and, where it leaves something open, its scores beside naive ones."""
    observed = scored.observed[figure]
    points = np.quantile(draws, list(LEVELS.values()), method="nearest")
    row: dict[str, Any] = {"observed": observed, "mean": float(draws.mean())}
    row |= dict(zip(LEVELS, points.tolist(), strict=True))
    row |= {"no_change": scored.no_change.get(figure), "chain": scored.chain.get(figure)}
    if not varies(draws):
        return row | {"note": NO_VARIANCE}
    for name, low, high in (("50", row["p25"], row["p75"]), ("90", row["p5"], row["p95"])):
        row[f"in_{name}"] = is_inside(observed, low, high)
        row[f"share_in_{name}"] = float(((draws >= low) & (draws <= high)).mean())
    row["pit"] = probability_integral_transform(draws, observed, u)
    row["crps"] = continuous_ranked_probability_score(draws, observed)
    for name in ("no_change", "chain"):
        row[f"crps_{name}"] = None if row[name] is None else absolute_error(row[name], observed)
    return row


def backtest_table(certificates: list[ScoredCertificate], seed: int) -> pl.DataFrame:
    """Return the rows of backtest.parquet."""
    rows = [row for one in certificates for row in score_rows(one, seed)]
    return pl.DataFrame(rows, schema=SCHEMA)
