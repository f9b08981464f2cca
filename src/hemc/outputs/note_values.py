"""What classes are worth on the paths of a block → columns of paths.parquet, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

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
from hemc.outputs.estimates import HALF_CENT


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


def value_table(
    names: tuple[str, ...], quotes: Quotes, wrapped: Values, unwrapped: Values
) -> pl.DataFrame:
    """Return a row a path with the columns of every class that has a balance or a notional one.

    Null stands where a path has no such figure: a call that never comes, principal never paid.
    """
    columns: dict[str, Floats] = {}
    for k, name in enumerate(names):
        if quotes.balance[k] <= 0.0:
            continue
        for spec in VALUE_COLUMNS:
            if _exists(spec.figure, quotes, k):
                values = wrapped if spec.insurer == "wrapped" else unwrapped
                columns[f"{spec.column}_{name}"] = values.figures[:, k, spec.row, spec.figure]
        prices = (v.figures[:, k, TO_MATURITY, PRICE] for v in (wrapped, unwrapped))
        worth = np.subtract(*prices) * quotes.balance[k] / 100.0
        # What is below half a cent is rounding of two equal prices.
        columns[f"{WRAP_VALUE}_{name}"] = np.where(np.abs(worth) > HALF_CENT, worth, 0.0)
    columns["call_month"] = np.where(wrapped.call > 0, wrapped.call, np.nan)
    # One array for all: a frame made of series takes twice as long.
    table = pl.DataFrame(np.stack(list(columns.values())).T, list(columns), nan_to_null=True)
    return table.with_columns(pl.col(_month_columns(columns)).cast(pl.Int32))


def quote_records(names: tuple[str, ...], quotes: Quotes) -> list[dict[str, Any]]:
    """Return at what every class is valued, as records for the manifest."""
    records = []
    for k, name in enumerate(names):
        if quotes.balance[k] <= 0.0:
            continue
        full, accrued = (
            100.0 * x[k] / quotes.balance[k] for x in (quotes.full_price, quotes.accrued)
        )
        rate = float(quotes.rate[k])
        records.append(
            {
                "note": name,
                "clean_price": None if np.isnan(full) else float(full - accrued),
                "accrued_interest": float(accrued),
                "bond_equivalent_yield": None if quotes.by_margin[k] else rate,
                "discount_margin": rate if quotes.by_margin[k] else None,
            }
        )
    return records


def _month_columns(columns: Iterable[str]) -> list[str]:
    """Return the columns that hold months."""
    return [c for c in columns if c.startswith("window_") or c == "call_month"]


def _exists(figure: int, quotes: Quotes, k: int) -> bool:
    """Tell whether a class has a figure: a yield at a price, a margin over an index."""
    if figure == AVERAGE_LIFE:
        return not quotes.is_notional[k]
    if figure in (YIELD, DISCOUNT_MARGIN) and np.isnan(quotes.full_price[k]):
        return False
    return figure != DISCOUNT_MARGIN or bool(quotes.is_floating[k])
