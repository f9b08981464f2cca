"""A CSV or Parquet file → its rows as they stand and where a person finds each of them."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from pathlib import Path
from typing import NamedTuple

import polars as pl

from hemc.errors import InputError

TAPE_FILE = "a loan tape, CSV (UTF-8, comma) or Parquet, as docs/tape.md describes"

PARQUET_MAGIC = b"PAR1"


class FileRows(NamedTuple):
    """Rows of a file: text columns from a CSV, typed ones from Parquet; `places` names each row."""

    values: pl.DataFrame
    places: list[str]


def read_rows(path: Path) -> FileRows:
    """Read a table; its content, not its name, says whether it is Parquet.

    Raises InputError for a file that is missing, empty, binary or damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(path, "", "no such file", TAPE_FILE) from None
    except OSError as error:
        raise InputError(path, "", f"a file that cannot be read ({error})", TAPE_FILE) from None
    if content.startswith(PARQUET_MAGIC):
        return _read_parquet(path, content)
    return _read_csv(path, _decode(path, content))


def _read_parquet(path: Path, content: bytes) -> FileRows:
    """Read the rows of a Parquet file; row 1 is the first."""
    try:
        values = pl.read_parquet(BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise InputError(path, "", "a damaged Parquet file", TAPE_FILE) from None
    return FileRows(values, [f"row {i + 1}" for i in range(values.height)])


def _decode(path: Path, content: bytes) -> str:
    """Return the text of a file, or refuse what is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(path, "", "bytes that are not UTF-8 text", TAPE_FILE) from None
    if not text.strip():
        raise InputError(path, "", "an empty file", TAPE_FILE)
    if "\0" in text:
        raise InputError(path, "", "a binary file", TAPE_FILE)
    return text


def _read_csv(path: Path, text: str) -> FileRows:
    """Read the rows of a CSV; an empty field is null, a blank line is skipped but counted.

    The standard reader is used because it knows the line of each row, whatever is quoted.
    """
    reader = csv.reader(StringIO(text, newline=""), skipinitialspace=True, strict=True)
    lines: list[int] = []
    records: list[list[str]] = []
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                lines.append(reader.line_num)
                records.append(fields)
    except csv.Error as error:
        raise InputError(path, f"line {reader.line_num}", str(error), TAPE_FILE) from None
    places = [f"line {number}" for number in lines]
    return FileRows(_text_columns(path, places, records), places[1:])


def _text_columns(path: Path, places: list[str], records: list[list[str]]) -> pl.DataFrame:
    """Return the records below the header as text columns; refuse one of another width."""
    if not records:
        raise InputError(path, "", "no column names", TAPE_FILE)
    header = [name.strip() for name in records[0]]
    if len(set(header)) != len(header):
        raise InputError(path, places[0], "a column name twice", "each column name once")
    for place, fields in zip(places, records, strict=True):
        if len(fields) != len(header):
            expected = f"{len(header)} fields, as in the header"
            raise InputError(path, place, f"{len(fields)} fields", expected)
    columns = {name: [fields[k] or None for fields in records[1:]] for k, name in enumerate(header)}
    return pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String))
