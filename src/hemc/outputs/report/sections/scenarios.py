"""scenario_paths.parquet and manifest.json → the scenario by month, and its factor in history."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from hemc.outputs.report import charts
from hemc.outputs.report.blocks import Block, Chart, Facts, Grid, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import percent
from hemc.outputs.report.sections.scenario_results import scenario_results
from hemc.outputs.run_files import RunFiles
from hemc.outputs.run_manifest import CreditFactor

_QUARTER = 3

#: Columns of scenario_paths.parquet with heading and decimals.
_SHOWN = {
    "unemployment_pct": ("unemployment, %", 1),
    "house_price_index": ("house prices, index", 1),
    "mortgage_pct": ("mortgage rate, %", 2),
    "treasury_3m_pct": ("3-month Treasury, %", 2),
    "stress_shift": ("shift, probit units", 3),
    "prepayment_multiplier": ("prepayment multiplier", 3),
    "index_rate": ("index of floaters, %", 2),
}


def scenarios(run: RunFiles) -> Section | None:
    """Return what the scenario means, its paths by month, and the factor's place in history."""
    table = run.table("scenario_paths")
    if table is None:
        return None
    blocks: list[Block] = scenario_results(run)
    scenario = run.manifest.scenario
    if scenario is not None:
        facts = [("Scenario", scenario.name), ("Meaning", scenario.meaning)]
        blocks.append(Facts([*facts, ("Source", scenario.source)]))
    if table["unemployment_pct"].is_not_null().any():
        blocks += [Grid(list(_charts(run, table))), _quarters(table)]
    else:
        blocks.append(Paragraph("No macroeconomic path: " + _flat(table)))
    if run.manifest.credit_factor is not None:
        blocks += _history(run.manifest.credit_factor)
    return Section("scenarios", "Scenarios", blocks)


def _flat(table: pl.DataFrame) -> str:
    """Say what holds in all months."""
    row = table.row(0, named=True)
    multiplier = row["prepayment_multiplier"]
    said = "the credit factor's own" if multiplier is None else f"{multiplier:g}"
    return (
        f"in all months the shift is {row['stress_shift']:g} probit units, the prepayment "
        f"multiplier {said}, the index {100.0 * row['index_rate']:.2f} %."
    )


def _charts(run: RunFiles, table: pl.DataFrame) -> Iterator[Chart]:
    """Yield the macroeconomic path and what it becomes."""
    first = run.manifest.first_projected_month
    long = table.filter(pl.col("month") <= run.last_month_shown)
    for title, column, axis, factor in (
        ("Unemployment", "unemployment_pct", "%", 1.0),
        ("House prices", "house_price_index", "index", 1.0),
        ("Mortgage rate", "mortgage_pct", "%", 1.0),
        ("Credit shift", "stress_shift", "probit units", 1.0),
        ("Prepayment multiplier", "prepayment_multiplier", "times", 1.0),
        ("Index of floating classes", "index_rate", "%", 100.0),
    ):
        rows = charts.month_rows(long.drop_nulls(column), (column,), first, factor)
        if rows:
            line = charts.Line(column, title.lower(), "median")
            yield Chart(title, charts.lines_by_month(rows, [line], axis))


def _quarters(table: pl.DataFrame) -> Table:
    """Return the paths at the end of every quarter of the file, and of the way back."""
    last = table.filter(pl.col("stress_shift") != table["stress_shift"][-1])["month"].max()
    ends = table.filter(
        (pl.col("month") % _QUARTER == 0)
        & ((pl.col("month") <= (last or 0)) | pl.col("unemployment_pct").is_not_null())
    )  # fmt: skip
    ends = ends.with_columns(pl.col("index_rate") * 100.0)
    rows = [
        Row(
            (f"{row['month']}", *(_cell(row[name], digits) for name, (_, digits) in _SHOWN.items()))
        )
        for row in ends.iter_rows(named=True)
    ]
    heads = ("month", *(head for head, _ in _SHOWN.values()))
    return Table("Paths at the ends of quarters; blank after the file's last", heads, rows)


def _cell(value: float | None, digits: int) -> str:
    """Return a figure, blank where the file has none."""
    return "" if value is None else f"{value:.{digits}f}"


def _history(factor: CreditFactor) -> list[Block]:
    """Return the factor's deviations, its rank of the replay and its correlation."""
    names = {False: "Gaussian factor alone", True: "with crises"}
    rows = [
        Row((
            names[form.crises] + (" (this run)" if form.crises == factor.crises else ""),
            *(f"{sd:.3f}" for sd in form.sd),
            percent(form.share_below_replay, 2),
            f"{form.asset_correlation:.3f}",
        ))
        for form in factor.forms
    ]  # fmt: skip
    history = Row(("US history 1976–2024", *(f"{sd:.3f}" for sd in factor.history_sd), "", ""))
    years = (f"{month // 12} y" for month in factor.months)
    heads = ("", *years, "percentile of the replay", "implied correlation")
    replay = factor.replay
    text = (
        f"The {replay.name} reaches a shift of {replay.highest_shift:.2f} in month {replay.month}. "
        "Its percentile is the probability that the factor is lower in that month. Implied is the "
        "correlation of two loans' probits, by the factor's long-run variance."
    )
    title = "Standard deviation of the credit factor after years, probit units"
    return [Table(title, heads, [*rows, history]), Paragraph(text, "note")]
