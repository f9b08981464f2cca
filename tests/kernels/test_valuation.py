"""Prices, yields and lives against their plain twin, by hand, and against laws."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import valuation as twin

from hemc.kernels import valuation as kernel
from hemc.kernels.valuation import (
    AVERAGE_LIFE,
    DISCOUNT_MARGIN,
    DURATION,
    EFFECTIVE_DURATION,
    HIGHEST_RATE,
    LOWEST_RATE,
    N_FIGURES,
    PRICE,
    TO_CALL,
    TO_MATURITY,
    WINDOW_FIRST,
    WINDOW_LAST,
    YIELD,
    ClassFlows,
    Legs,
    Quotes,
    value_paths,
)  # fmt: skip


def flows_of(principal, interest, opening, shortfall=None, pool=None, unreimbursed=None):
    """Return the flows of one path; `principal` and `interest` are [t, k], `opening` [k]."""
    principal, interest = np.atleast_2d(principal), np.atleast_2d(interest)
    rolled = np.vstack([opening, opening - principal.cumsum(axis=0)])
    rows = [rolled, principal, interest]
    rows.append(np.zeros_like(principal) if shortfall is None else shortfall)
    rows.append(rolled.sum(axis=1) if pool is None else pool)
    rows.append(np.zeros(len(principal)) if unreimbursed is None else unreimbursed)
    return ClassFlows(*(np.asarray(x, dtype=np.float64)[None] for x in rows))


def quotes_of(n_months, balance, **given):
    """Return quotes at par and at 5 %, to settle at cut-off; `given` replaces fields."""
    balance = np.asarray(balance, dtype=np.float64)
    n = balance.size
    values = {
        "balance": balance, "full_price": balance.copy(), "accrued": np.zeros(n),
        "rate": np.full(n, 0.05), "by_margin": np.zeros(n, bool), "is_floating": np.zeros(n, bool),
        "is_notional": np.zeros(n, bool),
        "period": np.full((n_months, n), 1 / 12), "year_fraction": np.full((n_months, n), 1 / 12),
        "index_rate": np.full(n_months, 0.011), "lag": 0.0, "shift": 0.0025, "call_balance": 0.0,
    }  # fmt: skip
    return Quotes(**(values | given))


def value(flows, quotes):
    """Return the month of the call and the figures [k, variant, column] of one path."""
    calls = np.empty(1, dtype=np.int64)
    figures = np.full((1, quotes.balance.size, 2, N_FIGURES), 777.0)
    figures[:, quotes.balance == 0.0] = np.nan  # not touched
    legs = Legs(*np.empty((2, flows.principal.shape[1])))
    value_paths(flows, quotes, legs, calls, figures)
    return int(calls[0]), figures[0]


def one_class(principal, interest, opening, **given):
    """Return the figures to maturity of a single class."""
    flows = flows_of(np.array(principal)[:, None], np.array(interest)[:, None], [opening])
    return value(flows, quotes_of(len(principal), [opening], **given))[1][0, TO_MATURITY]


def bond_of(flows, quotes, k):
    """Return a class as the twin sees it."""
    columns = [x[0, :, k].tolist() for x in (flows.interest, flows.principal, flows.balance)]
    return twin.Bond(
        *columns, flows.shortfall[0, :, k].tolist(), quotes.lag, quotes.index_rate.tolist(),
        quotes.period[:, k].tolist(), quotes.year_fraction[:, k].tolist(),
    )  # fmt: skip


def twin_figures(bond, quotes, k):
    """Return the figures of the kernel in its order, made by the twin."""
    at_yield, at_margin = partial(twin.price_at_yield, bond), partial(twin.price_at_margin, bond)
    chosen = at_margin if quotes.by_margin[k] else at_yield
    rate, shift, price = quotes.rate[k], quotes.shift, quotes.full_price[k]
    if quotes.by_margin[k]:
        moved = [twin.price_at_margin(bond, rate, side * shift) for side in (-1, 1)]
    else:
        moved = [at_yield(rate + side * shift) for side in (-1, 1)]
    return [
        twin.rate_at_price(at_yield, price),
        twin.rate_at_price(at_margin, price) if quotes.is_floating[k] else math.nan,
        100 * (chosen(rate) - quotes.accrued[k]) / quotes.balance[k],
        twin.slope_duration(chosen, rate, 1e-5),
        (moved[0] - moved[1]) / (2 * shift * chosen(rate)),
        twin.average_life(bond),
        *twin.window(bond),
    ]


def random_case(seed):
    """Return flows and quotes of six classes on one path: some lose much, one is notional."""
    rng = np.random.default_rng(seed)
    n_months, n = int(rng.integers(1, 90)), 6
    opening = rng.uniform(1e5, 1e8, n)
    shares = rng.dirichlet(np.full(n_months + 1, rng.choice([0.05, 1.0, 20.0])), n).T
    principal = opening * shares[:-1] * rng.uniform(0.0, 1.1, n).clip(max=1.0)
    principal[rng.random(principal.shape) < 0.2] = 0.0
    opening[5], principal[:, 5] = 0.0, 0.0
    balance = np.vstack([opening, opening - principal.cumsum(axis=0)])
    interest = balance[:-1] * rng.uniform(0.0, 0.01, principal.shape) + 1.0
    interest[:, 5] = rng.uniform(0.0, 1e4, n_months)
    shortfall = rng.uniform(0.0, 1e3, principal.shape)
    flows = flows_of(
        principal, interest, opening, shortfall, balance.sum(axis=1) * 1.01 + rng.normal(0, 1e4),
        rng.uniform(0.0, 1e5, n_months),
    )  # fmt: skip
    floating = rng.random(n) < 0.5
    base = np.where(opening > 0, opening, 5e6)
    quotes = quotes_of(
        n_months, base, full_price=base * rng.uniform(0.01, 1.4, n),
        accrued=base * rng.uniform(0.0, 0.004, n), rate=rng.uniform(-0.2, 0.3, n),
        is_floating=floating, is_notional=opening == 0.0,
        by_margin=floating & (rng.random(n) < 0.7),
        period=rng.uniform(28, 34, (n_months, n)) / 360, index_rate=rng.uniform(0, 0.08, n_months),
        year_fraction=rng.uniform(28, 34, (n_months, n)) / 360,
        lag=float(rng.uniform(0, 0.9)),
        call_balance=float(rng.choice([0.0, balance.sum(axis=1).mean()])),
    )  # fmt: skip
    return flows, quotes


@pytest.mark.parametrize("seed", range(40))
def test_kernel_equals_its_plain_twin(seed):
    flows, quotes = random_case(seed)
    call, figures = value(flows, quotes)
    claims = flows.unreimbursed[0] + flows.shortfall[0].sum(axis=1)
    notes = flows.balance[0, 1:].sum(axis=1)
    assert call == twin.clean_up_call(
        flows.pool[0, 1:].tolist(), claims.tolist(), notes.tolist(), quotes.call_balance
    )
    for k in range(6):
        bond = bond_of(flows, quotes, k)
        for row, flown in ((TO_MATURITY, bond), (TO_CALL, twin.called_in(bond, call))):
            expected = twin_figures(flown, quotes, k)
            np.testing.assert_allclose(figures[k, row], expected, rtol=2e-7, atol=1e-9)


def test_some_random_cases_are_called_and_some_not():
    calls = [value(*random_case(seed))[0] for seed in range(40)]
    assert 10 < sum(call > 0 for call in calls) < 30


def test_par_in_one_payment():
    row = one_class([0.0] * 5 + [100.0], [0.0] * 5 + [2.5], 100.0)
    assert row[YIELD] == pytest.approx(0.05, abs=1e-12)  # one half-year at 2.5 %
    assert row[PRICE] == pytest.approx(100.0, abs=1e-12)
    assert row[DURATION] == pytest.approx(0.5 / 1.025, rel=1e-12)
    assert row[AVERAGE_LIFE] == 0.5
    assert (row[WINDOW_FIRST], row[WINDOW_LAST]) == (6.0, 6.0)
    assert math.isnan(row[DISCOUNT_MARGIN])


def test_a_level_coupon_at_par_yields_its_bond_equivalent():
    row = one_class([0.0] * 59 + [1e6], [1e6 * 0.06 / 12] * 60, 1e6)
    assert row[YIELD] == pytest.approx(2 * (1.005**6 - 1), abs=1e-12)


def test_a_floater_at_par_has_its_margin():
    index = np.linspace(0.01, 0.05, 24)
    principal, balance = np.full(24, 50.0), 1200.0 - 50.0 * np.arange(24)
    interest = balance * (index + 0.0035) / 12
    row = one_class(
        principal, interest, 1200.0, is_floating=np.ones(1, bool), by_margin=np.ones(1, bool),
        rate=np.array([0.0035]), index_rate=index,
    )  # fmt: skip
    assert row[DISCOUNT_MARGIN] == pytest.approx(0.0035, abs=1e-13)
    assert row[PRICE] == pytest.approx(100.0, abs=1e-11)
    # A floater at par moves with its index until the next reset, one month, only.
    assert row[EFFECTIVE_DURATION] == pytest.approx(1 / 12, rel=0.01)
    assert row[DURATION] > 0.9


def test_settlement_later_makes_a_price_dearer():
    now = one_class([0.0, 100.0], [1.0, 1.0], 100.0)
    later = one_class([0.0, 100.0], [1.0, 1.0], 100.0, lag=0.5)
    assert later[PRICE] == pytest.approx(now[PRICE] * 1.025 ** (0.5 / 6), rel=1e-12)


@pytest.mark.parametrize(
    ("principal", "interest", "opening", "expected"),
    [
        ([0.0, 0.0], [0.0, 0.0], 100.0, LOWEST_RATE),  # not a cent is paid
        ([0.0, 1e-9], [0.0, 0.0], 100.0, LOWEST_RATE),
        ([0.0, 50.0], [0.0, 0.0], 100.0, LOWEST_RATE),  # halved in two months: −175 % a year
        ([0.0] * 59 + [50.0], [0.0] * 60, 100.0, 2 * (0.5 ** (6 / 60) - 1)),
        ([1e-6] + [0.0] * 198 + [100.0], [0.0] * 200, 100.0, 0.0),
    ],
)
def test_flows_that_do_not_repay_have_a_defined_yield(principal, interest, opening, expected):
    row = one_class(principal, interest, opening)
    assert row[YIELD] == pytest.approx(expected, abs=1e-6)


def test_nothing_to_value_gives_no_figures():
    flows = flows_of(np.zeros((3, 2)), np.ones((3, 2)), [100.0, 0.0])
    quotes = quotes_of(3, [100.0, 0.0], full_price=np.array([np.nan, 0.0]))
    figures = value(flows, quotes)[1]
    assert np.isnan(figures[1]).all()
    assert np.isnan(figures[0, 0, [YIELD, DISCOUNT_MARGIN]]).all()
    assert figures[0, 0, PRICE] == pytest.approx(3.0, rel=0.02)


def test_a_call_repays_balance_and_unpaid_interest_and_ends_the_flows():
    principal = np.array([[40.0, 0.0], [20.0, 0.0], [40.0, 10.0], [0.0, 90.0]])
    shortfall = np.zeros((4, 2))
    shortfall[1, 1] = 0.25
    flows = flows_of(
        principal, np.ones((4, 2)), [100.0, 100.0], shortfall, [210.0, 170.0, 145.0, 95.0, 0.0]
    )
    call, figures = value(flows, quotes_of(4, [100.0, 100.0], call_balance=150.0))
    assert call == 2
    by_hand = one_class([40.0, 60.0], [1.0, 1.0], 100.0)
    np.testing.assert_array_equal(figures[0, TO_CALL], by_hand)
    by_hand = one_class([0.0, 100.0], [1.0, 1.25], 100.0)
    np.testing.assert_array_equal(figures[1, TO_CALL], by_hand)
    assert figures[1, TO_MATURITY, WINDOW_LAST] == 4.0


def test_a_call_waits_until_the_pool_covers_notes_and_the_insurers_claim():
    principal, interest = np.full((4, 1), 25.0), np.ones((4, 1))
    pool, claim = [100.0, 74.0, 50.0, 30.0, 0.0], [0.0, 0.0, 4.0, 0.0]
    flows = flows_of(principal, interest, [100.0], None, pool, claim)
    assert value(flows, quotes_of(4, [100.0], call_balance=80.0))[0] == 2
    flows = flows._replace(unreimbursed=np.array([[0.0, 1.0, 4.0, 0.0]]))
    assert value(flows, quotes_of(4, [100.0], call_balance=80.0))[0] == 3
    assert value(flows, quotes_of(4, [100.0], call_balance=20.0))[0] == 0


amounts = st.floats(0.0, 1e9)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    cash=st.lists(amounts, min_size=1, max_size=40).filter(lambda x: max(x) > 1e-3),
    price=st.floats(1e-3, 1e9),
    lag=st.floats(0.0, 0.9),
)
def test_every_price_has_a_yield_that_gives_it_back(cash, price, lag):
    n = len(cash)
    quotes = {"full_price": np.array([price]), "lag": lag}
    found = one_class(cash, [0.0] * n, max(cash), **quotes)[YIELD]
    assert LOWEST_RATE <= found <= HIGHEST_RATE
    back = one_class(cash, [0.0] * n, max(cash), rate=np.array([found]), lag=lag)[PRICE]
    if found == HIGHEST_RATE:
        assert back * max(cash) / 100 >= price * (1 - 1e-9)
    elif found > LOWEST_RATE:
        assert back * max(cash) / 100 == pytest.approx(price, rel=1e-8)
    else:
        assert back * max(cash) / 100 <= price * (1 + 1e-9)


def test_names_of_columns_fill_the_row():
    names = {
        YIELD, DISCOUNT_MARGIN, PRICE, DURATION, EFFECTIVE_DURATION, AVERAGE_LIFE, WINDOW_FIRST,
        WINDOW_LAST,
    }  # fmt: skip
    assert names == set(range(kernel.N_FIGURES))
