"""tornado.parquet and heat_maps.parquet → what `hemc sensitivities` found."""

from __future__ import annotations

from typing import Any, NamedTuple

import polars as pl

from hemc.outputs.report import charts
from hemc.outputs.report.blocks import (
    DASH,
    Block,
    Chart,
    Grid,
    HeatMap,
    Paragraph,
    Row,
    Shade,
    Table,
)
from hemc.outputs.report.formats import difference_and_errors
from hemc.outputs.run_files import RunFiles


class _Figure(NamedTuple):
    """A figure that assumptions move: measure, statistic, unit, heading, factor of the chart."""

    measure: str
    statistic: str
    unit: str
    head: str
    factor: float


_MOVED = (
    _Figure("pool_loss_pct", "mean", "%", "lifetime loss, points", 1.0),
    _Figure("draws", "probability", "fraction", "P(draw), points", 100.0),
    _Figure("draws_pv", "mean", "USD", "draws, present value, USD million", 1e-6),
)
_MAPPED = (
    _Figure("pool_loss_pct", "mean", "%", "Expected lifetime loss, % of the pool", 1.0),
    _Figure("writedown", "probability", "fraction", "P(any writedown) without insurer, %", 100.0),
    _Figure("writedown", "mean", "USD", "Expected writedown without insurer, USD million", 1e-6),
)


def tornado_blocks(run: RunFiles) -> list[Block]:
    """Return chart and table of the swings, nothing where they were not played."""
    table = run.table("tornado")
    if table is None or not len(table):
        return []
    text = (
        f"Tornado: each assumption alone at its low and its high value, on {table['paths'][0]:,} "
        "common paths. ± is the difference's own standard error; behind it, in parentheses, that "
        "of independent seeds."
    )
    legend = [("core", "low"), ("target fill", "high")]
    pictures = [
        Chart(f"Change of {figure.head}", charts.tornado(rows, figure.head), legend)
        for figure in _MOVED
        if (rows := _bars(table, figure))
    ]
    return [Paragraph(text), Grid(pictures), _swings(table)]


def _bars(table: pl.DataFrame, figure: _Figure) -> list[dict[str, Any]]:
    """Return the rows of a chart: what moves the figure at all."""
    return [
        {
            "assumption": row["assumption"], "setting": row["setting"], "side": row["side"],
            "difference": round(figure.factor * row["difference"], 4),
            "error": round(figure.factor * (row["difference_standard_error"] or 0.0), 4),
        }
        for row in _of(table, figure).rows(named=True)
        if abs(row["difference"]) > 1e-9
    ]  # fmt: skip


def _swings(table: pl.DataFrame) -> Table:
    """Return a row a side; settings that move nothing shown say so."""
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for figure in _MOVED:
        for row in _of(table, figure).rows(named=True):
            found.setdefault((row["assumption"], row["setting"]), {})[figure.measure] = row
    rows = []
    for (name, setting), figures in found.items():
        cells = (
            difference_and_errors(figures[f.measure], f.unit) if f.measure in figures else DASH
            for f in _MOVED
        )  # fmt: skip
        source = next(iter(figures.values()))["source"]
        rows.append(Row((f"{name} = {setting}", *cells, source)))
    heads = ("assumption", *(f.head for f in _MOVED), "source")
    return Table("Differences from the run", heads, rows, texts=(3,), folded=True)


def heat_map_blocks(run: RunFiles) -> list[Block]:
    """Return a map a figure and severity, nothing where they were not simulated."""
    table = run.table("heat_maps")
    if table is None or not len(table):
        return []
    text = (
        "Heat maps: multiples of prepayment (columns), severity and roll rates (rows), as in "
        "[scenario.multiples]; the run itself is outlined. Folded out, the errors."
    )
    blocks: list[Block] = [Paragraph(text)]
    for figure in _MAPPED:
        part = _of(table, figure)
        blocks += [_map(part, figure), _errors(part, figure)]
    return blocks


def _map(cells: pl.DataFrame, figure: _Figure) -> HeatMap:
    """Return the map of one figure."""
    largest = float(cells.select(pl.col("value").max()).item()) or 1.0
    columns = cells["prepayment"].unique().sort().to_list()
    found: dict[tuple[float, float], dict[float, dict[str, Any]]] = {}
    for row in cells.rows(named=True):
        found.setdefault((row["severity"], row["roll_rate"]), {})[row["prepayment"]] = row
    rows = [
        (
            f"severity × {severity:g}, roll rates × {roll_rate:g}",
            [_shade(by_column[column], figure, largest) for column in columns],
        )
        for (severity, roll_rate), by_column in found.items()
    ]
    return HeatMap(figure.head, [f"prepayment × {c:g}" for c in columns], rows)


def _shade(row: dict[str, Any], figure: _Figure, largest: float) -> Shade:
    """Return one cell; no hit among the paths is a bound, not zero."""
    is_base = row["severity"] == row["roll_rate"] == row["prepayment"] == 1.0
    text = f"{figure.factor * row['value']:.2f}"
    if figure.statistic == "probability" and row["value"] == 0.0:
        text = f"< {300.0 / row['paths']:.2g}"
    return Shade(text, row["value"] / largest, "framed" if is_base else "")


def _errors(part: pl.DataFrame, figure: _Figure) -> Table:
    """Return each cell's difference from the run, with both errors."""
    rows = [
        Row((
            f"prepayment × {row['prepayment']:g}, roll rates × {row['roll_rate']:g}, "
            f"severity × {row['severity']:g}",
            difference_and_errors(row, figure.unit),
        ))
        for row in part.rows(named=True)
    ]  # fmt: skip
    return Table(f"{figure.head}: differences from the run", ("", "difference"), rows, folded=True)


def _of(table: pl.DataFrame, figure: _Figure) -> pl.DataFrame:
    """Return the rows of a figure."""
    return table.filter(
        pl.col("measure") == figure.measure, pl.col("statistic") == figure.statistic
    )
