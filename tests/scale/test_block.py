"""A block of paths: nothing that is not finite leaves it unnoticed."""

import copy

import numpy as np
import polars as pl
import pytest

from hemc import engine
from hemc.config import load_config
from hemc.errors import InternalError
from hemc.kernels.flows import NoteFlows
from hemc.model import waterfall
from hemc.model.cash_timing import CashFactors, CashTiming
from hemc.scale.block import require_finite_figures, run_block

DEALS = ("deal", "next_deal")


@pytest.fixture(scope="module")
def model(base_toml):
    loaded = load_config(base_toml, {"roll_rates.draws": "2000"})
    documents = engine.read_documents(loaded)
    return engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))


@pytest.mark.parametrize(
    ("name", "column", "month"),
    [
        ("unreimbursed", 4, 5),
        ("oc_target", 0, 1),
        ("oc", 4, 4),
        ("balance", 0, 0),
        ("writedown", 9, 10),
    ],
)
def test_a_note_flow_that_is_not_finite_stops_with_path_and_month(
    model, monkeypatch, name, column, month
):
    def broken(*arguments):
        pay(*arguments)
        notes = next(a for a in arguments if isinstance(a, NoteFlows))
        getattr(notes, name)[3, column] = np.inf

    pay = waterfall.pay_paths_compiled
    monkeypatch.setattr(waterfall, "pay_paths_compiled", broken)
    with pytest.raises(
        InternalError, match=f"the notes' {name} is not .* path 131, month {month}$"
    ):
        run_block(model, 0, 128, 64)


def test_terms_that_are_not_finite_stop_the_run(model):
    deal = model.deal._replace(oc=model.deal.oc._replace(target=np.nan))
    with pytest.raises(InternalError, match="not finite on path 64, month 1"):
        run_block(model._replace(deal=deal), 0, 64, 64)


def test_the_timing_of_cash_is_checked(model, monkeypatch):
    timing = CashFactors(np.ones((64, 2)), np.ones((64, 2)))
    timing.interest[5, 0] = np.nan
    monkeypatch.setattr(CashTiming, "draw", lambda *_: timing)
    with pytest.raises(InternalError, match="the timing of cash is not finite on path 69, month 1"):
        run_block(model, 0, 64, 64)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_figure_that_is_not_finite_is_named_with_its_path(value):
    figures = pl.DataFrame({"path": [7, 8, 9], "loss": [1.0, None, 2.0], "pv": [0.0, value, value]})
    require_finite_figures(figures.drop("pv"))
    with pytest.raises(InternalError, match=r"the figure pv is not finite on path 8$"):
        require_finite_figures(figures)


def times(model, k):
    """Return a model of which every amount is `k` times as large."""
    pool = model.pool.pool
    amounts = {name: k * getattr(pool, name) for name in ("balance", "scheduled_a", "scheduled_c")}
    pool_model = model.pool._replace(
        pool=pool._replace(**amounts), recovery_stock=k * model.pool.recovery_stock
    )
    quotes = model.quotes._replace(
        **{name: k * getattr(model.quotes, name) for name in ("balance", "full_price", "accrued")}
    )
    deals = (deal_times(deal, k) for deal in (model.deal, model.next_deal))
    return model._replace(pool=pool_model, quotes=quotes, **dict(zip(DEALS, deals, strict=True)))


def deal_times(deal, k):
    """Return the terms of a deal with every amount `k` times as large."""
    terms = copy.deepcopy(deal.terms)
    for table, name in ((terms.classes, "balance_open"), (terms.class_months, "notional"),
                        (terms.steps, "amount"), (terms.steps, "cap")):  # fmt: skip
        table[name] *= k
    oc = deal.oc
    step_down = oc.step_down and oc.step_down._replace(floor=k * oc.step_down.floor)
    return deal._replace(terms=terms, oc=oc._replace(target=k * oc.target, step_down=step_down))


def test_a_pool_of_1e12_usd_keeps_every_cent(model):
    k = 1e12 / model.pool.pool.balance.sum()
    base, large = run_block(model, 0, 0, 64), run_block(times(model, k), 0, 0, 64)
    assert large.largest_gap < 0.01
    for name in ("pool_loss", "draws_pv", "residual", "principal_A-5", "writedown_A-4"):
        amounts = base.paths[name].to_numpy(), large.paths[name].to_numpy()
        np.testing.assert_allclose(amounts[1], k * amounts[0], rtol=1e-9, atol=1.0)
    assert base.paths["pool_loss_pct"].to_list() == pytest.approx(large.paths["pool_loss_pct"])
