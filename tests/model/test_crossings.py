"""Crossings of responses: all of them, narrowed to neighbours, with few evaluations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemc.model.crossings import crossings, lattice, scan_and_narrow, slope_at

PLACES = lattice(0.25, 8.0, 0.02)


def counted(function):
    calls = []

    def evaluate(x):
        calls.append(x)
        return function(x)

    return evaluate, calls


def test_the_lattice_has_equal_relative_steps_within_its_bounds():
    assert PLACES[0] == 0.25
    assert 8.0 / 1.02 < PLACES[-1] <= 8.0 * (1 + 1e-9)
    assert PLACES[1:] / PLACES[:-1] == pytest.approx(1.02)


def test_a_monotone_response_is_narrowed_to_two_neighbours():
    evaluate, calls = counted(lambda x: [np.log(x / 1.7)])
    found = scan_and_narrow(evaluate, PLACES, 14, [0.0])
    (crossing,) = crossings(found.x, found.y[:, 0], 0.0)
    assert crossing.value == pytest.approx(1.7, rel=1e-4)
    assert crossing.high / crossing.low == pytest.approx(1.02)
    assert crossing.is_rising
    assert len(calls) <= 14 + 3
    assert len(set(calls)) == len(calls)


def test_a_response_that_is_not_monotone_shows_all_its_crossings():
    """cos(2π·log₂ x) is zero, falling and rising in turn, at 2^(k/2 + 1/4)."""
    evaluate, _ = counted(lambda x: [np.cos(2 * np.pi * np.log2(x))])
    found = scan_and_narrow(evaluate, PLACES, 5, [0.0])
    every = crossings(found.x, found.y[:, 0], 0.0)
    exact = 2.0 ** (np.arange(-4, 6) / 2 + 0.25)
    assert [c.value for c in every] == pytest.approx(exact, rel=1e-3)
    assert [c.is_rising for c in every] == [False, True] * 5


def test_series_and_targets_share_their_evaluations():
    evaluate, calls = counted(lambda x: [x, x + 1e-9, 2.0 * x])
    found = scan_and_narrow(evaluate, PLACES, 14, [1.0, 2.0])
    values = [[c.value for c in crossings(found.x, y, t)] for y in found.y.T for t in (1.0, 2.0)]
    assert np.ravel(values) == pytest.approx([1.0, 2.0, 1.0, 2.0, 0.5, 1.0])
    assert len(calls) < 13 + 3 * 4


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.floats(-1, 1), min_size=30, max_size=30), st.integers(1, 9))
def test_every_crossing_that_the_scan_can_see_ends_between_neighbours(noise, every):
    """Whatever the response, ends of a crossing straddle the target and touch each other."""
    places = np.arange(30.0)
    found = scan_and_narrow(lambda x: [noise[int(x)]], places, every, [0.1])
    for crossing in crossings(found.x, found.y[:, 0], 0.1):
        assert crossing.high - crossing.low == 1.0
        below, above = noise[int(crossing.low)] < 0.1, noise[int(crossing.high)] < 0.1
        assert below == crossing.is_rising != above
        assert crossing.low <= crossing.value <= crossing.high


def test_the_slope_is_taken_beyond_the_noise():
    x = np.arange(7.0)
    y = np.array([0.0, 1.0, 2.9, 3.05, 2.95, 5.0, 6.0])  # 3 ± 0.1 is crossed thrice about x = 3
    crossing = crossings(x, y, 3.0)[0]
    assert slope_at(crossing, x, y, 3.0, 0.5) == pytest.approx((5.0 - 1.0) / (5.0 - 1.0))
    assert slope_at(crossing, x, y, 3.0, 0.0) == pytest.approx(0.15)
