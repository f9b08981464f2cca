"""Values of classes as columns of paths and as measures."""

import numpy as np
import polars as pl
import pytest

from hemc.kernels.valuation import (
    AVERAGE_LIFE,
    N_FIGURES,
    PRICE,
    TO_CALL,
    TO_MATURITY,
    WINDOW_LAST,
    YIELD,
    Quotes,
)
from hemc.model.valuation import Values
from hemc.outputs.measures import measure_paths
from hemc.outputs.note_values import VALUE_COLUMNS, quote_records, value_table

NAMES = ("A", "gone", "IO")


def quotes():
    """Return a floater, a retired class and a notional one without a price."""
    full = np.array([100.0, 0.0, np.nan])
    first = np.array([True, False, False])
    flags = (first, first, first[::-1].copy())
    return Quotes(
        np.array([2e6, 0.0, 5e6]), full * 2e4, np.array([1e4, 0.0, 0.0]), np.full(3, 0.02), *flags,
        np.ones((1, 3)), np.ones((1, 3)), np.ones(1), 0.0, 0.0025, 0.0,
    )  # fmt: skip


def values(price=99.0):
    """Return figures of two paths: path 1 is called in month 7 and never repays class A."""
    figures = np.full((2, 3, 2, N_FIGURES), np.nan)
    figures[:, [0, 2], :, PRICE] = price
    figures[:, 0, :, YIELD] = [[0.03, 0.03], [-1.0, 0.02]]
    figures[:, 0, TO_MATURITY, AVERAGE_LIFE] = [2.5, np.nan]
    figures[:, 0, TO_CALL, WINDOW_LAST] = [30.0, 7.0]
    return Values(np.array([0, 7]), figures)


def table():
    return value_table(NAMES, quotes(), values(99.0), values(96.5))


def test_columns_hold_figures_and_null_where_there_is_none():
    found = table()
    assert found["call_month"].to_list() == [None, 7]
    assert found["yield_A"].to_list() == [0.03, -1.0]
    assert found["yield_to_call_A"].to_list() == [0.03, 0.02]
    assert found["price_unwrapped_A"].to_list() == [96.5, 96.5]
    assert found["wal_A"].to_list() == [2.5, None]
    assert found["window_last_to_call_A"].to_list() == [30, 7]
    assert found["window_last_to_call_A"].dtype == pl.Int32
    assert found["wrap_value_A"].to_list() == pytest.approx([5e4, 5e4])
    assert found["wrap_value_IO"].to_list() == pytest.approx([125e3, 125e3])


def test_a_class_has_the_columns_that_it_can_have():
    columns = table().columns
    assert {"discount_margin_A", "price_IO", "duration_IO"} <= set(columns)
    assert not [c for c in columns if c.endswith("_gone")]
    assert not {"yield_IO", "wal_IO", "discount_margin_IO"} & set(columns)


def test_equal_prices_have_no_wrap_value():
    same = value_table(NAMES, quotes(), values(99.0), values(np.nextafter(99.0, 0.0)))
    assert same["wrap_value_A"].to_list() == [0.0, 0.0]


def test_every_column_becomes_the_measure_of_its_name():
    names = [spec.column for spec in VALUE_COLUMNS]
    for i, name in enumerate(names):  # a name that begins with an earlier one would be taken for it
        assert not [n for n in names[:i] if name.startswith(f"{n}_")]
    zero = pl.Series([0.0, 0.0])
    other = ("pool_loss", "pool_loss_pct", "oc_shortfall_max", "draws", "draws_pv",
             "peak_unreimbursed", "reimbursement", "premium", "residual", "next_month_loss",
             "next_month_cpr", "first_draw_month", "first_undercollateralized_month",
             "oc_missed_after_target", "oc_exhausted", "writedown_A", "interest_shortfall_A",
             "wrapped_writedown_A", "wrapped_interest_shortfall_A",
             "reimbursed_share", "premium_pv", "insurer_net", "insurer_default_month",
             "pool_loss_nine_quarters", "draws_nine_quarters", "oc_nine_quarters",
             "undercollateralization_nine_quarters", "oc_target_stepped_down",
             "first_oc_below_target_month", "first_oc_exhausted_month", "excess_interest",
             "excess_interest_used", "oc_released")  # fmt: skip
    paths = table().with_columns(weight=pl.lit(1.0), **dict.fromkeys(other, zero))
    measures = measure_paths(paths, 1e8)
    rows = {
        (r["measure"], r["insurer"], r["note"]): r["value"]
        for r in measures.filter(statistic="mean").iter_rows(named=True)
    }
    assert rows["yield", "wrapped", "A"] == pytest.approx(-0.485)
    assert rows["yield", "unwrapped", "A"] == pytest.approx(-0.485)
    assert rows["yield_to_call", "wrapped", "A"] == pytest.approx(0.025)
    assert rows["price", "unwrapped", "A"] == 96.5
    assert rows["wal", "wrapped", "A"] == 2.5
    assert rows["call_month", "wrapped", None] == 7.0
    assert rows["wrap_value", None, None] == pytest.approx(175e3)
    assert rows["wrap_value", None, "IO"] == pytest.approx(125e3)


def test_records_of_quotes_tell_price_accrued_and_rate():
    floater, notional = quote_records(NAMES, quotes())
    assert floater == {
        "note": "A", "clean_price": 99.5, "accrued_interest": 0.5,
        "bond_equivalent_yield": None, "discount_margin": 0.02,
    }  # fmt: skip
    assert (notional["clean_price"], notional["bond_equivalent_yield"]) == (None, 0.02)
