"""breakevens.parquet → the words, cells and tables that console and report show of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl
from pydantic import BaseModel

DASH = "–"
ANY = "any"

_FORMS = {"hazard": "hazards", "probability": "probabilities"}


class Conventions(BaseModel):
    """breakevens.json: what the break-evens of a run rest on."""

    paths: int  # of each multiple
    cdr_step: float
    pricing_curve: str
    severity: str
    lag_months: int
    index_path: str
    undercollateralization: str
    roll_rate_cells: str
    roll_rate_form: str


class DeskRow(NamedTuple):
    """A class at one prepayment speed, at the lowest CDR at which it loses principal."""

    note: str
    speed: str
    cells: Sequence[str]


DESK_HEADS = (
    "CDR, %\nfirst loss", "pool loss\n%", "\ncoverage", "CDR, %\nyield 0", "life\nyears",
    "duration\nyears", "window\nmonths", "written\ndown, %",
)  # fmt: skip


def convention_lines(c: Conventions) -> list[str]:
    """Return the header of the desk table."""
    return [
        f"the lowest CDR at which a class loses principal, by {100.0 * c.cdr_step:g} % a year",
        f"insurer absent; notes in excess of pool: {c.undercollateralization}",
        "triggers failing; no advances; to maturity, no call",
        f"prepayments in % of the pricing curve, CPR {c.pricing_curve}",
        "defaults in addition to prepayments",
        f"severity {c.severity}; {c.lag_months}-month lag from default to loss",
        f"forward index: {c.index_path}",
        "coverage: pool loss there / expected lifetime loss of the run",
    ]


def multiple_line(c: Conventions) -> str:
    """Say what a multiple of roll rates is."""
    cells = {"worsening": "moves to a worse state", "buckets": "moves one bucket worse"}
    what = cells.get(c.roll_rate_cells, f"the moves {c.roll_rate_cells}")
    return f"roll rates: {what}, multiplied as {_FORMS[c.roll_rate_form]} given no payoff"


def desk_rows(table: pl.DataFrame) -> list[DeskRow]:
    """Return a row a class and speed; further crossings of a class follow its first."""
    rows = []
    found = table.filter(pl.col("kind") == "cdr", pl.col("note").is_not_null())
    for row in found.sort("speed", maintain_order=True).iter_rows(named=True):
        zero = table.filter(
            pl.col("kind") == "cdr_zero_yield", pl.col("note") == row["note"],
            pl.col("speed") == row["speed"], pl.col("crossing") <= 1,
        )  # fmt: skip
        at_zero = zero["value"][0] if len(zero) else None
        cells = (
            _cdr(row), _number(row["pool_loss_pct"], 1), _number(row["coverage"], 2),
            _percent(at_zero), _number(row["average_life"], 1), _number(row["duration"], 1),
            _window(row), _small(row["writedown_pct"]),
        )  # fmt: skip
        rows.append(DeskRow(row["note"], f"{100.0 * row['speed']:g} %", cells))
    return rows


def multiple_cells(table: pl.DataFrame, kind: str, note: str | None, target: float) -> str:
    """Return the multiples at which a class reaches a probability, each with its error."""
    rows = of_class(table, kind, note).filter(pl.col("target") == target)
    return ", ".join(_multiple(row) for row in rows.iter_rows(named=True)) or DASH


def coverage_cell(table: pl.DataFrame, kind: str, note: str | None, target: float) -> str:
    """Return the coverage multiple of the first crossing."""
    rows = of_class(table, kind, note).filter(pl.col("target") == target)
    row = rows.row(0, named=True) if len(rows) else {"coverage": None}
    if row["coverage"] is None:
        return DASH
    error = row["coverage_standard_error"]
    return f"{row['coverage']:.2f}" + ("" if error is None else f" ± {error:.2f}")


def shift_cells(table: pl.DataFrame, note: str | None) -> str:
    """Return the mildest shift at which a class loses its first dollar."""
    rows = of_class(table, "shift", note).rows(named=True)
    if not rows:
        return DASH
    if rows[0]["value"] is None:
        return f"none up to {rows[0]['searched_to']:g}"
    return ", ".join(f"{row['value']:.3f}{_falls(row)}" for row in rows)


def of_class(table: pl.DataFrame, kind: str, note: str | None) -> pl.DataFrame:
    """Return the break-evens of a kind of one class, of any class where None."""
    return table.filter(
        pl.col("kind") == kind, pl.col("note").eq_missing(pl.lit(note, pl.String))
    ).sort("crossing")  # fmt: skip


def classes_of(table: pl.DataFrame) -> list[str]:
    """Return the classes of a table in the deal's order."""
    return table["note"].drop_nulls().unique(maintain_order=True).to_list()


def targets_of(table: pl.DataFrame) -> list[float]:
    """Return the probabilities that were sought."""
    return table["target"].drop_nulls().unique(maintain_order=True).to_list()


def _multiple(row: dict[str, Any]) -> str:
    """Return one crossing of a probability."""
    if row["value"] is None:
        return f"none {row['searched_from']:.2f}–{row['searched_to']:.2g}"
    error = row["standard_error"]
    return f"{row['value']:.2f}" + ("" if error is None else f" ± {error:.2f}") + _falls(row)


def _falls(row: dict[str, Any]) -> str:
    """Mark a crossing beyond which less is lost, and a loss without any stress."""
    return {"falling": " ↓", "from the start": " (at once)"}.get(row["direction"] or "", "")


def _cdr(row: dict[str, Any]) -> str:
    """Return a CDR; none says that the class loses at no CDR."""
    return "none" if row["value"] is None else _percent(row["value"]) + _falls(row)


def _percent(value: float | None) -> str:
    return DASH if value is None else f"{100.0 * value:.1f}"


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None else f"{value:.{digits}f}"


def _small(value: float | None) -> str:
    """Return a share in % that may be tiny."""
    return "< 0.01" if value is not None and 0.0 < value < 0.005 else _number(value, 2)


def _window(row: dict[str, Any]) -> str:
    """Return the first and the last month of principal."""
    if row["window_first"] is None:
        return DASH
    return f"{row['window_first']:.0f}–{row['window_last']:.0f}"
