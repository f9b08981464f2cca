"""The priority of payments equals its plain twin, is right by hand, and lawful at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.waterfall import pay_path
from reference.waterfall_cases import (
    cut_flows,
    random_flows,
    random_terms,
    scale_flows,
    scale_terms,
)

from hemc.kernels import waterfall
from hemc.kernels.flows import DealTerms, NoteFlows, PoolFlows
from hemc.kernels.waterfall import IMPLIED, PRO_RATA, REVERSE_ORDER
from hemc.model.waterfall import pay_paths, without_insurer

N_MONTHS = 24
random_cases = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
CONVENTIONS = pytest.mark.parametrize("convention", [IMPLIED, PRO_RATA, REVERSE_ORDER])


def draw_case(seed: int, n_paths: int = 4, **fixed: object) -> tuple[DealTerms, PoolFlows]:
    """Return random terms and flows."""
    rng = np.random.default_rng(seed)
    terms = random_terms(rng, N_MONTHS, **fixed)
    return terms, random_flows(rng, terms, n_paths)


def insured(terms: DealTerms) -> DealTerms:
    """Return the terms with every class insured."""
    return terms._replace(is_insured=np.ones_like(terms.is_insured))


def assert_same(left: NoteFlows, right: NoteFlows) -> None:
    """Compare all amounts bit by bit."""
    for name in NoteFlows._fields:
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)


# --- the twin -------------------------------------------------------------------------------


@random_cases
@given(seed=seeds, performing=st.booleans())
def test_equals_the_plain_twin(seed: int, performing: bool) -> None:
    terms, flows = draw_case(seed)
    notes = pay_paths(terms, flows, performing)
    for p in range(flows.loss.shape[0]):
        twin = pay_path(terms if performing else without_insurer(terms), flows, p)
        assert set(twin) == set(NoteFlows._fields) - {"largest_gap"}
        for name, expected in twin.items():
            unit = 1e-9 * flows.balance[p, 0]
            np.testing.assert_allclose(getattr(notes, name)[p], expected, atol=unit, err_msg=name)


@pytest.mark.parametrize(
    ("performing", "name"),
    [
        (True, "draw_interest"),
        (True, "draw_principal"),
        (True, "reimbursement"),
        (False, "shortfall"),
        (False, "writedown"),
        (False, "write_up"),
        (False, "residual"),
    ],
)
def test_random_cases_reach_every_rule(performing: bool, name: str) -> None:
    """A twin that is never asked proves nothing: a fifth of all cases has the amount."""
    reached = 0
    for seed in range(20):
        terms, flows = draw_case(seed, undercollateralization=REVERSE_ORDER)
        reached += getattr(pay_paths(insured(terms), flows, performing), name).max() > 1.0
    assert reached >= 4


# --- cases by hand --------------------------------------------------------------------------


def deal_of_two(n_months: int = 1, **changed: object) -> DealTerms:
    """Return a senior class of 60 and a junior one of 30, 1 % a month, OC target 10, no insurer."""
    rows = np.ones((n_months, 2))
    terms = DealTerms(
        accrual=0.01 * rows,
        year_fraction=rows / 12,
        notional=0 * rows,
        is_notional=np.zeros(2, dtype=np.bool_),
        is_insured=np.zeros(2, dtype=np.bool_),
        balance_open=np.array([60.0, 30.0]),
        lockout_class=-1,
        lockout_share=np.zeros(n_months),
        target=np.full(n_months, 10.0),
        step_down_share=np.zeros(n_months),
        target_floor=0.0,
        may_build=np.ones(n_months, dtype=np.bool_),
        has_net_wac_cap=False,
        premium_monthly=0.0,
        fee_monthly=0.0,
        reimbursement_monthly=np.full(n_months, 0.1),
        undercollateralization=PRO_RATA,
    )
    return terms._replace(**changed)


def pool(
    *months: tuple[float, float, float], opening: float = 100.0, net_rate: float = 0.0
) -> PoolFlows:
    """Return the flows of one path from (interest, principal collections, loss) by month."""
    interest, principal, loss = (np.array([amounts]) for amounts in zip(*months, strict=True))
    fall = np.cumsum(principal + loss, axis=1)
    balance = opening - np.concatenate([np.zeros((1, 1)), fall], axis=1)
    zero = np.zeros_like(interest)
    rate = net_rate * balance[:, :-1]
    return PoolFlows(interest, zero, principal, zero, zero.copy(), loss, balance, rate)


def first_month(terms: DealTerms, flows: PoolFlows, performing: bool = False) -> NoteFlows:
    """Pay two months, of which the second empties the pool, and return the first of path 0."""
    notes = pay_paths(terms, flows, performing)
    return NoteFlows(
        *(a[0, 1] if n in ("balance", "oc") else a[0, ...] if a.ndim == 1 else a[0, 0]
          for n, a in zip(NoteFlows._fields, notes, strict=True))
    )  # fmt: skip


END = (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("why", "month", "opening", "principal", "oc", "residual"),
    [
        ("at target: principal collections pass through", (1.9, 5, 0), 100, 5.0, 10.0, 1.0),
        ("loss is covered by excess interest", (1.9, 5, 0.6), 100, 5.6, 10.0, 0.4),
        ("loss beyond excess interest reduces OC", (1.9, 5, 3), 100, 6.0, 8.0, 0.0),
        ("OC above target is released", (0.9, 5, 0), 103, 2.0, 10.0, 3.0),
        ("release takes no more than principal collections", (0.9, 5, 0), 120, 0.0, 25.0, 5.0),
        ("OC below target is built from excess interest", (1.9, 5, 0), 97, 6.0, 8.0, 0.0),
        ("building stops at the target", (2.9, 5, 0), 99, 6.0, 10.0, 1.0),
    ],
)
def test_oc_is_held_built_and_released(
    why: str, month: tuple[float, float, float], opening: float, principal: float, oc: float,
    residual: float,
) -> None:  # fmt: skip
    paid = first_month(deal_of_two(2), pool(month, END, opening=opening))
    assert paid.interest == pytest.approx([0.6, 0.3])
    assert paid.principal == pytest.approx([principal, 0.0])
    assert (paid.oc, paid.residual) == pytest.approx((oc, residual)), why


@pytest.mark.parametrize(("opening", "oc"), [(97.0, 7.0), (103.0, 13.0)])
def test_oc_is_neither_built_nor_released_before_the_build_date(opening: float, oc: float) -> None:
    terms = deal_of_two(2, may_build=np.zeros(2, dtype=np.bool_))
    paid = first_month(terms, pool((1.9, 5.0, 0.5), END, opening=opening))
    assert (paid.oc, paid.principal[0], paid.residual) == pytest.approx((oc, 5.5, 0.5))


@pytest.mark.parametrize(
    ("share", "floor", "target"), [(0.05, 0.0, 4.75), (0.05, 6.0, 6.0), (0.2, 0.0, 10.0)]
)
def test_step_down_follows_the_ending_pool(share: float, floor: float, target: float) -> None:
    terms = deal_of_two(2, step_down_share=np.full(2, share), target_floor=floor)
    paid = first_month(terms, pool((0.9, 5.0, 0.0), END))
    assert paid.oc_target == pytest.approx(target)
    assert paid.oc == pytest.approx(max(target, 5.0))
    assert paid.residual == pytest.approx(10.0 - max(target, 5.0))


def test_junior_is_paid_after_senior() -> None:
    paid = first_month(deal_of_two(2), pool((0.9, 70.0, 0.0), END))
    assert paid.principal == pytest.approx([60.0, 10.0])


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, [9.0, 0.0]), (0.5, [7.5, 1.5]), (1.0, [6.0, 3.0]), (3.0, [0.0, 9.0])],
)
def test_lockout_class_gets_its_share_of_its_pro_rata_part(
    share: float, expected: list[float]
) -> None:
    terms = deal_of_two(2, lockout_class=1, lockout_share=np.full(2, share))
    assert first_month(terms, pool((0.9, 9.0, 0.0), END)).principal == pytest.approx(expected)


def test_locked_class_is_paid_at_its_turn() -> None:
    terms = deal_of_two(2, lockout_class=1)
    assert first_month(terms, pool((0.9, 70.0, 0.0), END)).principal == pytest.approx([60.0, 10.0])


def test_interest_falls_short_pro_rata_and_is_carried_forward_with_interest() -> None:
    terms = deal_of_two(3)
    notes = pay_paths(terms, pool((0.3, 0.0, 0.0), (0.0, 0.0, 0.0), END), performing=False)
    assert notes.interest[0, 0] == pytest.approx([0.2, 0.1])
    assert notes.shortfall[0, 0] == pytest.approx([0.4, 0.2])
    assert notes.shortfall[0, 1] == pytest.approx([0.4 * 1.01 + 0.6, 0.2 * 1.01 + 0.3])


def test_net_wac_cap_is_no_shortfall() -> None:
    """Net rate 9 % of 100, less 6 % on a notional balance of 50: 6 a year, 0.5 % a month."""
    terms = deal_of_two(
        2,
        accrual=np.tile([0.01, 0.004, 0.005], (2, 1)),
        year_fraction=np.tile(np.array([31 / 360, 1 / 12, 1 / 12]), (2, 1)),
        notional=np.tile([0.0, 0.0, 50.0], (2, 1)),
        is_notional=np.array([False, False, True]),
        is_insured=np.zeros(3, dtype=np.bool_),
        balance_open=np.array([60.0, 30.0, 0.0]),
        has_net_wac_cap=True,
    )
    paid = first_month(terms, pool((2.0, 5.0, 0.0), END, net_rate=0.09))
    assert paid.interest == pytest.approx([0.3, 0.12, 0.25])
    assert paid.shortfall == pytest.approx([0.0, 0.0, 0.0])
    assert paid.balance[2] == 0.0


def test_notional_balance_is_at_most_the_pool() -> None:
    """Two notional classes of 80 on a pool of 100: the second gets what the first leaves."""
    terms = deal_of_two(
        2,
        accrual=np.full((2, 4), 0.01),
        year_fraction=np.full((2, 4), 1 / 12),
        notional=np.tile([0.0, 0.0, 80.0, 80.0], (2, 1)),
        is_notional=np.array([False, False, True, True]),
        is_insured=np.zeros(4, dtype=np.bool_),
        balance_open=np.array([60.0, 30.0, 0.0, 0.0]),
    )
    paid = first_month(terms, pool((2.0, 5.0, 0.0), END))
    assert paid.interest == pytest.approx([0.6, 0.3, 0.8, 0.2])


def test_fees_and_premium_come_first() -> None:
    terms = deal_of_two(
        2, fee_monthly=0.001, premium_monthly=0.01, is_insured=np.ones(2, dtype=np.bool_)
    )
    paid = first_month(terms, pool((0.5, 0.0, 0.0), END), performing=True)
    assert (paid.fees, paid.premium, paid.draw_interest) == pytest.approx((0.1, 0.4, 0.9))
    unwrapped = first_month(terms, pool((0.5, 0.0, 0.0), END), performing=False)
    assert (unwrapped.fees, unwrapped.premium, unwrapped.draw_interest) == pytest.approx(
        (0.1, 0, 0)
    )
    assert unwrapped.interest.sum() == pytest.approx(0.4)


def test_insurer_draws_then_is_reimbursed_before_oc_is_built() -> None:
    """A loss of 12 on OC of 10 draws 2; at 10 % a month 2.2 are due, 0.88 + 1.1 get paid."""
    terms = insured(deal_of_two(3))
    months = ((0.9, 0.0, 12.0), (0.88 + 1.1, 0.0, 0.0), (0.88 + 5.0, 88.0, 0.0))
    notes = pay_paths(terms, pool(*months), performing=True)
    assert notes.draw_principal[0] == pytest.approx([2.0, 0.0, 0.0])
    assert notes.oc[0] == pytest.approx([10.0, 0.0, 0.0, 0.0])
    assert notes.reimbursement[0] == pytest.approx([0.0, 1.1, 1.1 * 1.1])
    assert notes.unreimbursed[0] == pytest.approx([2.0, 1.1, 0.0])
    assert notes.residual[0] == pytest.approx([0.0, 0.0, 5.0 - 1.21])
    assert notes.balance[0, 3] == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize(
    ("convention", "first", "last"),
    [(IMPLIED, [0, 0], 20.0), (PRO_RATA, [4 / 3, 2 / 3], 17.98), (REVERSE_ORDER, [0, 2], 17.98)],
)
def test_writedown_conventions(convention: int, first: list[float], last: float) -> None:
    """OC of 10 meets a loss of 12; then the pool of 88 pays 70 and loses 18.

    Implied, the notes of 90 earn 0.90 and get 70. Written down to 88 they earn 0.88, so that
    0.02 of the 0.90 collected are left for principal.
    """
    terms = deal_of_two(2, undercollateralization=convention)
    notes = pay_paths(terms, pool((0.9, 0.0, 12.0), (0.9, 70.0, 18.0)), performing=False)
    assert notes.writedown[0, 0] == pytest.approx(first)
    assert notes.writedown[0, 1] == pytest.approx([0.0, last])
    assert notes.balance[0, 2] == pytest.approx([0.0, 0.0])


def test_write_ups_restore_the_senior_class_first() -> None:
    """Pro rata 4/3 and 2/3 are written down; next month's excess of 1.12 builds OC, then notes."""
    terms = deal_of_two(3)
    months = ((0.9, 0.0, 12.0), (2.0, 0.0, 0.0), (0.0, 88.0, 0.0))
    notes = pay_paths(terms, pool(*months), performing=False)
    assert notes.principal[0, 1] == pytest.approx([1.12, 0.0])
    assert notes.write_up[0, 1] == pytest.approx([1.12, 0.0])
    assert notes.oc[0, 2] == pytest.approx(0.0, abs=1e-12)


# --- laws -----------------------------------------------------------------------------------


@random_cases
@given(seed=seeds, performing=st.booleans())
def test_cash_is_conserved(seed: int, performing: bool) -> None:
    terms, flows = draw_case(seed)
    notes = pay_paths(terms, flows, performing)
    collected = flows.interest + flows.recoveries + flows.scheduled + flows.prepaid + flows.proceeds
    received = collected.sum(1) + notes.draw_interest.sum(1) + notes.draw_principal.sum(1)
    single = (notes.premium, notes.fees, notes.reimbursement, notes.residual)
    paid = sum(a.sum(1) for a in single) + (notes.interest + notes.principal).sum((1, 2))
    np.testing.assert_allclose(paid, received, rtol=1e-14)
    assert notes.largest_gap.max() < 1e-6


@random_cases
@given(seed=seeds)
def test_wrapped_notes_lose_nothing(seed: int) -> None:
    terms, flows = draw_case(seed)
    notes = pay_paths(insured(terms), flows, performing=True)
    assert notes.writedown.max() == 0.0
    assert notes.shortfall.max() == 0.0
    assert notes.oc[:, 1:].min() > -1e-3
    assert notes.balance[:, -1].max() < 1e-3


@random_cases
@given(seed=seeds, performing=st.booleans())
def test_oc_rises_to_its_target_at_most(seed: int, performing: bool) -> None:
    """OC is above its target only where there is nothing to release it from.

    That is where no principal is paid any more: the excess was larger than principal
    collections, or the notes are paid off.
    """
    terms, flows = draw_case(seed, may_build=np.ones(N_MONTHS, dtype=np.bool_))
    notes = pay_paths(terms, flows, performing)
    above = (notes.oc[:, 1:] > notes.oc_target + 1e-3)[:, :-1]
    idle = notes.principal.sum(2)[:, :-1] < 1e-3
    finished = notes.balance[:, 1:-1].sum(2) < 1e-3
    assert (idle | finished)[above].all()


@random_cases
@given(seed=seeds)
def test_sequential_juniors_wait(seed: int) -> None:
    terms, flows = draw_case(seed, lockout_class=-1)
    notes = pay_paths(insured(terms), flows, performing=True)
    senior_left = np.cumsum(notes.balance[:, 1:], axis=2)[..., :-1]
    assert np.minimum(notes.principal[..., 1:], senior_left).max() < 1e-6


@random_cases
@given(seed=seeds, moved=st.floats(0.1, 1.0))
@CONVENTIONS
def test_more_loss_helps_no_class(convention: int, seed: int, moved: float) -> None:
    """Collections turned into losses never lower a class's writedowns and final shortfall.

    Under conventions that write down, unpaid interest and writedowns of a class trade places
    (a smaller balance earns less), so the law is about all classes together there.
    """
    terms, flows = draw_case(seed, undercollateralization=convention)
    turned = moved * flows.prepaid
    worse = flows._replace(prepaid=flows.prepaid - turned, loss=flows.loss + turned)
    before, after = (pay_paths(terms, f, performing=False) for f in (flows, worse))
    harm = [n.writedown.sum(1) - n.write_up.sum(1) + n.shortfall[:, -1] for n in (before, after)]
    if convention != IMPLIED:
        harm = [h.sum(1) for h in harm]
    assert (harm[1] - harm[0]).min() > -1e-3


@random_cases
@given(seed=seeds, performing=st.booleans())
def test_money_has_no_unit(seed: int, performing: bool) -> None:
    """A power of two scales every amount exactly, but for dust, which is in USD."""
    terms, flows = draw_case(seed)
    notes = pay_paths(terms, flows, performing)
    larger = pay_paths(scale_terms(terms, 4.0), scale_flows(flows, 4.0), performing)
    for name in set(NoteFlows._fields) - {"largest_gap"}:
        expected = 4.0 * getattr(notes, name)
        np.testing.assert_allclose(getattr(larger, name), expected, atol=2e-3, err_msg=name)


@random_cases
@given(seed=seeds, n_months=st.integers(2, N_MONTHS - 1), performing=st.booleans())
def test_a_longer_horizon_begins_alike(seed: int, n_months: int, performing: bool) -> None:
    """All but the last month of the shorter run, which is final maturity."""
    terms, flows = draw_case(seed)
    by_month = {
        name: getattr(terms, name)[:n_months]
        for name in DealTerms._fields
        if getattr(getattr(terms, name), "shape", (0,))[0] == N_MONTHS
    }
    short = pay_paths(
        terms._replace(**by_month), cut_flows(flows, slice(None), n_months), performing
    )
    long = pay_paths(terms, flows, performing)
    for name in set(NoteFlows._fields) - {"largest_gap"}:
        kept = n_months - 1 + (name in ("balance", "oc"))
        left, right = getattr(short, name)[:, :kept], getattr(long, name)[:, :kept]
        np.testing.assert_array_equal(left, right, err_msg=name)


@random_cases
@given(seed=seeds, performing=st.booleans())
def test_paths_are_independent(seed: int, performing: bool) -> None:
    terms, flows = draw_case(seed, n_paths=5)
    order = np.array([3, 0, 4, 2, 1])
    all_paths = pay_paths(terms, flows, performing)
    shuffled = pay_paths(terms, cut_flows(flows, order), performing)
    assert_same(NoteFlows(*(a[order] for a in all_paths)), shuffled)


def test_one_signature_is_compiled() -> None:
    for seed in range(6):
        terms, flows = draw_case(seed)
        pay_paths(terms, flows, performing=seed % 2 == 0)
    assert len(waterfall.pay_paths.signatures) == 1  # type: ignore[attr-defined]  # numba's
