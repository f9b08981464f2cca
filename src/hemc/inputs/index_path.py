"""A number, steps or a CSV file → the index of floating classes by month of the projection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemc.errors import InputError
from hemc.settings.index import IndexStep

_EXPECTED = "a CSV file with the columns month (1, 2, …) and rate (per year, a fraction)"

Setting = float | tuple[IndexStep, ...] | Path


def index_by_month(setting: Setting, file: Path | None, n_months: int) -> NDArray[np.float64]:
    """Return the index per year on which the coupon of each month is set, float64[n_months].

    A number is flat. Steps hold their rate, the last one to the end. A `file` gives rates at
    months, linear between them and flat before the first and after the last; it is read where
    `setting` names one. Raises InputError with the line for a file that does not.
    """
    if isinstance(setting, float):
        return np.full(n_months, setting)
    months = np.arange(1, n_months + 1)
    if isinstance(setting, tuple):
        place = np.searchsorted([step.until_month for step in setting], months)
        rates = np.array([step.rate for step in setting])
        return np.asarray(rates[np.minimum(place, rates.size - 1)])
    known, rate = zip(*_read_points(file or setting), strict=True)
    return np.asarray(np.interp(months, known, rate), dtype=np.float64)


def _read_points(file: Path) -> list[tuple[int, float]]:
    """Read months and rates; months rise."""
    points: list[tuple[int, float]] = []
    for place, row in _rows(file):
        try:
            month, rate = int(row["month"]), float(row["rate"])
        except (TypeError, ValueError):
            found = f"month '{row['month']}', rate '{row['rate']}'"
            raise InputError(file, place, found, "a whole month and a rate") from None
        last = points[-1][0] if points else 0
        if month <= last or not 0.0 <= rate <= 1.0:
            expected = f"a month after {last} and a rate from 0 to 1"
            raise InputError(file, place, f"month {month}, rate {row['rate']}", expected)
        points.append((month, rate))
    if not points:
        raise InputError(file, "", "no rows", _EXPECTED)
    return points


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of the file with their places."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(file, "", "no such file", _EXPECTED) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(file, "", f"a file that cannot be read ({error})", _EXPECTED) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    missing = [name for name in ("month", "rate") if name not in columns]
    if missing:
        raise InputError(file, "columns", f"no {', no '.join(missing)}", _EXPECTED)
    for row in reader:
        yield f"line {reader.line_num}", row
