"""measures → what the classes yield at a price, cost at a yield, how long and how sensitive."""

from __future__ import annotations

from typing import Any

from hemc.outputs.labels import STATISTICS
from hemc.outputs.report.blocks import DASH, Row, Table
from hemc.outputs.report.formats import estimate_millions
from hemc.outputs.run_files import RunFiles
from hemc.outputs.run_manifest import Quote

_LEVELS = ("mean", "sd", "p5", "p50", "p95")
_RISKS = ("probability", "mean", "p90", "p95", "p99", "es_99")

_DURATIONS = {"duration": "modified duration", "effective_duration": "effective duration"}
_WINDOWS = {
    "window_first": "first month",
    "window_last": "last month",
    "window_last_to_call": "last month, to call",
}

#: An error that is only rounding: the figure is the same on every path.
_ROUNDING = 1e-9

#: Flows that are valued: their name, what it adds to a measure's, and the insurer.
_FLOWS = (
    ("with insurer", "", "wrapped"),
    ("with insurer, to call", "_to_call", "wrapped"),
    ("without insurer", "", "unwrapped"),
)


def value_tables(run: RunFiles) -> list[Table]:
    """Return yields, discount margins, prices, lives, durations and windows by class."""
    quotes = {quote.note: quote for quote in run.manifest.quotes}
    prices = {name: _number(quote.clean_price) for name, quote in quotes.items()}
    rates = {name: _rate(quote) for name, quote in quotes.items()}
    caption = "Bond-equivalent yield at a price, % a year ± standard error"
    margin = "Discount margin at a price, basis points ± standard error"
    return [
        _levels(run, "yield", caption, 100.0, ("clean price", prices)),
        _levels(run, "discount_margin", margin, 1e4, ("clean price", prices)),
        _levels(
            run,
            "price",
            "Clean price at a rate, % of balance ± standard error",
            1.0,
            ("rate", rates),
        ),
        _levels(run, "wal", "Average life, years ± standard error", 1.0),
        _durations(run),
    ]


def wrap_value(run: RunFiles) -> Table:
    """Return the value of the wrap of every class and of all together."""
    names: list[str | None] = [*run.notes("wrap_value"), None]
    rows = [
        Row(
            (
                name or "all",
                *(
                    estimate_millions(run.measure("wrap_value", s, None, name), run.independent)
                    for s in _RISKS
                ),
            )
        )
        for name in names
        if run.measure("wrap_value", "mean", None, name)
    ]
    caption = "Value of the wrap: flows with insurer less without, at the class's own rate"
    heads = [STATISTICS[statistic] for statistic in _RISKS]
    return Table(f"{caption}, USD million ± standard error", ("class", *heads), rows)


def _levels(
    run: RunFiles,
    measure: str,
    caption: str,
    scale: float,
    quoted: tuple[str, dict[str, str]] | None = None,
) -> Table:
    """Return the distribution of a measure by class and flows, beside what it is quoted at."""
    rows = []
    for name in run.notes(measure):
        at = (quoted[1].get(name, DASH),) if quoted else ()
        for flows, suffix, insurer in _FLOWS:
            found = [run.measure(measure + suffix, s, insurer, name) for s in _LEVELS]
            if any(found):
                rows.append(Row((name, flows, *at, *(_shown(row, scale) for row in found))))
    heads = ("class", "flows", *((quoted[0],) if quoted else ()))
    return Table(caption, (*heads, *(STATISTICS[s] for s in _LEVELS)), rows, texts=(0,))


def _durations(run: RunFiles) -> Table:
    """Return durations at the class's own rate and the window of its principal, with insurer."""
    rows = []
    for name in run.notes("duration"):
        durations = (run.measure(m, "mean", "wrapped", name) for m in _DURATIONS)
        windows = (_months(run, m, name) for m in _WINDOWS)
        rows.append(Row((name, *(_shown(row, 1.0) for row in durations), *windows)))
    heads = ("class", *_DURATIONS.values(), *_WINDOWS.values())
    caption = "Durations, means in years, and window of principal in months, 5 / 50 / 95 %"
    return Table(f"{caption}, with insurer", heads, rows)


def _months(run: RunFiles, measure: str, name: str) -> str:
    """Return the quantiles of a month."""
    found = [run.measure(measure, s, "wrapped", name) for s in ("p5", "p50", "p95")]
    return " / ".join(DASH if row is None else f"{row['value']:.0f}" for row in found)


def _shown(row: dict[str, Any] | None, scale: float) -> str:
    """Return a row of measures.parquet in the units of the caption; a constant has no error."""
    if row is None or row["value"] is None:
        return DASH
    value, error = scale * row["value"], scale * (row["standard_error"] or 0.0)
    digits = 3 if error < 0.05 else 2
    text = f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")
    return f"{text} ± {error:.{digits}f}" if error > _ROUNDING else text


def _rate(quote: Quote) -> str:
    """Return the yield or the discount margin at which a class is priced."""
    if quote.discount_margin is not None:
        return f"{1e4 * quote.discount_margin:.1f} bp over the index"
    return f"{_number(quote.bond_equivalent_yield and 100.0 * quote.bond_equivalent_yield)} %"


def _number(value: float | None) -> str:
    """Return a quoted figure, or a dash where there is none."""
    return DASH if value is None else f"{value:.3f}"
