"""A Parquet file → a table of some of its columns, or one clear error whatever the file holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from hemc.errors import InputError
from hemc.inputs.bounded_file import require_file
from hemc.inputs.parquet_pages import parquet_contents

#: What a small file may hold; a larger one may hold more, as far as it is large itself.
_ROWS_OF_ANY, _BYTES_OF_ANY = 10_000_000, 400_000_000
_ROWS_FOR_BYTE, _UNPACKED_FOR_BYTE = 2, 30
#: Bytes of text, with each value as often as it stands in a row: a page may name it once for all.
_TEXT_OF_ANY, _TEXT_FOR_BYTE = 100_000_000, 20


def is_parquet(path: Path, expected: str) -> bool:
    """Tell by its first bytes whether a file is Parquet."""
    require_file(path, expected)
    with parquet_errors(path, expected), path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def parquet_columns(path: Path, expected: str) -> list[str]:
    """Return the names of a file's columns."""
    require_file(path, expected)
    with parquet_errors(path, expected):
        return list(pl.read_parquet_schema(path))


def read_parquet(path: Path, expected: str, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Read those of `columns` that the file has, or all; raises InputError for a damaged file."""
    there = parquet_columns(path, expected)
    wanted = [name for name in there if columns is None or name in columns]
    require_moderate(path, expected, wanted)
    with parquet_errors(path, expected):
        table = pl.read_parquet(path, columns=wanted)
    require_moderate_text(path, expected, table.lazy())
    return table


def require_moderate(path: Path, expected: str, columns: Collection[str]) -> None:
    """Refuse a file that unpacks to far more rows or bytes than its size tells."""
    with parquet_errors(path, expected), path.open("rb") as stream:
        held = parquet_contents(stream)
        size = path.stat().st_size
    n_bytes = sum(held.n_bytes.get(name, 0) for name in columns)
    if held.n_rows > _ROWS_OF_ANY + _ROWS_FOR_BYTE * size:
        raise InputError(path, "", f"{held.n_rows:,} rows in {size:,} bytes", expected)
    if n_bytes > max(_BYTES_OF_ANY, _UNPACKED_FOR_BYTE * size):
        raise InputError(path, "", f"{n_bytes:,} bytes packed into {size:,}", expected)


def require_moderate_text(path: Path, expected: str, rows: pl.LazyFrame) -> None:
    """Refuse rows whose texts are far longer together than the file's size tells."""
    with parquet_errors(path, expected):
        lengths = [
            (pl.col(name).str if dtype == pl.String else pl.col(name).cat)
            .len_bytes()
            .cast(pl.UInt64)
            .sum()
            for name, dtype in rows.collect_schema().items()
            if dtype in (pl.String, pl.Categorical, pl.Enum)
        ]
        n_bytes = sum(rows.select(lengths).collect(engine="streaming").row(0)) if lengths else 0
        size = path.stat().st_size
    if n_bytes > max(_TEXT_OF_ANY, _TEXT_FOR_BYTE * size):
        raise InputError(path, "", f"{n_bytes:,} bytes of text packed into {size:,}", expected)


@contextmanager
def parquet_errors(path: Path, expected: str) -> Iterator[None]:
    """Turn what polars says of a damaged file into one InputError."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(path, "", "no such file", expected) from None
    except (PolarsError, PanicException, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(path, "", f"a damaged Parquet file ({reason})", expected) from None
