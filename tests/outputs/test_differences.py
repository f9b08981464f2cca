"""Differences on common paths: their errors are those of many repetitions."""

from itertools import pairwise

import numpy as np
import pytest

from hemc.errors import InternalError
from hemc.outputs.differences import difference, independent_difference
from hemc.outputs.estimates import PLAIN, Design, Estimate, design_of

STATISTICS = ["mean", "sd", "probability", "p75", "p95", "es_97_5"]


def two_runs(rng, n=2_000):
    """Return a figure with zeros and the same figure a little larger on the same paths."""
    common = rng.lognormal(size=n)
    before = np.maximum(common - 1.0, 0.0)
    after = np.maximum(1.05 * common * np.exp(0.05 * rng.normal(size=n)) - 1.0, 0.0)
    return before, after


@pytest.mark.parametrize("statistic", STATISTICS)
def test_errors_equal_the_spread_over_repetitions(statistic):
    rng = np.random.default_rng(7)
    found = [difference(*two_runs(rng), statistic, (PLAIN, PLAIN)) for _ in range(300)]
    spread = np.std([d.value for d in found])
    stated = np.sqrt(np.mean([d.standard_error**2 for d in found]))
    rough = statistic.startswith("p") and statistic != "probability"
    assert stated == pytest.approx(spread, rel=0.3 if rough else 0.17)  # four errors of 300 runs
    apart = [d.after.value - e.before.value for d, e in pairwise(found)]
    independent = np.sqrt(np.mean([d.independent_standard_error**2 for d in found]))
    assert independent == pytest.approx(np.std(apart), rel=0.25)
    assert independent > 1.5 * stated


def test_weights_and_units_enter_the_error():
    rng = np.random.default_rng(8)
    n = 4_000
    found, spreads = [], []
    for _ in range(200):
        shared = np.repeat(rng.normal(size=n // 2), 2)  # pairs that hang together
        weight = rng.choice([0.5, 1.5], size=n)
        x = shared + 0.1 * rng.normal(size=n)
        design = Design(2, design_of(weight, 2).weight)
        d = difference(x, x + 0.3 * shared, "mean", (design, design))
        found.append(d.standard_error)
        spreads.append(d.value)
    assert np.mean(found) == pytest.approx(np.std(spreads), rel=0.2)


@pytest.mark.parametrize("statistic", ["mean", "probability", "es_97_5"])
def test_calibrated_weights_enter_the_error(statistic):
    """Importance sampling: the errors of a difference, and of its sides, are those of many runs."""
    rng = np.random.default_rng(10)
    found = []
    for _ in range(200):
        xi = rng.normal(size=2_000) + 2.5 * (rng.random(2_000) > 0.1)
        design = design_of(1.0 / (0.1 + 0.9 * np.exp(2.5 * xi - 2.5**2 / 2)), 1)
        x, y = (np.maximum(np.exp(0.5 * xi) * (1 + f) - 1.5, 0.0) for f in (0.0, 0.1))
        found.append(difference(x, y, statistic, (design, design)))
    stated = np.mean([d.standard_error for d in found])
    assert stated == pytest.approx(np.std([d.value for d in found]), rel=0.2)
    side = np.mean([d.before.standard_error for d in found])
    assert side == pytest.approx(np.std([d.before.value for d in found]), rel=0.2)


def test_a_run_against_itself_differs_by_nothing():
    x = np.random.default_rng(9).lognormal(size=500)
    for statistic in STATISTICS:
        d = difference(x, x, statistic, (PLAIN, PLAIN))
        assert (d.value, d.standard_error) == (0.0, 0.0)


def test_independent_estimates_add_their_variances():
    d = independent_difference(Estimate(5.0, 0.3), Estimate(7.0, 0.4))
    assert (d.value, d.standard_error) == (2.0, pytest.approx(0.5))


def test_other_paths_are_refused():
    with pytest.raises(InternalError, match="same paths"):
        difference(np.ones(3), np.ones(4), "mean", (PLAIN, PLAIN))
