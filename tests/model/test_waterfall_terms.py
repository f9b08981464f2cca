"""Deal files compiled to monthly terms, and the month of a real certificate paid with them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from reference.waterfall_cases import random_flows

from hemc.errors import InputError, InternalError
from hemc.inputs.deal import Deal, read_deal
from hemc.kernels.flows import DealTerms, PoolFlows
from hemc.model.waterfall import compile_terms, pay_paths, without_insurer

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


def he2_terms(n_months: int = 120, **changed: object) -> DealTerms:
    """Return the terms of 2003-HE2 from payment 11, February 2004, on."""
    deal = he2().model_copy(update=changed)
    return compile_terms(deal, dt.date(2004, 2, 25), BALANCES, n_months, INDEX)


def february(n_months: int = 2) -> PoolFlows:
    """Return the certificate's pool flows in month 1; later months pay the pool off at par."""
    flows = {name: np.zeros((1, n_months)) for name in PoolFlows._fields}
    flows["balance"] = np.zeros((1, n_months + 1))
    flows["balance"][0, :2] = 406_855_924.22, 390_719_522.22
    flows["interest"][0, 0] = float(FEBRUARY["pool"]["interest_collections"])
    flows["prepaid"][0, :2] = 15_998_210.91, 390_719_522.22
    flows["loss"][0, 0] = 138_191.09
    return PoolFlows(**flows)


@pytest.mark.parametrize("performing", [True, False])
def test_the_certificate_of_february_2004_is_replayed(performing: bool) -> None:
    """Every printed figure to the cent; without an insurer the premium builds OC instead."""
    notes = pay_paths(he2_terms(2), february(), performing)
    extra = 0.0 if performing else 39_320.65
    cent = pytest.approx
    assert notes.premium[0, 0] == cent(39_320.65 - extra, abs=0.01)
    assert notes.principal[0, 0, 0] == cent(17_111_694.71 + extra, abs=0.01)
    assert notes.principal[0, 0, 1:].max() == 0.0
    assert notes.oc[0, 0] == cent(5_283_333.90, abs=0.01)
    assert notes.oc[0, 1] == cent(6_258_626.61 + extra, abs=0.011)
    assert notes.residual[0, 0] == cent(0.0, abs=0.01)
    assert notes.oc_target[0, 0] == float(FEBRUARY["oc"]["target"])
    printed = [float(row["interest"]) for row in FEBRUARY["notes"].values()]
    assert notes.interest[0, 0] == cent(printed, abs=0.005)
    ending = [float(row["ending"]) for name, row in FEBRUARY["notes"].items() if name != "IO"]
    assert notes.balance[0, 1, :5] == cent([ending[0] - extra, *ending[1:]], abs=0.011)
    assert notes.balance[0, 1, 5] == 0.0


def test_schedules_follow_the_payment_number() -> None:
    """February 2004 is payment 11: notional steps at 13, 19, 25 and 31, lockout at 37 to 85."""
    terms = he2_terms(76)
    millions = terms.notional[:, 5] / 1e6
    assert millions.tolist() == [76] * 2 + [68] * 6 + [60] * 6 + [52] * 6 + [0] * 56
    assert not terms.notional[:, :5].any()
    expected = [0.0] * 26 + [0.45] * 24 + [0.8] * 12 + [1.0] * 12 + [3.0] * 2
    assert terms.lockout_share.tolist() == expected
    assert terms.lockout_class == 4
    assert terms.is_notional.tolist() == [False] * 5 + [True]
    assert terms.may_build.all()
    assert terms.is_insured.all()


def test_floating_interest_runs_from_payment_date_to_payment_date() -> None:
    """26 January to 25 February 2004 is 30 days, to 25 March 29, to 26 April 32."""
    terms = he2_terms(3)
    assert terms.year_fraction[:, 0] * 360 == pytest.approx([30, 29, 32])
    assert terms.accrual[:, 0] == pytest.approx(0.012 * np.array([30, 29, 32]) / 360)
    assert terms.accrual[:, 1] == pytest.approx(0.0314 / 12)
    assert terms.accrual[:, 5] == pytest.approx(0.07 / 12)


def test_rates_of_the_insurer_are_monthly() -> None:
    terms = he2_terms(2)
    assert terms.premium_monthly * 12 == pytest.approx(0.001175)
    assert terms.reimbursement_monthly * 12 == pytest.approx([0.031, 0.031])


def test_overcollateralization_terms_follow_the_payment_number() -> None:
    oc = he2().overcollateralization.model_copy(
        update={
            "build_from_payment": 13,
            "step_down_payment": 14,
            "step_down_share": 0.025,
            "floor_share": 0.005,
        }
    )
    terms = he2_terms(5, overcollateralization=oc)
    assert terms.may_build.tolist() == [False, False, True, True, True]
    assert terms.step_down_share.tolist() == [0.0, 0.0, 0.0, 0.025, 0.025]
    assert terms.target_floor == pytest.approx(0.005 * 634_646_000)
    assert terms.target.tolist() == [7_933_075.0] * 5


def test_a_deal_without_lockout_compiles_and_pays() -> None:
    deal = read_deal(ROOT / "configs/deals/gmacm-2002-he4.toml")
    balances = {"A-1": 150e6, "A-2": 200e6, "IO": 61_451_000.0}
    terms = compile_terms(deal, dt.date(2004, 3, 25), balances, 24, INDEX)
    assert terms.lockout_class == -1
    assert terms.balance_open.tolist() == [150e6, 200e6, 0.0]
    notes = pay_paths(terms, random_flows(np.random.default_rng(5), terms, 4), performing=True)
    assert notes.balance[:, -1].max() < 0.01


def test_absent_insurer_takes_no_premium_and_pays_nothing() -> None:
    absent = compile_terms(he2(), dt.date(2004, 2, 25), BALANCES, 2, INDEX, insurer="absent")
    assert absent.premium_monthly == 0.0
    assert not absent.is_insured.any()
    left, right = pay_paths(absent, february(), True), pay_paths(he2_terms(2), february(), False)
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_insurer_leaves_the_terms_alone() -> None:
    terms = he2_terms(2)
    without_insurer(terms)
    assert terms.is_insured.all()
    assert terms.premium_monthly > 0


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
        compile_terms(he2(), dt.date(2004, 2, 25), given, 12, INDEX)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("date", [dt.date(2003, 4, 25), dt.date(2002, 1, 25)])
def test_a_payment_before_the_second_is_refused(date: dt.date) -> None:
    with pytest.raises(InputError, match=f"found {date}"):
        compile_terms(he2(), date, BALANCES, 12, INDEX)


def test_pool_flows_that_lose_money_are_an_internal_error() -> None:
    flows = february()
    flows.loss[0, 0] += 1.0
    with pytest.raises(InternalError, match=r"'pool balance roll' off by 1\.00 USD on path 0"):
        pay_paths(he2_terms(2), flows, performing=True)


def test_flows_that_are_no_number_are_an_internal_error() -> None:
    flows = february()
    flows.interest[0, 1] = np.nan
    with pytest.raises(InternalError, match="balance is not finite on path 0, month 2"):
        pay_paths(he2_terms(2), flows, performing=False)
