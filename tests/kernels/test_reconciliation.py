"""The identities find every step that is broken, one at a time, and name it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from reference.deal_cases import SECOND_PAYMENT, original_balances
from reference.random_deals import N_MONTHS, path_flows

from hemc.inputs.deal import Deal
from hemc.kernels import note_interest, principal, waterfall
from hemc.kernels.deal_terms import DealTerms
from hemc.kernels.flows import Floats, NoteFlows
from hemc.kernels.jit import plain
from hemc.kernels.note_interest import Book
from hemc.kernels.reconciliation import IDENTITIES
from hemc.kernels.records import Records, column, records
from hemc.kernels.waterfall import PathState
from hemc.model.deal_terms import compile_deal
from hemc.model.insurer import absent, performing
from hemc.model.oc_target import oc_targets
from hemc.model.waterfall import active_months, allocate, collect, pay_months, reconcile

N_PATHS = 12
CENT = 0.01
Break = Callable[[Callable[..., Any]], Callable[..., Any]]


def full_deal(convention: str = "implied") -> Deal:
    """Return a deal with every kind of step and rule, classes A to D and a notional one."""
    term = {"kind": "fixed", "day_count": "30/360", "original_balance": "40000.00"}
    return Deal.model_validate({
        "series": "FULL", "issuer": "TEST", "group": 1, "first_payment_date": "2003-01-25",
        "payment_day": 25, "undercollateralization": convention,
        "class": [
            term | {"name": "A", "coupon": 0.05, "net_wac_cap": True},
            term | {"name": "B", "coupon": 0.06},
            term | {"name": "C", "coupon": 0.07},
            term | {"name": "D", "coupon": 0.08},
            term | {"name": "IO", "kind": "notional", "coupon": 0.02,
                    "schedule": [{"until_payment": 12, "balance": "30000.00"}]},
        ],
        "step": [
            {"pay": "fee", "base": "pool", "rate": 0.003, "cap": "30.00"},
            {"pay": "premium", "rate": 0.002},
            {"pay": "interest", "name": "senior", "classes": ["A", "B", "IO"]},
            {"pay": "interest", "name": "junior", "classes": ["C", "D"], "order": "sequential"},
            {"pay": "cover", "classes": ["A", "B"]},
            {"pay": "hold_oc"},
            {"pay": "reimbursement"},
            {"pay": "build_oc"},
            {"pay": "cap_carryover"},
            {"pay": "residual"},
        ],
        "principal": [
            {"rule": "lockout", "class": "B", "shares": [{"until_payment": 6, "share": 0.5}],
             "share_after": 1.5},
            {"rule": "fixed_share", "class": "D", "share": 0.1},
            {"rule": "pro_rata", "classes": ["A", "B"]},
            {"rule": "sequential"},
        ],
        "overcollateralization": {"target": "4000.00", "build_from_payment": 5},
        "insurer": {"name": "an insurer", "reimbursement_margin": 0.02},
    })  # fmt: skip


class Paid:
    """The full deal paid on good and ruinous paths, and what its identities say."""

    def __init__(self, insured: bool, convention: str = "implied") -> None:
        deal = full_deal(convention)
        monthly = compile_deal(deal, SECOND_PAYMENT, original_balances(deal), N_MONTHS, 0.01)
        flows = path_flows(np.random.default_rng(11), 160_000.0, N_PATHS)
        default = performing(N_PATHS) if insured else absent(N_PATHS)
        self.terms = monthly.terms
        self.months = collect(flows, oc_targets(monthly.oc, flows), default)
        self.n_active = active_months(flows)

    def gaps(self, notes: NoteFlows) -> dict[str, float]:
        """Return the largest gap of each identity over all paths."""
        gaps = reconcile(self.terms, self.months, notes)
        assert (notes.largest_gap == gaps.max(axis=1)).all()
        return dict(zip(IDENTITIES, gaps.max(axis=0).tolist(), strict=True))

    def by(self, terms: DealTerms) -> NoteFlows:
        """Pay by the kernel on other terms."""
        return pay_months(terms, self.months, self.n_active)

    def plainly(self) -> NoteFlows:
        """Run the steps as plain Python, where a replaced step is really called."""
        notes = allocate(self.terms, self.months)
        books, state = records(self.terms.classes.size, Book), records(1, PathState)
        paid = np.zeros(self.terms.steps.size)
        waterfall.pay_paths(self.terms, self.months, self.n_active, notes, books, state, paid)
        return notes


@pytest.fixture
def plain_steps(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Replace every compiled function of the waterfall by its Python form."""
    case = Paid(insured=True)
    case.by(case.terms)  # compile before the names that compiling looks up are replaced
    for module in (waterfall, principal, note_interest):
        for name, function in vars(module).items():
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, plain(function))
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

    def turned(given: Any) -> Any:
        return given[::-1] if getattr(given, "dtype", None) == records(1, Book).dtype else given

    return lambda *given: step(*map(turned, given))


def unbooked(name: str) -> Break:
    """Return a break that lets a step move balances without writing a column of the books."""

    def breaking(step: Callable[..., Any]) -> Callable[..., Any]:
        def forgetful(*given: Any) -> Any:
            books = next(a for a in given if getattr(a, "dtype", None) == records(1, Book).dtype)
            before: Floats = column(books, name).copy()
            result = step(*given)
            column(books, name)[:] = before
            return result

        return forgetful

    return breaking


def shifted_oc(step: Callable[..., float]) -> Callable[..., float]:
    """Return the closing of a month with a dollar more OC."""

    def shifted(notes: NoteFlows, month: Any, books: Records[Book], *rest: Any) -> float:
        rest[1].oc += 1.0
        return step(notes, month, books, *rest)

    return shifted


@pytest.mark.parametrize("insured", [True, False])
@pytest.mark.parametrize("convention", ["implied", "pro_rata", "reverse_order"])
def test_kernel_and_plain_steps_close(
    plain_steps: pytest.MonkeyPatch, insured: bool, convention: str
) -> None:
    case = Paid(insured, convention)
    compiled = case.by(case.terms)
    plainly = case.plainly()
    assert max(case.gaps(compiled).values()) < 1e-6
    assert max(case.gaps(plainly).values()) < 1e-6
    for name in set(NoteFlows._fields) - {"largest_gap"}:
        left, right = getattr(compiled, name), getattr(plainly, name)
        np.testing.assert_allclose(left, right, atol=1e-7, err_msg=name)


@pytest.mark.parametrize(
    ("module", "step", "breaking", "identity"),
    [
        (waterfall, "charge_due", more, "order of payments"),
        (waterfall, "charge_due", less, "order of payments"),
        (waterfall, "charge_due", nothing, "order of payments"),
        (note_interest, "rate_cap", more, "interest entitlement"),
        (note_interest, "rate_cap", halved, "interest entitlement"),
        (waterfall, "accrue_interest", unbooked("owed"), "interest entitlement"),
        (waterfall, "accrue_interest", unbooked("carried"), "interest entitlement"),
        (waterfall, "pay_owed", less, "cash in = cash out"),
        (waterfall, "pay_owed", nothing, "order of payments"),
        (waterfall, "pay_owed", unbooked("interest"), "cash in = cash out"),
        (waterfall, "principal_due", more, "order of payments"),
        (waterfall, "principal_due", less, "order of payments"),
        (waterfall, "principal_due", nothing, "order of payments"),
        (waterfall, "principal_due", halved, "insurer draws"),
        (waterfall, "residual_due", more, "cash in = cash out"),
        (waterfall, "residual_due", nothing, "cash in = cash out"),
        (waterfall, "distribute_principal", nothing, "cash in = cash out"),
        (waterfall, "distribute_principal", class_order_reversed, "principal by class"),
        (waterfall, "distribute_principal", unbooked("principal"), "note balance roll"),
        (principal, "rule_limit", halved, "principal by class"),
        (principal, "share_pro_rata", nothing, "principal by class"),
        (principal, "total_opening", more, "principal by class"),
        (waterfall, "draw_interest", nothing, "insurer draws"),
        (waterfall, "draw_interest", more, "cash in = cash out"),
        (waterfall, "close_month", shifted_oc, "overcollateralization roll"),
    ],
)
def test_a_broken_step_is_caught(
    plain_steps: pytest.MonkeyPatch, module: ModuleType, step: str, breaking: Break, identity: str
) -> None:
    case = Paid(insured=True)
    plain_steps.setattr(module, step, breaking(getattr(module, step)))
    assert case.gaps(case.plainly())[identity] > CENT


WRITEDOWN_BREAKS = [
    ("excess_notes", halved, "writedowns"),
    ("write_down", nothing, "writedowns"),
    ("write_down", unbooked("writedown"), "note balance roll"),
    ("write_down", unbooked("unreversed"), "write-ups"),
    ("write_down", class_order_reversed, "writedowns"),
    ("write_up", nothing, "write-ups"),
    ("write_up", class_order_reversed, "write-ups"),
    ("write_up", unbooked("write_up"), "note balance roll"),
]


@pytest.mark.parametrize(
    ("convention", "step", "breaking", "identity"),
    [
        (convention, *broken)
        for convention in ["pro_rata", "reverse_order"]
        for broken in WRITEDOWN_BREAKS
        # Pro rata has no order to reverse.
        if (convention, *broken[:2]) != ("pro_rata", "write_down", class_order_reversed)
    ],
)
def test_a_broken_writedown_is_caught(
    plain_steps: pytest.MonkeyPatch, convention: str, step: str, breaking: Break, identity: str
) -> None:
    case = Paid(insured=False, convention=convention)
    plain_steps.setattr(waterfall, step, breaking(getattr(waterfall, step)))
    assert case.gaps(case.plainly())[identity] > CENT


def _with(of: Any, name: str, value: Any) -> Any:
    """Return a copy of records with one attribute changed."""
    changed = of.copy()
    column(changed, name)[:] = value(column(changed, name))
    return changed


@pytest.mark.parametrize(
    ("change", "identity"),
    [
        (lambda t: {"classes": _with(t.classes, "is_insured", lambda x: ~x)}, "insurer draws"),
        (lambda t: {"classes": _with(t.classes, "is_capped", lambda x: ~x)},
         "interest entitlement"),
        (lambda t: {"class_months": _with(t.class_months, "accrual", lambda x: 1.1 * x)},
         "interest entitlement"),
        (lambda t: {"class_months": _with(t.class_months, "notional", lambda x: 0.9 * x)},
         "interest entitlement"),
        (lambda t: {"months": _with(t.months, "may_build", lambda x: ~x)}, "order of payments"),
        (lambda t: {"months": _with(t.months, "reimbursement", lambda x: 2 * x)},
         "unreimbursed draws roll"),
        (lambda t: {"steps": _with(t.steps, "rate", lambda x: 2 * x)}, "order of payments"),
        (lambda t: {"steps": _with(t.steps, "cap", lambda x: x + 10)}, "order of payments"),
        (lambda t: {"steps": _with(t.steps, "is_on_pool", lambda x: ~x)}, "order of payments"),
        (lambda t: {"rule_amount": 0.5 * t.rule_amount}, "principal by class"),
        (lambda t: {"in_rule": t.in_rule[:, ::-1].copy()}, "principal by class"),
        (lambda t: {"round_to_cents": True}, "interest entitlement"),
        (lambda t: {"undercollateralization": 2}, "writedowns"),
    ],
)  # fmt: skip
def test_paying_on_other_terms_is_caught(
    change: Callable[[DealTerms], dict[str, Any]], identity: str
) -> None:
    case = Paid(insured=identity != "writedowns")
    notes = case.by(case.terms._replace(**change(case.terms)))
    limit = 0.004 if identity == "interest entitlement" else CENT
    assert case.gaps(notes)[identity] > limit


def test_a_step_before_its_turn_is_caught() -> None:
    """Junior interest paid before senior interest: the same amounts but for a short month."""
    case = Paid(insured=False)
    order = np.arange(case.terms.steps.size)
    order[[2, 3]] = order[[3, 2]]
    turned = case.terms._replace(
        steps=case.terms.steps[order],
        in_step=case.terms.in_step[order], step_order=case.terms.step_order[order],
    )  # fmt: skip
    notes = case.by(turned)
    notes.step_paid[:] = notes.step_paid[:, :, order[:-1]]
    assert case.gaps(notes)["order of payments"] > CENT


def test_flows_that_do_not_close_are_caught() -> None:
    case = Paid(insured=True)
    notes = case.by(case.terms)
    column(case.months, "loss")[:, 3] += 1.0
    assert case.gaps(notes)["pool balance roll"] == pytest.approx(1.0)


def test_a_negative_amount_is_caught() -> None:
    case = Paid(insured=True)
    notes = case.by(case.terms)
    notes.step_paid[5, 2, 0] -= 1_000.0
    assert case.gaps(notes)["no negative amount"] > 900.0
