"""The two-level mean: unbiased for any large pool, with the error that it states."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from hemc.outputs.estimates import Estimate
from hemc.outputs.two_level import COVERED, two_level_mean, with_two_level_mean

N, RUNS = 400, 2_000


def test_stated_error_is_the_deviation_over_runs():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(RUNS):
        systematic = rng.gamma(2.0, size=5 * N)
        simulated = systematic[:N] + 0.3 * rng.normal(size=N)
        found.append(two_level_mean(simulated, 0.9 * systematic - 0.4))  # biased: coarse cells
    value, error = np.array(found).T
    assert value.mean() == pytest.approx(2.0, abs=4 * value.std() / RUNS**0.5)
    assert error.mean() == pytest.approx(value.std(), rel=0.05)
    covered = (np.abs(value - 2.0) < norm.ppf(0.95) * error).mean()
    assert 0.88 < covered < 0.92


def test_errors_of_both_levels_add():
    expected = np.array([5.0, 7.0, 1.0, 3.0, 2.0])
    simulated = np.array([6.0, 10.0])
    value, error = two_level_mean(simulated, expected)
    assert value == 2.0 + 2.0
    assert error**2 == pytest.approx(1.0 / 3 + 2.0 / 2)


def measures(loss):
    rows = [(name, "mean", loss * k, 2.0 * k) for k, name in enumerate(COVERED, 1)]
    rows += [("pool_loss", "p50", 9.0, 3.0), ("premium", "mean", 8.0, 4.0)]
    names = ("measure", "statistic", "value", "standard_error")
    return pl.DataFrame(rows, schema=names, orient="row")


def test_only_the_mean_of_pool_loss_is_replaced_in_each_unit():
    found = with_two_level_mean(measures(10.0), Estimate(11.0, 0.5))
    assert found["value"].to_list() == [11.0, 22.0, 33.0, 9.0, 8.0]
    assert found["standard_error"].to_list() == [0.5, 1.0, 1.5, 3.0, 4.0]


def test_a_pool_that_loses_nothing_is_left_alone():
    found = with_two_level_mean(measures(0.0), Estimate(0.0, 0.0))
    assert found.equals(measures(0.0))
