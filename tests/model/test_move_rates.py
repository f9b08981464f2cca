"""Rates from counts: Dirichlet rows against closed forms and draws."""

import numpy as np
import pytest

from hemc.inputs.move_counts import MoveCounts
from hemc.inputs.product import read_product
from hemc.model.move_rates import fit_move_rates, move_rate_table
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    D60,
    D90,
    D150,
    FORECLOSURE,
    N_LIVE,
    N_STATES,
    PAID_OFF,
)

HIDDEN = (BANKRUPTCY, FORECLOSURE)


@pytest.fixture(scope="module")
def product(root):
    return read_product(root / "configs" / "products" / "closed-end-second-2003.toml")


def counted(cells):
    """Return counts of one month, {(from, to): number}."""
    counts = np.zeros((N_LIVE, N_STATES), dtype=np.int64)
    for (s, to), number in cells.items():
        counts[s, to] = number
    return MoveCounts({1: counts}, HIDDEN)


def test_jeffreys_posterior_is_in_closed_form():
    rates = fit_move_rates(counted({(D30, CURRENT): 30, (D30, D60): 10}), None)
    shown = 6  # current, 30, 60, REO, paid off, charged off
    total = 40 + 0.5 * shown
    assert rates.mean[D30, CURRENT] == pytest.approx(30.5 / total)
    assert rates.mean[D30, D30] == pytest.approx(0.5 / total)
    p = 30.5 / total
    assert rates.sd[D30, CURRENT] == pytest.approx(np.sqrt(p * (1 - p) / (total + 1)))
    assert np.isnan(rates.mean[D30, D90])
    assert np.isnan(rates.mean[D30, list(HIDDEN)]).all()
    assert np.isnan(rates.mean[list(HIDDEN)]).all()


def test_intervals_are_those_of_dirichlet_draws(product):
    moves = counted({(D60, D90): 12, (D60, CURRENT): 4, (D60, D60): 3})
    rates = fit_move_rates(moves, product)
    weight = product.pseudo_counts()[D60] + moves.counts[1][D60]
    weight[list(HIDDEN)] = 0.0
    shown = np.flatnonzero(weight)
    draws = np.random.default_rng(5).dirichlet(weight[shown], size=100_000)
    np.testing.assert_allclose(rates.mean[D60, shown], draws.mean(axis=0), atol=5e-4)
    np.testing.assert_allclose(rates.sd[D60, shown], draws.std(axis=0), rtol=0.05)
    np.testing.assert_allclose(rates.p5[D60, shown], np.quantile(draws, 0.05, axis=0), atol=3e-3)
    np.testing.assert_allclose(rates.p95[D60, shown], np.quantile(draws, 0.95, axis=0), atol=3e-3)


def test_every_row_adds_up_and_many_loans_overrule_the_prior(product):
    cells = {(D30, CURRENT): 90_000, (D30, PAID_OFF): 10_000, (CURRENT, CURRENT): 1_000_000}
    rates = fit_move_rates(counted(cells), product)
    sums = np.nansum(rates.mean, axis=1)
    np.testing.assert_allclose(sums[[s for s in range(N_LIVE) if s not in HIDDEN]], 1.0)
    assert rates.mean[D30, CURRENT] == pytest.approx(0.9, abs=1e-3)
    assert rates.mean[CURRENT, CHARGED_OFF] < 1e-6


def test_impossible_and_unknown_moves_enter_no_rate(product):
    cells = {(D30, D90): 50, (D150, D30): 7, (D150, CURRENT): 20}
    rates = fit_move_rates(counted(cells), product)
    assert rates.counts.sum() == 20
    assert rates.outside[D150, D30] == rates.outside.sum() == 7
    alone = fit_move_rates(counted(cells), None)
    assert alone.outside.sum() == 0
    assert alone.mean[D150, D30] > 0


def test_the_table_marks_what_the_prior_alone_says(product):
    rates = fit_move_rates(counted({(D30, CURRENT): 300, (D30, D60): 100}), product)
    table = move_rate_table(rates, "a deal")
    assert table.height == np.isfinite(rates.mean).sum()
    by_prior = table.filter("prior_driven")["from_state"].unique().to_list()
    assert "30" not in by_prior
    assert {"60", "90", "current"} <= set(by_prior)
    told = table.filter(from_state="30", to_state="60").row(0, named=True)
    assert told["count"] == 100
    assert told["p5"] < told["posterior_mean"] < told["p95"]
    assert told["sd_ratio"] == pytest.approx(told["posterior_sd"] / told["prior_sd"])
