"""A comparison of two runs → one screen for the console, or a record for machines."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from hemc.outputs.compare import Comparison
from hemc.outputs.labels import headline_label
from hemc.outputs.screen import Screen


def render_comparison(found: Comparison) -> str:
    """Return the comparison as text, 80 columns wide."""
    out = Screen()
    out.print(f"A: {found.names[0]}   B: {found.names[1]}")
    if found.common_paths is None:
        out.print("Each run has its own random numbers: errors of both add up.")
    else:
        out.print(
            f"{found.common_paths:,} common paths: the error of B − A is that of the differences "
            "path by path; in brackets, what independent seeds would give."
        )
    out.print()
    out.print(_figures(found))
    out.print()
    if found.inputs:
        out.print(_inputs(found))
    else:
        out.print("Inputs, configuration and versions are the same.")
    return out.text


def comparison_record(found: Comparison) -> dict[str, Any]:
    """Return the comparison for machines."""
    return {
        "runs": found.names,
        "common_paths": found.common_paths,
        "figures": found.figures,
        "inputs": [{"key": k, "first": a, "second": b} for k, a, b in found.inputs],
    }


def _figures(found: Comparison) -> Table:
    """Return a row a headline figure."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("figure", ratio=1)
    for name in ("A", "B", "B − A"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found.figures.iter_rows(named=True):
        scale = 100.0 if row["unit"] == "fraction" else 1.0
        digits = 0 if row["unit"] == "USD" else 2
        independent = _number(row["independent_standard_error"], scale, digits)
        brackets = "" if found.common_paths is None else f" ({independent})"
        table.add_row(
            f"{headline_label(row)}, {'USD' if row['unit'] == 'USD' else '%'}",
            _number(row["base_value"], scale, digits),
            _number(row["value"], scale, digits),
            f"{_number(row['difference'], scale, digits, '+')} ± "
            f"{_number(row['difference_standard_error'], scale, digits)}{brackets}",
        )
    return table


def _inputs(found: Comparison) -> Table:
    """Return a row a key of the manifests that differs."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("what went in", ratio=2, overflow="fold")
    for name in ("A", "B"):
        table.add_column(name, ratio=1, overflow="fold")
    for key, first, second in found.inputs:
        table.add_row(key.removeprefix("configuration."), _short(first), _short(second))
    return table


def _number(value: Any, scale: float, digits: int, sign: str = "") -> str:
    """Return a figure with so many decimals, or a dash where there is none."""
    return "–" if value is None else f"{scale * value:{sign},.{digits}f}"


def _short(text: str) -> str:
    """Return a digest's beginning, another text whole."""
    return f"{text[:12]}…" if len(text) == 64 else text
