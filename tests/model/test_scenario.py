"""Factors: their moments in every month, and independence of blocks."""

import numpy as np
import pytest

from hemc.inputs.scenario_file import read_macro_path, read_scenario_file
from hemc.model.scenario import credit_scale, factor_model
from hemc.model.stress import stress_paths
from hemc.settings.scenario import ScenarioSettings

N = 40_000


def draw(n=N, months=60, first=0, **settings):
    return factor_model(ScenarioSettings(**settings), 4.0, months, 7).draw(first, n)


def test_credit_factor_has_the_stated_deviation_by_month():
    credit = draw().credit
    for month in (1, 12, 60):
        wanted = 0.245 * (1 - 0.985 ** (2 * month)) ** 0.5
        assert credit[:, month - 1].std() == pytest.approx(wanted, rel=5 / (2 * N) ** 0.5)
        assert abs(credit[:, month - 1].mean()) < 5 * wanted / N**0.5
    lag = np.corrcoef(credit[:, 58], credit[:, 59])[0, 1]
    assert lag == pytest.approx(0.985, abs=0.003)


def test_scale_is_the_deviation_of_threshold_and_factor():
    scale = credit_scale(ScenarioSettings(), 60)
    assert scale[59] ** 2 == pytest.approx(1 + 0.245**2 * (1 - 0.985**120))
    assert (credit_scale(ScenarioSettings(factors="off"), 5) == 1.0).all()


def test_prepayment_multiplier_has_mean_one_without_the_credit_response():
    multiplier = draw(prepayment_multiplier=1.0).prepayment
    error = multiplier.std(axis=0) / N**0.5
    assert (np.abs(multiplier.mean(axis=0) - 1.0) < 5 * error).all()
    quarter = draw(n=50, prepayment_multiplier=0.25).prepayment
    np.testing.assert_allclose(quarter, 0.25 * multiplier[:50])


def test_falling_house_prices_shut_refinancing():
    factors = draw(n=2_000, prepayment_sd=0.0)
    worst = factors.credit > 0.36
    assert worst.any()
    np.testing.assert_allclose(factors.prepayment[worst], 0.25)
    np.testing.assert_allclose(factors.prepayment[factors.credit <= 0], 1.0)


def test_stress_shift_counts_as_falling_house_prices():
    factors = draw(n=4, factors="off", stress_shift=0.4)
    np.testing.assert_allclose(factors.prepayment, 0.25)
    assert not factors.credit.any()


def test_a_multiplier_by_month_replaces_the_credit_response(root):
    file = root / "configs/scenarios/severely-adverse-2025.toml"
    macro = read_macro_path(read_scenario_file(file), file)
    settings = ScenarioSettings(prepayment_sd=0.0)
    factors = factor_model(settings, 4.0, 60, 7, macro).draw(0, 50)
    wanted = stress_paths(settings, macro, 60).prepayment_multiplier
    np.testing.assert_allclose(factors.prepayment, np.tile(wanted, (50, 1)))
    assert factors.credit.std() > 0.1


def test_gamma_of_the_month_has_mean_one_and_its_variance():
    gamma = draw(n=5_000).charge_off
    assert gamma.mean() == pytest.approx(1.0, abs=5 * 0.5 / gamma.size**0.5)
    assert gamma.var() == pytest.approx(0.25, rel=0.02)


def test_factor_correlation():
    factors = draw(prepayment_multiplier=1.0, factor_correlation=-0.6, months=3)
    found = np.corrcoef(factors.credit[:, 0], np.log(factors.prepayment[:, 0]))[0, 1]
    assert found == pytest.approx(-0.6, abs=0.02)


def test_blocks_change_no_bit():
    whole, part = draw(n=10), draw(n=3, first=4)
    for a, b in zip(whole, part, strict=True):
        assert np.array_equal(a[4:7], b)
