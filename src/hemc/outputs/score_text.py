"""A scored certificate → one screen for the console, 80 columns wide, or a record for machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table

from hemc.outputs.backtest_table import NO_VARIANCE
from hemc.outputs.labels import figure_label
from hemc.outputs.roll_forward_text import print_roll_forward, print_wrapped
from hemc.outputs.score_table import OTHER_THAN_CERTAIN, surprises
from hemc.outputs.screen import Screen

if TYPE_CHECKING:
    from hemc.engine.score import ScoredRun

MEANING = (
    "place: % of the forecast below what came, with half of what equals it. band: the narrowest "
    "that holds it. CRPS: distance of the forecast from what came, in its unit."
)


def render_score(scored: ScoredRun, folder: Path) -> str:
    """Return what surprised, every figure's place in the forecast, and the roll-forward."""
    out = Screen()
    came = scored.came
    out.print(f"{scored.title}: certificate of {came.date}")
    out.print(f"against the forecast from {came.fitted_to}, {scored.n_paths:,} paths\n")
    print_wrapped(out, coverage_text(scored.table))
    lines = list(surprise_lines(scored.table))
    if lines:
        out.print("\nWhat surprised, the farthest out first:")
        for line in lines:
            print_wrapped(out, f"- {line}")
    out.print()
    out.print(_places(scored.table))
    print_wrapped(out, MEANING)
    for line in left_out(scored.table):
        print_wrapped(out, line)
    if scored.roll_forward is not None:
        print_roll_forward(out, scored.roll_forward)
    for remark in scored.remarks:
        print_wrapped(out, f"remark: {remark}")
    out.print(f"files: {folder}", soft_wrap=True)
    return out.text


def score_record(scored: ScoredRun, folder: Path) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "deal": scored.came.deal, "fitted_to": scored.came.fitted_to, "date": scored.came.date,
        "paths": scored.n_paths, "figures": scored.table,
        "surprises": [row["figure"] for row in surprises(scored.table)],
        "roll_forward": scored.roll_forward, "remarks": scored.remarks, "folder": folder,
    }  # fmt: skip


def coverage_text(table: pl.DataFrame) -> str:
    """Say how many figures lie in their bands, and how many should."""
    scored = table.filter(pl.col("pit").is_not_null())
    if scored.is_empty():
        return "No figure that the forecast leaves open is on the certificate."
    parts = [
        f"{scored[f'in_{level}'].sum()} in their {level} % band "
        f"({scored[f'share_in_{level}'].sum():.1f} expected)"
        for level in (90, 50)
    ]
    return f"{len(scored)} figures scored: {', '.join(parts)}."


def surprise_lines(table: pl.DataFrame) -> Iterator[str]:
    """Yield a sentence for each figure outside its 90 % band, the farthest out first."""
    for row in surprises(table):
        label, observed = figure_label(row["figure"]), amount(row, "observed")
        if row["note"] == OTHER_THAN_CERTAIN:
            forecast = f"every path has {amount(row, 'p50')}"
            yield f"{label}: {observed}, where {forecast}: a term, an index or a schedule differs"
            continue
        side = "above" if row["observed"] > row["p50"] else "below"
        band = f"{amount(row, 'p5')} to {amount(row, 'p95')}"
        yield f"{label}: {observed}, {side} the 90 % band of {band}; {_rank(row['pit'])}"


def left_out(table: pl.DataFrame) -> Iterator[str]:
    """Yield what was not scored, by reason: certain and right, or not on the certificate."""
    unscored = table.filter(pl.col("pit").is_null())
    for (note,), part in unscored.group_by("note", maintain_order=True):
        names = ", ".join(figure_label(figure) for figure in part["figure"])
        reason = "as forecast with certainty" if note == NO_VARIANCE else note
        yield f"Not scored, {reason}: {names}."


def amount(row: dict[str, Any], column: str) -> str:
    """Return a figure in whole USD or loans, a dash where there is none."""
    value = row[column]
    return "–" if value is None else f"{round(value) + 0:,}".replace("-", "−")


def place(pit: float | None) -> str:
    """Return a place in per cent; what is not at the end is never rounded to it."""
    if pit is None:
        return ""
    if 0.0 < pit < 0.001:
        return "< 0.1"
    return "> 99.9" if 0.999 < pit < 1.0 else f"{100.0 * pit:.1f}"


def band(row: dict[str, Any]) -> str:
    """Return the narrowest band that a figure lies in."""
    if row["in_90"] is None:
        return ""
    return "50 %" if row["in_50"] else "90 %" if row["in_90"] else "out"


def _rank(pit: float) -> str:
    """Say where in the forecast a figure lies."""
    if pit in (0.0, 1.0):
        return "higher than on every path" if pit == 1.0 else "lower than on every path"
    above = pit >= 0.5
    return (
        f"{'higher' if above else 'lower'} than on {place(pit if above else 1.0 - pit)} % of paths"
    )


def _places(table: pl.DataFrame) -> Table:
    """Return a row a figure that was scored."""
    shown = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0))
    shown.add_column("")
    for heading in ("came", "5 %", "95 %", "place", "band", "CRPS"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in table.filter(pl.col("pit").is_not_null()).iter_rows(named=True):
        figures = (amount(row, column) for column in ("observed", "p5", "p95"))
        label = figure_label(row["figure"])
        shown.add_row(label, *figures, place(row["pit"]), band(row), score(row["crps"]))
    return shown


def score(crps: float) -> str:
    """Return a CRPS short enough for a column."""
    if crps >= 1e6:
        return f"{crps / 1e6:,.2f} m"
    return f"{crps:,.0f}" if crps >= 1_000.0 else f"{crps:.1f}"
