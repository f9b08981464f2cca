"""Quarters to months, months to shift, multiplier and index: by hand, and the way back."""

from pathlib import Path

import numpy as np
import pytest

from hemc.inputs.quarters import MacroPath, Quarter
from hemc.inputs.scenario_file import read_macro_path, read_scenario_file
from hemc.model.stress import stress_paths
from hemc.settings.scenario import ScenarioSettings

N = 48


def quarter(name, unemployment, prices, mortgage, treasury, index_rate=None):
    return Quarter(
        quarter=name, unemployment_pct=unemployment, house_price_index=prices,
        mortgage_pct=mortgage, treasury_3m_pct=treasury, index_rate=index_rate,
    )  # fmt: skip


JUMP = quarter("2003 Q4", 5.0, 200.0, 6.0, 1.0)
#: Unemployment +3 then +6 points, prices −12 % then +10 %, mortgages −1 then −2 points.
PATH = MacroPath(
    JUMP, (quarter("2004 Q1", 8.0, 176.0, 5.0, 1.5), quarter("2004 Q2", 11.0, 220.0, 4.0, 0.1))
)


def stress(macro=PATH, n_months=N, **settings):
    return stress_paths(ScenarioSettings(**settings), macro, n_months)


def test_the_ends_of_quarters_by_hand():
    """A rise of house prices helps neither credit nor refinancing."""
    found = stress()
    assert found.shift[[2, 5]] == pytest.approx([0.08 * 3 + 0.009 * 12, 0.08 * 6])
    shut = 0.25 + 0.75 * (1 - 12 / 20)
    assert found.prepayment_multiplier[[2, 5]] == pytest.approx([np.exp(0.45) * shut, np.exp(0.9)])
    assert found.index_rate[[2, 5]] == pytest.approx([0.011 + 0.005, 0.011 - 0.009])


def test_months_between_are_linear_in_the_figures():
    found = stress()
    assert found.shift[[0, 1]] == pytest.approx([0.348 / 3, 2 * 0.348 / 3])
    month_1 = np.exp(0.45 / 3) * (0.25 + 0.75 * (1 - 4 / 20))
    assert found.prepayment_multiplier[0] == pytest.approx(month_1)
    assert found.index_rate[3] == pytest.approx(0.011 + 0.005 - 0.014 / 3)
    step = stress(mapping={"interpolation": "step"})
    assert step.shift[:6] == pytest.approx([0.348] * 3 + [0.48] * 3)


def test_after_the_last_quarter_all_goes_back_linearly():
    found = stress()
    left = np.append(1 - np.arange(1, 25) / 24, np.zeros(18))
    np.testing.assert_allclose(found.shift[6:], 0.48 * left, atol=1e-15)
    np.testing.assert_allclose(found.prepayment_multiplier[6:], 1 + (np.exp(0.9) - 1) * left)
    np.testing.assert_allclose(found.index_rate[6:], 0.011 - 0.009 * left)
    at_once = stress(mapping={"return_months": 0})
    assert not at_once.shift[6:].any()
    np.testing.assert_array_equal(stress(n_months=4).shift, found.shift[:4])


def test_settings_act_beside_the_path():
    found = stress(stress_shift=0.2, prepayment_multiplier=0.5)
    np.testing.assert_allclose(found.shift, 0.2 + stress().shift)
    np.testing.assert_allclose(found.prepayment_multiplier, 0.5 * stress().prepayment_multiplier)


def test_without_a_path_every_month_is_the_same():
    found = stress(None, stress_shift=0.3, index_rate=0.02)
    assert found.prepayment_multiplier is None
    assert set(found.shift) == {0.3}
    assert set(found.index_rate) == {0.02}
    assert set(stress(None, prepayment_multiplier=0.25).prepayment_multiplier) == {0.25}


def test_an_index_cannot_fall_below_zero_and_may_be_stated():
    assert stress(index_rate=0.001).index_rate[5] == 0.0
    stated = MacroPath(JUMP, (quarter("2004 Q1", 8.0, 176.0, 5.0, 1.5, index_rate=0.05),))
    assert stress(stated, index_rate=0.02).index_rate[:4] == pytest.approx(
        [0.03, 0.04, 0.05, 0.02 + 0.03 * 23 / 24]
    )


@pytest.mark.parametrize(
    ("name", "highest"), [("severely-adverse-2025", 0.773), ("replay-2006-2011", 0.627)]
)
def test_shipped_paths_reach_the_shift_that_the_weights_were_pinned_to(root, name, highest):
    file = Path(root / f"configs/scenarios/{name}.toml")
    path = read_macro_path(read_scenario_file(file), file)
    assert stress(path, 120).shift.max() == pytest.approx(highest, abs=5e-4)
