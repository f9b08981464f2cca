"""Yields, prices, durations, margins and accrued interest against QuantLib, to 1e-8.

Flows are level, sequential and notional ones of 2003-HE2's classes. QuantLib counts the days, knows
the business days and sums what the flows are worth; only the amounts are shared.
"""

import datetime as dt

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 the name in its own documentation

from hemc.inputs.deal import read_deal
from hemc.kernels.flows import NoteFlows, PoolFlows
from hemc.kernels.records import column
from hemc.kernels.valuation import DISCOUNT_MARGIN, DURATION, PRICE, TO_MATURITY, YIELD
from hemc.model.deal_terms import compile_deal
from hemc.model.valuation import compile_quotes, value_notes
from hemc.settings.valuation import ValuationSettings

BALANCES = {"A-1": 116e6, "A-2": 161e6, "A-3": 20e6, "A-4": 22e6, "A-5": 63e6}
N_MONTHS = 120
INDEX = np.linspace(0.011, 0.045, N_MONTHS)
BOND_BASIS, ACTUAL = ql.Thirty360(ql.Thirty360.BondBasis), ql.Actual360()
FED = ql.UnitedStates(ql.UnitedStates.FederalReserve)
EXACT = {"rtol": 0.0, "atol": 1e-8}

SETTINGS = {
    "at payment, calendar-month accrual": ValuationSettings(
        prices={"A-1": 99.9, "A-2": 101.25, "A-4": 62.0, "IO": 7.5},
        yields={"A-3": 0.051, "A-5": -0.02, "IO": 0.11}, discount_margins={"A-1": 0.0042},
    ),
    "later, no delay": ValuationSettings(
        default_price=97.0, prices={"IO": 11.0}, settlement_days=5, delay_days=0
    ),
}  # fmt: skip


@pytest.fixture(params=SETTINGS)
def settings(request):
    return SETTINGS[request.param]


@pytest.fixture(scope="module")
def deal(root):
    return read_deal(root / "configs" / "deals" / "gmacm-2003-he2.toml")


def principal_of(shape, opening):
    """Return principal by month and class: the pool's fall, paid level or in sequence."""
    n = opening.size
    if shape == "level":
        return np.where(opening > 0, opening, 0.0) * np.full((N_MONTHS, 1), 1.0 / N_MONTHS)
    left = opening.sum() * np.exp(-np.arange(N_MONTHS + 1) / 30.0)
    left[-1] = 0.0
    senior = np.concatenate([[0.0], opening.cumsum()])
    repaid = left[0] - left
    paid_to = np.stack([np.clip(repaid - senior[k], 0.0, opening[k]) for k in range(n)], axis=1)
    return np.diff(paid_to, axis=0)


def notes_of(terms, shape):
    """Return one path's flows of every class; the notional class pays on its schedule."""
    opening = column(terms.classes, "balance_open")
    principal = principal_of(shape, opening)
    rolled = opening - np.vstack([np.zeros(6), principal.cumsum(axis=0)])
    scheduled = column(terms.class_months, "notional")
    base = np.where(column(terms.classes, "is_notional"), scheduled, rolled[:-1])
    zeros = np.zeros((1, N_MONTHS, 6))
    given = {
        "balance": rolled[None], "principal": principal[None],
        "interest": (base * column(terms.class_months, "accrual"))[None], "shortfall": zeros,
        "unreimbursed": zeros[:, :, 0],
    }  # fmt: skip
    pool = dict.fromkeys(PoolFlows._fields, zeros[:, :, 0]) | {"balance": rolled.sum(1)[None]}
    missing = dict.fromkeys(NoteFlows._fields, zeros)
    return NoteFlows(**(missing | given)), PoolFlows(**pool)


def valued(deal, settings, shape):
    """Return quotes, flows and figures to maturity, [k, column]."""
    next_payment = dt.date(2004, 3, 1)
    monthly = compile_deal(deal, next_payment, BALANCES, N_MONTHS, INDEX)
    quotes = compile_quotes(settings, deal, next_payment, monthly, INDEX)
    notes, cash = notes_of(monthly.terms, shape)
    return quotes, notes, value_notes(quotes, notes, cash).figures[0, :, TO_MATURITY]


def settlement_of(settings):
    return ql.Date(25, 2, 2004) + settings.settlement_days


def leg_of(notes, k):
    """Return a class's flows on the 25th of every month."""
    amounts = notes.principal[0, :, k] + notes.interest[0, :, k]
    dates = [ql.Date(25, 2, 2004) + ql.Period(t, ql.Months) for t in range(1, N_MONTHS + 1)]
    return ql.Leg([ql.SimpleCashFlow(a, d) for a, d in zip(amounts, dates, strict=True) if a > 0])


@pytest.mark.parametrize("shape", ["level", "sequential"])
def test_yields_prices_and_durations(deal, settings, shape):
    quotes, notes, figures = valued(deal, settings, shape)
    on, compounding = settlement_of(settings), (ql.Compounded, ql.Semiannual)
    for k in range(len(deal.classes)):
        leg = leg_of(notes, k)
        price = quotes.full_price[k]
        if np.isfinite(price):
            solved = ql.CashFlows.yieldRate(
                leg, price, BOND_BASIS, *compounding, False, on, on, 1e-13, 1000, 0.04
            )
            np.testing.assert_allclose(figures[k, YIELD], solved, **EXACT)
        if quotes.by_margin[k]:
            continue
        rate = ql.InterestRate(quotes.rate[k], BOND_BASIS, *compounding)
        worth = ql.CashFlows.npv(leg, rate, False, on, on) - quotes.accrued[k]
        np.testing.assert_allclose(figures[k, PRICE], 100 * worth / quotes.balance[k], **EXACT)
        duration = ql.CashFlows.duration(leg, rate, ql.Duration.Modified, False, on)
        np.testing.assert_allclose(figures[k, DURATION], duration, **EXACT)


@pytest.mark.parametrize("shape", ["level", "sequential"])
def test_discount_margins(deal, settings, shape):
    quotes, notes, figures = valued(deal, settings, shape)
    amounts = notes.principal[0, :, 0] + notes.interest[0, :, 0]
    nominal = [ql.Date(25, 2, 2004) + ql.Period(t, ql.Months) for t in range(1, N_MONTHS + 1)]
    dates = [settlement_of(settings), *(FED.adjust(d, ql.Following) for d in nominal)]

    def worth(margin):
        value, discount = 0.0, 1.0
        for t, amount in enumerate(amounts):
            rate = ql.InterestRate(float(INDEX[t]) + margin, ACTUAL, ql.Simple, ql.Annual)
            discount *= rate.discountFactor(dates[t], dates[t + 1])
            value += amount * discount
        return float(value)

    clean = 100 * (worth(float(quotes.rate[0])) - quotes.accrued[0]) / quotes.balance[0]
    np.testing.assert_allclose(figures[0, PRICE], clean, **EXACT)
    price = float(quotes.full_price[0])
    solved = ql.Brent().solve(lambda m: worth(m) / price - 1.0, 1e-13, 0.001, 0.001)
    np.testing.assert_allclose(figures[0, DISCOUNT_MARGIN], solved, **EXACT)


def test_accrued_interest(deal, settings):
    quotes = valued(deal, settings, "level")[0]
    on = settlement_of(settings)
    for k, note_class in enumerate(deal.classes):
        if note_class.kind == "floating":
            share = ACTUAL.yearFraction(ql.Date(25, 2, 2004), on) * (INDEX[0] + note_class.margin)
        else:  # from the first of the month, or without delay from the 25th
            start = ql.Date(1 if settings.delay_days == 24 else 25, 2, 2004)
            share = BOND_BASIS.yearFraction(start, on) * note_class.coupon
        np.testing.assert_allclose(quotes.accrued[k], share * quotes.balance[k], **EXACT)


def test_a_fixed_rate_bond_of_quantlib_has_the_same_clean_price(deal):
    """A bond with a coupon every month, bought between two, as QuantLib builds it itself."""
    settings = ValuationSettings(yields={"A-2": 0.043}, settlement_days=5, delay_days=0)
    next_payment = dt.date(2004, 3, 1)
    monthly = compile_deal(deal, next_payment, BALANCES, N_MONTHS, INDEX)
    quotes = compile_quotes(settings, deal, next_payment, monthly, INDEX)
    notes, cash = notes_of(monthly.terms, "level")
    notes.principal[:] = 0.0
    opening = column(monthly.terms.classes, "balance_open")
    notes.principal[0, -1] = opening
    notes.interest[0] = opening * column(monthly.terms.class_months, "accrual")
    price = value_notes(quotes, notes, cash).figures[0, 1, TO_MATURITY, PRICE]
    start, on = ql.Date(25, 2, 2004), settlement_of(settings)
    schedule = ql.Schedule(
        start, start + ql.Period(N_MONTHS, ql.Months), ql.Period(ql.Monthly), ql.NullCalendar(),
        ql.Unadjusted, ql.Unadjusted, ql.DateGeneration.Forward, False,
    )  # fmt: skip
    bond = ql.FixedRateBond(0, 100.0, schedule, [0.0314], BOND_BASIS)
    clean = ql.BondFunctions.cleanPrice(
        bond, ql.InterestRate(0.043, BOND_BASIS, ql.Compounded, ql.Semiannual), on
    )
    np.testing.assert_allclose(price, clean, **EXACT)
