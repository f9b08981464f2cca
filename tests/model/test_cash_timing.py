"""Factors on coming certificates' interest and recoveries: what is known, and their law."""

import numpy as np
import pytest
from scipy import stats

from hemc import engine
from hemc.config import load_config
from hemc.engine.documents import earlier_certificates
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.interest_collected import interest_ratio
from hemc.model.cash_timing import CashTiming, InterestLaw, cash_timing, interest_law
from hemc.model.simulation import simulate_block
from hemc.settings.scenario import ScenarioSettings
from hemc.states import BANKRUPTCY, D30, D180, FORECLOSURE, REO

N = 40_000
RATIOS = np.array([0.95, 1.12, 1.10])


def draw(law, n_months=3, shape=0.5, first=0, n=N):
    return CashTiming(law, shape, 7).draw(first, n, n_months)


def test_the_law_given_months_by_hand():
    found = InterestLaw(1.0, 2.0, 0.05, 4.0).given(np.array([1.1, 0.9, 1.3]))
    # mean 1.1, squares about it 0.08, 2·3/5 of (1.1 − 1)² between the mean and 1
    assert found == pytest.approx((1.06, 5.0, ((4 * 0.0025 + 0.08 + 0.012) / 7) ** 0.5, 7.0))


def test_the_law_given_months_is_bayes_rule_on_a_grid():
    law = interest_law(ScenarioSettings())
    level, log_deviation = np.meshgrid(np.linspace(0.7, 1.4, 701), np.linspace(-6, 0, 601))
    deviation = np.exp(log_deviation)
    weight = (
        stats.invgamma.pdf(deviation**2, law.freedom / 2, scale=law.freedom * law.deviation**2 / 2)
        * deviation**2
    )  # of the variance, on a grid of its logarithm
    weight *= stats.norm.pdf(level, law.level, deviation / law.months**0.5)
    for ratio in RATIOS:
        weight *= stats.norm.pdf(ratio, level, deviation)
    weight /= weight.sum()
    for x in (0.95, 1.05, 1.15):
        expected = (weight * stats.norm.cdf(x, level, deviation)).sum()
        found = (draw(law.given(RATIOS)).interest <= x).mean(axis=0)
        assert found == pytest.approx([expected] * 3, abs=5 * 0.5 / N**0.5)
        below = (draw(law.given(RATIOS)).interest <= x).all(axis=1).mean()
        together = (weight * stats.norm.cdf(x, level, deviation) ** 3).sum()  # one level a path
        assert below == pytest.approx(together, abs=5 * 0.5 / N**0.5)


def test_before_any_certificate_mean_and_deviation_are_the_settings():
    settings = ScenarioSettings(timing_months=50.0)  # so that moments of a sample settle
    interest = draw(interest_law(settings)).interest
    assert interest.mean() == pytest.approx(1.0, abs=5 * 0.06 / N**0.5)
    assert interest.std(axis=0) == pytest.approx([0.06] * 3, rel=0.03)
    lasting = np.corrcoef(interest[:, 0], interest[:, 2])[0, 1]
    assert lasting == pytest.approx(settings.timing_level_share, abs=0.03)


def test_steady_months_narrow_the_law_and_uneven_ones_widen_it():
    prior = interest_law(ScenarioSettings())
    steady, uneven = (prior.given(1.0 + x * np.array([-1, 1, -1, 1])) for x in (0.01, 0.10))
    assert steady.deviation < prior.deviation < uneven.deviation
    assert steady.level == uneven.level == pytest.approx(1.0)


def test_recoveries_have_mean_one_and_the_shape():
    recoveries = draw(interest_law(ScenarioSettings())).recoveries
    assert recoveries.mean() == pytest.approx(1.0, abs=5 * (2.0 / recoveries.size) ** 0.5)
    assert recoveries.var() == pytest.approx(2.0, rel=0.05)
    assert stats.kstest(recoveries[:2000, 1] * 0.5, stats.gamma(0.5).cdf).pvalue > 1e-3


def test_what_is_switched_off_leaves_flows_alone():
    law = interest_law(ScenarioSettings(timing_sd=0.0)).given(RATIOS)
    factors = draw(law, shape=0.0, n=10)
    assert (factors.interest == 1.0).all()
    assert (factors.recoveries == 1.0).all()


def test_blocks_and_later_months_change_no_bit():
    law = interest_law(ScenarioSettings())
    whole, part = draw(law, n_months=5, n=10), draw(law, n_months=2, first=4, n=3)
    for a, b in zip(whole, part, strict=True):
        assert np.array_equal(a[4:7, :2], b)


@pytest.fixture(scope="module")
def series(root):
    """The shipped certificates by deal and month."""
    files = sorted((root / "configs" / "certificates").glob("gmacm-*"))
    certificates = map(read_document_or_record, files)
    return {f"{c.series} {c.payment_date:%Y-%m}": c for c in certificates}


def test_only_the_deal_s_certificates_up_to_the_date_are_known(series):
    known = earlier_certificates(series["2002-HE4 2003-12"], series.values())
    assert [f"{c.series} {c.payment_date:%Y-%m}" for c in known] == [
        "2002-HE4 2003-07", "2002-HE4 2003-10", "2002-HE4 2003-11",
    ]  # fmt: skip


def test_a_run_knows_its_deal_s_certificates(root, series):
    loaded = load_config(root / "configs" / "two-deals.toml", {"roll_rates.draws": "1000"})
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    known = [series[f"2003-HE2 {month}"] for month in ("2003-06", "2003-11", "2004-02")]
    assert model.timing == cash_timing(loaded.config, known)
    ratios = np.array([interest_ratio(c, 0.0025) for c in known[1:]])
    assert model.timing.interest == interest_law(loaded.config.scenario).given(ratios)
    assert str(documents.paths["certificate of 2003-11-25"]).endswith("he2_2003-11-25.json")


def test_what_is_owed_is_what_the_pool_model_collects(base_toml):
    loaded = load_config(base_toml, {"roll_rates.draws": "1000"})
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    cash = simulate_block(model.pool, model.factors.draw(0, 256), 0).cash
    silent = cash.state_balance[:, 0, [D30, D180, BANKRUPTCY, FORECLOSURE, REO]].sum(axis=1)
    owed = cash.balance[:, 0] - cash.prepaid[:, 0] / 2 - silent
    owed *= cash.net_rate_balance[:, 0] / cash.balance[:, 0] / 12
    assert (cash.interest[:, 0] / owed).mean() == pytest.approx(1.0, abs=0.003)
