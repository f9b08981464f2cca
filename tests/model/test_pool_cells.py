"""Merging cells: what is kept exactly, how fast the error falls, and what the large pool loses."""

import numpy as np
import pytest

from hemc import engine
from hemc.config import load_config
from hemc.kernels.expected import BALANCE, LOANS, PAYMENT
from hemc.model.expected import exact_pool, expected_block, in_cells, large_pool, oracle_pool
from hemc.model.pool_cells import (
    Loans,
    add_up,
    interpolate_rates,
    loans_of,
    split_maturities,
)


@pytest.fixture(scope="module")
def base(base_toml):
    loaded = load_config(base_toml)
    documents = engine.read_documents(loaded)
    return engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))


@pytest.fixture(scope="module")
def exact(base):
    return expected_block(exact_pool(base.pool), base.factors.draw(0, 3))


def test_cells_hold_every_loan(base):
    pool = base.pool.pool
    cells = add_up(loans_of(pool))
    assert cells.sums[LOANS].sum() == pool.balance.size
    payment = (pool.growth - 1) * pool.scheduled_a
    for s in range(10):
        of_state = pool.state == s
        assert cells.sums[BALANCE, s].sum() == pytest.approx(pool.balance[of_state].sum())
        assert cells.sums[PAYMENT, s].sum() == pytest.approx(payment[of_state].sum(), rel=1e-9)
    assert (np.diff(cells.maturity) <= 0).all()
    distinct = {*zip(pool.gross_rate, pool.maturity, strict=True)}
    assert cells.maturity.size == len(distinct)


def errors(flows, exact):
    """Largest errors of lifetime flows and of the pool balance, relative to their size."""
    names = ("interest", "scheduled", "prepaid", "proceeds", "loss")
    sums = [[getattr(f.cash, n).sum(axis=1) for n in names] for f in (flows, exact)]
    lifetime = max(np.abs(a / b - 1).max() for a, b in zip(*sums, strict=True))
    balance = np.abs(flows.cash.balance - exact.cash.balance).max() / exact.cash.balance[0, 0]
    return lifetime, balance


def test_interpolated_rates_converge_and_keep_stocks(base, exact):
    loans = loans_of(base.pool.pool)
    stock = [LOANS, BALANCE]
    kept = add_up(loans).sums[stock].sum(axis=2)
    drawn = base.factors.draw(0, 3)
    found = []
    for n_rates in (2, 3, 5, 8):
        cells = add_up(interpolate_rates(loans, n_rates))
        assert cells.maturity.size == n_rates * np.unique(loans.maturity).size
        np.testing.assert_allclose(cells.sums[stock].sum(axis=2), kept, rtol=1e-9)
        found.append(errors(expected_block(in_cells(base.pool, cells), drawn), exact)[0])
    assert (np.diff(np.log(found)) < -2).all()
    assert found[-1] < 1e-8


def test_the_oracles_cells_err_far_less_than_sampling(base, exact):
    flows = expected_block(oracle_pool(base.pool), base.factors.draw(0, 3))
    assert max(errors(flows, exact)) < 1e-6


def test_the_large_pools_cells_are_few_and_err_little(base, exact):
    pool = large_pool(base.pool)
    assert pool.cells.maturity.size <= 18
    flows = expected_block(pool, base.factors.draw(0, 3))
    lifetime, balance = errors(flows, exact)
    assert lifetime < 1e-3
    assert balance < 6e-3


def test_no_flow_of_merged_cells_is_negative(base_toml):
    settings = {"roll_rates.classes": "2", "scenario.stress_shift": "0.3", "tape.seed": "2"}
    loaded = load_config(base_toml, settings)
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    cash = expected_block(large_pool(model.pool), model.factors.draw(192, 32)).cash
    for name, flow in cash._asdict().items():
        assert flow.min() >= -1e-9, name


def some_loans(rates, net_shares, maturities):
    """Current loans of 1,000 USD that pay themselves down."""
    n = len(rates)
    zero = np.zeros(n, dtype=np.int64)
    maturity = np.array(maturities)
    return Loans(
        np.ones(n), zero, zero, np.full(n, 1e3), 1 + np.array(rates) / 12, np.array(net_shares),
        maturity, maturity.astype(float),
    )  # fmt: skip


def test_fees_are_not_mixed_and_few_rates_stay():
    rates = [0.05, 0.06, 0.07, 0.08, 0.09]
    shares = [1 - 0.005 / rate for rate in rates]
    merged = add_up(
        interpolate_rates(some_loans([*rates, 0.0001, 0.001], [*shares, 0.0, 0.0], [100] * 7), 3)
    )
    assert merged.growth.size == 3 + 2
    unpaid = merged.net_share == 0.0
    assert sorted(12 * (merged.growth[unpaid] - 1)) == pytest.approx([0.0001, 0.001])
    rate = 12 * (merged.growth[~unpaid] - 1)
    np.testing.assert_allclose(rate * (1 - merged.net_share[~unpaid]), 0.005)


def test_maturities_are_split_between_neighbours_that_stay():
    loans = some_loans([0.06] * 5, [0.9] * 5, [200, 104, 102, 101, 100])
    merged = add_up(split_maturities(loans, 4))
    assert merged.maturity.tolist() == [200, 104, 100]
    assert merged.sums[LOANS, 0].tolist() == pytest.approx([1, 1.75, 2.25])
    assert (merged.sums[LOANS, 0] @ merged.maturity) == pytest.approx(607)
    grown = merged.growth ** -merged.maturity.astype(float)  # each still pays itself down
    due = merged.sums[BALANCE, 0] * (merged.growth - 1) / (1 - grown)
    np.testing.assert_allclose(merged.sums[PAYMENT, 0], due, rtol=1e-12)


def test_large_pool_runs_agree_with_simulated_ones(base_toml):
    few = {"simulation.paths": "256", "outputs.sensitivity_paths": "0"}
    results = [
        engine.run(load_config(base_toml, few | {"simulation.method": m}), lambda _: None)
        for m in ("event-driven", "large-pool")
    ]
    loss = [r.paths["pool_loss"].to_numpy() for r in results]
    difference = loss[0] - loss[1]
    assert abs(difference.mean()) < 4 * difference.std(ddof=1) / 256**0.5
    assert np.corrcoef(loss)[0, 1] > 0.98
    simulated, expected = (r.oracle for r in results)
    assert expected.is_empty()
    assert simulated["paths"].unique().to_list() == [16]
    assert simulated["z"].abs().max() < 6
