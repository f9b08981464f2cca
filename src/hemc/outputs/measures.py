"""Paths → distributions of lifetime figures, each statistic with its standard error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats

QUANTILES = {
    "p1": 0.01, "p5": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75,
    "p90": 0.90, "p95": 0.95, "p99": 0.99, "p99_9": 0.999,
}  # fmt: skip
SHORTFALLS = {"es_97_5": 0.975, "es_99": 0.99}

_BAND = 1.96


class Estimate(NamedTuple):
    """A statistic and its standard error; nan where the paths do not give one."""

    value: float
    standard_error: float


def mean(x: Floats) -> Estimate:
    """Return the mean over paths; the path is the independent unit."""
    return Estimate(float(x.mean()), _mean_error(x))


def standard_deviation(x: Floats) -> Estimate:
    """Return the standard deviation and its error by the delta method."""
    if x.size < 2:
        return Estimate(float("nan"), float("nan"))
    sd = float(x.std(ddof=1))
    spread = _mean_error((x - x.mean()) ** 2)
    return Estimate(sd, spread / (2.0 * sd) if sd > 0.0 else 0.0)


def probability(happened: Floats) -> Estimate:
    """Return the share of paths; without a hit or without a miss there is no standard error."""
    p = float(happened.mean())
    known = 0.0 < p < 1.0
    return Estimate(p, (p * (1.0 - p) / happened.size) ** 0.5 if known else float("nan"))


def quantile(ordered: Floats, level: float) -> Estimate:
    """Return a quantile of sorted values; the error is a 95 % interval's half width / 1.96.

    The interval holds every x whose empirical distribution lies within 1.96 standard errors of
    the level; where it runs out of the sample there is no error to state.
    """
    n = ordered.size
    reach = _BAND * (n * level * (1.0 - level)) ** 0.5
    low, high = int(np.floor(n * level - reach)), int(np.ceil(n * level + reach))
    value = float(ordered[min(int(n * level), n - 1)])
    if low < 0 or high >= n:
        return Estimate(value, float("nan"))
    return Estimate(value, float(ordered[high] - ordered[low]) / (2.0 * _BAND))


def expected_shortfall(ordered: Floats, level: float) -> Estimate:
    """Return the mean beyond a quantile of sorted values, with the error of its ψ."""
    n = ordered.size
    q = float(ordered[min(int(n * level), n - 1)])
    psi = q + np.maximum(ordered - q, 0.0) / (1.0 - level)
    enough = n * (1.0 - level) >= 10
    return Estimate(float(psi.mean()), _mean_error(psi) if enough else float("nan"))


def distribution(x: Floats, statistics: tuple[str, ...]) -> dict[str, Estimate]:
    """Return the named statistics of one figure over paths."""
    ordered = np.sort(x)
    found: dict[str, Estimate] = {}
    for name in statistics:
        if name == "mean":
            found[name] = mean(x)
        elif name == "sd":
            found[name] = standard_deviation(x)
        elif name == "probability":
            found[name] = probability((x > 0.005).astype(np.float64))
        elif name in QUANTILES:
            found[name] = quantile(ordered, QUANTILES[name])
        else:
            found[name] = expected_shortfall(ordered, SHORTFALLS[name])
    return found


def _mean_error(x: Floats) -> float:
    """Return the standard error of a mean of independent values."""
    return float(x.std(ddof=1) / x.size**0.5) if x.size > 1 else float("nan")


_ALL = ("mean", "sd", *QUANTILES, *SHORTFALLS)
_RISK = ("mean", "sd", "probability", "p50", "p75", "p90", "p95", "p99", "p99_9", *SHORTFALLS)
_LEVELS = ("mean", "sd", "p5", "p25", "p50", "p75", "p95")


def measure_paths(paths: pl.DataFrame, original_balance: float) -> pl.DataFrame:
    """Return measures.parquet from paths.parquet; `original_balance` of the notes is in USD."""
    table = _Table(paths)
    table.add("pool_loss", "pool_loss", _ALL)
    table.add("pool_loss_pct", "pool_loss_pct", _ALL, unit="% of current pool")
    original = (pl.col("pool_loss") * (100.0 / original_balance)).alias("of_original")
    table.paths = paths.with_columns(original)
    table.add("pool_loss_pct_original", "of_original", _ALL, unit="% of original notes")
    table.add("oc_shortfall", "oc_shortfall_max", _RISK, insurer="wrapped")
    table.add_share("oc_below_target_after_reaching", "oc_missed_after_target", insurer="wrapped")
    table.add_share("oc_exhausted", "oc_exhausted", insurer="wrapped")
    for name in ("draws", "draws_pv", "peak_unreimbursed"):
        table.add(name, name, _RISK, insurer="wrapped")
    for name in ("reimbursement", "premium", "residual"):
        table.add(name, name, _LEVELS, insurer="wrapped")
    for name in ("first_draw_month", "first_undercollateralized_month"):
        insurer = "wrapped" if name == "first_draw_month" else "unwrapped"
        table.add(name, name, _LEVELS, insurer=insurer, unit="months, on paths with one")
    table.add("next_month_loss", "next_month_loss", _LEVELS)
    table.add("next_month_cpr", "next_month_cpr", _LEVELS, unit="per year")
    _add_notes(table)
    return table.frame()


def _add_notes(table: _Table) -> None:
    """Add the measures of every class, and of all classes together."""
    paths = table.paths
    for kind, insurer in (("writedown", "unwrapped"), ("interest_shortfall", "unwrapped")):
        columns = [c for c in paths.columns if c.startswith(f"{kind}_")]
        table.paths = paths.with_columns(pl.sum_horizontal(columns).alias("all"))
        table.add(kind, "all", _RISK, insurer=insurer)
        for column in columns:
            note = column.removeprefix(f"{kind}_")
            table.add(kind, column, _RISK, insurer=insurer, note=note)
    for column in paths.columns:
        if column.startswith("wal_"):
            note = column.removeprefix("wal_")
            table.add("wal", column, _LEVELS, insurer="wrapped", note=note, unit="years")


class _Table:
    """Rows of measures.parquet in the making."""

    def __init__(self, paths: pl.DataFrame) -> None:
        self.paths = paths
        self.rows: list[tuple[object, ...]] = []

    def add(
        self,
        measure: str,
        column: str,
        statistics: tuple[str, ...],
        insurer: str | None = None,
        note: str | None = None,
        unit: str = "USD",
    ) -> None:
        """Add statistics of one column; paths on which it is null do not count."""
        values = self.paths[column].drop_nulls().cast(pl.Float64).to_numpy()
        if values.size == 0:
            return
        for statistic, estimate in distribution(values, statistics).items():
            shown = "fraction" if statistic == "probability" else unit
            self.rows.append((measure, insurer, note, None, statistic, *estimate, shown))

    def add_share(self, measure: str, column: str, insurer: str) -> None:
        """Add the share of paths on which a column is true."""
        estimate = probability(self.paths[column].cast(pl.Float64).to_numpy())
        self.rows.append((measure, insurer, None, None, "probability", *estimate, "fraction"))

    def frame(self) -> pl.DataFrame:
        """Return the rows as a table; what is not a number is null."""
        schema = {
            "measure": pl.String, "insurer": pl.String, "note": pl.String, "month": pl.Int64,
            "statistic": pl.String, "value": pl.Float64, "standard_error": pl.Float64,
            "unit": pl.String,
        }  # fmt: skip
        return pl.DataFrame(self.rows, schema=schema, orient="row").with_columns(
            pl.col("value", "standard_error").fill_nan(None)
        )
