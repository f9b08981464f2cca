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
from reference.deal_cases import (
    PAYERS,
    SECOND_PAYMENT,
    Month,
    original_balances,
    path_months,
    test_deal,
    told,
)
from reference.deal_twin import pay_deal
from reference.random_deals import N_MONTHS, deals, opening_balances, path_flows

from hemc.inputs.deal import Deal
from hemc.kernels.flows import NoteFlows, PoolFlows
from hemc.model.deal_terms import MonthlyDeal, compile_deal
from hemc.model.waterfall import pay_paths

N_PATHS = 4
CENT = 0.01
INDEX = 0.02

many = settings(max_examples=100, derandomize=True, deadline=None)


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
    rate = 1 + case.monthly.terms.months.reimbursement
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


@pytest.mark.parametrize(
    "name",
    ["net-wac-cap", "fixed-share", "subordinated", "delinquency-target", "oc-release",
     "target-balance"],
)  # fmt: skip
def test_the_test_deals_lose_no_cent_on_many_paths(name):
    deal, n_paths = test_deal(name), 500
    flows = path_flows(np.random.default_rng(7), float(deal.original_notes), n_paths)
    balances = original_balances(deal)
    monthly = compile_deal(deal, SECOND_PAYMENT, balances, N_MONTHS, INDEX)
    for default in (PERFORMING, 3, ABSENT):
        notes = pay_paths(monthly, flows, np.full(n_paths, default))
        cash = flows.interest + flows.recoveries + flows.scheduled + flows.prepaid + flows.proceeds
        assert np.abs(notes.step_paid.sum(axis=2) - cash).max() < CENT
        assert notes.largest_gap.max() < CENT
        assert (notes.step_paid.max(axis=(0, 1)) > 0).sum() >= len(deal.steps) - 2


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
    over &= case.monthly.terms.months.may_build & (notes.balance[:, 1:].sum(axis=2) > CENT)
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


def insured_deals():
    """Return deals all of whose classes are insured."""

    def insure(deal):
        classes = tuple(c.model_copy(update={"insured": True}) for c in deal.classes)
        return deal.model_copy(update={"classes": classes})

    return deals().filter(lambda deal: deal.insurer is not None).map(insure)


@many
@given(cases(insured_deals()))
def test_all_classes_lose_less_with_an_insurer_than_without(case):
    """Where every class is insured; else premium and reimbursement come before classes that are
    not, and these bear what is written down on behalf of the insured ones (shown below)."""
    every = list(range(len(case.deal.classes)))
    gain = lost(case.pay(default=ABSENT), every) - lost(case.pay(default=PERFORMING), every)
    assert gain.min() > -CENT


@pytest.mark.parametrize("pay", PAYERS.values())
def test_premium_costs_a_class_that_is_not_insured(pay):
    """Why the law above needs every class insured: B lacks exactly what the insurer was paid."""
    months = [Month(3_280, 0), Month(3_200, 0)]  # enough for interest of 3,200, once with premium
    deal = test_deal("subordinated")
    wrapped = pay(deal, 1_000_000, months[1:])[0]
    unwrapped = pay(deal, 1_000_000, months[1:], insurer_pays=False)[0]
    assert pay(deal, 1_000_000, months[:1])[0].shortfall["B"] == pytest.approx(0, abs=1e-6)
    assert wrapped.shortfall["B"] == pytest.approx(80)
    assert unwrapped.shortfall["B"] == pytest.approx(0, abs=1e-6)


# More loss.


class Shift(NamedTuple):
    """A month in which a share of a path's prepaid principal turns into loss."""

    month: int
    share: float

    def of(self, flows: PoolFlows) -> PoolFlows:
        """Return the flows with less principal and more loss in that month, the pool the same."""
        prepaid, loss = flows.prepaid.copy(), flows.loss.copy()
        moved = self.share * prepaid[:, self.month]
        prepaid[:, self.month] -= moved
        loss[:, self.month] += moved
        return flows._replace(prepaid=prepaid, loss=loss)


shifts = st.builds(Shift, st.integers(0, N_MONTHS - 1), st.sampled_from([0.05, 0.5, 1.0]))


def measures_losses(deal: Deal) -> bool:
    """Tell whether a trigger looks at losses."""
    return any(t.measure == "cumulative_loss" for t in deal.overcollateralization.triggers)


def written(notes):
    """Return writedowns that are not reversed, to date, by path, month and class."""
    return (notes.writedown - notes.write_up).cumsum(axis=1)


@many
@given(cases(deals(undercollateralization="implied")), shifts)
def test_more_loss_never_lowers_a_loss_of_a_class_whose_notes_stand(case, shift):
    """A trigger on losses may: it keeps OC for the notes (shown below)."""
    if measures_losses(case.deal):
        return
    less, more = case.pay(default=ABSENT), case.pay(shift.of(case.flows), default=ABSENT)
    assert (written(more) - written(less)).min() > -CENT
    assert (more.shortfall - less.shortfall).min() > -CENT


SINGLE_RULES = st.sampled_from(["sequential", "pro_rata"]).map(lambda rule: [{"rule": rule}])


@many
@given(SINGLE_RULES.flatmap(lambda rules: cases(deals(principal=rules))), shifts)
def test_more_loss_never_lowers_a_writedown_where_principal_has_one_rule(case, shift):
    """A share that waits for another class to retire may start later, to the good of the rest."""
    if measures_losses(case.deal):
        return
    less, more = case.pay(default=ABSENT), case.pay(shift.of(case.flows), default=ABSENT)
    assert (written(more) - written(less)).min() > -CENT


@many
@given(cases(), shifts)
def test_more_loss_never_lowers_what_all_classes_lose_together(case, shift):
    """By class interest shortfalls may fall: what is written down earns none (shown below)."""
    if measures_losses(case.deal):
        return
    every = list(range(len(case.deal.classes)))
    less, more = case.pay(default=ABSENT), case.pay(shift.of(case.flows), default=ABSENT)
    assert (lost(more, every) - lost(less, every)).min() > -CENT


@pytest.mark.parametrize("pay", PAYERS.values())
def test_a_class_that_is_written_off_claims_no_more_interest(pay):
    """Why shortfalls by class are left out of the law: 100,000 moved from principal to loss."""
    classes = [
        {"name": name, "kind": "fixed", "day_count": "30/360", "original_balance": balance,
         "coupon": 0.12} for name, balance in (("S", "900000.00"), ("B", "100000.00"))
    ]  # fmt: skip
    order = [{"pay": "interest"}, {"pay": "hold_oc"}, {"pay": "residual"}]
    oc = {"target": "0.00", "build_from_payment": 1}
    deal = test_deal("subordinated", **{"class": classes}, step=order, insurer=None,
                     overcollateralization=oc)  # fmt: skip
    poor = Month(8_100, 0)
    _, less = pay(deal, 1_000_000, [Month(10_000, 100_000), poor])
    _, more = pay(deal, 1_000_000, [Month(10_000, 0, 100_000), poor])
    assert less.shortfall == pytest.approx({"S": 800, "B": 100})  # pro rata, 8,000 and 1,000 due
    assert more.shortfall == pytest.approx({"S": 900, "B": 0})  # 9,000 due to S, B is gone


@pytest.mark.parametrize("pay", PAYERS.values())
def test_a_loss_trigger_protects_the_notes(pay):
    """Why triggers on losses are left out: 1,500 moved to loss trip one, and OC is not released."""
    deal = test_deal("delinquency-target")
    story = [Month(10_000, 50_000), Month(10_000, 50_000), Month(10_000, 40_000)]
    end = [Month(3_360, 39_500), Month(0, 700_000, 60_000)]
    less = pay(deal, 1_000_000, [*story, Month(33_360, 31_000, 29_000), *end], last=True)
    more = pay(deal, 1_000_000, [*story, Month(33_360, 29_500, 30_500), *end], last=True)
    assert [story[3].triggers["cumulative loss"][2] for story in (less, more)] == [False, True]
    assert less[4].oc == pytest.approx(15_210)  # 2 % of 760,500
    assert more[4].oc == pytest.approx(19_738)
    assert less[5].writedown["A"] == pytest.approx(48_271.16)
    assert more[5].writedown["A"] == pytest.approx(43_725.05)
