"""A stress batch → one screen for the console, 80 columns wide."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from hemc.engine.stress import StressResult

WIDTH = 80

#: Columns of the screen: heading, measure, statistic, scale, decimals.
LIFETIME = (
    ("expected\nloss, %", "pool_loss_pct", "mean", 1.0, 2),
    ("99 % ES of\nloss, %", "pool_loss_pct", "es_99", 1.0, 1),
    ("OC gone\nP, %", "oc_exhausted", "probability", 100.0, 1),
    ("draw\nP, %", "draws", "probability", 100.0, 1),
    ("draws, PV\n$ million", "draws_pv", "mean", 1e-6, 1),
    ("writedown\nP, %", "writedown", "probability", 100.0, 1),
)
NINE_QUARTERS = (
    ("pool loss\n$ million", "pool_loss_nine_quarters", "mean", 1e-6, 2),
    ("99 % ES\n$ million", "pool_loss_nine_quarters", "es_99", 1e-6, 1),
    ("OC at the end\n$ million", "oc_nine_quarters", "mean", 1e-6, 2),
    ("draws\n$ million", "draws_nine_quarters", "mean", 1e-6, 2),
    ("notes above pool\n$ million", "undercollateralization_nine_quarters", "mean", 1e-6, 2),
)


def render_stress(result: StressResult, folder: Path) -> str:
    """Return the screen of a finished batch."""
    out = Console(file=StringIO(), width=WIDTH, highlight=False, legacy_windows=False)
    deal, date = result.base.documents.deal, result.base.documents.certificate.payment_date
    names = [entry.name for entry in result.file.scenarios]
    out.print(f"{deal.issuer} {deal.series}, group {deal.group}, certificate of {date}")
    out.print(
        f"{len(names)} scenarios × {result.base.n_paths:,} paths on common random numbers; "
        "± is one standard error"
    )
    rows = result.scenarios.filter(pl.col("note").is_null())
    weighted = [w.name for w in result.file.weightings]
    out.print("\nTo the end of the deal")
    out.print(_table(rows, [*names, *weighted], LIFETIME))
    out.print(f"\nLess {names[0]}: ± on common paths, (±) what independent seeds would give")
    out.print(_differences(rows, names[1:]))
    out.print("\nNine quarters")
    out.print(_table(rows, [*names, *weighted], NINE_QUARTERS))
    for w in result.file.weightings:
        shares = ", ".join(f"{name} {100.0 * share:g} %" for name, share in w.weights.items())
        out.print(f"\n{w.name}: {shares} ({w.source})")
    out.print("\nOC gone: no overcollateralisation left while notes are outstanding.")
    out.print("draws: on the insurer. writedown: some class loses principal without insurer.")
    out.print(f"files: {folder}")
    file = out.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def _table(rows: pl.DataFrame, names: list[str], columns: tuple[Any, ...]) -> Table:
    """Return a row a scenario, a column a figure with its error."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("\nscenario", no_wrap=True)
    for heading, *_ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for name in names:
        cells = []
        for _, measure, statistic, scale, digits in columns:
            row = _row(rows, name, measure, statistic)
            cells.append(_estimate(row, "value", "standard_error", scale, digits))
        table.add_row(name, *cells)
    return table


def _differences(rows: pl.DataFrame, names: list[str]) -> Table:
    """Return how some figures differ from the first scenario's."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("\nscenario", no_wrap=True)
    columns = [LIFETIME[0], LIFETIME[3], LIFETIME[4]]
    for heading, *_ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for name in names:
        cells = []
        for _, measure, statistic, scale, digits in columns:
            row = _row(rows, name, measure, statistic)
            own = _estimate(row, "difference", "difference_standard_error", scale, digits + 1, "+")
            cells.append(f"{own} ({scale * row['independent_standard_error']:.{digits + 1}f})")
        table.add_row(name, *cells)
    return table


def _row(rows: pl.DataFrame, name: str, measure: str, statistic: str) -> dict[str, Any]:
    """Return one figure of one scenario."""
    return rows.filter(
        pl.col("scenario") == name,
        pl.col("measure") == measure,
        pl.col("statistic") == statistic,
    ).row(0, named=True)


def _estimate(
    row: dict[str, Any], value: str, error: str, scale: float, digits: int, sign: str = ""
) -> str:
    """Return a value with its error where there is one."""
    text = f"{scale * row[value]:{sign},.{digits}f}"
    return text if row[error] is None else f"{text} ± {scale * row[error]:.{digits}f}"
