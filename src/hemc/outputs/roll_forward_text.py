"""roll_forward.parquet → its lines in words and tables of the console."""

from __future__ import annotations

import textwrap
from typing import Any

import polars as pl
from rich.table import Table

from hemc.outputs.roll_forward import CHANGE, CLOSING, OPENING, REALISED, RESERVE, STEPS
from hemc.outputs.screen import Screen

#: What each line says; opening and closing get their dates.
LINES = {
    OPENING: "opening", "accretion": "accretion of discount", "time": "the month, as expected",
    REALISED: "realised in the month", "pool_state": "new pool state",
    "roll_rates": "new roll rates", "scenario": "new scenario", "discount": "new discount rate",
    "timing_and_assumptions": "timing and assumptions", "paid": "paid",
    CLOSING: "closing", CHANGE: "change",
}  # fmt: skip

#: Names of the measures.
MEASURES = {
    "pool_loss": "Loss of the pool", "draws": "Draws on the insurer",
    "draws_pv": "Draws on the insurer, present value",
}  # fmt: skip

ORDER = (
    "Steps in this order, each on the same random numbers as the one before; with another order "
    "the same change would fall to them otherwise."
)


def print_roll_forward(out: Screen, table: pl.DataFrame) -> None:
    """Print a table a measure, and the reserve of the insurer's present value."""
    out.print("\nRoll-forward: mean over paths, USD")
    for measure, name in MEASURES.items():
        lines = table.filter(view=STEPS, measure=measure)
        if is_still(lines):
            out.print(f"\n{name}: none, on every path and at every step")
            continue
        out.print(f"\n{name}")
        out.print(_steps(lines))
        if measure == "pool_loss":
            print_wrapped(out, pool_text(lines))
        reserve = table.filter(view=RESERVE, measure=measure)
        if measure == "draws_pv" and not reserve.is_empty():
            out.print(_reserve(reserve))
    out.print("\n±: on common random numbers; (±): what independent seeds would give.")
    print_wrapped(out, ORDER)


def print_wrapped(out: Screen, text: str) -> None:
    """Print a sentence, its further lines indented."""
    for line in textwrap.wrap(text, out.width, subsequent_indent="  "):
        out.print(line, soft_wrap=True)


def is_still(lines: pl.DataFrame) -> bool:
    """Tell whether nothing is expected or happened at any step."""
    levels = lines.select(pl.col("to_come", "realised").abs().max()).row(0)
    return all(level is None or level < 0.005 for level in levels)


def pool_text(lines: pl.DataFrame) -> str:
    """Say what share of the pool of its date the loss still to come is."""
    parts = (
        f"{100.0 * row['to_come'] / row['pool']:.2f} % of the pool of {row[column]}"
        for step, column in ((OPENING, "fitted_to"), (CLOSING, "date"))
        for row in lines.filter(pl.col("step") == step).iter_rows(named=True)
        if row["pool"]
    )
    return f"Still to come: {', '.join(parts)}."


def line_name(row: dict[str, Any]) -> str:
    """Return a line's name, with its date where it has one."""
    dates = {OPENING: row["fitted_to"], CLOSING: row["date"]}
    return " ".join(str(part) for part in (LINES[row["step"]], dates.get(row["step"])) if part)


def _steps(lines: pl.DataFrame) -> Table:
    """Return all steps of a measure; across and down the lines add up."""
    shown = _headed(("still to come", "±", "(±)", "realised", "lifetime"))
    for row in lines.iter_rows(named=True):
        sign = "" if row["step"] in (OPENING, CLOSING) else "+"
        figures = [usd(row[column], sign) for column in ("to_come", "realised", "total")]
        errors = [usd(row[f"{part}standard_error"]) for part in ("", "independent_")]
        shown.add_row(line_name(row), figures[0], *errors, *figures[1:])
    return shown


def _reserve(lines: pl.DataFrame) -> Table:
    """Return the lines of the insurer's reserve."""
    shown = _headed(("reserve", "±"))
    for row in lines.iter_rows(named=True):
        sign = "" if row["step"] in (OPENING, CLOSING) else "+"
        shown.add_row(line_name(row), usd(row["to_come"], sign), usd(row["standard_error"]))
    return shown


def _headed(heads: tuple[str, ...]) -> Table:
    """Return an empty table; the first column names the line."""
    table = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def usd(value: float | None, sign: str = "") -> str:
    """Return whole USD, a dash where it is not known."""
    if value is None:
        return "–"
    return f"{round(value) + 0:{sign if round(value) else ''},}".replace("-", "−")
