"""A stress batch → one screen for the console, 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table

from hemc.outputs.screen import Screen

if TYPE_CHECKING:
    from hemc.engine.stress import StressResult

#: Columns of the screen: heading, measure, statistic, scale, decimals.
LIFETIME = (
    ("expected\nloss, %", "pool_loss_pct", "mean", 1.0, 2),
    ("99 % ES\nloss, %", "pool_loss_pct", "es_99", 1.0, 1),
    ("OC gone\nP, %", "oc_exhausted", "probability", 100.0, 1),
    ("draw\nP, %", "draws", "probability", 100.0, 1),
    ("draws, PV\n$ million", "draws_pv", "mean", 1e-6, 1),
    ("writedown\nP, %", "writedown", "probability", 100.0, 1),
)
NINE_QUARTERS = (
    ("pool loss\n$ million", "pool_loss_nine_quarters", "mean", 1e-6, 2),
    ("99 % ES\n$ million", "pool_loss_nine_quarters", "es_99", 1e-6, 1),
    ("OC left\n$ million", "oc_nine_quarters", "mean", 1e-6, 2),
    ("draws\n$ million", "draws_nine_quarters", "mean", 1e-6, 2),
    ("notes > pool\n$ million", "undercollateralization_nine_quarters", "mean", 1e-6, 2),
)


def render_stress(result: StressResult, folder: Path) -> str:
    """Return the screen of a finished batch."""
    out = Screen()
    deal, date = result.base.documents.deal, result.base.documents.certificate.payment_date
    names = [entry.name for entry in result.file.scenarios]
    out.print(f"{deal.issuer} {deal.series}, group {deal.group}, certificate of {date}")
    out.print(
        f"{len(names)} scenarios × {result.base.n_paths:,} paths on common random numbers; "
        "± is one standard error"
    )
    rows = result.scenarios.filter(pl.col("note").is_null())
    independent = result.base.sample_size.independent_paths
    weighted = [w.name for w in result.file.weightings]
    out.print("\nTo the end of the deal")
    out.print(_table(rows, [*names, *weighted], LIFETIME, independent))
    out.print(f"\nLess {names[0]}: ± on common paths, (±) what independent seeds would give")
    out.print(_differences(rows, names[1:]))
    out.print("\nNine quarters")
    out.print(_table(rows, [*names, *weighted], NINE_QUARTERS, independent))
    for w in result.file.weightings:
        shares = ", ".join(f"{name} {100.0 * share:g} %" for name, share in w.weights.items())
        out.print(f"\n{w.name}: {shares} ({w.source})")
    out.print(
        "\nES: mean of the worst 1 % of paths. notes > pool: what notes exceed it, no insurer."
    )
    out.print("OC gone: no overcollateralisation left while notes are outstanding.")
    out.print("draws: on the insurer. writedown: some class loses principal without insurer.")
    out.print(f"files: {folder}")
    return out.text


def _table(
    rows: pl.DataFrame,
    names: list[str],
    columns: Sequence[tuple[Any, ...]],
    independent: int | None,
) -> Table:
    """Return a row a scenario, a column a figure with its error."""
    table = _headed(columns)
    for name in names:
        cells = []
        for _, measure, statistic, scale, digits in columns:
            row = _row(rows, name, measure, statistic)
            cells.append(_cell(row, scale, digits, independent))
        table.add_row(name, *cells)
    return table


def _differences(rows: pl.DataFrame, names: list[str]) -> Table:
    """Return how some figures differ from the first scenario's."""
    columns = [LIFETIME[0], LIFETIME[1], LIFETIME[3], LIFETIME[4]]
    table = _headed(columns)
    for name in names:
        cells = []
        for _, measure, statistic, scale, digits in columns:
            row = _row(rows, name, measure, statistic)
            cells.append(_difference(row, scale, digits))
        table.add_row(name, *cells)
    return table


def _cell(row: dict[str, Any], scale: float, digits: int, independent: int | None) -> str:
    """Return a figure over its error; no hit among independent paths is a bound, never zero."""
    value, error = row["value"], row["standard_error"]
    if row["statistic"] == "probability" and value in (0.0, 1.0) and independent is not None:
        reach = 300.0 / independent
        return f"< {reach:.2g}\n" if value == 0.0 else f"> {100.0 - reach:.4g}\n"
    below = "" if error is None else f"± {scale * error:.{digits}f}"
    return f"{scale * value:,.{digits}f}\n{below}"


def _headed(columns: Sequence[tuple[Any, ...]]) -> Table:
    """Return an empty table with a column for scenarios and one a figure."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("\nscenario", no_wrap=True)
    for heading, *_ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _difference(row: dict[str, Any], scale: float, digits: int) -> str:
    """Return a difference over its own error and that of independent seeds."""
    own, independent = row["difference_standard_error"], row["independent_standard_error"]
    above = f"{scale * row['difference']:+,.{digits}f}"
    if own is None or independent is None:
        return above
    return f"{above}\n± {scale * own:.{digits}f} ({scale * independent:.{digits}f})"


def _row(rows: pl.DataFrame, name: str, measure: str, statistic: str) -> dict[str, Any]:
    """Return one figure of one scenario."""
    return rows.filter(
        pl.col("scenario") == name,
        pl.col("measure") == measure,
        pl.col("statistic") == statistic,
    ).row(0, named=True)
