"""A table of calibrated roll rates → what people read on the console, 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hemc.outputs.screen import Screen

_CURRENT = "current"


def render_calibration(
    rates: pl.DataFrame, title: str, remarks: Sequence[str], folder: Path, color: bool = False
) -> str:
    """Return the matrix of each deal; rows of delinquent states, which deals share, come once."""
    out = Screen(color)
    out.print(title)
    out.print("% a month; sd ratio: posterior sd / prior sd, above 0.8 prior-driven", style="dim")
    deals = rates["deal"].unique(maintain_order=True).to_list()
    for deal in deals:
        own = (pl.col("deal") == deal) & (pl.col("from_state") == _CURRENT)
        out.print()
        out.print(_table(f"{deal}, from {_CURRENT}", rates.filter(own)))
    out.print()
    if len(deals) > 1:
        out.print("Loans that are not current move alike in all deals.")
    shared = rates.filter((pl.col("deal") == deals[0]) & (pl.col("from_state") != _CURRENT))
    for name, part in shared.group_by("from_state", maintain_order=True):
        out.print(_table(f"from {name[0]}", part))
        out.print()
    driven = int(rates["prior_driven"].sum())
    out.print(f"{driven} of {len(rates)} rates are prior-driven: opinion, not data")
    for remark in remarks:
        out.print(remark, soft_wrap=False)
    out.print(f"files: {folder}")
    return out.text


def _table(title: str, moves: pl.DataFrame) -> Table:
    """Return the moves from one state."""
    table = Table(box=None, pad_edge=False, title=None)
    table.add_column(title, width=25, no_wrap=True)
    for name, width in (("reported", 9), ("prior", 15), ("posterior", 15), ("ratio", 6)):
        table.add_column(name, justify="right", width=width, no_wrap=True)
    table.add_column("", width=6, no_wrap=True)
    for move in moves.iter_rows(named=True):
        ratio = move["sd_ratio"]
        table.add_row(
            f"  {move['to_state']}",
            _percent(move["reported_ratio"]),
            _pair(move, "prior_mean", "prior_sd"),
            _pair(move, "posterior_mean", "posterior_sd"),
            "" if ratio is None else f"{ratio:.2f}",
            "prior" if move["prior_driven"] else "",
        )
    return table


def _percent(value: float | None) -> str:
    """Return a probability in per cent."""
    return "" if value is None else f"{100.0 * value:.1f}"


def _pair(move: dict[str, Any], mean: str, sd: str) -> str:
    """Return mean and sd in per cent."""
    if move[mean] is None:
        return ""
    digits = 3 if move["from_state"] == _CURRENT and move["to_state"] != _CURRENT else 2
    return f"{100.0 * move[mean]:.{digits}f} ± {100.0 * (move[sd] or 0.0):.{digits}f}"
