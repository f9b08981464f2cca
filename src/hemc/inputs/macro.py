"""A Federal Reserve scenario or history CSV of any year → quarters of what stress needs.

A file is recognised by its content: a scenario name and a date in every row, and its headings.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from hemc.errors import InputError
from hemc.inputs.bounded_file import read_text
from hemc.inputs.quarters import Quarter, place_in_time, quarter_name
from hemc.inputs.toml import validate

#: Field of a quarter → heading of its column, as the Federal Reserve Board prints them.
COLUMNS = {
    "unemployment_pct": "Unemployment rate",
    "house_price_index": "House Price Index (Level)",
    "mortgage_pct": "Mortgage rate",
    "treasury_3m_pct": "3-month Treasury rate",
}
_SCENARIO, _DATE = "Scenario Name", "Date"
_EXPECTED = "a Federal Reserve scenario or history file with the columns "
_EXPECTED += ", ".join(f"'{name}'" for name in (_SCENARIO, _DATE, *COLUMNS.values()))


class _Row(NamedTuple):
    """A line of a CSV with the cells of COLUMNS and of its scenario."""

    line: int
    scenario: str
    quarter: str
    cells: dict[str, str]


class MacroFile:
    """The rows of a CSV; figures are read where they are asked for, so that others may be blank.

    Raises InputError for a file that is none of the Federal Reserve's, a missing column, a date
    that is no quarter.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._rows = list(_read_rows(file))

    def scenarios(self) -> list[str]:
        """Return the names of the scenarios in the file."""
        return list(dict.fromkeys(row.scenario for row in self._rows))

    def window(
        self, scenario: str | None = None, first: str | None = None, last: str | None = None
    ) -> tuple[Quarter, ...]:
        """Return the quarters of a scenario from `first` to `last`, both included.

        `scenario` may be None where the file has one only; `first` and `last` are its own ends
        where None. Raises InputError where there is none, and for a blank or impossible figure.
        """
        rows = self._of(scenario)
        low = place_in_time(first) if first else 0
        high = place_in_time(last) if last else place_in_time(rows[-1].quarter)
        chosen = [row for row in rows if low <= place_in_time(row.quarter) <= high]
        if not chosen:
            ends = f"{rows[0].quarter} to {rows[-1].quarter}"
            wanted = f"{first or rows[0].quarter} to {last or rows[-1].quarter}"
            raise InputError(self.file, _DATE, f"no quarter from {wanted}", f"some of {ends}")
        return tuple(self._figures(row) for row in chosen)

    def before(self, quarter: Quarter, scenario: str | None = None) -> Quarter:
        """Return the quarter before another, from which changes count."""
        for row in self._of(scenario):
            if place_in_time(row.quarter) == quarter.number - 1:
                return self._figures(row)
        expected = "a row for it (or name a file of history as csv.history)"
        raise InputError(self.file, _DATE, f"no quarter before {quarter.quarter}", expected)

    def _of(self, scenario: str | None) -> list[_Row]:
        """Return the rows of one scenario."""
        names = self.scenarios()
        wanted = names[0] if scenario is None and len(names) == 1 else scenario
        rows = [row for row in self._rows if row.scenario == wanted]
        if not rows:
            found = f"no scenario '{scenario}'" if scenario else f"{len(names)} scenarios"
            raise InputError(self.file, _SCENARIO, found, f"one of {', '.join(names)}")
        return rows

    def _figures(self, row: _Row) -> Quarter:
        """Return a row's figures; the error of a bad one names its line and column."""
        for field, cell in row.cells.items():
            if not cell:
                place = f"line {row.line}, column '{COLUMNS[field]}'"
                raise InputError(self.file, place, "a blank cell", "a figure in this quarter")
        try:
            return validate(Quarter, {"quarter": row.quarter, **row.cells}, self.file)
        except InputError as error:
            place = f"line {row.line}, column '{COLUMNS.get(error.place, _DATE)}'"
            raise InputError(self.file, place, error.found, error.expected) from None


def _read_rows(file: Path) -> Iterator[_Row]:
    """Yield the rows of a CSV."""
    lines = _read_lines(file)
    places = _places(file, lines[0] if lines else [])
    for number, cells in enumerate(lines[1:], start=2):
        if any(cells):
            yield _read_row(file, number, cells, places)


def _read_row(file: Path, number: int, cells: list[str], places: dict[str, int]) -> _Row:
    """Return line `number` of a CSV."""
    if len(cells) <= max(places.values()):
        expected = f"{max(places.values()) + 1} or more, as many as the headings"
        raise InputError(file, f"line {number}", f"{len(cells)} cells", expected)
    found = {name: cells[place] for name, place in places.items()}
    try:
        quarter = quarter_name(found[_DATE])
    except ValueError as error:
        place = f"line {number}, column '{_DATE}'"
        raise InputError(file, place, f"'{found[_DATE]}'", str(error)) from None
    figures = {field: found[name] for field, name in COLUMNS.items()}
    return _Row(number, found[_SCENARIO], quarter, figures)


def _read_lines(file: Path) -> list[list[str]]:
    """Return the cells of every line."""
    lines = StringIO(read_text(file, _EXPECTED), newline="")
    try:
        return [[cell.strip() for cell in line] for line in csv.reader(lines)]
    except csv.Error as error:
        raise InputError(file, "", f"a file that cannot be read ({error})", _EXPECTED) from None


def _places(file: Path, heads: list[str]) -> dict[str, int]:
    """Return the place of every heading that is read."""
    found = {" ".join(head.lower().split()): place for place, head in enumerate(heads)}
    wanted = (_SCENARIO, _DATE, *COLUMNS.values())
    missing = [name for name in wanted if name.lower() not in found]
    if missing:
        what = ", ".join(f"'{name}'" for name in missing)
        raise InputError(file, "line 1", f"no column {what}", _EXPECTED)
    return {name: found[name.lower()] for name in wanted}
