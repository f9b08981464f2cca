"""A CSV or Parquet file → its rows as they stand and where a person finds each of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import polars as pl

from hemc.errors import InputError
from hemc.inputs.bounded_file import read_text
from hemc.inputs.parquet_file import is_parquet, parquet_columns, read_parquet

TAPE_FILE = "a loan tape, CSV (UTF-8, comma) or Parquet, as docs/tape.md describes"

#: Some five million loans.
_MOST_BYTES = 500_000_000


class FileRows(NamedTuple):
    """Rows of a file: text columns from a CSV, typed ones from Parquet; `places` names each row."""

    values: pl.DataFrame
    places: list[str]


def read_rows(path: Path, columns: Sequence[str]) -> FileRows:
    """Read those columns of a table; its content, not its name, says whether it is Parquet.

    Raises InputError for a file that is missing, empty, binary or damaged, or lacks a column.
    """
    if is_parquet(path, TAPE_FILE):
        return _read_parquet(path, columns)
    text = read_text(path, TAPE_FILE, _MOST_BYTES)
    if not text.strip():
        raise InputError(path, "", "an empty file", TAPE_FILE)
    return _read_csv(path, text, columns)


def _read_parquet(path: Path, columns: Sequence[str]) -> FileRows:
    """Read the rows of a Parquet file; row 1 is the first."""
    _require_columns(path, parquet_columns(path, TAPE_FILE), columns)
    values = read_parquet(path, TAPE_FILE, columns)
    return FileRows(values, [f"row {i + 1}" for i in range(values.height)])


def _require_columns(path: Path, there: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse a table that lacks a column."""
    missing = [name for name in wanted if name not in there]
    if missing:
        found = ", ".join(there)[:200]
        raise InputError(path, "columns", f"no {', no '.join(missing)} among: {found}", TAPE_FILE)


def _read_csv(path: Path, text: str, columns: Sequence[str]) -> FileRows:
    """Read the rows of a CSV; an empty field is null, a blank line is skipped but counted.

    The standard reader is used because it knows the line of each row, whatever is quoted.
    """
    rows = _csv_rows(path, text)
    place, names = next(rows, ("", []))
    header = [name.strip() for name in names]
    if not header:
        raise InputError(path, "", "no column names", TAPE_FILE)
    if len(set(header)) != len(header):
        raise InputError(path, place, "a column name twice", "each column name once")
    _require_columns(path, header, columns)
    wanted = itemgetter(*(header.index(name) for name in columns))
    places, records = [], []
    for place, fields in rows:
        if len(fields) != len(header):
            expected = f"{len(header)} fields, as in the header"
            raise InputError(path, place, f"{len(fields)} fields", expected)
        places.append(place)
        records.append(wanted(fields))
    table = pl.DataFrame(records, schema=dict.fromkeys(columns, pl.String), orient="row")
    return FileRows(table.select(pl.all().replace("", None)), places)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield place and fields of every row that is not blank."""
    reader = csv.reader(StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        for fields in reader:
            if "".join(fields).strip():
                yield f"line {reader.line_num}", fields
    except csv.Error as error:
        raise InputError(path, f"line {reader.line_num}", str(error), TAPE_FILE) from None
