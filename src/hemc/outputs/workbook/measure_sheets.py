"""measures.parquet and scenarios.parquet → sheets with a row a measure and all its statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from hemc.outputs.labels import STATISTICS
from hemc.outputs.run_files import RunFiles
from hemc.outputs.workbook.cells import READING, Cell, Sheet, estimate_cells, number, unit_shape


def classes(run: RunFiles) -> Sheet | None:
    """Return a row a class, measure and insurer with every statistic and its error."""
    return _measures(run, "Classes", pl.col("note").is_not_null())


def pool_and_insurer(run: RunFiles) -> Sheet | None:
    """Return a row a measure that is no class's with every statistic and its error."""
    return _measures(run, "Pool and insurer", pl.col("note").is_null())


def scenarios(run: RunFiles) -> Sheet | None:
    """Return the measures of every scenario and weighting."""
    table = run.table("scenarios")
    if table is None:
        return None
    note = "Same figures and keys as scenarios.parquet. " + READING
    rows, heads = _statistics(table, ("scenario", "note", "measure", "insurer"), run.independent)
    return Sheet("Scenarios", note, heads, rows, n_keys=4)


def differences(run: RunFiles) -> Sheet | None:
    """Return what every scenario changes against the first, on common paths."""
    table = run.table("scenarios")
    if table is None:
        return None
    taken = table.filter(pl.col("difference").is_not_null())
    figures = (
        "value",
        "standard_error",
        "difference",
        "difference_standard_error",
        "independent_standard_error",
    )
    rows = []
    for row in taken.iter_rows(named=True):
        factor, shape = unit_shape(row["unit"])
        keys = [row["scenario"], row["measure"], row["statistic"], row["insurer"], row["unit"]]
        rows.append([*keys, *(number(row[name], shape, factor) for name in figures)])
    heads = ("scenario", "measure", "statistic", "insurer", "unit", "value", "±", "difference",
             "± on common paths", "± of independent seeds")  # fmt: skip
    note = "Scenario less the first one, on the same random numbers. " + READING
    return Sheet("Differences", note, heads, rows, n_keys=3)


def _measures(run: RunFiles, title: str, chosen: pl.Expr) -> Sheet | None:
    """Return the chosen rows of measures.parquet, None where there is none."""
    table = run.table("measures")
    if table is None or table.filter(chosen).is_empty():
        return None
    note = "Same figures and keys as measures.parquet. " + READING
    keys = ("note", "measure", "insurer") if title == "Classes" else ("measure", "insurer")
    rows, heads = _statistics(table.filter(chosen), keys, run.independent)
    return Sheet(title, note, heads, rows, n_keys=len(keys))


def _statistics(
    table: pl.DataFrame, keys: Sequence[str], independent: int | None
) -> tuple[list[list[Cell]], list[str]]:
    """Return a row a measure with its unit, statistics and errors, and the headings."""
    found = {statistic: "" for statistic in STATISTICS if statistic in set(table["statistic"])}
    rows = []
    for key, group in table.group_by(keys, maintain_order=True):
        by_statistic = {row["statistic"]: row for row in group.iter_rows(named=True)}
        units = [u for u in group["unit"].unique(maintain_order=True) if u != "fraction"]
        cells: list[Cell] = [_text(part) for part in key]
        cells.append(units[0] if units else "fraction")
        for statistic in found:
            cells += estimate_cells(by_statistic.get(statistic), independent)
        rows.append(cells)
    named = {"note": "class"}
    heads = [named.get(key, key) for key in keys] + ["unit"]
    for statistic in found:
        heads += [STATISTICS[statistic], f"± {STATISTICS[statistic]}"]
    return rows, heads


def _text(value: Any) -> Cell:
    """Return a key as text, empty where it does not apply."""
    return None if value is None else str(value)
