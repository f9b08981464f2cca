"""What a workbook is made of: sheets of texts, dates and numbers with their formats, as plain data.

Percentages are fractions under a format in per cent, as spreadsheets expect: 5.24 % is 0.0524.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hemc.outputs.numbers import show_probability

# Excel's number formats.
AMOUNT = "#,##0"
CENTS = "#,##0.00"
DECIMALS = "#,##0.0000"
PERCENT = "0.00%"
FINE_PERCENT = "0.000%"
INTEGER = "0"
DATE = "yyyy-mm-dd"
MONTH = "yyyy-mm"
PLAIN = "General"

#: What a reader of any figure has to know.
READING = "± is one standard error. Percentages are fractions: 5.24 % is 0.0524."

_SHAPES = {"USD": AMOUNT, "fraction": PERCENT, "per year": FINE_PERCENT, "years": CENTS}


class Number(NamedTuple):
    """A number and Excel's format of it."""

    value: float
    shape: str = PLAIN


class Day(NamedTuple):
    """A date and Excel's format of it."""

    value: dt.date
    shape: str = DATE


#: None is an empty cell.
Cell = str | Number | Day | None


class Sheet(NamedTuple):
    """A sheet: a note above, one row of headings, rows; the first `n_keys` columns stay in view.

    `names` are the workbook's names of cells: (row, column) from 0 beneath the headings.
    """

    title: str
    note: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    n_keys: int = 1
    names: Mapping[str, tuple[int, int]] = {}


def number(value: float | None, shape: str = PLAIN, factor: float = 1.0) -> Number | None:
    """Return a cell with `value` × `factor`, empty where there is no value."""
    return None if value is None else Number(factor * value, shape)


def words(text: object) -> Cell:
    """Return a text as the number that it writes, where it writes one, else as it is."""
    try:
        found = float(str(text))
    except ValueError:
        return str(text)
    # Words such as "nan" and "infinity" are no numbers of a spreadsheet.
    return Number(found) if abs(found) < float("inf") else str(text)


def estimate_cells(
    row: Mapping[str, Any] | None, independent: int | None
) -> tuple[Number | None, Number | None]:
    """Return value and standard error of a row of measures.parquet, empty where there is none.

    A probability without a hit shows the bound that its paths allow; its value is 0 all the same.
    """
    if row is None or row["value"] is None:
        return None, None
    factor, shape = unit_shape(row["unit"])
    bounded = shape
    if row["statistic"] == "probability" and row["value"] in (0.0, 1.0):
        bounded = f'"{show_probability(row["value"], None, independent)}"'
    return Number(factor * row["value"], bounded), number(row["standard_error"], shape, factor)


def unit_shape(unit: str) -> tuple[float, str]:
    """Return the factor that brings a unit to a spreadsheet's, and the format there."""
    if unit.startswith("%"):
        return 0.01, PERCENT
    return 1.0, _SHAPES.get(unit, CENTS)
