"""measures, months and paths → what each class of notes can lose and how long it lives."""

from __future__ import annotations

from math import isfinite
from typing import Any

import polars as pl

from hemc.outputs.estimates import counted, mean
from hemc.outputs.labels import STATISTICS, UNDERCOLLATERALIZATION
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import DASH, Block, Chart, Grid, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import MILLION, bar, estimate, estimate_millions
from hemc.outputs.report.sections.overcollateralization import first_month_row, first_month_table
from hemc.outputs.report.sections.sensitivities import CONVENTION, writedown_effects
from hemc.outputs.report.sections.values import value_tables
from hemc.outputs.run_files import RunFiles

_RISKS = ("probability", "mean", "given", "p90", "p95", "p99", "es_99")
_HALF_CENT = 0.005

#: What holders can lose, with the words of a caption.
_LOSSES = {"writedown": "Writedown", "interest_shortfall": "Interest unpaid at the end"}

#: Charts of writedowns by class: statistic, unit, title, axis.
_PICTURED = (
    ("probability", "fraction", "P(writedown) by class", "% of paths"),
    ("mean", "USD", "Expected writedown by class", "USD million"),
)

#: A class's chart ends where even its 95 % point is below this share of the first.
_SHARE_ALIVE = 0.005


def notes(run: RunFiles) -> Section | None:
    """Return writedowns and interest shortfalls without insurer, values, lives and balances."""
    other = "Expected writedown without insurer under other conventions"
    tables = [
        _risks(run, "writedown", "Writedown without insurer"),
        *writedown_effects(run, [CONVENTION], other),
        _first_months(run),
        _risks(run, "interest_shortfall", "Interest unpaid at the end without insurer"),
        *_with_insurer(run),
        *value_tables(run),
    ]
    blocks: list[Block] = [Paragraph(_convention(run))]
    if (made_good := _made_good(run)) is not None:
        blocks.append(Paragraph(made_good, "note"))
    pictures = [chart for measure in _PICTURED if (chart := _by_class(run, *measure))]
    blocks += [Grid(pictures)] if pictures else []
    blocks += [table for table in tables if table.rows]
    balances = [chart for name in run.notes("wal") if (chart := _balance(run, name))]
    if balances:
        blocks.append(Grid(balances, "Balance by class and month, with insurer", charts.FAN_LEGEND))
    has_tables = any(not isinstance(block, Paragraph) for block in blocks)
    return Section("notes", "Notes", blocks) if has_tables else None


def _by_class(run: RunFiles, statistic: str, unit: str, title: str, axis: str) -> Chart | None:
    """Return the writedown of each class as bars, None where no class loses anything."""
    found = [
        bar(name, row, unit)
        for name in run.notes("writedown")
        if (row := run.measure("writedown", statistic, "unwrapped", name))
    ]
    if not any(row["value"] for row in found):
        return None
    return Chart(title, charts.bars(found, axis), note="Without insurer; line: ± standard error.")


def _convention(run: RunFiles) -> str:
    """Name what happens to notes in excess of the pool, as far as the run's files tell."""
    text = "All figures come from the same paths, with insurer and without."
    table = run.table("assumptions")
    found = [] if table is None else table.filter(pl.col("name") == CONVENTION)["value"].to_list()
    if not found:
        return text
    meaning = UNDERCOLLATERALIZATION.get(found[0], "see the deal's terms")
    text += " Where no insurer pays for notes in excess of the pool, the convention is "
    return f"{text}“{found[0]}”: {meaning}. It decides which class bears the loss."


def _made_good(run: RunFiles) -> str | None:
    """Say that with the insurer holders lose nothing, where that is so on every path."""
    rows = list(_spite_of_insurer(run).values())
    if not rows or any(row["value"] for row in rows):
        return None
    return (
        "With the insurer no class is written down and no interest stays unpaid, on any path: "
        f"{estimate(rows[0], run.independent)}."
    )


def _with_insurer(run: RunFiles) -> list[Table]:
    """Return what holders lose all the same, since the insurer fails; where they do."""
    return [
        _risks(run, kind, f"{_LOSSES[kind]} with the insurer", "wrapped")
        for kind, row in _spite_of_insurer(run).items()
        if row["value"]
    ]


def _spite_of_insurer(run: RunFiles) -> dict[str, dict[str, Any]]:
    """Return the probability of each loss with the insurer, none where the deal has no insurer."""
    if run.manifest.configuration.insurer.mode == "absent":
        return {}
    found = {kind: run.measure(kind, "probability", "wrapped") for kind in _LOSSES}
    return {kind: row for kind, row in found.items() if row}


def _risks(run: RunFiles, measure: str, caption: str, insurer: str = "unwrapped") -> Table:
    """Return probability, mean and tail of a loss of every class and of all together."""
    names: list[str | None] = [*run.notes(measure), None]
    rows = [
        Row((name or "all", *(_risk(run, measure, name, s, insurer) for s in _RISKS)))
        for name in names
        if run.measure(measure, "probability", insurer, name)
    ]
    heads = [{"given": "mean where any"}.get(s) or STATISTICS[s] for s in _RISKS]
    caption = f"{caption}, USD million ± standard error ({DASH} on none of the paths)"
    return Table(caption, ("class", *heads), rows)


def _first_months(run: RunFiles) -> Table:
    """Return when each class is first written down or lacks collateral, where it ever does."""
    measure = "first_undercollateralized_month"
    rows = [first_month_row(run, n, measure, "unwrapped", n) for n in run.notes(measure)]
    what = "First month of a writedown, or of notes down to the class in excess of the pool"
    return first_month_table([row for row in rows if row], f"{what}, without insurer")


def _risk(run: RunFiles, measure: str, note: str | None, statistic: str, insurer: str) -> str:
    """Return one figure of a class; a loss that no path has is bounded by its probability."""
    probability = run.measure(measure, "probability", insurer, note)
    if statistic != "probability" and (probability is None or probability["value"] == 0.0):
        return DASH
    if statistic == "given":
        of_paths = f"wrapped_{measure}" if insurer == "wrapped" else measure
        names = run.notes(measure) if note is None else [note]
        columns = [f"{of_paths}_{name}" for name in names]
        return estimate_millions(_mean_where_any(run, columns), run.independent)
    return estimate_millions(run.measure(measure, statistic, insurer, note), run.independent)


def _mean_where_any(run: RunFiles, columns: list[str]) -> dict[str, Any] | None:
    """Return the mean over the paths that lose something, as a row of measures.parquet."""
    paths = run.table("paths")
    if paths is None:
        return None
    found = [column for column in columns if column in paths.columns]
    if not found:
        return None
    lost = paths.select(pl.sum_horizontal(found)).to_series().to_numpy()
    if not (lost > _HALF_CENT).any():
        return None
    value, error = mean(*counted(lost, lost > _HALF_CENT, run.design))
    known = error if isfinite(error) else None
    return {"statistic": "mean", "value": value, "standard_error": known, "unit": "USD"}


def _balance(run: RunFiles, name: str) -> Chart | None:
    """Return the fan of a class's balance."""
    table = run.shown("note_balance", note=name)
    if table is None:
        return None
    alive = table.filter(pl.col("p95") >= _SHARE_ALIVE * pl.col("p95").first())
    table = table.filter(pl.col("month") <= alive["month"].max())
    first = run.manifest.first_projected_month
    spec = charts.fan(table, first, "USD million", 1.0 / MILLION)
    spec["height"] = 150
    return Chart(f"Class {name}", spec)
