"""Panel files of one layout → one packed number a row, read in pieces by polars.

A row's number is loan × 2^16 + month × 2^4 + code: sorted numbers are rows by loan and month, and
a row costs 8 bytes whatever the file holds beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PanicException, PolarsError

from hemc.errors import InputError
from hemc.inputs.panel_fault import FIRST_YEAR, LAST_YEAR, locate_fault
from hemc.inputs.panel_file import PanelSource, read_pieces
from hemc.inputs.panel_layout import UNKNOWN_EXIT, UNKNOWN_STATUS, Layout
from hemc.printable import one_line
from hemc.states import REO

Keys = NDArray[np.uint64]

#: Months count from January 1900, and twelve bits reach the year 2241.
LOAN_SHIFT, MONTH_SHIFT, MONTH_MASK, CODE_MASK = 16, 4, 0xFFF, 0xF


class PanelKeys(NamedTuple):
    """Rows by loan and month, and how to name them.

    `names` is a column of the category type that numbers the loans: polars forgets the names when
    the last column of the type is gone.
    """

    rows: Keys  # [row], ascending
    names: pl.Series

    def row_name(self, key: int) -> str:
        """Return what the file calls the loan of a row, and the month."""
        number = pl.Series([key >> LOAN_SHIFT], dtype=pl.UInt32)
        loan = number.cat.to(self.names.dtype)[0]
        return f"loan {one_line(loan, 40)}, {month_text(key >> MONTH_SHIFT & MONTH_MASK)}"


def month_text(month: int) -> str:
    """Return a month as YYYY-MM."""
    return f"{FIRST_YEAR + month // 12}-{month % 12 + 1:02d}"


def read_keys(source: PanelSource) -> PanelKeys:
    """Read every row.

    Raises InputError with file and line (row) where a loan or a month cannot be read.
    """
    names = pl.Series([""], dtype=pl.Categorical(pl.Categories.random()))
    try:
        pieces = [_read_piece(piece, source.layout, names) for piece in read_pieces(source)]
    except (PolarsError, PanicException, OSError) as error:
        raise locate_fault(source, (str(error).splitlines() or [""])[0]) from None
    if not pieces:
        raise InputError(source.files[0], "", "no rows", "a row for each loan and month")
    rows = pl.concat(pieces)
    if rows.null_count():
        raise locate_fault(source, "a loan or month that cannot be read")
    return PanelKeys(rows.sort().to_numpy(), names)


def _read_piece(piece: pl.LazyFrame, layout: Layout, names: pl.Series) -> pl.Series:
    month = _month(layout, piece.collect_schema()[layout.month])
    key = _key(layout, names.dtype, month)
    return piece.select(key=key).collect(engine="streaming").to_series()


def unknown_codes(source: PanelSource) -> list[str]:
    """Return the codes that the layout does not define, the most frequent first, with counts."""
    layout = source.layout
    found = _unknown(source, "status", layout.status, layout.statuses)
    if layout.exit_code is not None:
        found += _unknown(source, "zero-balance code", layout.exit_code, layout.exits)
    return found


def _unknown(source: PanelSource, what: str, column: str, known: Mapping[str, int]) -> list[str]:
    text = _text(column, source.layout)
    pieces = [
        piece.select(text=text)
        .filter(~pl.col("text").is_in([*known, ""]))
        .group_by("text")
        .len()
        .collect(engine="streaming")
        for piece in read_pieces(source)
    ]
    counts = pl.concat(pieces).group_by("text").agg(pl.col("len").sum())
    rows = counts.sort("len", "text", descending=[True, False]).rows()
    return [f"{what} '{one_line(text, 40)}' {count:,} times" for text, count in rows]


def _key(layout: Layout, loans: pl.DataType, month: pl.Expr) -> pl.Expr:
    """Return the packed number of a row, null where loan or month cannot be read."""
    name = pl.col(layout.loan).cast(pl.String).str.strip_chars()
    number = pl.when(name != "").then(name).cast(loans).to_physical().cast(pl.UInt64)
    low = month.cast(pl.UInt64) * (1 << MONTH_SHIFT) + _code(layout).cast(pl.UInt64)
    return number * (1 << LOAN_SHIFT) + low


def _month(layout: Layout, dtype: pl.DataType) -> pl.Expr:
    """Return months since January 1900, null where there is no legal month."""
    column = pl.col(layout.month)
    if dtype.is_temporal():
        year, month = column.dt.year(), column.dt.month().cast(pl.Int32)
    else:
        year, month = _split_month(column.cast(pl.String).str.strip_chars(), layout)
    legal = year.is_between(FIRST_YEAR, LAST_YEAR) & month.is_between(1, 12)
    return pl.when(legal).then((year - FIRST_YEAR) * 12 + month - 1)


def _split_month(text: pl.Expr, layout: Layout) -> tuple[pl.Expr, pl.Expr]:
    """Return year and month of six digits, null where they are none."""
    if not layout.widths:
        text = text.str.replace_all("-", "", literal=True).str.slice(0, 6)
    digits = pl.when(text.str.contains("^[0-9]{6}$")).then(text).cast(pl.Int32, strict=False)
    if layout.year_first:
        return digits // 100, digits % 100
    return digits % 10_000, digits // 10_000


def _code(layout: Layout) -> pl.Expr:
    """Return the state of a row, or the code that says why it has none."""
    code = _decode(_text(layout.status, layout), layout.statuses, UNKNOWN_STATUS)
    if layout.foreclosed is not None:
        taken = _text(layout.foreclosed, layout) != ""
        code = pl.when(taken).then(pl.lit(REO, pl.UInt8)).otherwise(code)
    if layout.exit_code is not None:
        why = _text(layout.exit_code, layout)
        code = pl.when(why != "").then(_decode(why, layout.exits, UNKNOWN_EXIT)).otherwise(code)
    return code


def _decode(text: pl.Expr, codes: Mapping[str, int], unknown: int) -> pl.Expr:
    return text.replace_strict(codes, default=unknown, return_dtype=pl.UInt8)


def _text(column: str, layout: Layout) -> pl.Expr:
    """Return a column as text without blanks around it; in the plain layout in lower case."""
    text = pl.col(column).cast(pl.String).str.strip_chars().fill_null("")
    return text if layout.widths else text.str.to_lowercase()
