"""Weighted paths: diagnostics, warnings, and the tables that must respect weights."""

import numpy as np
import polars as pl
import pytest

from hemc.outputs.bands import LEVELS, BandFiles
from hemc.outputs.estimates import design_of, mean, probability
from hemc.outputs.months import MonthTables, Series, month_block
from hemc.outputs.next_certificate import next_certificate
from hemc.outputs.weights import check_weights, weight_warnings

N = 20_000


def tilted(seed, n=N, shift=3.0, unshifted=0.1):
    """Return coordinates and likelihood ratios of a defensive mixture."""
    rng = np.random.default_rng(seed)
    xi = rng.normal(size=n) + shift * (rng.random(n) >= unshifted)
    density = unshifted + (1 - unshifted) * np.exp(shift * xi - shift**2 / 2)
    return xi, 1.0 / density


def frame(xi, weight):
    return pl.LazyFrame({"weight": weight, "pool_loss": np.exp(xi)})


def test_diagnostics_of_a_sound_mixture():
    xi, weight = tilted(1)
    check = check_weights(frame(xi, weight), 1e-3)
    assert check.paths == N
    assert check.mean == pytest.approx(1.0, abs=4 * check.mean_standard_error)
    assert check.largest == weight.max() <= 10.0
    assert check.largest_share == pytest.approx(weight.max() / weight.sum())
    assert check.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    level = np.quantile(xi, 1 - np.mean(xi > 3.0902))  # where 0.1 % of the law lies beyond
    beyond = weight[xi > level]
    assert check.tail_effective == pytest.approx(beyond.sum() ** 2 / (beyond**2).sum(), rel=0.1)
    assert weight_warnings(check) == []
    assert weight_warnings(check_weights(frame(xi, np.ones(N)), 1e-3)) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"unshifted": 0.001}, "raise simulation.unshifted_share"),
        ({"n": 400}, "raise simulation.paths"),
    ],
)
def test_a_collapse_is_told(settings, words):
    (warning,) = weight_warnings(check_weights(frame(*tilted(2, **settings)), 1e-3))
    assert words in warning


def test_weights_that_do_not_average_one_are_told():
    xi, weight = tilted(3)
    warnings = weight_warnings(check_weights(frame(xi, 1.2 * weight), 1e-3))
    assert "is not 1" in warnings[-1]


def test_calibration_beats_both_simple_ways():
    """A rare event suffers from dividing by the sum of weights, a constant from not dividing."""
    runs = []
    for seed in range(300):
        xi, weight = tilted(seed, n=2_000)
        rare, close = (xi > 3.0).astype(float), 5.0 + 0.1 * xi
        design = design_of(weight, 1)
        runs.append((
            probability(rare, design), mean(close, design),
            (weight * rare).mean(), (weight * rare).sum() / weight.sum(),
            (weight * close).mean(), (weight * close).sum() / weight.sum(),
        ))  # fmt: skip
    rare, close = (np.array([run[k] for run in runs]) for k in (0, 1))
    others = np.array([run[2:] for run in runs]).std(axis=0)
    assert rare[:, 1].mean() == pytest.approx(rare[:, 0].std(), rel=0.12)
    assert close[:, 1].mean() == pytest.approx(close[:, 0].std(), rel=0.15)
    assert rare[:, 0].std() < 1.02 * others[0] < 0.6 * others[1]
    assert close[:, 0].std() < 1.05 * others[3] < 0.2 * others[2]


def test_weights_average_one_exactly():
    _, weight = tilted(4, n=3_000)
    design = design_of(weight, 1)
    assert design.weight.mean() == pytest.approx(1.0, abs=1e-12)
    assert mean(np.full(3_000, 7.0), design).value == pytest.approx(7.0)
    assert mean(np.full(3_000, 7.0), design).standard_error < 1e-12


def test_few_wild_weights_stay_positive():
    design = design_of(np.array([9.0, 0.1, 9.5, 8.0]), 1)
    assert (design.weight > 0.0).all()
    assert design.weight.mean() == pytest.approx(1.0)


def test_bands_by_weight_are_those_of_repeated_paths(tmp_path):
    rng = np.random.default_rng(6)
    values = rng.normal(size=(2, 5, 300)).astype(np.float32)
    values[1, 2, rng.random(300) < 0.4] = np.nan
    values[1, 3] = np.nan
    times = rng.integers(1, 4, 300)
    weighted, repeated = BandFiles(), BandFiles()
    for file, part in zip("ab", (slice(0, 64), slice(64, 300)), strict=True):
        weighted.append(tmp_path / file, values[:, :, part], times[part].astype(float))
    repeated.append(tmp_path / "r", np.repeat(values, times, axis=2))
    for k in range(2):
        found, wanted = weighted.quantiles(k), repeated.quantiles(k)
        assert found.shape == (len(LEVELS), 5)
        np.testing.assert_array_equal(found, wanted)


def test_months_by_weight_are_those_of_repeated_paths(tmp_path):
    rng = np.random.default_rng(7)
    value = rng.gamma(2.0, size=(128, 4))
    value[rng.random((128, 4)) < 0.3] = np.nan
    times = rng.integers(1, 4, 128)
    weighted, repeated = MonthTables(), MonthTables()
    block = month_block([(Series("x"), value)], 128, times.astype(float))
    weighted.add(block, tmp_path / "w")
    block = month_block([(Series("x"), np.repeat(value, times, axis=0))], 999)
    repeated.add(block, tmp_path / "r")
    for a, b in zip(weighted.frame()["value"], repeated.frame()["value"], strict=True):
        assert a == pytest.approx(b)


def test_the_next_certificate_respects_weights():
    figure = np.arange(1_000.0)
    plain = next_certificate(pl.DataFrame({"path": figure, "weight": 1.0, "a": figure}))
    assert plain["figure"].to_list() == ["a"]
    assert plain["p50"][0] == pytest.approx(499.5, abs=0.6)
    ratio = np.where(figure < 500, 1.8, 0.2)
    tilted = next_certificate(pl.DataFrame({"path": figure, "weight": ratio, "a": figure}))
    assert tilted["p50"][0] == pytest.approx(500 * 0.5 / 0.9, abs=1.0)
