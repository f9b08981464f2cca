"""When the insurer fails: never, from the beginning, or by a hazard that follows credit."""

from __future__ import annotations

import numpy as np
import pytest

from hemc.model.insurer import ABSENT, NEVER, InsurerModel, failure_month, peak_claims
from hemc.settings.insurer import InsurerSettings

N_PATHS, N_MONTHS = 4_000, 240
CALM = np.zeros((N_PATHS, N_MONTHS))


def model(shift: float = 0.0, **settings: object) -> InsurerModel:
    """Return an insurer that may default, its hazard 5 % a year."""
    given = {"mode": "may_default", "default_hazard": 0.05} | settings
    return InsurerModel(InsurerSettings(**given), np.full(N_MONTHS, shift), 7)


@pytest.mark.parametrize(("mode", "month"), [("performing", NEVER), ("absent", ABSENT)])
def test_other_modes_draw_nothing(mode: str, month: int) -> None:
    assert (model(mode=mode).default_month(CALM, 0) == month).all()


def test_the_hazard_is_constant_where_credit_is_at_its_mean() -> None:
    months = model().default_month(CALM, 0)
    survive = np.exp(-0.05 * np.array([1.0, 5.0, 20.0]))
    for years, expected in zip((1, 5, 20), survive, strict=True):
        share = (months >= 12 * years).mean()
        assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / N_PATHS)


@pytest.mark.parametrize(("credit", "shift"), [(0.3, 0.0), (0.0, 0.3), (0.1, 0.2)])
def test_bad_credit_and_stress_raise_the_hazard_alike(credit: float, shift: float) -> None:
    months = model(shift).default_month(CALM + credit, 0)
    expected = 1 - np.exp(-0.05 * np.exp(2 * 0.3) * 5)
    share = (months < 60).mean()
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / N_PATHS)


def test_a_path_keeps_its_draw() -> None:
    """Worse credit brings every default forward; a block of its own has the same defaults."""
    months = model().default_month(CALM, 0)
    assert (model().default_month(CALM + 0.2, 0) <= months).all()
    np.testing.assert_array_equal(model().default_month(CALM[:64], 640), months[640:704])


@pytest.mark.parametrize(
    ("net_claims", "capital", "month"),
    [
        ([1.0, 1.0, 1.0], 10.0, NEVER),
        ([1.0, 1.0, 1.0], 2.5, 2),
        ([1.0, 1.0, 1.0], 3.0, NEVER),  # all of it, to the last dollar
        ([1.0, 2.0, -1.0, 1.0], 3.0, 2),  # nothing left at the beginning of the third month
        ([-2.0, 4.0, 1.0], 2.0, 2),  # premium of the first month pays in the second
        ([0.0, -1.0, 0.0], 0.0, 0),  # no capital, no insurer
        ([-0.8, 6.0, 6.5], 10.0, 2),  # the example of docs/portfolio.md
    ],
)
def test_the_insurer_fails_when_claims_have_used_up_its_capital(
    net_claims: list[float], capital: float, month: int
) -> None:
    assert failure_month(np.array([net_claims]), capital).tolist() == [month]


def test_the_peak_of_claims_is_the_capital_that_just_suffices() -> None:
    net = np.array([[-2.0, 4.0, 1.0, -1.0], [-1.0, -1.0, 0.5, 0.0]])
    assert peak_claims(net).tolist() == [3.0, 0.0]
    assert (failure_month(net, 3.0) == NEVER).tolist() == [False, True]  # nothing left at month 4
    assert (failure_month(net, 3.0 + 1e-9) == NEVER).all()
