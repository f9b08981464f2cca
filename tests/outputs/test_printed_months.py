"""Figures of several months as certificates print them: each opens where the one before closed."""

import datetime as dt

import numpy as np
import pytest

from hemc.inputs.deal import read_deal
from hemc.model.cash_timing import CashFactors
from hemc.model.deal_terms import compile_deal
from hemc.model.insurer import performing
from hemc.model.reported_chain import ReportedMonth, chain_reported
from hemc.outputs.next_month import certificate_figures, pay_printed_months

N_MONTHS = 5


def printed_months(root, timing, recoveries=0.0):
    """Four months from November 2003 of 2002-HE4's ratios, with recoveries of USD a month."""
    deal = read_deal(root / "configs" / "deals" / "gmacm-2002-he4.toml")
    count, balance = np.zeros(10), np.zeros(10)
    count[:2], balance[:2] = (7_906, 53), (249_250_048.92, 1_582_609.63)
    month = ReportedMonth(
        271_675_469.56, 20_435_191.40, 407_619.61, 1_947_786.15, 0.082025, count, balance
    )
    notes = {"A-1": 0.0, "A-2": 243_151_274.61}
    monthly = compile_deal(deal, dt.date(2003, 12, 1), notes, N_MONTHS, 0.011, 744_989.76)
    flows = chain_reported(month, N_MONTHS)
    cash = flows.cash._replace(recoveries=np.full((1, N_MONTHS), recoveries))
    printed = pay_printed_months(
        flows._replace(cash=cash), timing, monthly, performing(1), 744_989.76
    )
    return [certificate_figures(printed, t).row(0, named=True) for t in range(N_MONTHS - 1)]


def as_it_is():
    return CashFactors(np.ones((1, N_MONTHS)), np.ones((1, N_MONTHS)))


@pytest.fixture(scope="module")
def months(root):
    """Interest 2 % above in the second month."""
    timing = as_it_is()
    timing.interest[0, 1] = 1.02
    return printed_months(root, timing)


@pytest.mark.parametrize(
    ("closing", "opening"),
    [
        ("pool.ending_pool", "pool.beginning_pool"),
        ("notes.A-2.ending", "notes.A-2.beginning"),
        ("oc.outstanding", "oc.beginning"),
        ("losses.ending", "losses.beginning"),
    ],
)
def test_a_month_opens_where_the_one_before_closed(months, closing, opening):
    closings = [month[closing] for month in months[:-1]]
    assert [month[opening] for month in months[1:]] == pytest.approx(closings)
    assert len(set(closings)) > 1 or closing == "oc.outstanding"


def test_each_month_has_its_own_flows(months):
    for month in months:
        fall = month["pool.beginning_pool"] - month["pool.ending_pool"]
        out = month["pool.principal_collections"] + month["losses.current_month"]
        assert fall == pytest.approx(out)
        assert month["notes.A-2.principal"] == pytest.approx(out + month["oc.change"])
    interest = [m["pool.interest_collections"] / m["pool.beginning_pool"] for m in months]
    share = 1_947_786.15 / 271_675_469.56
    assert interest == pytest.approx([share, 1.02 * share, share, share])
    assert months[0]["losses.beginning"] == 744_989.76
    assert months[1]["delinq.30.number"] < months[0]["delinq.30.number"] == pytest.approx(53.0)


def test_recoveries_have_a_factor_of_their_own(root):
    timing = as_it_is()
    timing.recoveries[0, 1] = 3.0
    plain, factored = printed_months(root, as_it_is(), 100.0), printed_months(root, timing, 100.0)
    assert [m["losses.recoveries"] for m in factored] == [100.0, 300.0, 100.0, 100.0]
    more = [
        a["pool.interest_collections"] - b["pool.interest_collections"]
        for a, b in zip(factored, plain, strict=True)
    ]
    assert more == pytest.approx([0.0, 200.0, 0.0, 0.0])
    assert factored[2]["losses.ending"] == pytest.approx(plain[2]["losses.ending"] - 200.0)
