"""A figure with its error → the text that people read, the same on the console and in reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def show_estimate(row: Mapping[str, Any], n_paths: int) -> str:
    """Return `value ± standard error` of a row of measures.parquet in its unit.

    A probability without a hit among `n_paths` is bounded, never zero.
    """
    value, error, unit = row["value"], row["standard_error"], row["unit"]
    if row["statistic"] == "probability":
        return show_probability(value, error, n_paths)
    digits = _digits(value, error, unit)
    text = f"{value:,.{digits}f}"
    if error is not None:
        text += f" ± {error:,.{digits}f}"
    return f"{text} %" if unit.startswith("%") else text


def show_probability(value: float, error: float | None, n_paths: int) -> str:
    """Return a probability in per cent, or the bound that no hit or no miss allows."""
    if value == 0.0:
        return f"< {300.0 / n_paths:.2g} % (95 %)"
    if value == 1.0:
        return f"> {100.0 - 300.0 / n_paths:.4g} % (95 %)"
    if error is None:
        return f"{100.0 * value:.2f} %"
    digits = 2 if 100.0 * error < 0.5 else 1
    return f"{100.0 * value:.{digits}f} ± {100.0 * error:.{digits}f} %"


def _digits(value: float, error: float | None, unit: str) -> int:
    """Return the decimals that a figure deserves."""
    if unit == "USD":
        return 0
    if error is not None and 0.0 < error < 0.005:
        return 3
    return 2
