"""Paths → distributions of lifetime figures, each statistic with its standard error."""

from __future__ import annotations

import operator
from functools import reduce

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.estimates import (
    QUANTILES,
    SHORTFALLS,
    Design,
    counted,
    design_of,
    distribution,
    probability,
)
from hemc.outputs.note_values import VALUE_COLUMNS, WRAP_VALUE

_ALL = ("mean", "sd", *QUANTILES, *SHORTFALLS)
_RISK = ("mean", "sd", "probability", "p50", "p75", "p90", "p95", "p99", "p99_9", *SHORTFALLS)
_LEVELS = ("mean", "sd", "p5", "p25", "p50", "p75", "p95")

_EXCESS_INTEREST = ("excess_interest", "excess_interest_used", "oc_released")

#: First months of paths.parquet and the insurer of their pass; null where there is none.
_FIRST_MONTHS = {
    "first_draw_month": "wrapped",
    "insurer_default_month": "wrapped",
    "first_undercollateralized_month": "unwrapped",
    "first_oc_below_target_month": "wrapped",
    "first_oc_exhausted_month": "wrapped",
}
_MONTHS = "months, on paths with one"

#: What holders lose, with the insurer and without.
HOLDERS_LOSSES = ("writedown", "interest_shortfall")


def measure_paths(
    paths: pl.DataFrame | pl.LazyFrame, original_balance: float, unit_paths: int = 1
) -> pl.DataFrame:
    """Return measures.parquet from paths.parquet; `original_balance` of the notes is in USD.

    `unit_paths` consecutive paths are one independent unit. Of a lazy frame, no more than a
    measure needs is in memory at a time.
    """
    paths = paths.lazy()
    table = MeasureTable(paths, unit_paths)
    table.add("pool_loss", "pool_loss", _ALL)
    table.add("pool_loss_pct", "pool_loss_pct", _ALL, unit="% of current pool")
    original = (pl.col("pool_loss") * (100.0 / original_balance)).alias("of_original")
    table.paths = paths.with_columns(original)
    table.add("pool_loss_pct_original", "of_original", _ALL, unit="% of original notes")
    table.add("oc_shortfall", "oc_shortfall_max", _RISK, insurer="wrapped")
    table.add_share("oc_below_target_after_reaching", "oc_missed_after_target", insurer="wrapped")
    table.add_share("oc_exhausted", "oc_exhausted", insurer="wrapped")
    table.add_share("oc_target_stepped_down", "oc_target_stepped_down", insurer="wrapped")
    for name in ("draws", "draws_pv", "peak_unreimbursed"):
        table.add(name, name, _RISK, insurer="wrapped")
    for name in ("reimbursement", "premium", "premium_pv", "residual", *_EXCESS_INTEREST):
        table.add(name, name, _LEVELS, insurer="wrapped")
    table.add("insurer_net", "insurer_net", _ALL, insurer="wrapped")
    table.add("reimbursed_share", "reimbursed_share", _LEVELS, insurer="wrapped", unit="fraction")
    table.add_present("insurer_fails", "insurer_default_month", insurer="wrapped")
    for name, insurer in _FIRST_MONTHS.items():
        table.add(name, name, _LEVELS, insurer=insurer, unit=_MONTHS)
    table.add("pool_loss_nine_quarters", "pool_loss_nine_quarters", _RISK)
    table.add("draws_nine_quarters", "draws_nine_quarters", _RISK, insurer="wrapped")
    table.add("oc_nine_quarters", "oc_nine_quarters", _LEVELS, insurer="wrapped")
    under = "undercollateralization_nine_quarters"
    table.add(under, under, _RISK, insurer="unwrapped")
    table.add("next_month_loss", "next_month_loss", _LEVELS)
    table.add("next_month_cpr", "next_month_cpr", _LEVELS, unit="per year")
    _add_notes(table)
    return table.frame()


def _add_notes(table: MeasureTable) -> None:
    """Add the measures of every class, and of all classes together."""
    paths = table.paths
    names = paths.collect_schema().names()
    for kind in HOLDERS_LOSSES:
        for prefix, insurer in ((kind, "unwrapped"), (f"wrapped_{kind}", "wrapped")):
            columns = [c for c in names if c.startswith(f"{prefix}_")]
            # pl.sum_horizontal adds in an order that is not the same in every plan.
            total = reduce(operator.add, map(pl.col, columns))
            table.paths = paths.with_columns(total.alias("all"))
            notes = {c.removeprefix(f"{prefix}_"): c for c in columns}
            if insurer == "wrapped" and not table.is_ever("all"):
                table.add_never(kind, (None, *notes), insurer)
                continue
            table.add(kind, "all", _RISK, insurer=insurer)
            for note, column in notes.items():
                table.add(kind, column, _RISK, insurer=insurer, note=note)
    wraps = [c for c in names if c.startswith(f"{WRAP_VALUE}_")]
    if wraps:
        table.paths = paths.with_columns(reduce(operator.add, map(pl.col, wraps)).alias("all"))
        table.add(WRAP_VALUE, "all", _RISK)
    for column in names:
        _add_by_name(table, column)


def _add_by_name(table: MeasureTable, column: str) -> None:
    """Add a measure of a class's worth or months, or nothing where a column is of another kind."""
    if column == "call_month":
        table.add(column, column, _LEVELS, "wrapped", unit=_MONTHS)
    if column.startswith(f"{WRAP_VALUE}_"):
        table.add(WRAP_VALUE, column, _RISK, note=column.removeprefix(f"{WRAP_VALUE}_"))
    first = "first_undercollateralized_month"
    if column.startswith(f"{first}_"):
        note = column.removeprefix(f"{first}_")
        table.add(first, column, _LEVELS, "unwrapped", note, _MONTHS)
    for spec in VALUE_COLUMNS:
        if column.startswith(f"{spec.column}_"):
            note = column.removeprefix(f"{spec.column}_")
            table.add(spec.measure, column, _LEVELS, spec.insurer, note, spec.unit)
            return


class MeasureTable:
    """Rows of measures.parquet in the making."""

    def __init__(self, paths: pl.LazyFrame, unit_paths: int) -> None:
        self.paths = paths
        self.design = design_of(self._read("weight").to_numpy(), unit_paths)
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
        series = self._read(column)
        if series.null_count() == len(series):
            return
        for statistic, estimate in distribution(*self._counted(series), statistics).items():
            shown = "fraction" if statistic == "probability" else unit
            self.rows.append((measure, insurer, note, None, statistic, *estimate, shown))

    def is_ever(self, column: str) -> bool:
        """Tell whether a column is other than zero on any path."""
        return bool((self._read(column) != 0.0).any())

    def add_never(self, measure: str, notes: tuple[str | None, ...], insurer: str) -> None:
        """Add mean and probability of what is zero on every path, for each of `notes`."""
        nothing = np.zeros(len(self._read("weight")))
        found = distribution(nothing, self.design, ("mean", "probability"))
        for note in notes:
            for statistic, estimate in found.items():
                unit = "fraction" if statistic == "probability" else "USD"
                self.rows.append((measure, insurer, note, None, statistic, *estimate, unit))

    def add_share(self, measure: str, column: str, insurer: str) -> None:
        """Add the share of paths on which a column is true."""
        estimate = probability(self._read(column).to_numpy(), self.design)
        self.rows.append((measure, insurer, None, None, "probability", *estimate, "fraction"))

    def add_present(self, measure: str, column: str, insurer: str) -> None:
        """Add the share of paths on which a column has a value."""
        present = self._read(column).is_not_null().to_numpy().astype(np.float64)
        estimate = probability(present, self.design)
        self.rows.append((measure, insurer, None, None, "probability", *estimate, "fraction"))

    def _read(self, column: str) -> pl.Series:
        """Read one column as numbers."""
        return self.paths.select(pl.col(column).cast(pl.Float64)).collect().to_series()

    def _counted(self, series: pl.Series) -> tuple[Floats, Design]:
        """Return the values that are not null, and how they were drawn."""
        present = series.is_not_null().to_numpy()
        return counted(series.fill_null(0.0).to_numpy(), present, self.design)

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
