"""measures and months → how overcollateralisation holds."""

from __future__ import annotations

from typing import Any

import polars as pl

from hemc.outputs.labels import HEADLINES, STATISTICS
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import DASH, Block, Chart, Grid, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import amount, estimate, estimate_millions, month_name
from hemc.outputs.report.sections.verdict import oc_fan
from hemc.outputs.run_files import RunFiles

_INDICATORS = {
    "oc_below_target": charts.Line("oc_below_target", "below target", "median"),
    "oc_exhausted": charts.Line("oc_exhausted", "exhausted", "target"),
    "undercollateralized": charts.Line(
        "undercollateralized", "notes exceed pool, no insurer", "second"
    ),
}
_PROBABILITIES = {
    "oc_below_target_after_reaching": HEADLINES[("oc_below_target_after_reaching", "probability")],
    "oc_exhausted": "P(OC exhausted in some month)",
}
_FIRST_MONTHS = {
    ("first_oc_below_target_month", "wrapped"): "OC first below its target after reaching it",
    ("first_oc_exhausted_month", "wrapped"): "OC first exhausted",
    ("first_undercollateralized_month", "unwrapped"): "notes first exceed the pool, no insurer",
}
_EXCESS_INTEREST = {
    "excess_interest": "excess interest: after fees, premium and note interest",
    "oc_released": "OC released: principal collected, not paid to notes",
    "excess_interest_used": "used: covers losses and builds OC",
    "reimbursement": "used: reimburses the insurer",
    "residual": "lost: paid to the certificates",
}
_LEVELS = ("mean", "sd", "p5", "p50", "p95")
_SHORTFALL = ("mean", "sd", "p50", "p75", "p90", "p95", "p99", "es_99")
_TRIGGER = ("value", "threshold", "tripped")
_TRIGGER_MONTHS = (1, 6, 12, 24, 36, 60, 84, 120, 180)
_MONTH_STATISTICS = ("mean", "p5", "p25", "p50", "p75", "p95")


def overcollateralization(run: RunFiles) -> Section | None:
    """Return fan, probabilities by month, and how deep and how early OC fails."""
    pictures = [chart for chart in (oc_fan(run), _probabilities(run)) if chart]
    blocks: list[Block] = [Grid(pictures)] if pictures else []
    blocks += [
        table
        for table in (_over_life(run), _shortfall(run), _first_months(run), _excess_interest(run))
        if table.rows
    ]
    blocks += [*_step_down(run), *(table for table in _triggers(run) if table.rows)]
    return Section("oc", "Overcollateralisation", blocks) if blocks else None


def _probabilities(run: RunFiles) -> Chart | None:
    """Return the share of paths in each plight by month."""
    found = {name: table for name in _INDICATORS if (table := run.shown(name)) is not None}
    if not found:
        return None
    base = next(iter(found.values()))
    table = base.select("month").with_columns(**{n: t["mean"] for n, t in found.items()})
    rows = charts.month_rows(table, tuple(found), run.manifest.first_projected_month, 100.0)
    lines = [_INDICATORS[name] for name in found]
    spec = charts.lines_by_month(rows, lines, "% of paths")
    legend = [(line.style, line.name) for line in lines]
    return Chart("Probability by month", spec, legend, f"Share of {run.n_paths:,} paths.")


def _over_life(run: RunFiles) -> Table:
    """Return probabilities over the life of the deal."""
    rows = [
        Row((name, estimate(row, run.independent)))
        for measure, name in _PROBABILITIES.items()
        if (row := run.measure(measure, "probability", "wrapped"))
    ]
    return Table("Over the life of the deal ± standard error", ("", "with insurer"), rows)


def _shortfall(run: RunFiles) -> Table:
    """Return the distribution of the largest shortfall against the target."""
    found = {s: row for s in _SHORTFALL if (row := run.measure("oc_shortfall", s, "wrapped"))}
    cells = [estimate_millions(row, run.independent) for row in found.values()]
    columns = ("", *(STATISTICS[statistic] for statistic in found))
    caption = "Largest shortfall against the target, with insurer, USD million ± standard error"
    return Table(caption, columns, [Row(("shortfall", *cells))] if found else [])


def _first_months(run: RunFiles) -> Table:
    """Return when OC first fails and notes first exceed the pool, on paths on which they do."""
    rows = [first_month_row(run, name, *key) for key, name in _FIRST_MONTHS.items()]
    return first_month_table([row for row in rows if row])


def _excess_interest(run: RunFiles) -> Table:
    """Return excess interest with released OC over life, and where both go: the means add up."""
    rows = []
    for measure, name in _EXCESS_INTEREST.items():
        found = [run.measure(measure, s, "wrapped") for s in _LEVELS]
        if any(found):
            rows.append(Row((name, *(estimate_millions(row, run.independent) for row in found))))
    caption = "Excess interest over life, with insurer, USD million ± standard error"
    return Table(caption, ("", *(STATISTICS[s] for s in _LEVELS)), rows)


def _step_down(run: RunFiles) -> list[Paragraph]:
    """Say from when on the target steps down, and on how many paths it then does."""
    since = run.manifest.step_down
    share = run.measure("oc_target_stepped_down", "probability", "wrapped")
    if since is None or share is None:
        return []
    if since == "none":
        return [Paragraph("The deal's OC target has no step-down.", "note")]
    shown = estimate(share, run.independent)
    return [
        Paragraph(
            f"The OC target steps down from {since} on. "
            f"P(it falls below its first level while notes are outstanding): {shown}.",
            "note",
        )
    ]


def _triggers(run: RunFiles) -> list[Table]:
    """Return each trigger's value and threshold in some months, and how often it is tripped."""
    tables = []
    for name in run.states("trigger_value"):
        series = {part: run.shown(f"trigger_{part}", state=name) for part in _TRIGGER}
        value, threshold, tripped = (series[part] for part in _TRIGGER)
        if value is None or threshold is None or tripped is None:
            continue
        rows = []
        for month in [m for m in _TRIGGER_MONTHS if m <= value.height]:
            of_month = pl.col("month") == month
            shown = [value.filter(of_month)[s].item() for s in ("mean", "p5", "p50", "p95")]
            shown += [t.filter(of_month)["mean"].item() for t in (threshold, tripped)]
            label = f"{month} ({month_name(run.manifest.first_projected_month, month)})"
            rows.append(Row((label, *(f"{100 * x:.2f} %" for x in shown))))
        heads = ("month", "mean", "5 %", "50 %", "95 %", "threshold", "tripped on")
        tables.append(Table(f"Trigger “{name}”: value, threshold, share of paths", heads, rows))
    return tables


def first_month_row(
    run: RunFiles, name: str, measure: str, insurer: str, note: str | None = None
) -> Row | None:
    """Return the mean and quantiles of a first month with their calendar months."""
    found = {s: run.measure(measure, s, insurer, note) for s in _MONTH_STATISTICS}
    mean = found["mean"]
    if mean is None:
        return None
    # The unit's words stand in the caption already.
    cells = [estimate(mean | {"unit": ""}, run.independent)]
    cells += [_month(run, found[statistic]) for statistic in _MONTH_STATISTICS[1:]]
    return Row((name, *cells))


def first_month_table(rows: list[Row], what: str = "First month") -> Table:
    """Return the table of `first_month_row`; `what` says of what."""
    columns = ("", *(STATISTICS[statistic] for statistic in _MONTH_STATISTICS))
    caption = f"{what}, counted from the certificate, on paths with one"
    return Table(caption, columns, rows)


def _month(run: RunFiles, row: dict[str, Any] | None) -> str:
    """Return a month with its calendar month."""
    if row is None:
        return DASH
    month = round(row["value"])
    return f"{amount(month)} ({month_name(run.manifest.first_projected_month, month)})"
