"""Split-R̂ and effective sample size on chains whose truth is known."""

import numpy as np
import pytest

from hemc.model.chain_diagnostics import diagnose_chains


def chains(n_figures=200, persistence=0.0, shift=0.0, n_chains=4, n_draws=1000):
    """AR(1) chains of variance 1, [chain, draw, figure]; each next chain lies `shift` higher."""
    generator = np.random.default_rng(5)
    draws = generator.standard_normal((n_chains, n_draws, n_figures))
    for t in range(1, n_draws):
        fresh = np.sqrt(1.0 - persistence**2) * draws[:, t]
        draws[:, t] = persistence * draws[:, t - 1] + fresh
    return draws + shift * np.arange(n_chains)[:, None, None]


def test_independent_draws_are_worth_their_number():
    found = diagnose_chains(chains())
    assert np.abs(found.r_hat - 1.0).max() < 0.01
    assert np.median(found.effective) == pytest.approx(4000, rel=0.03)


@pytest.mark.parametrize("persistence", [0.5, 0.9, -0.5])
def test_correlated_draws_are_worth_less(persistence):
    found = diagnose_chains(chains(persistence=persistence))
    expected = 4000 * (1.0 - persistence) / (1.0 + persistence)
    assert np.median(found.effective) == pytest.approx(expected, rel=0.1)


def test_chains_apart_are_seen():
    found = diagnose_chains(chains(shift=0.5))
    assert found.r_hat.min() > 1.1
    assert found.effective.max() < 60


def test_a_drift_within_chains_is_seen():
    found = diagnose_chains(chains() + np.linspace(0.0, 2.0, 1000)[:, None])
    assert found.r_hat.min() > 1.1


def test_a_figure_that_does_not_vary_has_no_diagnostics():
    draws = chains(n_figures=2)
    draws[:, :, 1] = 0.3
    found = diagnose_chains(draws)
    assert np.isfinite(found.r_hat[0])
    assert np.isnan([found.r_hat[1], found.effective[1]]).all()
