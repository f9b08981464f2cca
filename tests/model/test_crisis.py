"""Crises: shape by hand, draws against their law, means kept, deviations matched."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from hemc.model.crisis import (
    MATCHED_MONTHS,
    credit_sd,
    crisis_laws,
    crisis_shape,
    crisis_variance,
    draw_crises,
)
from hemc.model.factor_history import Replay, factor_history
from hemc.model.scenario import credit_thresholds, factor_model
from hemc.settings.crisis import CrisisSettings
from hemc.settings.scenario import ScenarioSettings

N, MONTHS = 40_000, 60
ON = ScenarioSettings(crisis={"component": "on"})
OFTEN = CrisisSettings(component="on", months_between=40.0)


def test_shape_rises_stays_and_halves():
    shape = crisis_shape(CrisisSettings(), 90)
    assert shape[[0, 14, 29, 41]] == pytest.approx([1 / 30, 0.5, 1.0, 1.0])
    assert shape[[65, 89]] == pytest.approx([0.5, 0.25])


def test_a_single_crisis_has_its_peak():
    crises = draw_crises(CrisisSettings(months_between=2_000.0), 3, 0, 4_000, 42)
    peaks = crises.max(axis=1)[crises[:, 11] > 0]  # arrived in the first year: at its peak by now
    alone = peaks[peaks <= 0.75]
    assert peaks.size == pytest.approx(4_000 * 12 / 2_000, abs=5 * 24**0.5)
    assert alone.size > 0.9 * peaks.size
    assert alone.min() >= 0.4


def test_draws_follow_the_law():
    crises = draw_crises(OFTEN, 7, 0, N, MONTHS)
    laws, variance = crisis_laws(OFTEN, MONTHS), crisis_variance(OFTEN, MONTHS)
    for month in (1, 12, 60):
        drawn, law = crises[:, month - 1], laws[month - 1]
        mean = law.level @ law.probability
        assert law.probability.sum() == pytest.approx(1.0)
        assert drawn.mean() == pytest.approx(mean, abs=5 * drawn.std() / N**0.5)
        assert (law.level - mean) ** 2 @ law.probability == pytest.approx(
            variance[month - 1], rel=2e-3, abs=1e-6
        )
        assert drawn.var() == pytest.approx(variance[month - 1], rel=0.06)
        for level in (0.2, 0.5, 0.9):
            share = law.probability[law.level <= level].sum()
            assert (drawn <= level).mean() == pytest.approx(share, abs=0.012)


def test_blocks_change_no_bit_and_off_draws_none():
    whole, part = (draw_crises(OFTEN, 7, first, n, 24) for first, n in ((0, 64), (16, 8)))
    assert np.array_equal(whole[16:24], part)
    off, on = (factor_model(s, 4.0, 24, 7).draw(0, 256) for s in (ScenarioSettings(), ON))
    assert not np.array_equal(off.credit, on.credit)
    np.testing.assert_array_equal(off.charge_off, on.charge_off)
    shared = on.credit - draw_crises(ON.crisis, 7, 0, 256, 24)
    np.testing.assert_allclose(shared, off.credit * credit_sd(ON) / 0.245, atol=1e-12)


def test_deviations_of_the_matched_months_are_those_of_the_gaussian():
    month = np.array(MATCHED_MONTHS)
    share = 1 - 0.985 ** (2.0 * month)
    total = credit_sd(ON) ** 2 * share + crisis_variance(ON.crisis, 60)[month - 1]
    assert total.sum() == pytest.approx((0.245**2 * share).sum())
    assert credit_sd(ON) < 0.22
    assert credit_sd(ScenarioSettings()) == 0.245
    assert credit_sd(ScenarioSettings(crisis=OFTEN)) == 0.0  # crises alone bring more


@pytest.mark.parametrize("settings", [ON, ScenarioSettings(crisis=OFTEN)])
def test_thresholds_keep_means_in_every_month(settings):
    """Of drawn factors within errors, and of the law itself closely."""
    means = np.array([1e-6, 0.003, 0.3, 0.97])
    wanted = np.tile(np.append(ndtri(means), np.inf), (MONTHS, 1))
    thresholds = credit_thresholds(settings, wanted)
    assert np.isposinf(thresholds[:, -1]).all()
    credit = factor_model(settings, 4.0, MONTHS, 5).draw(0, N).credit
    for month in (1, 12, 60):
        drawn = ndtr(thresholds[month - 1, 1:4] + credit[:, [month - 1]])
        error = drawn.std(axis=0) / N**0.5
        assert (np.abs(drawn.mean(axis=0) - means[1:]) < 5 * error).all()
        law = crisis_laws(settings.crisis, month)[-1]
        scale = (1 + credit_sd(settings) ** 2 * (1 - 0.985 ** (2 * month))) ** 0.5
        exact = ndtr((thresholds[month - 1, :4, None] + law.level) / scale) @ law.probability
        np.testing.assert_allclose(exact, means, rtol=2e-6)


def test_crises_make_the_replay_less_of_an_exception():
    replay = Replay("r", 0.6, 48)
    settings = ScenarioSettings()
    alone, both = (factor_history(settings, crises, replay) for crises in (False, True))
    sd = 0.245 * (1 - 0.985**96) ** 0.5
    assert alone.share_below_replay == pytest.approx(ndtr(0.6 / sd))
    assert alone.sd[3] == pytest.approx(sd)
    assert alone.asset_correlation == pytest.approx(0.245**2 / (1 + 0.245**2), rel=1e-6)
    drawn = factor_model(ON, 4.0, 48, 11).draw(0, N).credit[:, -1]
    share = (drawn < 0.6).mean()
    assert both.share_below_replay == pytest.approx(share, abs=5 * (0.02 / N) ** 0.5)
    assert both.share_below_replay < alone.share_below_replay
    assert both.sd[3] == pytest.approx(drawn.std(), rel=0.03)
