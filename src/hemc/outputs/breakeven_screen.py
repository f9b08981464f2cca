"""Break-evens of a run → one screen for the console, 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from rich.table import Table

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
from hemc.outputs.screen import Screen


def render_breakevens(
    table: pl.DataFrame, title: str, conventions: Conventions, folder: Path
) -> str:
    """Return the screen of breakevens.parquet; `title` names deal and certificate."""
    out = Screen()
    out.print(title)
    out.print("\nDesk table")
    for line in convention_lines(conventions):
        out.print(f"  {line}")
    out.print(_desk(table))
    targets = targets_of(table)
    for kind, what in (("roll_rate", "roll rates"), ("severity", "severities")):
        out.print(f"\nMultiple of {what} at which P(writedown) is as stated, no insurer")
        out.print(_multiples(table, kind, targets))
    out.print(f"\n± one standard error, {conventions.paths:,} paths of each multiple, all the same")
    out.print(multiple_line(conventions))
    out.print("↓ beyond it less is lost. any: any class.")
    out.print("first-loss shift: probit units, of all thresholds, all months, on expected flows")
    out.print(f"files: {folder}")
    return out.text


def _desk(table: pl.DataFrame) -> Table:
    """Return a block of rows a prepayment speed."""
    shown = _headed(("speed\nclass", *DESK_HEADS))
    before = None
    for row in desk_rows(table):
        if row.speed != before:
            shown.add_row(row.speed)
        before = row.speed
        shown.add_row(f"  {row.note}", *row.cells)
    return shown


def _multiples(table: pl.DataFrame, kind: str, targets: Sequence[float]) -> Table:
    """Return a row a class: the multiple at each probability, coverage or the mildest shift."""
    highest = targets[-1]
    last = f"coverage\nat {_pct(highest)}" if kind == "roll_rate" else "first-loss\nshift"
    shown = _headed(("\nclass", *(f"\n{_pct(t)}" for t in targets), last))
    names: list[str | None] = [*classes_of(table), None]
    for name in names:
        # A line each, as two of them side by side leave no room for the other columns.
        cells = [multiple_cells(table, kind, name, t).replace(", ", "\n") for t in targets]
        more = (
            coverage_cell(table, kind, name, highest)
            if kind == "roll_rate"
            else shift_cells(table, name)
        )
        shown.add_row(name or ANY, *cells, more)
    return shown


def _headed(heads: Sequence[str]) -> Table:
    """Return an empty table; the first column names the row."""
    table = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0))
    for i, head in enumerate(heads):
        table.add_column(head, justify="right" if i else "left", no_wrap=True)
    return table


def _pct(target: float) -> str:
    return f"{100.0 * target:g} %"
