"""Roll rates from one certificate: what it informs, what it leaves to the prior, and classes."""

import numpy as np
import pytest

from hemc.errors import InputError
from hemc.inputs.product import read_product
from hemc.model.latent_classes import split_classes
from hemc.model.roll_rates import Evidence, fit_roll_rates
from hemc.settings.roll_rates import RollRateSettings
from hemc.states import BANKRUPTCY, CHARGED_OFF, CURRENT, D30, N_LIVE, PAID_OFF

SETTINGS = RollRateSettings()


@pytest.fixture(scope="module")
def product(root):
    return read_product(root / "configs/products/closed-end-second-2003.toml")


def evidence(**changes):
    """The complete certificate's stocks and flows."""
    count = np.array([11541, 43, 25, 7, 14, 8, 5, 58, 3, 0], dtype=float)
    base = Evidence(count, count * 33_000.0, 1.0413, 0.0366, 138_191.09, 0.957)
    return base._replace(**changes)


@pytest.fixture(scope="module")
def fitted(product):
    return fit_roll_rates(product, evidence(), SETTINGS, 1)


def test_rows_are_probabilities(fitted):
    np.testing.assert_allclose(fitted.mean.sum(axis=1), 1.0, atol=1e-12)
    assert (fitted.mean >= 0).all()
    assert ((fitted.p5 <= fitted.mean) & (fitted.mean <= fitted.p95)).mean() > 0.95


def test_support_is_the_products(fitted, product):
    assert np.array_equal(fitted.mean[1:] > 0, product.row_means()[1:] > 0)


def test_payoff_is_told_by_the_principal_flow(fitted):
    assert fitted.mean[CURRENT, PAID_OFF] == pytest.approx(0.0366, abs=3e-5)
    binomial = (0.0366 * 0.9634 / (11541 * 1.0413)) ** 0.5
    assert fitted.sd[CURRENT, PAID_OFF] == pytest.approx(binomial, rel=0.03)
    assert np.isnan(fitted.sd_ratio[CURRENT, PAID_OFF])


def test_current_to_30_is_informed_and_cures_are_not(fitted):
    assert fitted.sd_ratio[CURRENT, D30] < 0.7
    assert 0.0022 < fitted.mean[CURRENT, D30] < 0.0032
    assert fitted.sd_ratio[BANKRUPTCY, BANKRUPTCY] > 0.9


def test_more_30_day_loans_mean_a_higher_roll_rate(product, fitted):
    count = evidence().loans.copy()
    count[D30] = 120
    more = fit_roll_rates(product, evidence(loans=count), SETTINGS, 1)
    assert more.mean[CURRENT, D30] > 1.3 * fitted.mean[CURRENT, D30]


def test_a_larger_loss_means_more_charge_offs(product, fitted):
    larger = fit_roll_rates(product, evidence(loss=600_000.0), SETTINGS, 1)
    none = fit_roll_rates(product, evidence(loss=0.0), SETTINGS, 1)
    rates = [r.mean[5, CHARGED_OFF] + r.mean[6, CHARGED_OFF] for r in (none, fitted, larger)]
    assert rates[0] < rates[1] < rates[2]


def test_without_weight_and_loss_the_prior_stays(product):
    settings = RollRateSettings(stock_weight=0.0)
    prior = fit_roll_rates(product, evidence(loss=None), settings, 3)
    assert prior.effective_draws == pytest.approx(settings.draws)
    np.testing.assert_allclose(prior.mean[1:], prior.prior_mean[1:], atol=0.004)
    known = prior.prior_sd > 0.001
    np.testing.assert_allclose(prior.sd_ratio[known], 1.0, atol=0.1)  # skewed cells


def test_few_effective_draws_are_reported(product):
    count = evidence().loans.copy()
    count[3], count[8] = 400, 300  # far from anything the prior expects
    poor = fit_roll_rates(product, evidence(loans=count), SETTINGS, 1)
    assert poor.effective_draws < 400
    assert "effective draws" in poor.warnings[0]


def test_same_seed_same_rates(product, fitted):
    again = fit_roll_rates(product, evidence(), SETTINGS, 1)
    assert np.array_equal(again.mean, fitted.mean)


def test_two_classes_mix_to_the_one_matrix(fitted, product):
    split = split_classes(fitted.mean, product.order, RollRateSettings(classes=2))
    mix = np.einsum("sc,csj->sj", split.share, split.rates)
    np.testing.assert_allclose(mix, fitted.mean, atol=1e-12)
    movers, chronic = split.rates
    np.testing.assert_allclose(split.rates.sum(axis=2), 1.0, atol=1e-12)
    np.testing.assert_allclose(movers[:, PAID_OFF], chronic[:, PAID_OFF], rtol=1e-12)
    assert chronic[CURRENT, D30] == 0.025
    for s in range(D30, N_LIVE - 1):
        assert chronic[s, CURRENT] == pytest.approx(0.2 * fitted.mean[s, CURRENT])
        assert chronic[s, s] >= fitted.mean[s, s] * 0.99


def test_impossible_movers_are_refused(fitted, product):
    settings = RollRateSettings(classes=2, chronic_share=0.97)
    with pytest.raises(InputError, match="non-negative"):
        split_classes(fitted.mean, product.order, settings)
