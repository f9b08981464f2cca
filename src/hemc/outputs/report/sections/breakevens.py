"""breakevens.parquet and its scan → the desk table, stochastic break-evens and their curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from hemc.outputs.breakeven_text import (
    ANY,
    DESK_HEADS,
    Conventions,
    classes_of,
    convention_lines,
    coverage_cell,
    desk_rows,
    multiple_cells,
    multiple_line,
    shift_cells,
    targets_of,
)
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import Block, Chart, Grid, Paragraph, Row, Section, Table
from hemc.outputs.run_files import RunFiles

_STYLES = ("median", "mean", "target", "second", "third")

#: Kind of a scan, title of its chart, axis, column of the response, scale, title of the response.
_CURVES = (
    ("cdr", "Writedown by CDR, pricing speed", "CDR, % a year", "writedown_pct", 100.0,
     "% of the class"),
    ("roll_rate", "P(writedown) by multiple of roll rates", "multiple", "probability", 1.0, "%"),
    ("severity", "P(writedown) by multiple of severities", "multiple", "probability", 1.0, "%"),
)  # fmt: skip


def breakevens(run: RunFiles) -> Section | None:
    """Return at what stress each class begins to lose; None where that was not sought."""
    table, rests_on = run.table("breakevens"), run.study("breakevens", Conventions)
    if table is None or rests_on is None:
        return None
    blocks: list[Block] = [
        Paragraph("Desk table: " + "; ".join(convention_lines(rests_on)) + "."),
        _desk(table),
        *(_multiples(table, kind, what) for kind, what in _KINDS.items()),
        Paragraph(_meaning(rests_on), "note"),
    ]
    scan = run.table("breakeven_scan")
    if scan is not None:
        blocks.append(Grid(list(_charts(scan))))
    return Section("breakevens", "Break-evens", blocks)


_KINDS = {"roll_rate": "roll rates", "severity": "severities"}


def _desk(table: pl.DataFrame) -> Table:
    """Return a group of rows a prepayment speed."""
    rows: list[Row] = []
    heading = ""
    for row in desk_rows(table):
        if row.speed != heading:
            heading = row.speed
            rows.append(Row((f"prepayments {heading} of the pricing curve",), "group"))
        rows.append(Row((row.note, *row.cells)))
    heads = (head.replace("\n", " ").strip() for head in DESK_HEADS)
    return Table("Desk table", ("class", *heads), rows)


def _multiples(table: pl.DataFrame, kind: str, what: str) -> Table:
    """Return a row a class: the multiple at each probability, and what is lost there."""
    targets = targets_of(table)
    names: list[str | None] = [*classes_of(table), None]
    rows = [
        Row((
            name or ANY, *(multiple_cells(table, kind, name, t) for t in targets),
            *(coverage_cell(table, kind, name, t) for t in targets),
            *((shift_cells(table, name),) if kind == "roll_rate" else ()),
        ))
        for name in names
    ]  # fmt: skip
    heads = [f"at {100.0 * t:g} %" for t in targets]
    heads += [f"coverage at {100.0 * t:g} %" for t in targets]
    last = ("first-loss shift",) if kind == "roll_rate" else ()
    caption = f"Multiple of {what} at which P(writedown) without insurer is as stated"
    return Table(f"{caption}, ± standard error", ("class", *heads, *last), rows)


def _meaning(c: Conventions) -> str:
    """Say what the stochastic break-evens are."""
    return (
        f"{c.paths:,} paths of each multiple on common random numbers; {multiple_line(c)}. A range "
        "says that no multiple in it does; ↓ marks a crossing beyond which less is lost. Coverage "
        "is the expected pool loss at the break-even over that of the run. The first-loss shift is "
        "the mildest shift of all thresholds in all months, in probit units, at which a class "
        "loses a dollar on expected flows."
    )


def _charts(scan: pl.DataFrame) -> Iterator[Chart]:
    """Yield the responses behind the break-evens, of as many classes as there are styles."""
    names = scan["note"].drop_nulls().unique(maintain_order=True).to_list()[: len(_STYLES)]
    lines = [charts.Line(f"n{k}", name, _STYLES[k]) for k, name in enumerate(names)]
    legend = [(line.style, line.name) for line in lines]
    for kind, title, axis, column, factor, unit in _CURVES:
        part = scan.filter(pl.col("kind") == kind, (pl.col("speed") - 1.0).abs() < 1e-9)
        if not len(part) or not lines:
            continue
        rows = _rows(part, names, column, factor, 100.0 if column == "probability" else 1.0)
        spec = charts.curves(rows, lines, ("place", axis), unit, is_log=kind != "cdr")
        yield Chart(title, spec, legend)


def _rows(
    part: pl.DataFrame, names: Sequence[str], column: str, factor: float, scale: float
) -> list[dict[str, float | None]]:
    """Return a row a place with a column a class; a grid is thinned to what a screen shows."""
    wide = part.drop_nulls("note").pivot("note", index="place", values=column).sort("place")
    wide = wide.gather_every(max(len(wide) // 200, 1))
    return [
        {"place": round(factor * row["place"], 4)}
        | {f"n{k}": round(scale * row[name], 3) for k, name in enumerate(names)}
        for row in wide.iter_rows(named=True)
    ]
