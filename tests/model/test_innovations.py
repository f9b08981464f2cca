"""Innovations by method: standard normal whatever the method, and blocks change no bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import kstest, norm

from hemc.kernels import rng
from hemc.model import direction
from hemc.model.direction import main_direction, principal_directions
from hemc.model.innovations import Directions, Sampling, draw_innovations, orthonormal
from hemc.model.scenario import factor_model
from hemc.settings.scenario import ScenarioSettings
from hemc.settings.simulation import UNIT_PATHS

MONTHS = 30
METHODS = ["plain", "antithetic", "strata", "sobol"]


def some_directions(n_months=MONTHS):
    decay = 1.0 / (3.0 + np.arange(n_months))
    rows = np.random.default_rng(3).normal(size=(3, n_months))
    rows[0] = decay
    return Directions(orthonormal(rows), orthonormal(rows[1:]))


DIRECTIONS = some_directions()


def draw(method, first, n, seed=5):
    return draw_innovations(Sampling(method, DIRECTIONS), seed, first, n, MONTHS)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, derandomize=True, max_examples=20)
@given(first=st.integers(0, 700), n=st.integers(1, 200))
def test_a_block_is_the_same_rows_of_a_larger_one(method, first, n):
    whole, part = draw(method, 0, 1_024), draw(method, first, n)
    for a, b in zip(whole, part, strict=True):
        assert np.array_equal(a[first : first + n], b)


@pytest.mark.parametrize("method", METHODS)
def test_every_month_is_standard_normal_and_independent(method):
    credit, prepayment = draw(method, 0, 32_000)
    n = 16_000 if method == "antithetic" else 32_000  # a mirrored path adds nothing to a product
    for x in (credit, prepayment):
        assert np.abs(x.mean(axis=0)).max() < 5 / n**0.5
        assert np.abs(x.std(axis=0) - 1).max() < 5 / (2 * n) ** 0.5
        assert np.abs(np.corrcoef(x.T) - np.eye(MONTHS)).max() < 5.5 / n**0.5
    assert np.abs(np.corrcoef(credit.T, prepayment.T)[:MONTHS, MONTHS:]).max() < 5.5 / n**0.5
    # the month and the direction that steering changes most
    for x in (credit[:, 0], credit @ DIRECTIONS.credit[0]):
        assert kstest(x[:: UNIT_PATHS[method] + 1], norm.cdf).pvalue > 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_another_seed_draws_other_innovations(method):
    assert not np.isclose(draw(method, 0, 256).credit, draw(method, 0, 256, seed=6).credit).any()


def test_two_level_paths_are_plain():
    for a, b in zip(draw("plain", 0, 64), draw("two-level", 0, 64), strict=True):
        assert np.array_equal(a, b)


def test_plain_paths_are_what_they_always_were():
    u = np.empty((64, MONTHS))
    for stream, found in zip((rng.CREDIT, rng.PREPAYMENT), draw("plain", 3, 64), strict=True):
        rng.draw_uniforms_paths(np.uint64(5), stream, 3, u)
        assert np.array_equal(found, ndtri(u))


def test_odd_paths_mirror_even_ones_of_the_plain_draw():
    plain, pairs = draw("plain", 0, 64), draw("antithetic", 0, 64)
    for a, b in zip(plain, pairs, strict=True):
        assert np.array_equal(b[0::2], a[0::2])
        assert np.array_equal(b[1::2], -b[0::2])


def test_every_unit_visits_every_stratum_once():
    n = UNIT_PATHS["strata"]
    share = norm.cdf(draw("strata", 2 * n, 3 * n).credit @ DIRECTIONS.credit[0])
    strata = np.floor(share * n).astype(int).reshape(3, n)
    assert (np.sort(strata, axis=1) == np.arange(n)).all()
    assert (strata == strata[0]).all()  # path p belongs to one stratum, whatever the unit
    first = np.sort(strata[0, : n // 4])
    assert (np.diff(first) == 4).all()  # a quarter of a unit is spread out too


def test_a_sobol_unit_visits_every_interval_of_each_direction_once():
    n = UNIT_PATHS["sobol"]
    credit, prepayment = draw("sobol", n, n)
    for x, rows in ((credit, DIRECTIONS.credit), (prepayment, DIRECTIONS.prepayment)):
        intervals = np.floor(norm.cdf(x @ rows.T) * n).astype(int)
        assert (np.sort(intervals, axis=0) == np.arange(n)[:, None]).all()


def test_every_sobol_unit_and_seed_has_a_scrambling_of_its_own():
    n = UNIT_PATHS["sobol"]
    nets = [draw("sobol", k * n, n, seed).credit @ DIRECTIONS.credit.T
            for k, seed in ((0, 5), (1, 5), (0, 6))]  # fmt: skip
    for k, net in enumerate(nets):
        for other in nets[k + 1 :]:
            assert np.abs(np.sort(net, axis=0) - np.sort(other, axis=0)).max() > 1e-3


@pytest.mark.parametrize("method", ["strata", "sobol"])
def test_what_is_orthogonal_to_the_directions_stays_plain(method):
    rest = [np.eye(MONTHS) - rows.T @ rows for rows in DIRECTIONS]
    if method == "strata":
        main = DIRECTIONS.credit[0]
        rest = [np.eye(MONTHS) - np.outer(main, main), np.eye(MONTHS)]
    plain, steered = draw("plain", 0, 192), draw(method, 0, 192)
    for a, b, out in zip(plain, steered, rest, strict=True):
        np.testing.assert_allclose(b @ out, a @ out, atol=1e-12)
    assert not np.allclose(plain.credit, steered.credit)


def test_a_short_horizon_has_fewer_directions_than_asked_for():
    short = some_directions(2)
    x = draw_innovations(Sampling("sobol", short), 5, 0, 128, 2).credit
    intervals = np.floor(norm.cdf(x @ short.credit.T) * 128).astype(int)
    assert (np.sort(intervals, axis=0) == np.arange(128)[:, None]).all()


@pytest.mark.parametrize("n_months", [12, 60])
def test_directions_of_another_horizon_are_orthonormal(n_months):
    rows = Sampling("strata", DIRECTIONS).for_horizon(n_months).directions.credit
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-12)
    kept = min(n_months, MONTHS)
    cut = DIRECTIONS.credit[0, :kept] / np.linalg.norm(DIRECTIONS.credit[0, :kept])
    np.testing.assert_allclose(rows[0, :kept], cut, atol=1e-12)
    assert Sampling("plain").for_horizon(n_months) == Sampling("plain")


def test_main_direction_is_found_from_a_pilot():
    n_months = 200
    truth = np.exp(-0.03 * np.arange(n_months))
    truth /= np.linalg.norm(truth)
    generator = np.random.default_rng(8)
    credit = generator.normal(size=(direction.PILOT_PATHS, n_months))
    noise = 0.2 * generator.normal(size=len(credit))
    loss = 1e6 * np.exp(0.7 * credit @ truth + noise)
    found = main_direction(credit, loss)
    assert np.linalg.norm(found) == pytest.approx(1.0)
    assert found @ truth > 0.995


@pytest.mark.parametrize("loss", [np.zeros(64), np.full(64, 3e5)])
def test_without_different_losses_every_month_counts_alike(loss):
    credit = np.random.default_rng(1).normal(size=(64, 16))
    np.testing.assert_allclose(main_direction(credit, loss), 0.25)


def test_a_pilot_in_which_some_paths_lose_nothing_has_a_direction():
    credit = np.random.default_rng(1).normal(size=(512, 16))
    loss = np.where(credit.sum(axis=1) > 0, 1e5 * np.exp(0.2 * credit.sum(axis=1)), 0.0)
    assert main_direction(credit, loss) @ np.full(16, 0.25) > 0.95


def test_principal_directions_move_the_weighted_level_most():
    weight = np.exp(-0.05 * np.arange(40))
    rows = principal_directions(0.9, weight, 3)
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-12)
    response = np.array([[0.9 ** (t - s) * (t >= s) for t in range(40)] for s in range(40)])
    moved = [np.linalg.norm(row @ (response * weight)) for row in rows]
    assert moved[0] > moved[1] > moved[2]
    trials = orthonormal(np.random.default_rng(2).normal(size=(40, 40)))
    assert moved[0] >= max(np.linalg.norm(row @ (response * weight)) for row in trials)


@pytest.mark.parametrize("method", METHODS)
def test_factors_keep_their_moments_under_every_method(method):
    n = 16_384
    model = factor_model(ScenarioSettings(prepayment_multiplier=1.0), 4.0, MONTHS, 7)
    factors = model.sampled(Sampling(method, DIRECTIONS)).draw(0, n)
    for month in (1, 12, MONTHS):
        wanted = 0.245 * (1 - 0.985 ** (2 * month)) ** 0.5
        assert factors.credit[:, month - 1].std() == pytest.approx(wanted, rel=5 / (2 * n) ** 0.5)
    error = factors.prepayment.std(axis=0) / n**0.5
    assert (np.abs(factors.prepayment.mean(axis=0) - 1.0) < 5 * error).all()
