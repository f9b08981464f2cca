"""Quotes of a deal's classes by hand, and what is refused."""

import datetime as dt

import numpy as np
import pytest

from hemc.errors import InputError, InternalError
from hemc.inputs.deal import read_deal
from hemc.kernels.flows import NoteFlows, PoolFlows
from hemc.model import valuation
from hemc.model.deal_terms import compile_deal
from hemc.model.valuation import bond_equivalent, compile_quotes, value_notes
from hemc.settings.valuation import ValuationSettings

BALANCES = {"A-1": 100e6, "A-2": 80e6, "A-3": 20e6, "A-4": 0.0, "A-5": 60e6}
NEXT = dt.date(2004, 3, 1)
N_MONTHS = 24
INDEX = np.linspace(0.011, 0.02, N_MONTHS)
NAMES = ["A-1", "A-2", "A-3", "A-4", "A-5", "IO"]


@pytest.fixture(scope="module")
def deal(root):
    return read_deal(root / "configs" / "deals" / "gmacm-2003-he2.toml")


def quotes_of(deal, next_payment=NEXT, **settings):
    monthly = compile_deal(deal, next_payment, BALANCES, N_MONTHS, INDEX)
    return compile_quotes(ValuationSettings(**settings), deal, next_payment, monthly, INDEX)


def test_defaults_are_par_and_the_classs_own_rate(deal):
    quotes = quotes_of(deal)
    assert quotes.balance.tolist() == [*BALANCES.values(), 76e6]
    clean = (quotes.full_price - quotes.accrued)[:3] / quotes.balance[:3]
    assert clean.tolist() == pytest.approx([1.0] * 3)
    assert np.isnan(quotes.full_price[5])
    assert quotes.rate[0] == 0.001
    assert quotes.rate[1] == bond_equivalent(0.0314) == pytest.approx(0.031606, abs=1e-6)
    assert quotes.by_margin.tolist() == [True] + [False] * 5
    assert quotes.call_balance == pytest.approx(63_464_600.0)  # 10 % of 634,646,000


def test_accrued_interest_is_that_of_the_days_since_the_periods_beginning(deal):
    quotes = quotes_of(deal, settlement_days=3)
    # 25 February to 28 February: 3 days; a 30/360 period began 24 days before the 25th.
    assert quotes.accrued[0] == pytest.approx(100e6 * (0.011 + 0.001) * 3 / 360)
    assert quotes.accrued[1] == pytest.approx(80e6 * 0.0314 * 27 / 360)
    assert quotes.lag == pytest.approx(0.1)
    assert quotes.period[0, 0] == pytest.approx((29 - 3) / 360)
    assert quotes.period[1, 0] == pytest.approx(32 / 360)  # 25 March to Monday, 26 April
    assert quotes.period[:2, 1].tolist() == pytest.approx([27 / 360, 30 / 360])


def test_a_payment_moved_by_a_holiday_counts_from_the_nominal_day(deal):
    # May 2003's payment was made on Tuesday the 27th.
    quotes = quotes_of(deal, dt.date(2003, 6, 1))
    assert quotes.lag == pytest.approx(2 / 30)
    assert quotes.accrued[0] == 0.0
    assert quotes.accrued[1] == pytest.approx(80e6 * 0.0314 * 26 / 360)


def test_quotes_by_class_replace_the_default(deal):
    quotes = quotes_of(
        deal, prices={"A-2": 97.5, "IO": 8.0}, yields={"A-1": 0.02, "A-3": 0.05}, default_price=99
    )
    clean = (quotes.full_price - quotes.accrued) / quotes.balance.clip(min=1.0)
    assert clean[[0, 1, 2, 5]].tolist() == pytest.approx([0.99, 0.975, 0.99, 0.08])
    assert quotes.rate[[0, 2]].tolist() == [0.02, 0.05]
    assert not quotes.by_margin.any()


@pytest.mark.parametrize(
    ("settings", "place", "found"),
    [
        ({"prices": {"A-9": 100.0}}, "valuation.prices", "class A-9"),
        ({"yields": {"a-2": 0.03}}, "valuation.yields", "class a-2"),
        ({"discount_margins": {"A-2": 0.01}}, "valuation.discount_margins", "class A-2"),
        (
            {"discount_margins": {"A-1": 0.01}, "yields": {"A-1": 0.02}},
            "valuation.discount_margins.A-1", "a yield as well",
        ),
        ({"settlement_days": 6}, "valuation.settlement_days", "settlement on 2004-03-02"),
    ],
)  # fmt: skip
def test_a_quote_that_cannot_be_is_named(deal, settings, place, found):
    with pytest.raises(InputError) as caught:
        quotes_of(deal, **settings)
    assert caught.value.place == place
    assert found in caught.value.found


def test_a_rate_that_is_not_found_stops_with_its_path(deal, monkeypatch):
    zeros = np.zeros((3, N_MONTHS, 6))
    given = {"principal": zeros, "balance": np.zeros((3, N_MONTHS + 1, 6))}
    notes = NoteFlows(**(dict.fromkeys(NoteFlows._fields, zeros) | given))
    cash = PoolFlows(**dict.fromkeys(PoolFlows._fields, zeros))

    def lose_path_1(flows, quotes, legs, calls, figures):
        figures[:], figures[1] = 0.0, np.nan

    monkeypatch.setattr(valuation, "value_paths", lose_path_1)
    with pytest.raises(InternalError, match="no yield found on path 65"):
        value_notes(quotes_of(deal), notes, cash, 64)
