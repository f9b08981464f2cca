"""Numbers without an error, and months → the text that the report shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hemc.outputs.numbers import show_estimate
from hemc.outputs.report.blocks import DASH

MILLION = 1e6


def amount(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands separators; a zero has no sign."""
    return DASH if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def millions(value: float | None, digits: int = 2) -> str:
    """Return USD in millions."""
    return DASH if value is None else amount(value / MILLION, digits)


def percent(value: float | None, digits: int = 2) -> str:
    """Return a fraction in per cent; a positive one too small to show is bounded."""
    if value is None:
        return DASH
    smallest = 10.0**-digits
    if 0.0 < 100.0 * value < smallest / 2:
        return f"< {smallest:.{digits}f}"
    return f"{100.0 * value:.{digits}f}"


def estimate(row: Mapping[str, Any] | None, independent: int | None) -> str:
    """Return a row of measures.parquet as on the console, or a dash where there is none."""
    if row is None or row["value"] is None:
        return DASH
    if row["value"] == 0.0 and not row["standard_error"] and row["statistic"] != "probability":
        return "0"
    return show_estimate(row, independent).replace("-", "−")


def estimate_millions(row: Mapping[str, Any] | None, independent: int | None) -> str:
    """Return a row in USD as millions, so that wide tables stay readable; a probability as is."""
    if row is None or row["unit"] != "USD" or row["value"] is None:
        return estimate(row, independent)
    error = row["standard_error"]
    scaled = {"value": row["value"] / MILLION, "unit": "USD million"}
    return estimate({**row, **scaled, "standard_error": error and error / MILLION}, independent)


def bar(name: str, row: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """Return a figure for `charts.bars`: in USD million, or in % of what it is a share of."""
    factor = {"USD": 1.0 / MILLION, "fraction": 100.0}.get(unit, 1.0)
    value, error = row["value"] * factor, (row["standard_error"] or 0.0) * factor
    return {"name": name, "value": round(value, 5), "error": round(error, 5)}


def difference(value: float, error: float | None, unit: str) -> str:
    """Return a signed difference with its error: USD million, or points of a percentage."""
    if abs(value) < 1e-9 and not error:
        return "none"
    if unit == "fraction":
        value, error = 100.0 * value, error and 100.0 * error
    if unit == "USD":
        value, error = value / MILLION, error and error / MILLION
    digits = 3 if error is not None and 0.0 < error < 0.005 else 2
    text = f"{round(value, digits) + 0.0:+,.{digits}f}".replace("-", "−")
    if error is not None:
        text += f" ± {error:,.{digits}f}"
    return f"{text} points" if unit in ("fraction", "%") else text


def difference_and_errors(row: Mapping[str, Any], unit: str) -> str:
    """Return a difference ± its own error (that of independent seeds).

    Its unit stands in the heading of its column.
    """
    own = difference(row["difference"], row["difference_standard_error"], unit)
    own = own.removesuffix(" points")
    independent = row["independent_standard_error"]
    if independent is None or own == "none":
        return own
    factor = {"USD": 1.0 / MILLION, "fraction": 100.0}.get(unit, 1.0)
    return f"{own} ({factor * independent:,.2f})"


def state_name(state: str) -> str:
    """Return a delinquency state's name for a title."""
    if state[0].isdigit():
        return f"{state} days"
    return "REO" if state == "reo" else state


def month_name(first: str, month: int) -> str:
    """Return the calendar month YYYY-MM of projected month `month`, 1 being `first`."""
    year, number = (int(part) for part in first.split("-"))
    elapsed = 12 * year + number - 1 + month - 1
    return f"{elapsed // 12}-{elapsed % 12 + 1:02d}"
