"""Importance sampling of the main direction: law, weights, shift, and what stays plain."""

import numpy as np
import pytest
from scipy.stats import norm

from hemc.model.importance import Tilt, choose_tilt, draw_tilted, likelihood_ratio
from hemc.model.innovations import (
    Directions,
    Sampling,
    draw_innovations,
    draw_weights,
    orthonormal,
)

N, MONTHS = 60_000, 8
TILT = Tilt(3.0, 0.1)
ROWS = Directions(
    orthonormal(np.random.default_rng(1).normal(size=(3, MONTHS))),
    orthonormal(np.random.default_rng(2).normal(size=(2, MONTHS))),
)
IMPORTANCE = Sampling("importance", ROWS, TILT)


def test_coordinates_follow_the_mixture():
    drawn = draw_tilted(TILT, 5, 0, N).coordinate
    for x in (-1.0, 0.5, 2.0, 3.5):
        wanted = 0.1 * norm.cdf(x) + 0.9 * norm.cdf(x - 3.0)
        assert (drawn <= x).mean() == pytest.approx(wanted, abs=4 * 0.5 / N**0.5)


def test_weights_are_the_ratio_of_the_densities_and_bounded():
    x = np.linspace(-8.0, 12.0, 41)
    ratio = norm.pdf(x) / (0.1 * norm.pdf(x) + 0.9 * norm.pdf(x - 3.0))
    np.testing.assert_allclose(likelihood_ratio(x, TILT), ratio)
    assert likelihood_ratio(np.array([-40.0]), TILT) == pytest.approx(10.0)
    assert (likelihood_ratio(x, Tilt(0.0, 0.1)) == 1.0).all()
    assert (likelihood_ratio(x, Tilt(5.0, 1.0)) == 1.0).all()


def test_weighted_draws_are_standard_normal():
    xi, weight = draw_tilted(TILT, 9, 0, N)
    error = weight.std() / N**0.5
    assert weight.mean() == pytest.approx(1.0, abs=4 * error)
    for power, moment in ((1, 0.0), (2, 1.0), (4, 3.0)):
        term = weight * xi**power
        assert term.mean() == pytest.approx(moment, abs=4 * term.std() / N**0.5)
    tail = weight * (xi > 4.0)
    assert tail.mean() == pytest.approx(norm.sf(4.0), abs=4 * tail.std() / N**0.5)
    assert tail.std() / N**0.5 < 0.02 * norm.sf(4.0)


def test_only_the_main_direction_is_steered_and_blocks_change_no_bit():
    plain = draw_innovations(Sampling("plain"), 5, 0, 192, MONTHS)
    steered = draw_innovations(IMPORTANCE, 5, 0, 192, MONTHS)
    main = ROWS.credit[0]
    rest = np.eye(MONTHS) - np.outer(main, main)
    np.testing.assert_array_equal(steered.prepayment, plain.prepayment)
    np.testing.assert_allclose(steered.credit @ rest, plain.credit @ rest, atol=1e-12)
    np.testing.assert_allclose(steered.credit @ main, draw_tilted(TILT, 5, 0, 192).coordinate)
    part = draw_innovations(IMPORTANCE, 5, 64, 32, MONTHS)
    assert np.array_equal(part.credit, steered.credit[64:96])
    weights = draw_weights(IMPORTANCE, 5, 0, 192)
    assert np.array_equal(draw_weights(IMPORTANCE, 5, 64, 32), weights[64:96])
    other = draw_weights(IMPORTANCE.for_horizon(20), 5, 0, 192)
    assert np.array_equal(other, weights)  # common random numbers at another horizon
    assert (draw_weights(Sampling("plain"), 5, 0, 8) == 1.0).all()


@pytest.mark.parametrize("probability", [0.01, 1e-4])
def test_the_shift_is_the_mean_coordinate_of_the_tail(probability):
    generator = np.random.default_rng(3)
    xi = generator.normal(size=400_000)
    log_loss = 0.8 * (0.9 * xi + (1 - 0.81) ** 0.5 * generator.normal(size=xi.size))
    tilt = choose_tilt(xi, log_loss, probability, 0.1)
    tail = xi[log_loss >= np.quantile(log_loss, 1 - probability)]
    error = tail.std() / tail.size**0.5
    assert tilt.shift == pytest.approx(tail.mean(), abs=4 * error + 0.01)


def test_nothing_to_shift_towards():
    xi = np.random.default_rng(3).normal(size=512)
    assert choose_tilt(xi, np.zeros(512), 1e-3, 0.1) == Tilt(0.0, 0.1)
    assert choose_tilt(xi, -xi, 1e-3, 0.1).shift == 0.0
