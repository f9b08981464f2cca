"""Sojourns drawn at once: against brute force, at the edges, and the same law as months."""

import numpy as np
import pytest
from reference.ledger_cases import SEED, one_path, tape
from reference.philox import philox, uniform

from hemc.kernels import rng, sojourns
from hemc.kernels.sojourns import GUIDE
from hemc.states import N_STATES


def survival_and_guide(stay):
    survival = np.concatenate([[1.0], np.cumprod(stay), [-1.0]])
    guide = np.empty(GUIDE, dtype=np.uint32)
    sojourns.fill_guide(survival, guide)
    return survival, guide


@pytest.mark.parametrize("level", [0.999, 0.96, 0.7, 0.1])
def test_leave_month_is_the_first_with_survival_below_u(level):
    generator = np.random.default_rng(3)
    stay = np.clip(level + 0.2 * (1 - level) * generator.standard_normal(200), 0.0, 1.0)
    survival, guide = survival_and_guide(stay)
    for u in [*generator.random(400), 2.0**-33, 1 - 2.0**-33]:
        for month in (0, 1, 7, 100, 199, 200):
            below = np.flatnonzero(survival[month + 1 :] <= u * survival[month])
            wanted = month + 1 + below[0]  # the last element, month 201, is below all
            assert sojourns.leave_month(survival, guide, month, u) == wanted


def test_a_state_that_cannot_be_left_or_kept():
    survival, guide = survival_and_guide(np.ones(20))
    assert sojourns.leave_month(survival, guide, 3, 0.999) == 21
    survival, guide = survival_and_guide(np.zeros(20))
    assert sojourns.leave_month(survival, guide, 0, 1e-9) == 1


def test_lost_digits_are_drawn_month_by_month():
    """After a survival below 1e-250 the stay is asked each month, and has the right law."""
    stay = np.concatenate([np.full(100, 1e-3), np.full(200, 0.9)])
    rows = np.zeros((300, 3))
    rows[:, 1], rows[:, 2] = stay, 1.0
    n = 4_000
    months = [sojourns.leave_by_months(rows, 1, 100, 1, (SEED, p)) - 101 for p in range(n)]
    assert np.mean(months) == pytest.approx(9.0, abs=5 * (90 / n) ** 0.5)
    words = philox((1, 101, 0, rng.LONG_STAY), int(SEED))
    assert (months[0] == 0) == (uniform(words[0]) >= 0.9)


def cell_left_for(cumulative, u, low=0.0):
    """Cell of a row that a loan leaves for out of cell 1, none below `low`."""
    row = [*cumulative, 1.0]
    return int(np.searchsorted(row, sojourns.skip_stay(low, row[0], row[1], u), side="right"))


@pytest.mark.parametrize("low", [0.0, 0.03])
def test_a_loan_that_leaves_is_in_the_row_without_staying(low):
    cells = np.array([0.03, 0.9, 0.04, 0.02, 0.01])
    found = np.array([
        cell_left_for(np.cumsum(cells)[:-1], (v + 0.5) / 20_000, low) for v in range(20_000)
    ])  # fmt: skip
    left_for = np.where([low > 0.0, True, False, False, False], 0.0, cells)
    for cell, chance in enumerate(left_for / left_for.sum()):
        assert np.mean(found == cell) == pytest.approx(chance, abs=2e-4)


@pytest.mark.parametrize(("cumulative", "others"), [((0.1, 0.9), {0, 2}), ((0.1,), {0})])
def test_leaving_never_returns_the_state_itself(cumulative, others):
    for u in (0.0, 2.0**-33, 0.5 - 1e-16, 0.5, 0.5 + 1e-16, 1 - 2.0**-33):
        assert cell_left_for(cumulative, u) in others


def test_cases_have_every_state_and_an_eventful_path():
    assert set(tape()["state"]) == {
        "current", "30", "60", "90", "120", "150", "180+", "bankruptcy", "foreclosure", "reo",
    }  # fmt: skip
    assert one_path().credit.std() > 0.01


def test_halving_finds_every_cell_of_a_row():
    row = np.array([0.1, 0.1, *np.linspace(0.2, 0.9, N_STATES - 3), 1.0])
    for u in (0.05, *row[:-1], 0.15, 0.5, 1.0 - 2.0**-53):
        assert sojourns.find_cell(row, u) == np.searchsorted(row, u, side="right")
    flat = np.array([0.4, *np.ones(N_STATES - 1)])
    assert [sojourns.find_cell(flat, u) for u in (0.3, 0.4, 0.99)] == [0, 1, 1]
