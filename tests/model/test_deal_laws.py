"""What holds for any deal: random deals, flows, triggers and states of the insurer.

The kernel must equal the plain twin, account for every dollar by a named step, and keep the laws
of a waterfall. Where a law needs a restriction, its economic reason stands beside it and a case
shows it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.deal_cases import SECOND_PAYMENT, path_months, told
from reference.deal_twin import pay_deal
from reference.random_deals import N_MONTHS, deals, opening_balances, path_flows

from hemc.inputs.deal import Deal
from hemc.kernels.flows import NoteFlows, PoolFlows
from hemc.model.deal_terms import MonthlyDeal, compile_deal
from hemc.model.waterfall import pay_paths

N_PATHS = 4
CENT = 0.01
INDEX = 0.02

many = settings(max_examples=150, derandomize=True, deadline=None)


class Case(NamedTuple):
    """A deal, where it stands, and the flows of some paths."""

    deal: Deal
    balances: dict[str, float]
    monthly: MonthlyDeal
    flows: PoolFlows
    loss_to_date: float
    default_month: np.ndarray  # [p] from which on the insurer pays nothing
    seed: int  # of the flows

    def __repr__(self) -> str:
        """Say what a failing case is made of; its flows follow from the seed."""
        deal = self.deal.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return f"Case(seed={self.seed}, balances={self.balances}, deal={deal})"

    def pay(self, flows: PoolFlows | None = None, default: int | None = None) -> NoteFlows:
        """Pay by the kernel, the insurer's default as drawn or in the same month everywhere."""
        months = self.default_month if default is None else np.full(N_PATHS, default)
        return pay_paths(self.monthly, self.flows if flows is None else flows, months)


@st.composite
def cases(draw: st.DrawFn, of: st.SearchStrategy[Deal] | None = None) -> Case:
    """Return a deal with flows: calm and ruinous, the insurer performing, absent or defaulting."""
    deal = draw(deals() if of is None else of)
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    balances = opening_balances(deal, rng)
    flows = path_flows(rng, sum(balances.values()), N_PATHS)
    loss_to_date = float(rng.choice([0.0, 20_000.0]))
    monthly = compile_deal(deal, SECOND_PAYMENT, balances, N_MONTHS, INDEX, loss_to_date)
    default = rng.permutation([0, 3, N_MONTHS, N_MONTHS])
    return Case(deal, balances, monthly, flows, loss_to_date, default, seed)


PERFORMING, ABSENT = N_MONTHS, 0


# Cash.


@many
@given(cases())
def test_every_dollar_is_in_a_named_step(case):
    notes, flows = case.pay(), case.flows
    cash = flows.interest + flows.recoveries + flows.scheduled + flows.prepaid + flows.proceeds
    assert np.abs(notes.step_paid.sum(axis=2) - cash).max() < CENT
    assert notes.step_paid.min() >= 0.0
    assert notes.largest_gap.max() < CENT


@many
@given(cases())
def test_what_steps_pay_the_classes_and_the_insurer_receive(case):
    notes = case.pay()
    kinds = np.array([step.pay for step in case.deal.steps])

    def paid(*names):
        return notes.step_paid[:, :, np.isin(kinds, names)].sum(axis=2)

    interest = notes.interest.sum(axis=2) - notes.draw_interest
    principal = notes.principal.sum(axis=2) - notes.draw_principal
    steps = ("collections", "hold_oc", "cover", "build_oc")
    assert np.abs(paid("interest", "cap_carryover") - interest).max() < CENT
    assert np.abs(paid(*steps) - principal).max() < CENT
    claim = np.hstack([np.zeros((N_PATHS, 1)), notes.unreimbursed])
    rate = 1 + case.monthly.terms.reimbursement_monthly
    drawn = notes.draw_interest + notes.draw_principal
    rolled = claim[:, :-1] * rate + drawn - paid("reimbursement")
    assert np.abs(rolled - claim[:, 1:]).max() < CENT


@many
@given(cases())
def test_the_kernel_equals_the_plain_twin(case):
    notes = case.pay()
    for p in range(N_PATHS):
        months = path_months(case.flows, case.deal, p, int(case.default_month[p]), INDEX)
        expected = pay_deal(case.deal, case.balances, case.loss_to_date, months)
        paid = told(case.deal, case.monthly, case.flows, notes, p)
        for t, (one, other) in enumerate(zip(paid, expected, strict=True)):
            place = f"path {p}, month {t + 1}"
            fields = {name: value for name, value in vars(other).items() if name != "due"}
            for name, value in fields.items():  # the kernel keeps what is paid, not what was due
                assert_near(getattr(one, name), value, f"{name}, {place}")


def assert_near(found, expected, place):
    """Compare figures and dicts of figures to a thousandth of a cent."""
    if not isinstance(expected, dict):
        assert found == pytest.approx(expected, abs=1e-5, rel=1e-9), place
        return
    assert set(found) == set(expected), place
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-5, rel=1e-9), f"{place}, {name}"


# Seniority.


@many
@given(cases())
def test_a_step_is_paid_only_when_those_before_it_are(case):
    notes = case.pay()
    for p in range(N_PATHS):
        months = path_months(case.flows, case.deal, p, int(case.default_month[p]), INDEX)
        for t, month in enumerate(pay_deal(case.deal, case.balances, case.loss_to_date, months)):
            due = np.array(list(month.due.values()))
            short = due[:-1] - notes.step_paid[p, t, :-1] > CENT
            later = notes.step_paid[p, t, ::-1].cumsum()[::-1][1:]
            assert later[short].max(initial=0.0) < CENT


@many
@given(cases())
def test_interest_by_seniority_reaches_a_class_only_when_those_before_it_are_paid(case):
    notes = case.pay(default=ABSENT)
    paid = notes.interest.copy()
    if notes.carryover_paid.shape[1]:
        paid -= notes.carryover_paid
    names = [c.name for c in case.deal.classes]
    for step in case.deal.steps:
        if step.pay == "interest" and step.order == "sequential":
            ranked = [names.index(name) for name in step.classes]
            for senior, junior in pairwise(ranked):
                is_short = notes.shortfall[:, :, senior] > CENT
                assert paid[:, :, junior][is_short].max(initial=0.0) < CENT


SEQUENTIAL = [{"rule": "sequential"}]


@many
@given(cases(deals(principal=SEQUENTIAL)))
def test_principal_by_seniority_reaches_a_class_only_when_those_before_it_are_retired(case):
    """With rules of other shapes a junior class has its share on purpose."""
    notes = case.pay()
    by_cash = notes.balance[:, :-1] - notes.principal  # before writedowns and write-ups
    terms = [k for k, c in enumerate(case.deal.classes) if c.kind != "notional"]
    # The insurer pays the principal of its own classes, whatever ranks above them.
    by_steps = notes.draw_principal < CENT
    for senior, junior in pairwise(terms):
        is_left = (by_cash[:, :, senior] > CENT) & by_steps
        assert notes.principal[:, :, junior][is_left].max(initial=0.0) < CENT


# Overcollateralisation.


@many
@given(cases())
def test_oc_is_above_its_target_only_where_a_release_was_not_possible(case):
    """OC is released by paying less principal than falls due: nothing paid is the most.

    Before the build date nothing is released, nor by a deal without `hold_oc`; `collections` and
    `cover` are paid whatever OC is.
    """
    pays = {step.pay for step in case.deal.steps}
    if "hold_oc" not in pays:
        return
    notes = case.pay()
    over = notes.oc[:, 1:] - notes.oc_target > CENT
    over &= case.monthly.terms.may_build & (notes.balance[:, 1:].sum(axis=2) > CENT)
    labels = [step.label for step in case.deal.steps]
    hold = [step.label for step in case.deal.steps if step.pay == "hold_oc"]
    assert notes.step_paid[:, :, labels.index(hold[0])][over].max(initial=0.0) < CENT
    build = [j for j, step in enumerate(case.deal.steps) if step.pay == "build_oc"]
    assert notes.step_paid[:, :, build][over].max(initial=0.0) < CENT


# The insurer.


@many
@given(cases())
def test_an_insured_class_loses_nothing_while_the_insurer_performs(case):
    notes = case.pay()
    insured = [k for k, c in enumerate(case.deal.classes) if c in case.deal.insured_classes]
    pays = np.arange(N_MONTHS) < case.default_month[:, None]
    assert notes.writedown[:, :, insured][pays].max(initial=0.0) == 0.0
    assert notes.shortfall[:, :, insured][pays].max(initial=0.0) == 0.0


@many
@given(cases())
def test_nobody_pays_without_an_insurer(case):
    notes = case.pay(default=ABSENT)
    kinds = [step.pay for step in case.deal.steps]
    assert notes.draw_interest.max() == notes.draw_principal.max() == 0.0
    assert notes.unreimbursed.max() == 0.0
    for j, kind in enumerate(kinds):
        if kind in ("premium", "reimbursement"):
            assert notes.step_paid[:, :, j].max() == 0.0


def lost(notes, classes):
    """Return what classes lack at the end, by path: writedowns not reversed, interest unpaid."""
    written = (notes.writedown - notes.write_up)[:, :, classes].sum(axis=(1, 2))
    return written + notes.shortfall[:, -1, classes].sum(axis=1)


@many
@given(cases())
def test_an_insurer_that_performs_never_makes_its_classes_lose_more(case):
    insured = [k for k, c in enumerate(case.deal.classes) if c in case.deal.insured_classes]
    gain = lost(case.pay(default=ABSENT), insured) - lost(case.pay(default=PERFORMING), insured)
    assert gain.min(initial=0.0) > -CENT


@many
@given(cases())
def test_all_classes_lose_less_with_an_insurer_than_without(case):
    every = list(range(len(case.deal.classes)))
    gain = lost(case.pay(default=ABSENT), every) - lost(case.pay(default=PERFORMING), every)
    assert gain.min(initial=0.0) > -CENT
