"""Statistics and their errors by design: against theory, repeated runs and each other."""

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from hemc.errors import InternalError
from hemc.model.innovations import Directions, Sampling, draw_innovations, orthonormal
from hemc.outputs.estimates import (
    PLAIN,
    Design,
    counted,
    design_of,
    distribution,
    effective_sample_size,
    expected_shortfall,
    kish_sample_size,
    mean,
    probability,
    quantile,
    standard_deviation,
    take_sample,
)
from hemc.settings.simulation import UNIT_PATHS

N, RUNS, MONTHS = 4_096, 400, 6
METHODS = ("plain", "antithetic", "strata", "sobol")
LOSS = lognorm(0.5)  # the stand-in: log loss is normal, mostly along the main direction

MAIN = np.exp(-np.arange(MONTHS) / 4.0)
MAIN /= np.linalg.norm(MAIN)
OFF = orthonormal(np.vstack([MAIN, np.ones(MONTHS)]))[1]
#: A pilot finds the direction of the loss almost; what it misses is left to chance.
FOUND = Directions(orthonormal((MAIN + 0.1 * OFF)[None, :]), orthonormal(np.ones((1, MONTHS))))


def stand_in(method, seed):
    """Return losses of one run: an AR(1)-like sum of credit innovations, and prepayment."""
    n = max(N, 64 * UNIT_PATHS[method])  # fewer units do not know their own error
    drawn = draw_innovations(Sampling(method, FOUND), seed, 0, n, MONTHS)
    own = drawn.prepayment[:, 3]
    return np.exp(0.5 * (0.97 * (drawn.credit * MAIN).sum(axis=1) + (1 - 0.97**2) ** 0.5 * own))


STATISTICS = {
    "mean": LOSS.mean(), "sd": LOSS.std(), "probability": LOSS.sf(2.0), "p25": LOSS.ppf(0.25),
    "p95": LOSS.ppf(0.95),
    "es_97_5": LOSS.expect(lb=LOSS.ppf(0.975)) / 0.025,
}  # fmt: skip


def estimates(loss, design):
    """Return value and error of each of STATISTICS, float64[statistic, 2]."""
    found = distribution(loss, design, tuple(STATISTICS))
    found["probability"] = probability((loss > 2.0).astype(float), design)
    return np.array([found[name] for name in STATISTICS])


def check(found, truth, deviation=0.15):
    """Compare stated errors float64[run, 2] with the deviation over runs, and cover the truth."""
    value, error = found.T
    assert np.isfinite(error).all()
    assert value.mean() == pytest.approx(truth, abs=4 * value.std() / len(value) ** 0.5 + 0.01)
    assert error.mean() == pytest.approx(value.std(), rel=deviation)
    covered = (np.abs(value - truth) < norm.ppf(0.95) * error).mean()
    assert 0.85 <= covered <= 0.95  # 90 %, give or take three deviations over the runs


@pytest.fixture(scope="module")
def runs():
    return {
        method: np.stack(
            [estimates(stand_in(method, seed), Design(unit)) for seed in range(RUNS)], axis=1
        )
        for method, unit in UNIT_PATHS.items()
        if method in METHODS
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", STATISTICS)
def test_stated_error_is_the_deviation_over_runs(runs, method, name):
    check(runs[method][list(STATISTICS).index(name)], STATISTICS[name])


@pytest.mark.parametrize(("method", "least"), [("antithetic", 1.5), ("strata", 5), ("sobol", 5)])
def test_methods_know_the_mean_better_than_plain_paths(runs, method, least):
    plain, other = (runs[m][0, :, 0].var() for m in ("plain", method))
    assert plain / other > least


def test_errors_that_ignore_the_unit_are_wrong(runs):
    loss = stand_in("strata", 1)
    assert mean(loss).standard_error > 2 * mean(loss, Design(64)).standard_error


@pytest.fixture(scope="module")
def weighted_runs():
    """Runs by importance sampling of the main direction, towards large losses."""
    rng, shift, found = np.random.default_rng(5), 2.0, []
    for _ in range(RUNS):
        xi = rng.normal(size=N) + shift * (rng.random(N) < 0.5)
        weight = 1.0 / (0.5 + 0.5 * np.exp(shift * xi - shift**2 / 2))
        found.append(estimates(np.exp(0.5 * xi), design_of(weight, 1)))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("name", STATISTICS)
def test_stated_error_of_weighted_paths_is_the_deviation_over_runs(weighted_runs, name):
    check(weighted_runs[list(STATISTICS).index(name)], STATISTICS[name])


def test_weights_towards_the_tail_know_the_tail_better(runs, weighted_runs):
    row = list(STATISTICS).index("es_97_5")
    assert weighted_runs[row, :, 0].std() < 0.6 * runs["plain"][row, :, 0].std()


def all_statistics(x, design):
    names = ("mean", "sd", "probability", "p5", "p50", "p99", "es_97_5")
    return np.array(list(distribution(x, design, names).values()))


def test_weight_two_is_the_path_twice():
    x = np.random.default_rng(2).gamma(2.0, size=2_000)
    weight = np.where(np.arange(2_000) % 3 == 0, 2.0, 1.0)
    once = all_statistics(x, design_of(weight, 1))
    twice = all_statistics(np.repeat(x, weight.astype(int)), PLAIN)
    np.testing.assert_allclose(once[:, 0], twice[:, 0], rtol=1e-3)
    assert once[0, 0] == pytest.approx(twice[0, 0], rel=1e-12)
    assert once[5, 0] == twice[5, 0]


def test_a_path_without_weight_does_not_count():
    x = np.random.default_rng(3).gamma(2.0, size=3_000)
    counts = np.arange(3_000) % 3 > 0
    left_out = all_statistics(*counted(x, counts, PLAIN))
    weightless = all_statistics(*counted(np.where(counts, x, 1e9), counts, Design(2)))
    np.testing.assert_allclose(left_out[:, 0], weightless[:, 0], rtol=1e-3)
    np.testing.assert_allclose(left_out[:, 1], weightless[:, 1], rtol=0.2)
    odd = take_sample(np.arange(100.0), Design(counts=np.arange(100) % 2 > 0))
    np.testing.assert_array_equal(odd.ordered, np.arange(1.0, 100.0, 2.0))
    assert odd.weight_to[-1] == 50.0
    same, design = counted(x, counts | True, Design(2))
    assert same is x
    assert design == Design(2)
    nested = counted(x, counts, Design(1, x))[1].weights(3_000)
    np.testing.assert_array_equal(nested, x * counts)


def test_equal_weights_of_any_size_change_nothing():
    x = np.random.default_rng(4).normal(size=4_000)
    one = all_statistics(x, PLAIN)
    seven = all_statistics(x, design_of(np.full(4_000, 7.0), 1))
    np.testing.assert_allclose(seven[:, 0], one[:, 0], rtol=1e-3)
    np.testing.assert_allclose(seven[:, 1], one[:, 1], rtol=0.03)
    assert design_of(np.ones(5), 2).weight is None


def test_what_the_sample_does_not_hold_has_no_error():
    few = take_sample(np.random.default_rng(1).normal(size=300))
    assert np.isnan(quantile(few, 0.999).standard_error)
    assert np.isnan(quantile(few, 0.001).standard_error)
    assert np.isnan(expected_shortfall(few, 0.99).standard_error)
    assert np.isnan(probability(np.zeros(10)).standard_error)
    assert np.isnan(probability(np.ones(10), Design(2)).standard_error)
    assert np.isnan(mean(np.ones(1)).standard_error)
    assert np.isnan(mean(np.arange(64.0), Design(64)).standard_error)
    assert np.isnan(standard_deviation(np.ones(1)).value)
    weight = np.ones(4_000)
    weight[-1] = 30.0  # one path is most of the tail, beside ten others
    tail = take_sample(np.arange(4_000.0), Design(1, weight))
    assert np.isnan(expected_shortfall(tail, 0.99).standard_error)
    assert np.isnan(quantile(tail, 0.999).standard_error)


def test_a_figure_that_never_varies_has_no_spread():
    assert standard_deviation(np.ones(8)) == (0.0, 0.0)
    assert mean(np.ones(8), Design(2)) == (1.0, 0.0)
    assert effective_sample_size(np.ones(8), Design(2)) == 8.0


def test_units_cut_in_two_are_a_fault():
    with pytest.raises(InternalError, match="100 paths are no whole number of units of 64"):
        mean(np.arange(100.0), Design(64))


def test_distribution_names_what_was_asked():
    found = distribution(np.arange(1000.0), PLAIN, ("mean", "p50", "es_99", "probability"))
    assert list(found) == ["mean", "p50", "es_99", "probability"]
    assert found["mean"].value == 499.5
    assert found["p50"].value == 500.0
    assert found["probability"].value == 0.999


def test_effective_sample_size_is_never_the_nominal_one_in_disguise():
    loss = {m: stand_in(m, 9) for m in ("plain", "antithetic", "strata")}
    assert effective_sample_size(loss["plain"]) == N
    assert effective_sample_size(loss["antithetic"], Design(2)) > 1.5 * N
    assert effective_sample_size(loss["strata"], Design(64)) > 5 * N
    worse = np.repeat(loss["plain"][: N // 2], 2)  # every path drawn twice
    assert effective_sample_size(worse, Design(2)) == pytest.approx(N / 2, rel=0.01)
    assert kish_sample_size(np.ones(7)) == 7.0
    assert kish_sample_size(np.array([1.0, 0.0, 0.0])) == 1.0
    weight = np.random.default_rng(6).gamma(1.0, size=100_000)
    unrelated = np.random.default_rng(7).normal(size=weight.size)
    found = effective_sample_size(unrelated, design_of(weight, 1))
    assert found == pytest.approx(kish_sample_size(weight), rel=0.03)


def test_a_single_unit_has_quantiles_without_errors():
    values = np.arange(64.0)
    found = quantile(take_sample(values, Design(64)), 0.5)
    assert 31.0 <= found.value <= 32.0
    assert np.isnan(found.standard_error)
    assert effective_sample_size(values, Design(64)) == 1.0
