"""What holds for the kernel whatever the deal: paths, horizons and units do not mix."""

from __future__ import annotations

import numpy as np
import pytest
from reference.deal_cases import SECOND_PAYMENT, original_balances, test_deal
from reference.random_deals import N_MONTHS, path_flows

from hemc.inputs.deal import Deal
from hemc.kernels import reconciliation, waterfall
from hemc.kernels.flows import NoteFlows, PoolFlows
from hemc.kernels.records import column
from hemc.model.deal_terms import MonthlyDeal, compile_deal
from hemc.model.insurer import performing
from hemc.model.waterfall import pay_paths

NAMES = ("net-wac-cap", "fixed-share", "subordinated", "delinquency-target", "oc-release",
         "target-balance")  # fmt: skip
BY_PATH = sorted(set(NoteFlows._fields) - {"step_kind", "largest_gap"})
every_deal = pytest.mark.parametrize("name", NAMES)


def monthly(deal: Deal, n_months: int = N_MONTHS) -> MonthlyDeal:
    """Lay a test deal out from its second payment."""
    return compile_deal(deal, SECOND_PAYMENT, original_balances(deal), n_months, 0.01)


def flows_of(deal: Deal, n_paths: int = 6) -> PoolFlows:
    """Return pools around the size of the deal's notes."""
    return path_flows(np.random.default_rng(5), float(deal.original_notes), n_paths)


def cut(flows: PoolFlows, paths: object, n_months: int = N_MONTHS) -> PoolFlows:
    """Return some paths and first months of pool flows."""
    kept = {name: x[paths, :n_months].copy() for name, x in flows._asdict().items()}
    return PoolFlows(**kept | {"balance": flows.balance[paths, : n_months + 1].copy()})


@every_deal
def test_paths_are_independent(name: str) -> None:
    deal = test_deal(name)
    flows, default = flows_of(deal), np.array([0, 3, 5, 99, 99, 99])
    order = np.array([3, 0, 5, 4, 2, 1])
    together = pay_paths(monthly(deal), flows, default)
    shuffled = pay_paths(monthly(deal), cut(flows, order), default[order])
    for field in BY_PATH:
        np.testing.assert_array_equal(
            getattr(together, field)[order], getattr(shuffled, field), err_msg=field
        )


@every_deal
def test_a_longer_horizon_begins_alike(name: str) -> None:
    """All but the last month of the shorter run, which is final maturity."""
    deal, n_months = test_deal(name), N_MONTHS - 3
    flows = flows_of(deal)
    long = pay_paths(monthly(deal), flows, performing(6))
    short = pay_paths(monthly(deal, n_months), cut(flows, slice(None), n_months), performing(6))
    for field in BY_PATH:
        kept = n_months - 1 + (field in ("balance", "oc"))
        left, right = getattr(short, field)[:, :kept], getattr(long, field)[:, :kept]
        np.testing.assert_array_equal(left, right, err_msg=field)


def test_rounding_is_to_the_cent_half_up() -> None:
    """A third of a cent goes, half a cent counts as one; without rounding nothing moves."""
    deal = test_deal("oc-release")
    terms = monthly(deal)._replace(terms=monthly(deal).terms._replace(round_to_cents=True))
    notes = pay_paths(terms, flows_of(deal), performing(6))
    owed = 100.0 * (notes.interest + notes.shortfall)
    assert np.abs(owed - np.round(owed)).max() < 1e-6
    free = pay_paths(monthly(deal), flows_of(deal), performing(6))
    assert np.abs(100 * free.interest - np.round(100 * free.interest)).max() > 0.1
    assert waterfall.rounded(0.005, True) == 0.01
    assert waterfall.rounded(1234567.125, True) == 1234567.13
    assert waterfall.rounded(0.0049, True) == 0.0
    assert waterfall.rounded(0.0049, False) == 0.0049


def test_one_signature_is_compiled() -> None:
    """Deals with and without cap, insurer and triggers share the machine code."""
    for name in NAMES:
        deal = test_deal(name)
        pay_paths(monthly(deal), flows_of(deal), performing(6))
    for kernel in (waterfall.pay_paths, reconciliation.reconcile_paths):
        assert len(kernel.signatures) == 1


def test_test_deals_reach_what_they_are_for() -> None:
    """A law that no case reaches proves nothing."""
    capped = pay_paths(
        monthly(test_deal("net-wac-cap")), flows_of(test_deal("net-wac-cap")), performing(6)
    )
    assert capped.carryover.max() > 1.0
    release = test_deal("oc-release")
    notes = pay_paths(monthly(release), flows_of(release), performing(6))
    assert notes.oc_target.max() > notes.oc_target.min() > 0.0
    assert column(monthly(test_deal("subordinated")).terms.classes, "is_insured").any()
