"""Names and patterns → the panel files they mean, their one layout and their rows in pieces."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.errors import InputError
from hemc.inputs.bounded_file import require_file
from hemc.inputs.panel_layout import (
    PANEL_FILE,
    Layout,
    header_names,
    recognize_header,
    recognize_text_layout,
)
from hemc.inputs.parquet_file import (
    is_parquet,
    parquet_columns,
    require_moderate,
    require_moderate_text,
)

_TAIL_BYTES, _LONGEST_HEADER, _LONGEST_LINE = 1 << 16, 1 << 14, 1 << 16

_PIECE_ROWS, _PIECE_BYTES = 1 << 21, 1 << 27


class PanelSource(NamedTuple):
    """Files of one layout."""

    files: tuple[Path, ...]
    layout: Layout
    is_parquet: bool


def open_panel(patterns: Sequence[str | Path]) -> PanelSource:
    """Find the files that names and patterns with * mean, and recognise their one layout.

    Raises InputError for a file that is missing, empty, packed, cut off or no panel, and for two
    layouts at once.
    """
    files = tuple(dict.fromkeys(file for p in patterns for file in _matching_files(str(p))))
    sources = [_recognize(file) for file in files]
    for source in sources[1:]:
        if _kind(source) != _kind(sources[0]):
            expected = f"{_kind(sources[0])}, as {files[0]} is"
            raise InputError(source.files[0], "", _kind(source), expected)
    return sources[0]._replace(files=files)


def _kind(source: PanelSource) -> str:
    """Return what a person calls the files."""
    return f"a {source.layout.name}" + (" in Parquet" if source.is_parquet else "")


def _matching_files(pattern: str) -> list[Path]:
    """Return the file of a name, or those of a pattern in alphabetical order."""
    files = [Path(pattern)]
    if not os.path.exists(pattern):
        files = [Path(name) for name in sorted(glob.glob(pattern))] or files
    for file in files:
        require_file(file, PANEL_FILE)
    return files


def _recognize(file: Path) -> PanelSource:
    """Recognise one file by its content."""
    packed = is_parquet(file, PANEL_FILE)
    if packed:
        found = recognize_header(parquet_columns(file, PANEL_FILE))
    else:
        found = _text_layout(_first_line(file))
    if isinstance(found, str):
        raise InputError(file, "", found, PANEL_FILE)
    if found.widths:
        _check_last_line(file, found)
    if packed:
        require_moderate(file, PANEL_FILE, found.columns)
    return PanelSource((file,), found, packed)


def _first_line(file: Path) -> bytes:
    """Return the first line; refuse one that no layout has."""
    with file.open("rb") as stream:
        line = stream.readline(_LONGEST_HEADER)
    if len(line) == _LONGEST_HEADER:
        found = f"a first line of {_LONGEST_HEADER:,} bytes or more"
        raise InputError(file, "line 1", found, PANEL_FILE)
    return line


def _text_layout(line: bytes) -> Layout | str:
    """Return the layout of a file that begins with a line of text, or what was found instead."""
    if line.startswith((b"PK", b"\x1f\x8b")):
        return "a packed archive, to be unpacked first"
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        return "bytes that are not UTF-8 text"
    if "\r" in text:
        return "a carriage return within the first line"
    return recognize_text_layout(text) if text.strip() else "an empty file or an empty first line"


def _check_last_line(file: Path, layout: Layout) -> None:
    """Refuse a file whose last line is cut off, as by a transfer that did not end."""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        last = stream.read().rstrip().rpartition(b"\n")[2]
    width = last.count(layout.separator.encode()) + 1
    if width not in layout.widths:
        raise InputError(file, "last line", f"{width} columns", layout.width_text)


def read_pieces(source: PanelSource) -> Iterator[pl.LazyFrame]:
    """Yield the columns that are read as they stand, in pieces that bound the memory needed.

    polars would decode much of a large file ahead, and count a text file mapped into memory.
    """
    read = _parquet_pieces if source.is_parquet else _text_pieces
    for file in source.files:
        yield from read(file, source.layout)


def _parquet_pieces(file: Path, layout: Layout) -> Iterator[pl.LazyFrame]:
    rows = pl.scan_parquet(file).select(layout.columns)
    n_rows = rows.select(pl.len()).collect().item()
    for start in range(0, n_rows, _PIECE_ROWS):
        piece = rows.slice(start, _PIECE_ROWS)
        require_moderate_text(file, PANEL_FILE, piece)
        yield piece


def _text_pieces(file: Path, layout: Layout) -> Iterator[pl.LazyFrame]:
    """Yield blocks of whole lines; a file without header has the width of its first line."""
    with file.open("rb") as stream:
        names = _column_names(stream.readline(), layout)
        if layout.widths:
            stream.seek(0)
        while block := stream.read(_PIECE_BYTES):
            block += stream.readline()
            _require_lines(file, block)
            lines = pl.scan_csv(
                BytesIO(block), has_header=False,
                schema=dict.fromkeys(names, pl.String), separator=layout.separator,
                quote_char=None if layout.widths else '"',
            )  # fmt: skip
            yield lines.select(layout.columns)


def _require_lines(file: Path, block: bytes) -> None:
    """Refuse a line so long that it is none, for which polars would need gigabytes."""
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n"))
    longest = int(np.diff(ends, prepend=-1, append=len(block)).max())
    if longest > _LONGEST_LINE:
        found, expected = f"a line of {longest:,} bytes", f"lines of at most {_LONGEST_LINE:,}"
        raise InputError(file, "", found, expected)


def _column_names(line: bytes, layout: Layout) -> list[str]:
    """Return the names in a header, or numbered ones."""
    text = line.decode("utf-8-sig")
    if layout.widths:
        return [f"c{i + 1}" for i in range(text.count(layout.separator) + 1)]
    return header_names(text)
