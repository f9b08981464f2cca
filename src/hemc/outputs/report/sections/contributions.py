"""contributions.parquet → which loans, by their state at cut-off, losses and tails come from."""

from __future__ import annotations

from typing import Any

import polars as pl

from hemc.outputs.report.blocks import DASH, Row, Table
from hemc.outputs.report.formats import estimate_millions, percent, state_name
from hemc.outputs.run_files import RunFiles

#: Statistics shown, with the words of their headings.
_SHOWN = {"mean": "expected", "es_97_5": "97.5 % shortfall", "es_99": "99 % shortfall"}


def contribution_tables(run: RunFiles) -> list[Table]:
    """Return the pool's contributions, and what is allocated of all classes' writedowns."""
    table = run.table("contributions")
    if table is None:
        return []
    captions = {
        "pool_loss": "Contributions to lifetime loss by state at cut-off",
        "writedown": "Writedown of all classes without insurer, allocated in proportion to losses",
    }
    tables = []
    for measure, caption in captions.items():
        rows = table.filter(pl.col("measure") == measure, pl.col("note").is_null())
        if rows["value"].sum() > 0.0:
            tables.append(_table(run, rows, caption, folded=measure != "pool_loss"))
    return tables


def _table(run: RunFiles, table: pl.DataFrame, caption: str, folded: bool) -> Table:
    """Return a row an origin and the total, each figure with its share."""
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in table.rows(named=True):
        key = (row["from_state"], row["latent_class"])
        found.setdefault(key, {})[row["statistic"]] = row
    rows = [
        Row((_name(*key), *_cells(run, figures)))
        for key, figures in found.items()
        if any(row["value"] > 0.0 for row in figures.values())
    ]
    totals = table.group_by("statistic").agg(pl.col("value").sum())
    total = dict(zip(totals["statistic"], totals["value"], strict=True))
    rows.append(Row(("all", *_totals(total)), "muted"))
    heads = [head for name in _SHOWN.values() for head in (name, "%")]
    return Table(f"{caption}, USD million ± standard error", ("", *heads), rows, folded=folded)


def _name(state: str, latent_class: str) -> str:
    """Name an origin."""
    name = state_name(state)
    return name if latent_class == "all" else f"{name}, {latent_class}"


def _cells(run: RunFiles, figures: dict[str, dict[str, Any]]) -> list[str]:
    """Return value and share of each statistic."""
    cells = []
    for statistic in _SHOWN:
        row = figures[statistic]
        share = DASH if row["share"] is None else percent(row["share"], 1)
        cells += [estimate_millions(row, run.independent), share]
    return cells


def _totals(total: dict[str, float]) -> list[str]:
    """Return what the contributions add up to."""
    return [cell for s in _SHOWN for cell in (f"{total[s] / 1e6:,.2f}", percent(1.0, 1))]
