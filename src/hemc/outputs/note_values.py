"""What classes are worth on the paths of a block → columns of paths.parquet, and what they mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.kernels.valuation import (
    AVERAGE_LIFE,
    DISCOUNT_MARGIN,
    DURATION,
    EFFECTIVE_DURATION,
    PRICE,
    TO_CALL,
    TO_MATURITY,
    WINDOW_FIRST,
    WINDOW_LAST,
    YIELD,
    Quotes,
)
from hemc.model.valuation import Values


class ValueColumn(NamedTuple):
    """A figure of every class: `<column>_<class>` in paths.parquet, a measure of its own."""

    column: str
    measure: str
    insurer: str
    row: int
    figure: int
    unit: str


_YEARLY, _PERCENT, _YEARS, _MONTHS = "per year", "% of balance", "years", "months"

#: Longer names first where one begins with another: a column belongs to the first that fits.
VALUE_COLUMNS = tuple(
    ValueColumn(*fields)
    for fields in (
        ("yield_to_call", "yield_to_call", "wrapped", TO_CALL, YIELD, _YEARLY),
        ("yield_unwrapped", "yield", "unwrapped", TO_MATURITY, YIELD, _YEARLY),
        ("yield", "yield", "wrapped", TO_MATURITY, YIELD, _YEARLY),
        ("discount_margin_to_call", "discount_margin_to_call", "wrapped", TO_CALL,
         DISCOUNT_MARGIN, _YEARLY),
        ("discount_margin", "discount_margin", "wrapped", TO_MATURITY, DISCOUNT_MARGIN, _YEARLY),
        ("price_to_call", "price_to_call", "wrapped", TO_CALL, PRICE, _PERCENT),
        ("price_unwrapped", "price", "unwrapped", TO_MATURITY, PRICE, _PERCENT),
        ("price", "price", "wrapped", TO_MATURITY, PRICE, _PERCENT),
        ("duration", "duration", "wrapped", TO_MATURITY, DURATION, _YEARS),
        ("effective_duration", "effective_duration", "wrapped", TO_MATURITY, EFFECTIVE_DURATION,
         _YEARS),
        ("wal_to_call", "wal_to_call", "wrapped", TO_CALL, AVERAGE_LIFE, _YEARS),
        ("wal", "wal", "wrapped", TO_MATURITY, AVERAGE_LIFE, _YEARS),
        ("window_first", "window_first", "wrapped", TO_MATURITY, WINDOW_FIRST, _MONTHS),
        ("window_last_to_call", "window_last_to_call", "wrapped", TO_CALL, WINDOW_LAST, _MONTHS),
        ("window_last", "window_last", "wrapped", TO_MATURITY, WINDOW_LAST, _MONTHS),
    )
)  # fmt: skip

#: Draws and their repayment at the class's own rate, with insurer less without, USD.
WRAP_VALUE = "wrap_value"


def value_columns(
    names: tuple[str, ...], quotes: Quotes, wrapped: Values, unwrapped: Values
) -> dict[str, pl.Series]:
    """Return the columns of every class that has a balance or a notional one.

    Null stands where a path has no such figure, as before a call that never comes.
    """
    columns = {"call_month": _months(wrapped.call.astype(np.float64))}
    for k, name in enumerate(names):
        if quotes.balance[k] <= 0.0:
            continue
        for spec in VALUE_COLUMNS:
            if _exists(spec.figure, quotes, k):
                values = wrapped if spec.insurer == "wrapped" else unwrapped
                figures = values.figures[:, k, spec.row, spec.figure]
                months = spec.unit == _MONTHS
                columns[f"{spec.column}_{name}"] = _months(figures) if months else _real(figures)
        prices = (v.figures[:, k, TO_MATURITY, PRICE] for v in (wrapped, unwrapped))
        columns[f"{WRAP_VALUE}_{name}"] = _real(np.subtract(*prices) * quotes.balance[k] / 100.0)
    return columns


def _exists(figure: int, quotes: Quotes, k: int) -> bool:
    """Tell whether a class has a figure: a yield at a price, a margin over an index."""
    if figure == AVERAGE_LIFE:
        return not quotes.is_notional[k]
    if figure in (YIELD, DISCOUNT_MARGIN) and np.isnan(quotes.full_price[k]):
        return False
    return figure != DISCOUNT_MARGIN or bool(quotes.is_floating[k])


def _real(figures: Floats) -> pl.Series:
    """Return figures with nulls for nan."""
    return pl.Series(np.ascontiguousarray(figures), nan_to_null=True)


def _months(figures: Floats) -> pl.Series:
    """Return months as whole numbers, null where there is none."""
    return pl.Series(np.where(figures > 0.0, figures, 0.0).astype(np.int32)).replace(0, None)
