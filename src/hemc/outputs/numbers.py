"""A figure with its error → the text that people read, the same on the console and in reports."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def show_estimate(row: Mapping[str, Any], independent: int | None) -> str:
    """Return `value ± standard error` of a row of measures.parquet in its unit.

    A probability without a hit among independent paths is bounded, never zero; None says that
    paths have weights, of which no such bound follows.
    """
    value, error, unit = row["value"], row["standard_error"], row["unit"]
    if row["statistic"] == "probability":
        return show_probability(value, error, independent)
    if unit == "fraction":
        value, error, unit = 100.0 * value, error and 100.0 * error, "%"
    digits = _digits(value, error, unit)
    text = f"{value:,.{digits}f}"
    if error is not None:
        text += f" ± {error:,.{digits}f}"
    return f"{text} %" if unit.startswith("%") else text


def show_probability(value: float, error: float | None, independent: int | None) -> str:
    """Return a probability in per cent, or the bound that no hit or no miss allows."""
    if value in (0.0, 1.0):
        return _show_bound(value, independent)
    if error is None:
        return f"{100.0 * value:.2f} %"
    digits = 2 if 100.0 * error < 0.5 else 1
    return f"{100.0 * value:.{digits}f} ± {100.0 * error:.{digits}f} %"


def _show_bound(value: float, independent: int | None) -> str:
    """Return what no hit, or no miss, says: at 95 % less than 3/n of the other; of 3, nothing."""
    if independent is None or independent <= 3:
        return "no hit" if value == 0.0 else "no miss"
    shown = f"{300.0 / independent:.2g}"
    other = 100 - Decimal(shown)
    return f"< {shown} % (95 %)" if value == 0.0 else f"> {other:f} % (95 %)"


def _digits(value: float, error: float | None, unit: str) -> int:
    """Return the decimals that a figure deserves."""
    if unit == "USD":
        return 0
    if error is not None and 0.0 < error < 0.005:
        return 3
    return 2
