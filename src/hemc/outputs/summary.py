"""A run's headline figures → one screen for the console, 80 columns wide."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table
from rich.text import Text

from hemc.outputs.labels import headline_label
from hemc.outputs.numbers import show_estimate
from hemc.outputs.results import headline_rows
from hemc.outputs.screen import Screen
from hemc.printable import printable

if TYPE_CHECKING:
    from hemc.engine import RunResult


def render_summary(result: RunResult, folder: Path, color: bool = False) -> str:
    """Return the summary of a run; `color` for a terminal."""
    out = Screen(color)
    deal = result.documents.deal
    date = result.documents.certificate.payment_date
    title = Text(printable(f"{deal.issuer} {deal.series}"), style="bold")
    out.print(title + f", group {deal.group}, certificate of {date}")
    out.print(_what_ran(result), style="dim")
    if result.loaded.scenario is not None:
        out.print(f"scenario: {result.loaded.scenario.name}")
    if result.sampling.method != "plain":
        out.print(_sampling(result))
    if result.relative_error is not None:
        out.print(_target(result, result.relative_error))
    out.print(_tie_out(result))
    out.print()
    out.print(_headlines(result))
    out.print()
    out.print(_notes(result))
    out.print()
    out.print(_sensitivities(result))
    if not result.variance.is_empty():
        out.print(_variance(result.variance))
    gap = f"{result.store.largest_gap:.1e} USD"
    out.print(f"largest gap of the cash identities: {gap} over all paths and months")
    for warning in result.warnings:
        out.print(f"warning: {warning}", style="yellow")
    out.print(f"files: {folder}")
    return out.text


def _what_ran(result: RunResult) -> str:
    """Say what was simulated."""
    config = result.loaded.config
    loans = len(result.calibration.tape)
    return (
        f"{result.n_paths:,} paths × {result.n_months} months × {loans:,} loans, "
        f"seed {config.simulation.seed}, insurer {config.insurer.mode}"
    )


def _sampling(result: RunResult) -> str:
    """Say how paths were drawn and what that is worth."""
    size = result.sample_size
    weights, tilt = result.weights, result.sampling.tilt
    if weights is not None and tilt is not None:
        return (
            f"importance: main direction shifted by {tilt.shift:.2f}; {weights.paths:,} paths are "
            f"worth {weights.effective:,.0f}, in the worst {100.0 * weights.tail_probability:g} % "
            f"of losses {weights.tail_effective:,.0f} effective paths"
        )
    return (
        f"{result.sampling.method}: {size.units:,} independent units; the mean loss is known as "
        f"from {size.effective:,.0f} plain paths"
    )


def _target(result: RunResult, reached: float) -> str:
    """Say whether the run knows its target's figure as well as it was asked to."""
    simulation = result.loaded.config.simulation
    target = simulation.target
    assert target is not None
    figure = f"relative error of {target.measure} {target.statistic}"
    got = f"{100.0 * reached:.2g} %" if isfinite(reached) else "not known yet"
    if reached <= target.relative_error:
        return f"target met: {figure} {got}, wanted {100.0 * target.relative_error:.2g} %"
    limit = f"simulation.paths = {simulation.paths:,} is the most allowed"
    return f"target not met: {figure} {got}; {limit}"


def _tie_out(result: RunResult) -> str:
    """Say how the certificate ties out."""
    lines = result.documents.tie_out
    passed, failed = (sum(line.status == word for line in lines) for word in ("pass", "fail"))
    untested = len(lines) - passed - failed
    return f"tie-out: {passed} identities pass, {failed} fail, {untested} not testable"


def _headlines(result: RunResult) -> Table:
    """Return the six figures with their standard errors."""
    table = Table(box=None, pad_edge=False, show_header=False, expand=True)
    table.add_column(ratio=1)
    table.add_column(justify="right")
    for row in headline_rows(result.measures):
        table.add_row(headline_label(row), show_estimate(row, result.sample_size.independent_paths))
    return table


def _notes(result: RunResult) -> Table:
    """Return a row a class: balance, average life, and what it loses without the insurer."""
    table = Table(box=None, pad_edge=False, expand=True, title=None)
    independent = result.sample_size.independent_paths
    table.add_column("\nclass")
    for name in ("balance\nUSD", "average life\nyears", "P(writedown)\nno insurer",
                 "mean writedown\nno insurer, USD"):  # fmt: skip
        table.add_column(name, justify="right")
    for note in result.documents.deal.term_classes:
        balance = result.documents.certificate.notes[note.name]["ending"].value
        if not balance:
            continue
        table.add_row(
            note.name, f"{balance:,.2f}",
            *(
                _shown(_measure(result, measure, note.name, statistic), independent)
                for measure, statistic in (
                    ("wal", "mean"), ("writedown", "probability"), ("writedown", "mean")
                )
            ),
        )  # fmt: skip
    return table


def _shown(row: dict[str, Any], independent: int | None) -> str:
    """Return a figure with its error, or a dash for the mean of what no path has."""
    if row["statistic"] == "mean" and row["value"] == 0.0:
        return "–"
    return show_estimate(row, independent)


def _sensitivities(result: RunResult) -> Table:
    """Return what other assumptions do to expected loss and draws, on the same paths."""
    rows = result.sensitivities.filter(pl.col("measure").is_in(["pool_loss_pct", "draws"]))
    table = Table(box=None, pad_edge=False, expand=True)
    if rows.is_empty():
        return table
    table.add_column(f"\nfirst {rows['paths'][0]:,} paths under", no_wrap=True)
    for name in ("loss\n% of pool", "difference\n", "P(draw)\n%", "difference\n"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("the run's assumptions", *_base_cells(rows))
    for (name, setting), group in rows.group_by("assumption", "setting", maintain_order=True):
        loss, draws = group.to_dicts()
        if loss["difference"] == draws["difference"] == 0.0:
            continue
        cells = [
            _pair(loss, "value", "standard_error", "{:.2f}"),
            _pair(loss, "difference", "difference_standard_error", "{:+.2f}"),
            _pair(draws, "value", "standard_error", "{:.1f}", 100.0),
            _pair(draws, "difference", "difference_standard_error", "{:+.1f}", 100.0),
        ]
        table.add_row(f"{name} = {setting}", *cells)
    return table


def _base_cells(rows: pl.DataFrame) -> tuple[str, str, str, str]:
    """Return what the same paths gave in the run, from which differences are taken."""
    loss, draws = rows[:2].to_dicts()
    base = ("base_value", "base_standard_error")
    return _pair(loss, *base, "{:.2f}"), "", _pair(draws, *base, "{:.1f}", 100.0), ""


def _variance(variance: pl.DataFrame) -> str:
    """Say what the variance of lifetime loss comes from."""
    parts = ", ".join(
        f"{row['source']} {100.0 * row['share']:.0f} ± {100.0 * row['share_standard_error']:.0f}"
        for row in variance.iter_rows(named=True)
    )
    return f"variance of loss, %: {parts}"


def _pair(row: dict[str, Any], value: str, error: str, shape: str, unit: float = 1.0) -> str:
    """Return a value with its standard error where there is one, both times `unit`."""
    plain = shape.replace("+", "")
    if row[error] is None:
        return shape.format(unit * row[value])
    return f"{shape.format(unit * row[value])} ± {plain.format(unit * row[error])}"


def _measure(result: RunResult, measure: str, note: str, statistic: str) -> dict[str, Any]:
    """Return the row of one class's measure."""
    rows = result.measures.filter(
        (pl.col("measure") == measure)
        & (pl.col("note") == note)
        & (pl.col("statistic") == statistic)
    )
    return rows.row(0, named=True)
