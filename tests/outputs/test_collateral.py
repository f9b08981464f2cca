"""When each class first lacks collateral: by hand, and against the month of all classes."""

import numpy as np
import polars as pl
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
from hemc.kernels.deal_terms import IMPLIED, REVERSE_ORDER, SHARED
from hemc.model.deal_terms import compile_deal
from hemc.model.insurer import absent
from hemc.model.waterfall import pay_paths
from hemc.outputs.collateral import undercollateralized_classes
from hemc.outputs.path_figures import first_month
from hemc.scale.block import play_block, story_figures


@pytest.mark.parametrize(
    ("convention", "first"),
    [("implied", [3, 1]), ("reverse_order", [3, 1]), ("pro_rata", [1, 1])],
)
def test_first_months_of_two_classes(convention, first):
    # Notes 600,000 and 400,000 on a pool of 1,000,000 that loses 100,000, 100,000 and 300,000 and
    # brings nothing: 900,000, 800,000 and 500,000 are left, the last less than class A alone.
    # Without `implied` it is then the class at the end of the order that is written down first.
    deal = two_classes(convention)
    months = [Month(0, 0, loss) for loss in (100_000, 100_000, 300_000)]
    cash = kernel_flows(twin_months(deal, 1_000_000, months), closing=False)
    monthly = compile_deal(deal, SECOND_PAYMENT, original_balances(deal), 4, 0.0)
    notes = pay_paths(monthly, cash, absent(1))
    found = undercollateralized_classes(cash, notes, np.array([0]))
    assert [first_month(lacks)[0] for lacks in found] == first


def two_classes(convention):
    """Return a deal of classes A and B of 600,000 and 400,000 without OC to build."""
    classes = [
        {"name": name, "kind": "fixed", "day_count": "30/360", "original_balance": amount,
         "coupon": 0.0}
        for name, amount in (("A", "600000.00"), ("B", "400000.00"))
    ]  # fmt: skip
    steps = [{"pay": "interest"}, {"pay": "collections"}, {"pay": "residual"}]
    changes = {"class": classes, "step": steps, "overcollateralization": None}
    return test_deal("oc-release", undercollateralization=convention, **changes)


@pytest.mark.parametrize("convention", [IMPLIED, SHARED, REVERSE_ORDER])
def test_some_class_lacks_collateral_when_the_notes_first_exceed_the_pool(base_toml, convention):
    loaded = load_config(base_toml, {"roll_rates.draws": "2000", "scenario.stress_shift": "0.6"})
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    terms = model.deal.terms._replace(undercollateralization=convention)
    model = model._replace(deal=model.deal._replace(terms=terms))
    paths = story_figures(model, play_block(model, 0, 64), 0)
    first = paths.select(pl.min_horizontal("^first_undercollateralized_month_.*$")).to_series()
    assert first.null_count() < 64
    assert first.to_list() == paths["first_undercollateralized_month"].to_list()
    for name in ("A-2", "A-5"):
        lost = paths.filter(pl.col(f"writedown_{name}") > 0.005)
        assert lost[f"first_undercollateralized_month_{name}"].null_count() == 0
