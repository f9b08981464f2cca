"""A run's files → the sheets of its workbook; a sheet whose table was not written is absent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

import polars as pl

from hemc.outputs.labels import HEADLINE_NAMES, STATISTICS, headline_label
from hemc.outputs.report.formats import month_name
from hemc.outputs.run_files import RunFiles
from hemc.outputs.workbook.cells import (
    AMOUNT,
    CENTS,
    DECIMALS,
    FINE_PERCENT,
    INTEGER,
    MONTH,
    PERCENT,
    READING,
    Cell,
    Day,
    Number,
    Sheet,
    estimate_cells,
    number,
    words,
)
from hemc.outputs.workbook.measure_sheets import (
    classes,
    differences,
    pool_and_insurer,
    scenarios,
)
from hemc.outputs.workbook.study_sheets import (
    break_evens,
    contributed,
    heat_maps,
    rolled_forward,
    scored,
    swings,
)

_FROM_PARQUET = "Same figures and keys as {}.parquet. "

#: Statistics by month, of the many in months.parquet.
_BY_MONTH = {"mean": "mean", "p5": "5 %", "p50": "50 %", "p95": "95 %"}

#: Series by state, of which the sheet has the mean: with bands they would be two thirds of it.
_BY_STATE = ("count", "balance")

#: Series by month that are no amounts, with their formats.
_MONTH_SHAPES = {
    "cpr": PERCENT, "cdr": PERCENT, "count": CENTS, "oc_below_target": PERCENT,
    "oc_exhausted": PERCENT, "undercollateralized": PERCENT, "trigger_tripped": PERCENT,
    "trigger_value": FINE_PERCENT, "trigger_threshold": FINE_PERCENT,
}  # fmt: skip

_RATES = (
    "reported_ratio", "prior_mean", "prior_sd", "posterior_mean", "posterior_sd", "p5", "p95",
)  # fmt: skip


def sheets(run: RunFiles) -> list[Sheet]:
    """Return the sheets in the order of the report's sections."""
    built = (build(run) for build in _SHEETS)
    return [sheet for sheet in built if sheet is not None]


def summary(run: RunFiles) -> Sheet:
    """Return the headline figures, whose values and errors other workbooks can link to by name."""
    manifest = run.manifest
    rows: list[list[Cell]] = []
    names: dict[str, tuple[int, int]] = {}
    for row in run.headlines:
        name = HEADLINE_NAMES.get((row["measure"], row["statistic"]), "")
        if name:
            names |= {name: (len(rows), 1), f"{name}_error": (len(rows), 2)}
        rows.append([headline_label(row), *estimate_cells(row, run.independent), row["unit"], name])
    facts: list[tuple[str, Cell]] = [
        ("Deal", f"{manifest.issuer} {manifest.series}, group {manifest.group}"),
        ("Certificate of", manifest.payment_date or "a date that cannot be read"),
        ("Run", manifest.name),
        ("Insurer", manifest.configuration.insurer.mode),
        ("Paths", Number(manifest.paths)),
        ("Months", Number(manifest.months)),
        ("Warnings", "; ".join(manifest.warnings) or "none"),
    ]
    rows += [[], *([label, value] for label, value in facts)]
    note = f"{READING} Names are those of the values' cells; errors' end in _error."
    heads = ("figure", "value", "±", "unit", "name")
    return Sheet("Summary", note, heads, rows, names=names)


def months(run: RunFiles) -> Sheet | None:
    """Return a row a month: the mean of every series and three quantiles of most."""
    table = run.table("months")
    if table is None:
        return None
    heads = ["month", "paid in"]
    columns: list[Sequence[Cell]] = [*_calendar(run)]
    for (series, note, state), statistic, values in _series(table):
        shape = _MONTH_SHAPES.get(series, AMOUNT)
        place = " ".join(str(part) for part in (series, note, state) if part is not None)
        heads.append(f"{place}, {_BY_MONTH[statistic]}")
        columns.append([number(value, shape) for value in values])
    note = _FROM_PARQUET.format("months") + "Amounts in USD. " + run.bands
    note += " Bands of loans and balances by state are in months.parquet alone."
    return Sheet("Months", note, heads, list(zip(*columns, strict=True)), n_keys=2)


def roll_rates(run: RunFiles) -> Sheet | None:
    """Return a row a move: reported ratio, prior, posterior, and what drives it."""
    table = run.table("roll_rates")
    if table is None:
        return None
    rows = [
        [row["latent_class"], row["from_state"], row["to_state"],
         *(number(row[name], FINE_PERCENT) for name in _RATES),
         number(row["sd_ratio"], CENTS), "yes" if row["prior_driven"] else "no"]
        for row in table.iter_rows(named=True)
    ]  # fmt: skip
    heads = ("latent class", "from", "to", *(name.replace("_", " ") for name in _RATES),
             "posterior sd / prior sd", "prior-driven")  # fmt: skip
    note = _FROM_PARQUET.format("roll_rates") + "Shares of loans that move in a month."
    return Sheet("Roll rates", note, heads, rows, n_keys=3)


def tie_out(run: RunFiles) -> Sheet | None:
    """Return a row an identity of the certificate."""
    table = run.table("tieout")
    if table is None:
        return None
    rows = [
        [row["name"], *(_exact(row[part]) for part in ("printed", "recomputed", "difference")),
         row["status"], row["note"]]
        for row in table.iter_rows(named=True)
    ]  # fmt: skip
    heads = ("identity", "printed", "recomputed", "difference", "status", "note")
    return Sheet("Tie-out", "Every figure of the certificate against the others.", heads, rows)


def assumptions(run: RunFiles) -> Sheet | None:
    """Return a row an assumption: value, where it is set, source."""
    table = run.table("assumptions")
    if table is None:
        return None
    columns = ("name", "value", "meaning", "where_set", "source")
    rows = [
        [words(text) if name == "value" else text for name, text in zip(columns, row, strict=True)]
        for row in table.select(columns).iter_rows()
    ]
    heads = [name.replace("_", " ") for name in columns]
    return Sheet("Assumptions", "“Judgement” is a source.", heads, rows)


def next_certificate(run: RunFiles) -> Sheet | None:
    """Return a row a figure of the coming certificate."""
    table = run.table("next_certificate")
    if table is None:
        return None
    points = ("mean", "p5", "p50", "p95")
    rows = [
        [row["figure"], *(number(row[point], CENTS) for point in points)]
        for row in table.iter_rows(named=True)
    ]
    heads = ("figure", *(STATISTICS[point] for point in points))
    month = run.manifest.first_projected_month
    note = f"What the certificate of {month} will print: mean and quantiles over paths."
    return Sheet("Next certificate", note, heads, rows)


_SHEETS: tuple[Callable[[RunFiles], Sheet | None], ...] = (
    summary, classes, pool_and_insurer, contributed, rolled_forward, months, break_evens, scenarios,
    differences, swings, heat_maps, roll_rates, next_certificate, scored, tie_out, assumptions,
)  # fmt: skip


def _series(
    table: pl.DataFrame,
) -> Iterator[tuple[tuple[str, str | None, str | None], str, list[float | None]]]:
    """Yield series, statistic and values by month in the order of months.parquet."""
    is_mean = pl.col("statistic") == "mean"
    has_bands = ~pl.col("series").is_in(_BY_STATE) & pl.col("statistic").is_in(list(_BY_MONTH))
    chosen = table.filter(is_mean | has_bands).sort("month", maintain_order=True)
    parts = chosen.partition_by(
        "series", "note", "state", "statistic", as_dict=True, maintain_order=True
    )
    for (series, note, state, statistic), part in parts.items():
        yield (str(series), note, state), str(statistic), part["value"].to_list()


def _calendar(run: RunFiles) -> tuple[list[Cell], list[Cell]]:
    """Return the months' numbers and calendar months."""
    first = run.manifest.first_projected_month
    numbers = range(1, run.manifest.months + 1)
    dates = (dt.date.fromisoformat(f"{month_name(first, month)}-01") for month in numbers)
    return [Number(month, INTEGER) for month in numbers], [Day(date, MONTH) for date in dates]


def _exact(text: str | None) -> Cell:
    """Return an amount of a document, with the cents or decimals that it is printed with."""
    if text is None:
        return None
    found = words(text)
    if not isinstance(found, Number):
        return found
    decimals = len(text.partition(".")[2])
    return Number(found.value, {0: AMOUNT, 2: CENTS}.get(decimals, DECIMALS))
