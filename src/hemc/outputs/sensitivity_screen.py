"""tornado.parquet → one screen for the console, 80 columns wide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hemc.outputs.screen import Screen

_WIDEST_NAME = 24

#: Measure, statistic, heading, factor and decimals of the columns.
_COLUMNS = (
    ("pool_loss_pct", "mean", "loss\n%", 1.0, 2),
    ("draws", "probability", "P(draw)\npoints", 100.0, 1),
    ("draws_pv", "mean", "draws, PV\n$ million", 1e-6, 1),
)


def render_tornado(table: pl.DataFrame, title: str, folder: Path) -> str:
    """Return the screen: what each assumption moves, the largest change of loss first."""
    out = Screen()
    out.print(title)
    n_paths = table["paths"][0] if len(table) else 0
    out.print(f"one assumption at a time, differences from the run on {n_paths:,} common paths;")
    out.print("± own standard error (that of independent seeds)\n")
    shown = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0))
    shown.add_column("\nassumption", no_wrap=True)
    for _, _, heading, *_ in _COLUMNS:
        shown.add_column(heading, justify="right", no_wrap=True)
    still, before = [], ""
    for name, setting in _by_effect(table):
        part = table.filter(assumption=name, setting=setting)
        cells = [_cell(part, *column) for column in _COLUMNS]
        if not any(cells):
            still.append(f"{name} = {setting}")
            continue
        if name != before:
            shown.add_row(_short(name))
            before = name
        shown.add_row(f"  = {setting}", *(cell or "–" for cell in cells))
    out.print(shown)
    if still:
        out.print(f"\nno effect on these figures: {', '.join(still)}")
    out.print("\nheat maps of prepayment × roll rates × severity: in report.html")
    out.print(f"files: {folder}")
    return out.text


def _by_effect(table: pl.DataFrame) -> list[tuple[str, str]]:
    """Return assumptions and settings, the widest swings first.

    A swing is as wide as its change of loss or of draws, each relative to the largest of all.
    """
    both = table.filter(
        pl.col("measure").is_in(["pool_loss_pct", "draws_pv"]), pl.col("statistic") == "mean"
    ).with_columns(pl.col("difference").abs().alias("size"))
    largest = pl.max_horizontal(pl.col("size").max().over("measure"), 1e-9)
    width = both.with_columns((pl.col("size") / largest).alias("width"))
    width = width.group_by("assumption").agg(pl.col("width").max())
    rows = table.filter(measure="pool_loss_pct").select("assumption", "setting")
    rows = rows.join(width, on="assumption", how="left", maintain_order="left")
    order = rows.sort("width", descending=True, maintain_order=True)
    return list(order.select("assumption", "setting").iter_rows())


def _short(name: str) -> str:
    """Return a setting's name, without its section where that is too long for its column."""
    return name if len(name) <= _WIDEST_NAME else name.partition(".")[2]


def _cell(
    part: pl.DataFrame, measure: str, statistic: str, heading: str, factor: float, digits: int
) -> str:
    """Return a difference with both errors, nothing where nothing moves."""
    row: dict[str, Any] = part.filter(measure=measure, statistic=statistic).row(0, named=True)
    if abs(row["difference"]) < 1e-9:
        return ""
    text = f"{round(factor * row['difference'], digits) + 0.0:+.{digits}f}"
    own, independent = row["difference_standard_error"], row["independent_standard_error"]
    if own is None or independent is None:
        return text
    return f"{text} ± {factor * own:.{digits}f} ({factor * independent:.{digits}f})"
