"""Excess interest by hand and its identity; in which months OC is said to fail."""

import numpy as np
import pytest
from reference.deal_cases import (
    SECOND_PAYMENT,
    Month,
    kernel_flows,
    original_balances,
    test_deal,
    twin_months,
)

from hemc import engine
from hemc.config import load_config
from hemc.kernels.deal_terms import REIMBURSEMENT, RESIDUAL
from hemc.model.deal_terms import compile_deal
from hemc.model.waterfall import pay_paths
from hemc.outputs.collateral import Collateral
from hemc.outputs.excess_interest import excess_interest
from hemc.outputs.path_figures import first_month, missed_after_target
from hemc.scale.block import play_block, story_figures


def test_excess_interest_covers_a_loss_builds_oc_and_oc_is_released_at_the_end():
    # 8,000 less 980,000 × 4.8 % / 12 = 3,920 leaves 4,080: 1,000 covers the loss, 3,080 builds OC.
    # A last month repays 979,000 of pool and 955,920 of notes, and has no interest for 3,823.68.
    deal = test_deal("oc-release")
    months = twin_months(deal, 1_000_000, [Month(8_000, 20_000, 1_000)])
    cash = kernel_flows(months, closing=False)
    monthly = compile_deal(deal, SECOND_PAYMENT, original_balances(deal), 2, 0.0)
    notes = pay_paths(monthly, cash, np.array([0]))
    found = excess_interest(cash, notes)
    assert found["excess_interest"] == pytest.approx([4_080 - 3_823.68])
    assert found["excess_interest_used"] == pytest.approx([4_080])
    assert found["oc_released"] == pytest.approx([979_000 - 955_920])
    assert notes.paid(RESIDUAL).sum() == pytest.approx(979_000 - 955_920 - 3_823.68)


@pytest.mark.parametrize("mode", ["performing", "may_default"])
def test_excess_interest_and_released_oc_are_used_reimbursed_or_paid_out(base_toml, mode):
    settings = {"roll_rates.draws": "2000", "scenario.stress_shift": "0.5", "insurer.mode": mode}
    loaded = load_config(base_toml, settings)
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    story = play_block(model, 0, 64)
    paths = story_figures(model, story, 0)
    assert story.wrapped.paid(REIMBURSEMENT).sum() > 0.0
    sources = paths["excess_interest"] + paths["oc_released"]
    uses = paths["excess_interest_used"] + paths["reimbursement"] + paths["residual"]
    np.testing.assert_allclose(sources.to_numpy(), uses.to_numpy(), atol=0.005)
    below, exhausted = (
        paths[f"first_oc_{name}_month"].is_not_null().to_list()
        for name in ("below_target", "exhausted")
    )
    assert below == paths["oc_missed_after_target"].to_list()
    assert exhausted == paths["oc_exhausted"].to_list()
    assert any(exhausted)
    assert not paths["oc_target_stepped_down"].any()  # the deal has no step-down


def test_oc_is_first_below_its_target_only_after_it_was_there():
    lacks = np.array([[9.0, 0.0, 0.0, 2.0, 3.0], [9.0, 8.0, 7.0, 6.0, 0.0]])
    has_notes = np.array([[True] * 5, [True] * 4 + [False]])
    nothing = np.zeros_like(has_notes)
    missed = missed_after_target(Collateral(has_notes, lacks, nothing, nothing))
    assert first_month(missed).tolist() == [4, 0]
