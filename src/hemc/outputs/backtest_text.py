"""A finished backtest → what people read on the console, 80 columns wide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table

from hemc.outputs.screen import Screen
from hemc.outputs.skill import NAIVE, next_only, summarise_groups

if TYPE_CHECKING:
    from hemc.engine import BacktestResult

_HEADINGS = (
    "n", "in 50 %\nband, %", "in 90 %\nband, %", "n", "skill over\nno change, %",
    "skill over\nthe chain, %",
)  # fmt: skip


def render_backtest(result: BacktestResult, folder: Path, color: bool = False) -> str:
    """Return coverage and skill by group, of the next certificate and of all later ones."""
    out = Screen(color)
    table = result.table
    starts, scored = (table.select(*keys).n_unique() for keys in (("deal", "fitted_to"),
                                                                  ("deal", "date")))  # fmt: skip
    out.print(f"Backtest: certificates scored {scored}, starts {starts}, paths {result.n_paths:,}")
    for title, part in (("The next certificate", next_only(table)),
                        ("Every later certificate", table)):  # fmt: skip
        out.print(f"\n{title}")
        out.print(_table(summarise_groups(part)))
    out.print("\n(band): share of the forecast in it, more than 50 and 90 % where figures are")
    out.print("whole numbers. skill: 1 − CRPS / CRPS of a naive forecast, every figure alike;")
    out.print("[5, 95 %] of a bootstrap over dates. chain: the reported ratios carried on.")
    left_out = int(table["crps"].is_null().sum())
    out.print(f"Left out, since the forecast leaves nothing open: {left_out} figures.")
    for remark in result.remarks:
        out.print(remark)
    out.print(f"files: {folder}", soft_wrap=True)
    return out.text


def _table(groups: pl.DataFrame) -> Table:
    """Return a row a group that has a scored figure."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("\ngroup", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading if "\n" in heading else f"\n{heading}", justify="right",
                         no_wrap=True)  # fmt: skip
    for row in groups.filter(pl.col("n") > 0).iter_rows(named=True):
        bands = (_band(row, level) for level in (50, 90))
        table.add_row(
            row["group"], str(row["n"]), *bands, str(row["n_skill"]),
            *(skill_text(row, name) for name in NAIVE),
        )  # fmt: skip
    return table


def _band(row: dict[str, Any], level: int) -> str:
    """Return the share of figures in a band, and of the forecast."""
    return f"{100.0 * row[f'in_{level}']:.0f} ({100.0 * row[f'share_in_{level}']:.0f})"


def skill_text(row: dict[str, Any], name: str) -> str:
    """Return a skill with its interval, %."""
    if row[f"skill_{name}"] is None:
        return "–"
    value, low, high = (100.0 * row[f"{part}_{name}"] for part in ("skill", "low", "high"))
    return f"{value:.0f} [{low:.0f}, {high:.0f}]".replace("-", "−")
