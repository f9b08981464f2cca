"""A panel that cannot be read as it is → the one error that names its first faulty row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from hemc.errors import InputError
from hemc.inputs.panel_file import PanelSource
from hemc.inputs.panel_layout import PANEL_FILE, Layout, header_names
from hemc.inputs.parquet_file import parquet_errors

#: Years that a month of a panel may have.
FIRST_YEAR, LAST_YEAR = 1900, 2199


def locate_fault(source: PanelSource, fault: str) -> InputError:
    """Return the error of the first faulty row, or `fault` for the files as a whole.

    Reads row by row in plain Python, which is slow and happens only when a panel is refused.
    """
    for file in source.files:
        rows = _parquet_rows if source.is_parquet else _text_rows
        for place, loan, month, width in rows(file, source.layout):
            found = _fault(loan, month, width, source.layout)
            if found is not None:
                return InputError(file, place, *found)
    return InputError(source.files[0], "", fault, PANEL_FILE)


#: Place of a row, its loan, its month and its number of columns (None where it cannot differ).
_Row = tuple[str, str, str, int | None]


def _parquet_rows(file: Path, layout: Layout) -> Iterator[_Row]:
    columns = pl.col(layout.loan, layout.month).cast(pl.String).fill_null("")
    with parquet_errors(file, PANEL_FILE):
        frame = pl.scan_parquet(file).select(columns).collect()
    for i, (loan, month) in enumerate(frame.iter_rows()):
        yield f"row {i + 1}", loan, month, None


def _text_rows(file: Path, layout: Layout) -> Iterator[_Row]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        quote = None if layout.widths else '"'
        names = [f"c{i + 1}" for i in range(max(layout.widths, default=0))]
        names = names or header_names(next(stream))
        lines = csv.reader(stream, delimiter=layout.separator, quotechar=quote)
        loan, month = names.index(layout.loan), names.index(layout.month)
        for fields in _records(file, lines):
            padded = fields + [""] * len(names)
            yield (
                f"line {lines.line_num + (not layout.widths)}",
                padded[loan],
                padded[month],
                len(fields),
            )


def _records(file: Path, lines: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield the records of a reader; one that it cannot read is the fault."""
    try:
        yield from lines
    except csv.Error as error:
        raise InputError(file, "", str(error), PANEL_FILE) from None


def _fault(loan: str, month: str, width: int | None, layout: Layout) -> tuple[str, str] | None:
    """Return what a row holds and what it should hold, None where it can be read."""
    if layout.widths and width not in layout.widths:
        return f"{width} columns", layout.width_text
    if not loan.strip():
        return "no loan number", "a loan number in every row"
    if not _is_month(month.strip(), layout):
        return f"month '{month.strip()}'", f"a month as {layout.month_form}"
    return None


def _is_month(text: str, layout: Layout) -> bool:
    digits = text if layout.widths else text.replace("-", "")[:6]
    if len(digits) != 6 or not digits.isdecimal():
        return False
    first, last = (4, 2) if layout.year_first else (2, 4)
    year, month = (digits[:first], digits[-last:])[:: 1 if layout.year_first else -1]
    return FIRST_YEAR <= int(year) <= LAST_YEAR and 1 <= int(month) <= 12
