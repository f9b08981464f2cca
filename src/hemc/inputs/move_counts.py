"""A table of move counts (CSV or Parquet) ↔ arrays by horizon, impossible moves told apart."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.errors import InputError
from hemc.inputs.bounded_file import read_text
from hemc.inputs.parquet_file import is_parquet, read_parquet
from hemc.states import D180, KEYS, N_LIVE, N_STATES, NAMES, REO

Counts = NDArray[np.int64]

TOO_FAST = "more than one bucket worse a month"
OUT_OF_REO = "out of REO to a live state"

_FILE = "a table of move counts with columns months, from_state, to_state, count"
_SCHEMA = {"months": pl.Int64, "from_state": pl.String, "to_state": pl.String, "count": pl.Int64}
_DAYS_A_BUCKET = 30
_MOST_COLUMNS = 100


class MoveCounts(NamedTuple):
    """Moves counted over one or more horizons.

    `counts` is int64[live state, state] by months ahead, impossible moves included: those of one
    month are part of the longer ones too. `hidden` are the states that the source does not show.
    """

    counts: dict[int, Counts]
    hidden: tuple[int, ...]

    def possible(self, months: int) -> Counts:
        """Return the counts without impossible moves, int64[live state, state]."""
        return np.where(can_happen(months), self.counts[months], 0)

    def impossible(self) -> list[tuple[str, str, int, str]]:
        """Return name, unit, count and the most frequent ones of impossible moves."""
        found = []
        for months, table in self.counts.items():
            unit = f"move over {months} month{'s' if months > 1 else ''}"
            for name, cells in _impossible(months).items():
                number = int(table[cells].sum())
                if number:
                    found.append((name, unit, number, _largest(table, cells)))
        return found


def can_happen(months: int) -> NDArray[np.bool_]:
    """Return which moves a loan can make in so many months, bool[live state, state]."""
    too_fast, out_of_reo = _impossible(months).values()
    return ~(too_fast | out_of_reo)


def _impossible(months: int) -> dict[str, NDArray[np.bool_]]:
    """Return the moves that no loan can make in so many months, bool[live state, state] by name.

    A loan falls behind by one instalment a month at most, and property taken is not given back.
    """
    live, to = np.arange(N_LIVE)[:, None], np.arange(N_STATES)[None, :]
    too_fast = (live < D180) & (to <= D180) & (to > live + months)
    return {TOO_FAST: too_fast, OUT_OF_REO: (live == REO) & (to < REO)}


def _largest(table: Counts, cells: NDArray[np.bool_], most: int = 3) -> str:
    """Return the most frequent of some moves as text."""
    moves = sorted(((int(table[s, to]), s, to) for s, to in np.argwhere(cells)), reverse=True)
    shown = [f"{NAMES[s]} → {NAMES[to]} {n:,}" for n, s, to in moves[:most] if n]
    return ", ".join(shown)


def move_counts_table(moves: MoveCounts) -> pl.DataFrame:
    """Return a row for each horizon and pair of shown states, zeros included.

    A state without a row is thereby known as one that the source does not show.
    """
    shown = [s for s in range(N_STATES) if s not in moves.hidden]
    rows = [
        (months, NAMES[s], NAMES[to], int(table[s, to]))
        for months, table in moves.counts.items()
        for s in shown
        if s < N_LIVE
        for to in shown
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def read_move_counts(path: Path) -> MoveCounts:
    """Read a table of counts; states are hemc's names or keys, or days past due (30 … 360+, RA).

    A line that begins with # is a comment. Raises InputError with the row that cannot be used.
    """
    table = _read_table(path)
    counts: dict[int, Counts] = {}
    shown: set[int] = set()
    seen: set[tuple[int, str, str]] = set()
    for place, months, start, end, number in _rows(path, table):
        s, to = _state(path, place, "from_state", start), _state(path, place, "to_state", end)
        if (months, start, end) in seen:
            raise InputError(path, place, f"{start} → {end} a second time", "each move once")
        seen.add((months, start, end))
        shown |= {s, to}
        if s < N_LIVE:
            counts.setdefault(months, _no_moves())[s, to] += number
    if 1 not in counts or not counts[1].sum():
        raise InputError(path, "", "no moves of one month", _FILE)
    hidden = tuple(s for s in range(N_STATES) if s not in shown)
    return MoveCounts(dict(sorted(counts.items())), hidden)


def _no_moves() -> Counts:
    return np.zeros((N_LIVE, N_STATES), dtype=np.int64)


def _read_table(path: Path) -> pl.DataFrame:
    """Read the four columns as text and numbers."""
    table = read_parquet(path, _FILE, _SCHEMA) if is_parquet(path, _FILE) else _read_csv(path)
    missing = [name for name in _SCHEMA if name not in table.columns]
    if missing:
        raise InputError(path, "", f"no column {', '.join(missing)}", _FILE)
    return table.select(*_SCHEMA)


def _read_csv(path: Path) -> pl.DataFrame:
    text = read_text(path, _FILE)
    widest = max((line.count(",") for line in text.splitlines()), default=0)
    if widest > _MOST_COLUMNS:
        raise InputError(path, "", f"{widest + 1:,} columns", _FILE)
    try:
        return pl.read_csv(StringIO(text), comment_prefix="#", infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InputError(path, "", str(error).splitlines()[0], _FILE) from None


def _rows(path: Path, table: pl.DataFrame) -> Iterator[tuple[str, int, str, str, int]]:
    """Yield place, months, names and count of each row; refuse what is no number."""
    numbers = table.select(pl.col("months", "count").cast(pl.Int64, strict=False))
    for i, (months, number) in enumerate(numbers.iter_rows()):
        place = f"row {i + 1}"
        if months is None or months < 1:
            raise InputError(path, place, f"months {table['months'][i]}", "whole months from 1")
        if number is None or number < 0:
            raise InputError(path, place, f"count {table['count'][i]}", "a whole number from 0")
        yield place, months, str(table["from_state"][i]), str(table["to_state"][i]), number


def _state(path: Path, place: str, column: str, text: str) -> int:
    """Return the state of a name, a key, or days past due."""
    word = text.strip().lower()
    if word in NAMES:
        return NAMES.index(word)
    keys = [key.lower() for key in KEYS]
    if word in keys:
        return keys.index(word)
    if word == "ra":
        return REO
    days = word.removesuffix("+")
    if days.isdecimal() and int(days) % _DAYS_A_BUCKET == 0:
        return min(int(days) // _DAYS_A_BUCKET, D180)
    raise InputError(path, place, f"{column} '{text}'", f"one of {', '.join(NAMES)}, days or RA")
