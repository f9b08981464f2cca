"""The identities find every step that is broken, one at a time, and name it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hemc.kernels.month import Rows
from reference.waterfall_cases import random_flows, random_terms

from hemc.kernels import month as month_module
from hemc.kernels import waterfall
from hemc.kernels.flows import DealTerms, Floats, NoteFlows, PoolFlows
from hemc.kernels.jit import plain
from hemc.kernels.reconciliation import IDENTITIES, reconcile_paths
from hemc.kernels.waterfall import PRO_RATA, REVERSE_ORDER
from hemc.model.waterfall import pay_paths, without_insurer

CENT = 0.01
Case = tuple[DealTerms, PoolFlows]
Break = Callable[[Callable[..., Any]], Callable[..., Any]]


def case(insured: bool, **fixed: object) -> Case:
    """Return a deal with every feature switched on, and pools from good to ruinous."""
    rng = np.random.default_rng(11)
    terms = random_terms(rng, 24, has_net_wac_cap=True, fee_monthly=0.0003, **fixed)
    terms = terms._replace(
        is_insured=np.full(terms.is_insured.size, insured),
        lockout_class=int(np.flatnonzero(~terms.is_notional)[-1]),
        target=np.full(24, 4e6),
        target_floor=1e6,
        step_down_share=np.where(np.arange(24) < 12, 0.0, 0.03),
        may_build=np.arange(24) >= 3,
    )
    flows = random_flows(rng, terms, 12)
    return (terms if insured else without_insurer(terms)), flows


def pay_plainly(terms: DealTerms, flows: PoolFlows) -> NoteFlows:
    """Run the steps as plain Python, where a replaced step is really called."""
    notes = NoteFlows(*(np.full_like(a, np.nan) for a in pay_paths(terms, flows, True)))
    waterfall.pay_paths(terms, flows, notes)
    return notes


def gaps_of(terms: DealTerms, flows: PoolFlows, notes: NoteFlows) -> dict[str, float]:
    """Return the largest gap of each identity over all paths."""
    gaps = np.empty((notes.largest_gap.size, len(IDENTITIES)))
    reconcile_paths(terms, flows, notes, gaps)
    assert (notes.largest_gap == gaps.max(axis=1)).all()
    return dict(zip(IDENTITIES, gaps.max(axis=0).tolist(), strict=True))


@pytest.fixture
def plain_steps(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Replace every compiled function of the waterfall by its Python form."""
    pay_paths(*case(True), True)  # compile before the names that compiling looks up are replaced
    for name, function in vars(waterfall).items():
        if hasattr(function, "py_func"):
            monkeypatch.setattr(waterfall, name, plain(function))
    monkeypatch.setattr(month_module, "total", plain(month_module.total))
    return monkeypatch


def more(step: Callable[..., float]) -> Callable[..., float]:
    """Return the step with a result one dollar larger."""
    return lambda *given: step(*given) + 1.0


def less(step: Callable[..., float]) -> Callable[..., float]:
    """Return the step with a result one dollar smaller where it has one."""
    return lambda *given: max(step(*given) - 1.0, 0.0)


def nothing(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step that does nothing."""
    return lambda *given: 0.0


def halved(step: Callable[..., float]) -> Callable[..., float]:
    """Return the step with half its result."""
    return lambda *given: 0.5 * step(*given)


def class_order_reversed(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return the step serving the classes from the other end."""

    def reversed_step(*given: Any) -> Any:
        rows = next(argument for argument in given if isinstance(argument, Rows))
        turned = Rows(*(row[::-1] for row in rows))
        return step(*(turned if argument is rows else argument for argument in given))

    return reversed_step


def unbooked(row: str) -> Break:
    """Return a break that lets a step move balances without writing `row`."""

    def breaking(step: Callable[..., Any]) -> Callable[..., Any]:
        def forgetful(*given: Any) -> Any:
            rows = next(argument for argument in given if isinstance(argument, Rows))
            before: Floats = getattr(rows, row).copy()
            result = step(*given)
            getattr(rows, row)[:] = before
            return result

        return forgetful

    return breaking


@pytest.mark.parametrize("insured", [True, False])
def test_plain_steps_close(plain_steps: pytest.MonkeyPatch, insured: bool) -> None:
    terms, flows = case(insured, undercollateralization=REVERSE_ORDER)
    assert max(gaps_of(terms, flows, pay_plainly(terms, flows)).values()) < 1e-6


@pytest.mark.parametrize(
    ("step", "breaking", "identity"),
    [
        ("fee_due", more, "order of payments"),
        ("fee_due", less, "order of payments"),
        ("premium_due", more, "order of payments"),
        ("premium_due", nothing, "order of payments"),
        ("rate_cap", more, "interest entitlement"),
        ("rate_cap", halved, "interest entitlement"),
        ("accrue_interest", nothing, "interest entitlement"),
        ("pay_interest", more, "order of payments"),
        ("pay_interest", nothing, "order of payments"),
        ("pay_interest", unbooked("interest"), "interest entitlement"),
        ("target_of_month", more, "order of payments"),
        ("hold_due", more, "order of payments"),
        ("hold_due", less, "order of payments"),
        ("reimbursement_due", more, "unreimbursed draws roll"),
        ("reimbursement_due", nothing, "unreimbursed draws roll"),
        ("build_due", more, "order of payments"),
        ("build_due", less, "order of payments"),
        ("build_due", nothing, "order of payments"),
        ("residual_due", more, "cash in = cash out"),
        ("residual_due", nothing, "cash in = cash out"),
        ("distribute_principal", nothing, "cash in = cash out"),
        ("distribute_principal", class_order_reversed, "principal by class"),
        ("distribute_principal", unbooked("principal"), "note balance roll"),
        ("draw_interest", nothing, "insurer draws"),
        ("draw_interest", more, "cash in = cash out"),
        ("draw_principal", more, "insurer draws"),
        ("draw_principal", nothing, "insurer draws"),
        ("draw_principal", halved, "insurer draws"),
        ("roll_oc", more, "overcollateralization roll"),
        ("open_month", nothing, "note balance roll"),
    ],
)
def test_a_broken_step_is_caught(
    plain_steps: pytest.MonkeyPatch, step: str, breaking: Break, identity: str
) -> None:
    terms, flows = case(insured=True)
    plain_steps.setattr(waterfall, step, breaking(getattr(waterfall, step)))
    assert gaps_of(terms, flows, pay_plainly(terms, flows))[identity] > CENT


@pytest.mark.parametrize("convention", [PRO_RATA, REVERSE_ORDER])
@pytest.mark.parametrize(
    ("step", "breaking", "identity"),
    [
        ("excess_notes", halved, "writedowns"),
        ("write_down", nothing, "writedowns"),
        ("write_down", unbooked("writedown"), "note balance roll"),
        ("write_down", unbooked("unreversed"), "write-ups"),
        ("write_up", nothing, "write-ups"),
        ("write_up", class_order_reversed, "write-ups"),
        ("write_up", unbooked("write_up"), "note balance roll"),
        ("draw_principal", more, "insurer draws"),
    ],
)
def test_a_broken_writedown_is_caught(
    plain_steps: pytest.MonkeyPatch, convention: int, step: str, breaking: Break, identity: str
) -> None:
    terms, flows = case(insured=False, undercollateralization=convention)
    plain_steps.setattr(waterfall, step, breaking(getattr(waterfall, step)))
    assert gaps_of(terms, flows, pay_plainly(terms, flows))[identity] > CENT


def test_writing_down_the_wrong_way_is_caught(plain_steps: pytest.MonkeyPatch) -> None:
    """Pro rata where the deal says reverse order, reverse order where it says pro rata."""
    for convention in (PRO_RATA, REVERSE_ORDER):
        terms, flows = case(insured=False, undercollateralization=convention)
        other = terms._replace(undercollateralization=PRO_RATA + REVERSE_ORDER - convention)
        assert gaps_of(terms, flows, pay_plainly(other, flows))["writedowns"] > CENT


def test_interest_paid_in_order_is_caught(plain_steps: pytest.MonkeyPatch) -> None:
    """Senior classes first instead of pro rata: every total is right."""

    def pay_in_order(cash: float, rows: Rows) -> float:
        paid = min(cash, float(rows.shortfall.sum()))
        before = np.concatenate([[0.0], np.cumsum(rows.shortfall)[:-1]])
        rows.interest[:] = np.clip(paid - before, 0.0, rows.shortfall)
        rows.shortfall[:] -= rows.interest
        return paid

    terms, flows = case(insured=False)
    plain_steps.setattr(waterfall, "pay_interest", pay_in_order)
    gaps = gaps_of(terms, flows, pay_plainly(terms, flows))
    assert gaps["cash in = cash out"] < 1e-6
    assert gaps["interest entitlement"] > CENT


@pytest.mark.parametrize("name", ["loss", "prepaid", "balance"])
def test_pool_flows_that_do_not_roll_are_caught(name: str) -> None:
    """A dollar that leaves the pool but is neither collected nor lost."""
    terms, flows = case(insured=True)
    amounts = getattr(flows, name).copy()
    amounts[3, 5] += 1.0
    broken = flows._replace(**{name: amounts})
    notes = NoteFlows(*(np.empty_like(a) for a in pay_paths(terms, flows, True)))
    waterfall.pay_paths(terms, broken, notes)
    gaps = gaps_of(terms, broken, notes)
    assert gaps["pool balance roll"] == pytest.approx(1.0, abs=1e-6)
    assert gaps["cash in = cash out"] > CENT or gaps["overcollateralization roll"] > CENT
    assert np.delete(notes.largest_gap, 3).max() < 1e-6


def test_a_value_that_is_no_number_is_an_infinite_gap() -> None:
    terms, flows = case(insured=True)
    flows.interest[2, 4] = np.nan
    notes = NoteFlows(*(np.empty_like(a) for a in pay_paths(*case(insured=True), True)))
    waterfall.pay_paths(terms, flows, notes)
    gaps_of(terms, flows, notes)
    assert np.isinf(notes.largest_gap[2])
    assert np.isfinite(np.delete(notes.largest_gap, 2)).all()
