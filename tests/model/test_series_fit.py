"""Fits of real certificates: what they inform, what they leave open, same bits for any threads."""

import numpy as np
import pytest

from hemc.config import Config
from hemc.errors import InputError
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.deal import read_deal
from hemc.inputs.product import read_product
from hemc.model.series_fit import fit_series, seasoning
from hemc.states import (
    BANKRUPTCY,
    CURRENT,
    D30,
    D60,
    D90,
    D120,
    D150,
    D180,
    N_LIVE,
    PAID_OFF,
)

QUICK = {"chains": 2, "draws": 150, "sweeps_per_draw": 20}


def config(**calibration):
    inputs = {"certificate": "-", "deal": "-", "product": "-"}
    return Config(name="t", inputs=inputs, calibration={**QUICK, **calibration})


@pytest.fixture(scope="module")
def fit(root):
    """Fit the certificates whose names begin with some text, from the prior before them."""
    folder = root / "configs"
    product = read_product(folder / "products/closed-end-second-before.toml")
    deals = {deal.series: deal for deal in map(read_deal, (folder / "deals").glob("*.toml"))}

    def fit_them(*names, threads=2, terms=deals, **calibration):
        files = [f for name in names for f in sorted((folder / "certificates").glob(f"{name}*"))]
        certificates = [read_document_or_record(file) for file in files]
        return fit_series(certificates, terms, product, config(**calibration), 1, threads)

    return fit_them


@pytest.fixture(scope="module")
def he4(fit):
    return fit("gmacm-2002-he4")


def sd_ratio(posterior, s, to):
    return posterior.rows[:, 0, s, to].std() / posterior.prior_rows[:, s, to].std()


def test_a_series_informs_forward_rolls_and_entries_but_not_cures(he4):
    for s, to in ((D30, D60), (D60, D90), (D90, D120), (D120, D150)):
        assert sd_ratio(he4, s, to) < 0.7
    assert sd_ratio(he4, CURRENT, D30) < 0.3
    assert sd_ratio(he4, CURRENT, PAID_OFF) < 0.1
    for s in (D60, D90, D120):
        assert sd_ratio(he4, s, CURRENT) > 0.75
    assert he4.rows[:, 0, CURRENT, D30].mean() == pytest.approx(0.0050, abs=0.0008)


def test_each_interval_has_its_payoff_rate(he4):
    assert he4.intervals[0] == ("2003-07", "2003-10")
    exits = np.array([2565 / 3, 592, 429, 337, 275]) / [9_800, 8_385, 7_775, 7_335, 6_985]
    np.testing.assert_allclose(he4.payoff.mean(axis=0), exits, rtol=0.06)


def test_deals_share_rows_of_delinquent_states_and_no_others(fit):
    both = fit("gmacm-2002-he4", "gmacm-2003-he2")
    assert both.deals == ("2002-HE4", "2003-HE2")
    np.testing.assert_array_equal(both.rows[:, 0, 1:], both.rows[:, 1, 1:])
    he4, he2 = (both.rows[:, deal, CURRENT, D30].mean() for deal in (0, 1))
    assert he4 > 1.4 * he2


def test_rows_are_probabilities(he4):
    np.testing.assert_allclose(he4.rows.sum(axis=3), 1.0, atol=1e-12)
    np.testing.assert_allclose(he4.prior_rows.sum(axis=2), 1.0, atol=1e-12)


def test_last_stocks_are_those_reported_or_draws(fit):
    posterior = fit("gmacm-2003-he2_2003")  # June and November, which hides three states
    stock = posterior.last_stock[:, 0]
    assert (stock[:, D30:D180] == [54, 23, 14, 10, 5]).all()
    assert (stock.sum(axis=1) == 13_166).all()
    assert stock[:, BANKRUPTCY].std() > 0
    assert stock.shape == (300, N_LIVE)


def test_threads_change_no_bit(fit):
    one, two = (fit("gmacm-2002-he4_2004", threads=n, draws=100) for n in (1, 2))
    assert np.array_equal(one.rows, two.rows)


def test_mean_and_sd_are_those_of_the_draws_within_their_errors(he4):
    effective = he4.diagnostics.effective.reshape(he4.mean.shape)
    varies = np.isfinite(effective)
    sd = he4.rows.std(axis=0)
    z = (he4.mean - he4.rows.mean(axis=0)) / (sd / np.sqrt(effective))
    assert np.abs(z[varies]).max() < 4.5
    spread = he4.rows[:, :, CURRENT, D30]  # not skewed
    assert he4.sd[0, CURRENT, D30] == pytest.approx(spread.std(), rel=0.2)
    assert not np.isclose(he4.sd[varies], sd[varies], rtol=1e-5, atol=0.0).any()


def test_one_certificate_leaves_most_to_the_prior(fit):
    one = fit("gmacm-2003-he2_2004-02-25", draws=600)
    ratio = [sd_ratio(one, s, to) for s in (D30, D60, D90) for to in (CURRENT, s, s + 1)]
    assert min(ratio) > 0.6
    assert sd_ratio(one, CURRENT, D30) < 0.5


def test_a_deal_without_terms_is_refused(fit):
    with pytest.raises(InputError) as caught:
        fit("gmacm-2002-he4", terms={})
    assert caught.value.found == "'2002-HE4'"


def test_seasoning_rises_with_age_to_its_peak():
    multiplier = seasoning(np.array([-1, 0, 9, 18, 40]), config())
    assert multiplier.tolist() == [1.0, 1.0, 1.25, 1.5, 1.5]
