"""measures and months → what the pool pays, misses and loses."""

from __future__ import annotations

import polars as pl

from hemc.outputs.labels import STATISTICS
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import DASH, Block, Chart, Grid, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import MILLION, estimate, millions, month_name, state_name
from hemc.outputs.report.sections.contributions import contribution_tables
from hemc.outputs.run_files import SHARE_SHOWN, RunFiles
from hemc.states import N_LIVE, NAMES

_SHOWN_MONTHS = (1, 12, 24, 48)

#: Series with the axis's title and the factor to its unit.
_SERIES = {
    "cpr": ("Prepayment", "CPR, % a year", 100.0),
    "cdr": ("Default", "CDR, % a year", 100.0),
    "loss": ("Loss by month", "loss, USD million", 1.0 / MILLION),
    "cumulative_loss": ("Loss to date, from the certificate on", "USD million", 1.0 / MILLION),
}
_LOSSES = {
    "pool_loss": "USD",
    "pool_loss_pct": "% of the current pool",
    "pool_loss_pct_original": "% of the original notes",
}


def pool(run: RunFiles) -> Section | None:
    """Return loss distribution, speeds and the delinquency pipeline."""
    blocks: list[Block] = []
    losses = _losses(run)
    if losses.rows:
        blocks.append(losses)
    blocks += contribution_tables(run)
    speeds = [chart for name in _SERIES if (chart := _series(run, name))]
    if speeds:
        blocks += [_extent(run), Grid(speeds)]
    states = [chart for name in NAMES[1:N_LIVE] if (chart := _state(run, name))]
    if states:
        blocks += [_pipeline(run), Grid(states, "Balance by state and month", charts.FAN_LEGEND)]
    return Section("pool", "Pool", blocks) if blocks else None


def _losses(run: RunFiles) -> Table:
    """Return the statistics of lifetime loss in USD and as shares."""
    rows = [
        Row((name, *(estimate(run.measure(m, statistic), run.independent) for m in _LOSSES)))
        for statistic, name in STATISTICS.items()
        if run.measure("pool_loss", statistic)
    ]
    columns = ("", *_LOSSES.values())
    return Table("Lifetime loss of the pool ± standard error", columns, rows)


def _extent(run: RunFiles) -> Paragraph:
    """Say how far the charts reach."""
    text = f"Charts by month end at month {run.last_month_shown}, the last with at least "
    text += f"{100 * SHARE_SHOWN:g} % of the first month's pool; the run goes on to month "
    return Paragraph(f"{text}{run.manifest.months}. {run.bands}", "note")


def _series(run: RunFiles, name: str) -> Chart | None:
    """Return the fan of one series."""
    table = run.shown(name)
    if table is None:
        return None
    title, axis, factor = _SERIES[name]
    pattern = ",.3f" if name == "loss" else ",.2f"
    spec = charts.fan(
        table, run.manifest.first_projected_month, axis, factor, pattern=pattern
    )  # fmt: skip
    return Chart(title, spec, charts.FAN_LEGEND)


def _state(run: RunFiles, state: str) -> Chart | None:
    """Return the fan of one delinquent state's balance."""
    table = run.shown("balance", state=state)
    if table is None:
        return None
    first = run.manifest.first_projected_month
    spec = charts.fan(table, first, "USD million", 1.0 / MILLION, pattern=",.3f")
    spec["height"] = 150
    return Chart(state_name(state), spec)


def _pipeline(run: RunFiles) -> Table:
    """Return mean balance and band of every state at a few months."""
    months = [month for month in _SHOWN_MONTHS if month <= run.last_month_shown]
    first = run.manifest.first_projected_month
    columns = ["state", *(f"month {m} ({month_name(first, m)})" for m in months)]
    rows = []
    for state in NAMES[:N_LIVE]:
        table = run.monthly("balance", state=state)
        if table is not None:
            rows.append(Row((state_name(state), *(_band(table, month) for month in months))))
    return Table("Delinquency pipeline: mean balance (5–95 %), USD million", columns, rows)


def _band(table: pl.DataFrame, month: int) -> str:
    """Return mean and 90 % band of a month."""
    found = table.filter(pl.col("month") == month)
    if not len(found):
        return DASH
    row = found.row(0, named=True)
    return f"{millions(row['mean'])} ({millions(row['p5'])}–{millions(row['p95'])})"
