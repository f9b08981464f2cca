"""Scores by hand, against the normal's closed form, and of forecasts that are the truth."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from hemc.outputs.scores import (
    continuous_ranked_probability_score,
    is_inside,
    probability_integral_transform,
    varies,
)


@pytest.mark.parametrize(
    ("draws", "observed", "score"),
    [
        ([3.0], 5.0, 2.0),  # one draw: the absolute error
        ([0.0, 1.0], 0.5, 0.25),  # 1/2 − 1/2 · 1/2
        ([0.0, 1.0], 2.0, 1.25),  # 3/2 − 1/4
        ([4.0, 1.0, 1.0], 1.0, 1.0 / 3.0),  # 1 − 1/2 · 12/9
        ([7.0, 7.0], 7.0, 0.0),
    ],
)
def test_crps_by_hand(draws, observed, score):
    found = continuous_ranked_probability_score(np.array(draws), observed)
    assert found == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("observed", [-1.5, 0.0, 0.7])
def test_crps_of_a_normal_forecast(observed):
    draws = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    y = observed
    exact = y * (2.0 * norm.cdf(y) - 1.0) + 2.0 * norm.pdf(y) - 1.0 / np.sqrt(np.pi)
    assert continuous_ranked_probability_score(draws, y) == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize(
    ("observed", "u", "place"),
    [
        (0.0, 0.5, 0.0),
        (1.0, 0.0, 0.0),
        (1.0, 0.5, 0.25),
        (1.5, 0.9, 0.5),
        (2.004, 1.0, 0.75),  # half a cent is no difference
        (9.0, 0.2, 1.0),
    ],
)
def test_place_in_the_forecast_by_hand(observed, u, place):
    draws = np.array([1.0, 3.0, 2.0, 1.0])
    assert probability_integral_transform(draws, observed, u) == pytest.approx(place)


def test_bands_hold_their_ends():
    assert is_inside(2.0, 2.0, 3.0)
    assert is_inside(3.004, 2.0, 3.0)
    assert not is_inside(3.01, 2.0, 3.0)
    assert varies(np.array([1.0, 1.01]))
    assert not varies(np.array([1.0, 1.004]))


def test_places_are_uniform_where_a_forecast_of_counts_is_the_truth():
    generator = np.random.default_rng(5)
    mean = generator.gamma(2.0, 3.0, 1_500)
    places = [
        probability_integral_transform(
            generator.poisson(m, 400).astype(float), generator.poisson(m), generator.random()
        )
        for m in mean
    ]
    assert kstest(places, "uniform").pvalue > 0.01
