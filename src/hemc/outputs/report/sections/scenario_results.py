"""scenarios.parquet and scenario_months.parquet → what a stress batch found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl

from hemc.outputs.report import charts
from hemc.outputs.report.blocks import DASH, Block, Chart, Grid, Paragraph, Row, Table
from hemc.outputs.report.formats import bar, difference_and_errors, estimate_millions
from hemc.outputs.run_files import RunFiles


class Column(NamedTuple):
    """A figure of every scenario; amounts are shown in USD million."""

    head: str
    measure: str
    statistic: str


LIFETIME = (
    Column("expected loss", "pool_loss_pct", "mean"),
    Column("99 % ES of loss", "pool_loss_pct", "es_99"),
    Column("P(OC exhausted)", "oc_exhausted", "probability"),
    Column("P(draw)", "draws", "probability"),
    Column("draws, present value", "draws_pv", "mean"),
    Column("P(writedown), no insurer", "writedown", "probability"),
    Column("writedown, no insurer", "writedown", "mean"),
)
NINE_QUARTERS = (
    Column("pool loss", "pool_loss_nine_quarters", "mean"),
    Column("pool loss, 95 %", "pool_loss_nine_quarters", "p95"),
    Column("99 % ES of loss", "pool_loss_nine_quarters", "es_99"),
    Column("OC at the end", "oc_nine_quarters", "mean"),
    Column("draws", "draws_nine_quarters", "mean"),
    Column("notes above pool, no insurer", "undercollateralization_nine_quarters", "mean"),
)
COMPARED = (LIFETIME[0], LIFETIME[1], LIFETIME[3], LIFETIME[4], LIFETIME[5], NINE_QUARTERS[0])
_DIFFERENCE_HEADS = (
    ("expected loss", "points"), ("99 % ES of loss", "points"), ("P(draw)", "points"),
    ("draws, present value", "USD million"), ("P(writedown)", "points"),
    ("loss of nine quarters", "USD million"),
)  # fmt: skip

#: Charts that compare scenarios: figure, unit, title, axis.
_PICTURED = (
    (LIFETIME[0], "%", "Expected lifetime loss by scenario", "% of the current pool"),
    (LIFETIME[5], "fraction", "P(any writedown) by scenario, no insurer", "% of paths"),
)

_STYLES = ("median", "mean", "target", "second", "third", "fourth", "fifth")

#: Series of scenario_months.parquet with title, axis and factor to its unit.
_SERIES = {
    "cumulative_loss": ("Expected loss to date", "USD million", 1e-6),
    "oc": ("Expected OC, with insurer", "USD million", 1e-6),
    "cdr": ("Mean CDR", "% a year", 100.0),
    "undercollateralized": ("Notes exceed pool, no insurer", "% of paths", 100.0),
}


class _Batch(NamedTuple):
    """Rows of scenarios.parquet that are not about one class, by scenario, measure, statistic."""

    names: list[str]
    weights: dict[str, str]
    rows: dict[tuple[str, str, str], dict[str, Any]]


def scenario_results(run: RunFiles) -> list[Block]:
    """Return tables and charts of the batch, nothing where there was none."""
    table = run.table("scenarios")
    if table is None:
        return []
    batch = _batch(table)
    first = next(name for name in batch.names if name not in batch.weights)
    blocks: list[Block] = [
        Grid([_compared(batch, *picture) for picture in _PICTURED]),
        _figures(run, batch, "To the end of the deal, amounts in USD million", LIFETIME),
        *(Paragraph(f"{name}: {text}.", "note") for name, text in batch.weights.items()),
        _differences(batch, first),
        Paragraph(_ERRORS, "note"),
        _figures(run, batch, "Nine quarters, USD million", NINE_QUARTERS),
        _classes(run, table, batch),
    ]
    pictures = list(_charts(run, [name for name in batch.names if name not in batch.weights]))
    return [*blocks, Grid(pictures)] if pictures else blocks


_ERRORS = (
    "All scenarios run on the same random numbers. ± is the difference's own standard error, path "
    "by path; behind it, in parentheses, the error that independent seeds would give."
)


def _batch(table: pl.DataFrame) -> _Batch:
    """Lay out what is not about one class."""
    rows = table.filter(pl.col("note").is_null()).rows(named=True)
    weighted = table.drop_nulls("weights").unique("scenario", maintain_order=True)
    return _Batch(
        table["scenario"].unique(maintain_order=True).to_list(),
        dict(zip(weighted["scenario"], weighted["weights"], strict=True)),
        {(row["scenario"], row["measure"], row["statistic"]): row for row in rows},
    )


def _compared(batch: _Batch, column: Column, unit: str, title: str, axis: str) -> Chart:
    """Return one figure of every scenario as bars."""
    found = [
        bar(name, row, unit)
        for name in batch.names
        if (row := batch.rows.get((name, column.measure, column.statistic)))
    ]
    return Chart(title, charts.bars(found, axis), note="Line: ± standard error.")


def _figures(run: RunFiles, batch: _Batch, caption: str, columns: Sequence[Column]) -> Table:
    """Return a row a scenario, weighted results last and muted."""
    rows = []
    for name in batch.names:
        found = (batch.rows.get((name, c.measure, c.statistic)) for c in columns)
        cells = (estimate_millions(row, run.independent) for row in found)
        rows.append(Row((name, *cells), "muted" if name in batch.weights else ""))
    heads = ("scenario", *(column.head for column in columns))
    return Table(f"{caption}, ± standard error", heads, rows)


def _differences(batch: _Batch, first: str) -> Table:
    """Return what each further scenario changes, with both errors."""
    rows = []
    for name in batch.names:
        if name != first and name not in batch.weights:
            found = (batch.rows.get((name, c.measure, c.statistic)) for c in COMPARED)
            rows.append(Row((name, *(_difference(row) for row in found))))
    heads = ("scenario", *(f"{head}, {unit}" for head, unit in _DIFFERENCE_HEADS))
    return Table(f"Less {first}", heads, rows)


def _difference(row: dict[str, Any] | None) -> str:
    """Return a difference with its own error and that of independent seeds."""
    if row is None or row["difference"] is None:
        return DASH
    return difference_and_errors(row, row["unit"].split(" ")[0])


def _classes(run: RunFiles, table: pl.DataFrame, batch: _Batch) -> Table:
    """Return the chance of a writedown of every class in every scenario."""
    hit = table.filter(
        pl.col("measure") == "writedown", pl.col("statistic") == "probability",
        pl.col("note").is_not_null(),
    )  # fmt: skip
    names = hit["note"].unique(maintain_order=True).to_list()
    found = {(row["scenario"], row["note"]): row for row in hit.rows(named=True)}
    rows = []
    for name in batch.names:
        cells = (estimate_millions(found.get((name, note)), run.independent) for note in names)
        rows.append(Row((name, *cells), "muted" if name in batch.weights else ""))
    caption = "P(writedown) by class without insurer, ± standard error"
    return Table(caption, ("scenario", *names), rows)


def _charts(run: RunFiles, names: Sequence[str]) -> Iterator[Chart]:
    """Yield means by month, a line a scenario, of as many as there are styles."""
    table = run.table("scenario_months")
    if table is None:
        return
    names = names[: len(_STYLES)]
    lines = [charts.Line(f"s{k}", name, _STYLES[k]) for k, name in enumerate(names)]
    legend = [(line.style, line.name) for line in lines]
    means = table.filter(
        pl.col("statistic") == "mean", pl.col("note").is_null(), pl.col("state").is_null(),
        pl.col("month") <= run.last_month_shown, pl.col("scenario").is_in(names),
    )  # fmt: skip
    for series, (title, axis, factor) in _SERIES.items():
        part = means.filter(pl.col("series") == series)
        if len(part):
            wide = part.pivot("scenario", index="month", values="value").sort("month")
            wide = wide.rename({name: f"s{k}" for k, name in enumerate(names)})
            columns = [line.column for line in lines]
            rows = charts.month_rows(wide, columns, run.manifest.first_projected_month, factor)
            yield Chart(title, charts.lines_by_month(rows, lines, axis), legend)
