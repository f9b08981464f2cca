"""Figures of month 1 over paths → the next certificate in its own layout, at 5 / 50 / 95 %."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from hemc.outputs.estimates import Design, design_of, mean, quantile, take_sample
from hemc.outputs.labels import (
    DELINQUENCY_LINES,
    DRAW_LINES,
    LOSS_LINES,
    NOTE_LINES,
    OC_LINES,
    POOL_LINES,
)
from hemc.outputs.next_month import BUCKETS

LEVELS = {"p5": 0.05, "p50": 0.50, "p95": 0.95}

_WIDTH = 15
_LABEL = 35


def next_certificate(next_month: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return each figure's 5, 50 and 95 % point and mean over paths: figure, p5, p50, p95, mean.

    A column `weight` of the paths is respected and no figure, nor is `path`. Of a lazy frame, one
    column at a time is in memory.
    """
    paths = next_month.lazy()
    names = paths.collect_schema().names()
    weight = np.ones(1)
    if "weight" in names:
        weight = paths.select("weight").collect().to_series().to_numpy()
    design = design_of(weight, 1)
    names = [name for name in names if name not in ("path", "weight")]
    points = [
        forecast_points(paths.select(name).collect().to_series(), design, LEVELS.values())
        for name in names
    ]
    statistics = (*LEVELS, "mean")
    return pl.DataFrame(
        {"figure": names} | dict(zip(statistics, zip(*points, strict=True), strict=True))
    )


def forecast_points(
    figure: pl.Series, design: Design, levels: Iterable[float]
) -> list[float | None]:
    """Return a figure's value at each level, as printed next month, and its mean over paths."""
    values = figure.cast(pl.Float64).to_numpy()
    expected = mean(values, design).value
    if not design.is_plain:
        sample = take_sample(values, design)
        return [*(quantile(sample, level).value for level in levels), expected]
    points = [figure.quantile(level, interpolation="nearest") for level in levels]
    return [*points, expected]


def render_next_certificate(
    table: pl.DataFrame, title: str, date: dt.date, n_paths: int, names: tuple[str, ...]
) -> str:
    """Return the forecast as a text that reads like the certificate itself, 80 columns wide."""
    figures = {row["figure"]: row for row in table.iter_rows(named=True)}
    lines = [title.center(80).rstrip(), f"Payment Date  {date:%m/%d/%Y}".center(80).rstrip()]
    lines += [f"Forecast from {n_paths:,} paths: 5, 50 and 95 % points".center(80).rstrip(), ""]
    head = "".join(label.rjust(_WIDTH) for label in ("5 %", "50 %", "95 %"))
    lines.append("Servicing Certificate".ljust(_LABEL) + head)
    lines.append("-" * 80)
    lines += _section(None, "pool", POOL_LINES, figures)
    for name in names:
        lines += _section(f"Class {name}", f"notes.{name}", NOTE_LINES, figures)
    lines += _section("Overcollateralization", "oc", OC_LINES, figures)
    lines += _section(None, "credit_enhancement", DRAW_LINES, figures)
    lines += _delinquencies(figures)
    lines += _section("Liquidation To-Date", "losses", LOSS_LINES, figures)
    return "\n".join(lines) + "\n"


def _section(
    title: str | None, table: str, rows: dict[str, str], figures: dict[str, dict[str, float]]
) -> Iterator[str]:
    """Yield the lines of one block of labels, whose figures are those of `table`."""
    if title:
        yield title
    indent = "  " if title else ""
    for key, label in rows.items():
        if (figure := figures.get(f"{table}.{key}")) is not None:
            yield _line(indent + label, figure, count=key.endswith("count"))
    yield ""


def _delinquencies(figures: dict[str, dict[str, float]]) -> Iterator[str]:
    """Yield the delinquency table: balance, number and per cent of each state."""
    yield "Delinquencies: Balance, Number of Loans, Percent of Balance*"
    for key in sorted(BUCKETS, key=list(DELINQUENCY_LINES).index):
        yield _line(DELINQUENCY_LINES[key], figures[f"delinq.{key}.balance"])
        yield _line("  number", figures[f"delinq.{key}.number"], count=True)
        yield _line("  percent", figures[f"delinq.{key}.pct"], suffix="%")
    yield "*Delinquency figures do not include bankruptcy, foreclosure and REO."
    yield ""


def _line(label: str, row: dict[str, float], count: bool = False, suffix: str = "") -> str:
    """Return one label with its three figures."""
    shape = "{:,.0f}" if count else "{:,.2f}"
    cells = [shape.format(row[level] + 0.0) + suffix for level in LEVELS]
    return label.ljust(_LABEL) + "".join(cell.rjust(_WIDTH) for cell in cells)
