"""backtest.parquet → how earlier certificates were forecast, and what came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from hemc.outputs.backtest_table import GROUPS
from hemc.outputs.backtest_text import skill_text
from hemc.outputs.report.backtest_charts import forecast_bands, pit_histogram
from hemc.outputs.report.blocks import DASH, Block, Chart, Grid, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import percent
from hemc.outputs.run_files import RunFiles
from hemc.outputs.skill import NAIVE, next_only, summarise_figures, summarise_groups

_LEGEND = (
    ("band", "5–95 %"), ("core", "25–75 %"), ("median", "median"), ("target", "what came"),
)  # fmt: skip

#: Figures drawn, with title, axis and factor.
_DRAWN = {
    "pool.ending_pool": ("Pool balance", "USD million", 1e-6),
    "delinq.30.number": ("Loans 30 days late", "loans", 1.0),
    "delinq.60.number": ("Loans 60 days late", "loans", 1.0),
    "delinq.BK.number": ("Bankruptcies", "loans", 1.0),
    "losses.current_month": ("Month's loss", "USD thousand", 1e-3),
    "pool.excess_cash": ("Excess cash", "USD thousand", 1e-3),
}

_COLUMNS = (
    "n", "in the 50 % band", "of the forecast", "in the 90 % band", "of the forecast", "n",
    "skill over no change, %", "skill over the chain, %",
)  # fmt: skip


def backtest(run: RunFiles) -> Section | None:
    """Return coverage, skill, places in the forecast and bands with what came."""
    table = run.table("backtest")
    if table is None:
        return None
    scored = table.filter(pl.col("crps").is_not_null())
    blocks: list[Block] = [
        Paragraph(_meaning(table, scored)),
        _groups("The next certificate", next_only(table)),
        _groups("Every later certificate", table),
        Grid(list(_places(scored)), "Where what came lies in its forecast: flat is right"),
    ]
    for (deal, fitted_to), part in _first_starts(table).group_by(
        "deal", "fitted_to", maintain_order=True
    ):
        title = f"{deal}, fitted to certificates up to {fitted_to}"
        blocks.append(Grid(list(_bands(part)), title, _LEGEND))
    blocks.append(_figures(table))
    return Section("backtest", "Backtest", blocks)


def _meaning(table: pl.DataFrame, scored: pl.DataFrame) -> str:
    """Say what was done."""
    return (
        "Roll rates were fitted to the certificates up to a date and every later certificate "
        "forecast, from a prior that had seen none of them. CRPS is the distance of a "
        "forecast from what came; skill is 1 − CRPS / CRPS of a naive forecast: that nothing "
        "changes, or that the ratios reported go on as a chain. Brackets: 5 and 95 % of a "
        f"bootstrap over dates. {len(scored):,} figures are scored; {len(table) - len(scored):,} "
        "of which the forecast leaves nothing open are left out."
    )


def _groups(caption: str, table: pl.DataFrame) -> Table:
    """Return coverage and skill by group."""
    rows = [
        Row((
            row["group"], str(row["n"]),
            *(percent(row[f"{part}_{level}"], 0) for level in (50, 90)
              for part in ("in", "share_in")),
            str(row["n_skill"]), *(skill_text(row, name) for name in NAIVE),
        ))
        for row in summarise_groups(table).filter(pl.col("n") > 0).iter_rows(named=True)
    ]  # fmt: skip
    return Table(f"{caption}: share of figures in bands, %, and skill", ("group", *_COLUMNS), rows)


def _places(scored: pl.DataFrame) -> Iterator[Chart]:
    """Yield a histogram of places a group."""
    for group in GROUPS:
        part = scored.filter(pl.col("group") == group)
        if not part.is_empty():
            yield Chart(f"{group.capitalize()} ({len(part)})", pit_histogram(part["pit"]))


def _first_starts(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of each deal's first start, which looks furthest ahead."""
    return table.filter(pl.col("fitted_to") == pl.col("fitted_to").min().over("deal"))


def _bands(part: pl.DataFrame) -> Iterator[Chart]:
    """Yield a chart for each figure that is drawn and was scored."""
    for figure, (title, axis, factor) in _DRAWN.items():
        rows = part.filter(pl.col("figure") == figure, pl.col("crps").is_not_null())
        if not rows.is_empty():
            yield Chart(title, forecast_bands(rows, axis, factor))


def _figures(table: pl.DataFrame) -> Table:
    """Return bands missed and skill of every figure."""
    rows: list[Row] = []
    for deal, part in summarise_figures(table).group_by("deal", maintain_order=True):
        rows.append(Row((str(deal[0]),), "group"))
        rows += [Row(_figure_cells(row)) for row in part.iter_rows(named=True)]
    heads = ("figure", "n", "in the 90 % band", "below", "above", "mean place",
             "skill over no change, %", "over the chain, %")  # fmt: skip
    return Table("Every figure", heads, rows, folded=True)


def _figure_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return a figure's cells."""
    skills = (row[f"skill_{name}"] for name in NAIVE)
    return (
        row["figure"], *(str(row[name]) for name in ("n", "inside", "below", "above")),
        f"{row['pit']:.2f}",
        *(DASH if skill is None else f"{100.0 * skill:.0f}".replace("-", "−") for skill in skills),
    )  # fmt: skip
