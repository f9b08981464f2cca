"""Steps or a CSV file → the index of floating classes by month of the projection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.errors import InputError
from hemc.inputs.bounded_file import read_text
from hemc.settings.index import LAST_MONTH, IndexStep

_EXPECTED = "a CSV file with the columns month (1, 2, …) and rate (per year, a fraction)"


class IndexPath(NamedTuple):
    """Rates per year at rising months; between them steps or straight lines, level outside."""

    months: tuple[int, ...]
    rates: tuple[float, ...]
    is_stepped: bool  # a rate holds up to and including its month

    def by_month(self, n_months: int) -> NDArray[np.float64]:
        """Return the index on which the coupon of each month is set, float64[n_months]."""
        months = np.arange(1, n_months + 1)
        if not self.is_stepped:
            return np.asarray(np.interp(months, self.months, self.rates), dtype=np.float64)
        step = np.searchsorted(self.months, months)
        return np.array(self.rates)[np.minimum(step, len(self.rates) - 1)]


def stepped_index(steps: tuple[IndexStep, ...]) -> IndexPath:
    """Return the path of steps; the last one holds to the end."""
    return IndexPath(tuple(s.until_month for s in steps), tuple(s.rate for s in steps), True)


def read_index_path(file: Path) -> IndexPath:
    """Read months and rates; an InputError names the line that does not fit."""
    months: list[int] = []
    rates: list[float] = []
    for place, row in _rows(file):
        try:
            month, rate = int(row["month"]), float(row["rate"])
        except (TypeError, ValueError):
            found = f"month '{row['month']}', rate '{row['rate']}'"
            raise InputError(file, place, found, "a whole month and a rate") from None
        last = months[-1] if months else 0
        if not last < month <= LAST_MONTH or not 0.0 <= rate <= 1.0:
            expected = f"a month after {last}, {LAST_MONTH} at most, and a rate from 0 to 1"
            raise InputError(file, place, f"month {month}, rate {row['rate']}", expected)
        months.append(month)
        rates.append(rate)
    if not months:
        raise InputError(file, "", "no rows", _EXPECTED)
    return IndexPath(tuple(months), tuple(rates), False)


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of the file with their places."""
    text = read_text(file, _EXPECTED)
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    columns = _names(file, reader)
    reader.fieldnames = columns
    missing = [name for name in ("month", "rate") if name not in columns]
    if missing:
        raise InputError(file, "columns", f"no {', no '.join(missing)}", _EXPECTED)
    try:
        for row in reader:
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise InputError(file, f"line {reader.line_num}", str(error), _EXPECTED) from None


def _names(file: Path, reader: csv.DictReader[str]) -> list[str]:
    """Return the names of the columns."""
    try:
        return [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise InputError(file, "line 1", str(error), _EXPECTED) from None
