"""Deal files laid out by month of a projection."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from reference.deal_cases import original_balances, test_deal

from hemc.errors import InputError, InternalError
from hemc.inputs.deal import Deal, read_deal
from hemc.kernels import deal_terms as codes
from hemc.kernels.deal_terms import DealTerms
from hemc.kernels.flows import PoolFlows
from hemc.kernels.records import column
from hemc.model.deal_terms import compile_deal
from hemc.model.insurer import absent, performing
from hemc.model.waterfall import pay_paths
from hemc.states import N_LIVE

ROOT = Path(__file__).parents[2]
FEBRUARY = json.loads(
    (ROOT / "tests/data/certificates/gmacm-2003-he2_2004-02-25.json").read_text(encoding="utf-8")
)
BALANCES = {
    name: float(row["beginning"]) for name, row in FEBRUARY["notes"].items() if name != "IO"
}
INDEX = 0.011


def he2() -> Deal:
    """Return the shipped deal 2003-HE2."""
    return read_deal(ROOT / "configs/deals/gmacm-2003-he2.toml")


def he2_terms(n_months: int = 120) -> DealTerms:
    """Return the terms of 2003-HE2 from payment 11, February 2004, on."""
    return compile_deal(he2(), dt.date(2004, 2, 25), BALANCES, n_months, INDEX).terms


def february() -> PoolFlows:
    """Return the certificate's pool flows in month 1; month 2 pays the pool off at par."""
    flows = {name: np.zeros((1, 2)) for name in PoolFlows._fields}
    flows["balance"] = np.array([[406_855_924.22, 390_719_522.22, 0.0]])
    flows["interest"][0, 0] = float(FEBRUARY["pool"]["interest_collections"])
    flows["prepaid"][0] = 15_998_210.91, 390_719_522.22
    flows["loss"][0, 0] = 138_191.09
    flows["state_balance"] = np.zeros((1, 2, N_LIVE))
    return PoolFlows(**flows)


def test_schedules_follow_the_payment_number() -> None:
    """February 2004 is payment 11: notional steps at 13, 19, 25 and 31, lockout at 37 to 85."""
    terms = he2_terms(76)
    notional = column(terms.class_months, "notional") / 1e6
    assert notional[:, 5].tolist() == [76] * 2 + [68] * 6 + [60] * 6 + [52] * 6 + [0] * 56
    assert not notional[:, :5].any()
    expected = [0.0] * 26 + [0.45] * 24 + [0.8] * 12 + [1.0] * 12 + [3.0] * 2
    assert terms.rule_amount[:, 0].tolist() == expected
    assert column(terms.rules, "k").tolist() == [4, 0, 1, 2, 3, 4]
    assert column(terms.classes, "is_notional").tolist() == [False] * 5 + [True]
    assert column(terms.months, "may_build").all()
    assert column(terms.months, "has_notional").tolist() == [True] * 20 + [False] * 56
    assert column(terms.classes, "is_insured").all()


def test_steps_stand_in_their_order_with_the_draw_behind() -> None:
    kinds = column(he2_terms(2).steps, "kind").tolist()
    assert kinds == [codes.PREMIUM, codes.INTEREST, codes.HOLD_OC, codes.REIMBURSEMENT,
                     codes.BUILD_OC, codes.RESIDUAL, codes.DRAW]  # fmt: skip


def test_floating_interest_runs_from_payment_date_to_payment_date() -> None:
    """26 January to 25 February 2004 is 30 days, to 25 March 29, to 26 April 32."""
    monthly = compile_deal(he2(), dt.date(2004, 2, 25), BALANCES, 3, INDEX)
    accrual = column(monthly.terms.class_months, "accrual")
    assert monthly.year_fraction[:, 0] * 360 == pytest.approx([30, 29, 32])
    assert accrual[:, 0] == pytest.approx(0.012 * np.array([30, 29, 32]) / 360)
    assert accrual[:, 1] == pytest.approx(0.0314 / 12)
    assert accrual[:, 5] == pytest.approx(0.07 / 12)


def test_an_index_by_month_moves_floaters_and_draws() -> None:
    index = np.array([0.011, 0.021])
    monthly = compile_deal(he2(), dt.date(2004, 2, 25), BALANCES, 2, index)
    accrual = column(monthly.terms.class_months, "accrual")
    assert accrual[:, 0] == pytest.approx((index + 0.001) * np.array([30, 29]) / 360)
    assert column(monthly.terms.months, "reimbursement") * 12 == pytest.approx(index + 0.02)


def test_rates_of_the_insurer_are_monthly() -> None:
    terms = he2_terms(2)
    assert terms.steps[0].rate * 12 == pytest.approx(0.001175)
    assert column(terms.months, "reimbursement") * 12 == pytest.approx([0.031, 0.031])


def test_absent_insurer_takes_no_premium_and_pays_nothing() -> None:
    """Without an insurer the premium of February 2004 builds OC instead."""
    monthly = compile_deal(he2(), dt.date(2004, 2, 25), BALANCES, 2, INDEX)
    with_insurer = pay_paths(monthly, february(), performing(1))
    without = pay_paths(monthly, february(), absent(1))
    assert with_insurer.paid(codes.PREMIUM)[0, 0] == pytest.approx(39_320.65, abs=0.01)
    assert without.paid(codes.PREMIUM)[0, 0] == 0.0
    assert without.oc[0, 1] - with_insurer.oc[0, 1] == pytest.approx(39_320.65, abs=0.01)


def test_a_carry_over_is_kept_only_where_a_deal_has_one() -> None:
    monthly = compile_deal(he2(), dt.date(2004, 2, 25), BALANCES, 2, INDEX)
    assert pay_paths(monthly, february(), absent(1)).carryover.shape == (1, 0, 6)
    capped = test_deal("net-wac-cap")
    terms = compile_deal(capped, dt.date(2003, 2, 25), original_balances(capped), 2, INDEX).terms
    assert column(terms.classes, "is_carried").any()


@pytest.mark.parametrize(
    ("balances", "words"),
    [
        ({"A-3": None}, ["2003-HE2", "A-3", "none"]),
        ({"A-3": -1.0}, ["A-3", "-1.0", "0 or more"]),
        ({"A-3": float("nan")}, ["A-3", "nan"]),
        ({"A-3": float("inf")}, ["A-3", "inf"]),
        ({"M-1": 5.0}, ["M-1", "A-1, A-2, A-3, A-4, A-5"]),
    ],
)
def test_balances_that_do_not_fit_are_refused(
    balances: dict[str, float | None], words: list[str]
) -> None:
    given = {name: b for name, b in {**BALANCES, **balances}.items() if b is not None}
    with pytest.raises(InputError) as error:
        compile_deal(he2(), dt.date(2004, 2, 25), given, 12, INDEX)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("date", [dt.date(2003, 4, 25), dt.date(2002, 1, 25)])
def test_a_payment_before_the_second_is_refused(date: dt.date) -> None:
    with pytest.raises(InputError, match=f"found {date}"):
        compile_deal(he2(), date, BALANCES, 12, INDEX)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("loss", 1.0, r"'pool balance roll' off by 1\.00 USD on path 7"),
        ("interest", np.nan, "not finite on path 7, month 1"),
    ],
)
def test_flows_that_do_not_close_are_an_internal_error(
    name: str, change: float, words: str
) -> None:
    flows = february()
    getattr(flows, name)[0, 0] += change
    monthly = compile_deal(he2(), dt.date(2004, 2, 25), BALANCES, 2, INDEX)
    with pytest.raises(InternalError, match=words):
        pay_paths(monthly, flows, performing(1), first_path=7)
