"""The pool's arrays: the level-pay identities and what the kernels rely on."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemc.errors import InternalError
from hemc.inputs.pool import build_pool
from hemc.kernels.pool import Pool
from hemc.states import NAMES

FEE = 0.005


def loans(**columns: list[object]) -> pl.DataFrame:
    """Return a tape of two current loans, with `columns` in place of its own."""
    default: dict[str, list[object]] = {
        "loan": [1, 2],
        "state": ["current", "current"],
        "balance": [100_000.0, 50_000.0],
        "gross_rate": [0.12, 0.06],
        "amortization_months": [12, 360],
        "maturity_months": [12, 180],
        "instalments_behind": [0, 0],
    }
    return pl.DataFrame(default | columns)


def scheduled(pool: Pool, m: np.ndarray | int) -> np.ndarray:
    """Return b(m) of every loan as the kernels compute it."""
    return pool.scheduled_a - pool.scheduled_c * pool.growth**m


@st.composite
def random_tapes(draw: st.DrawFn) -> pl.DataFrame:
    n = draw(st.integers(1, 12))

    def column(values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(values, min_size=n, max_size=n))

    maturity = [int(str(v)) for v in column(st.integers(1, 300))]
    longer = column(st.sampled_from([0, 180, 300]))
    return pl.DataFrame(
        {
            "loan": draw(st.permutations(range(n))),
            "state": column(st.sampled_from(NAMES[:10])),
            "balance": column(st.floats(0.01, 1e7)),
            "gross_rate": column(st.sampled_from([0.0, 1e-9, 0.004, 0.0825, 0.08375, 0.5])),
            "amortization_months": [n + int(str(v)) for n, v in zip(maturity, longer, strict=True)],
            "maturity_months": maturity,
            "instalments_behind": column(st.integers(0, 24)),
        }
    )


@settings(max_examples=150, derandomize=True, deadline=None)
@given(tape=random_tapes())
def test_the_schedule_starts_at_the_balance_and_ends_at_zero(tape: pl.DataFrame) -> None:
    pool = build_pool(tape, FEE)
    kernel_order = tape.sort("gross_rate", "maturity_months", "loan")
    end = kernel_order["amortization_months"].to_numpy()
    payment = (pool.growth - 1.0) * pool.scheduled_a
    interest = (pool.growth - 1.0) * scheduled(pool, 3)
    # a is up to 1e8 × balance where the rate is zero: the last bits of a are lost there.
    tolerance = 8 * np.finfo(float).eps * pool.scheduled_a + 1e-9
    assert np.all(np.abs(scheduled(pool, -pool.behind) - pool.balance) <= tolerance)
    assert np.all(np.abs(scheduled(pool, end)) <= tolerance)
    principal = scheduled(pool, 3) - scheduled(pool, 4)
    assert np.all(np.abs(principal + interest - payment) <= tolerance)
    assert pool.balance.sum() == pytest.approx(tape["balance"].sum(), rel=1e-14)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(tape=random_tapes(), seed=st.integers(0, 100))
def test_the_order_of_rows_changes_no_bit(tape: pl.DataFrame, seed: int) -> None:
    pool = build_pool(tape, FEE)
    shuffled = build_pool(tape.sample(fraction=1.0, shuffle=True, seed=seed), FEE)
    for ours, theirs in zip(pool, shuffled, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(tape=random_tapes())
def test_loans_of_one_rate_are_neighbours(tape: pl.DataFrame) -> None:
    pool = build_pool(tape, FEE)
    keys = list(zip(pool.gross_rate, pool.maturity, pool.loan, strict=True))
    assert keys == sorted(keys)
    assert sorted(pool.loan) == list(range(tape.height))
    np.testing.assert_array_equal(pool.group_growth[pool.rate_group], pool.growth)
    assert len(pool.group_growth) == tape["gross_rate"].n_unique()
    assert set(np.diff(pool.rate_group, prepend=0)) <= {0, 1}


def test_the_arrays_are_what_a_kernel_is_compiled_for() -> None:
    pool = build_pool(loans(), FEE)
    integers = {"loan", "state", "behind", "maturity", "rate_group"}
    for name, values in pool._asdict().items():
        assert values.dtype == (np.int64 if name in integers else np.float64), name
        assert values.flags.c_contiguous, name
        assert values.flags.writeable, name
        assert values.flags.owndata, name


def test_a_level_payment_is_the_textbooks() -> None:
    pool = build_pool(loans(), FEE)
    payment = (pool.growth - 1.0) * pool.scheduled_a
    # 100,000 at 1 % a month over 12 months: 8,884.88 (any annuity table); loans by rate.
    assert payment[1] == pytest.approx(8884.88, abs=0.005)
    assert payment[0] == pytest.approx(299.78, abs=0.005)  # 50,000 at 6 % over 30 years
    assert pool.loan.tolist() == [1, 0]


def test_a_loan_behind_owes_todays_balance_and_the_arrears_on_top_of_its_term() -> None:
    tape = loans(state=["60", "current"], instalments_behind=[2, 0])
    late = build_pool(tape, FEE)
    # Twelve instalments to come and two in arrears repay it: fourteen in all.
    assert ((late.growth - 1.0) * late.scheduled_a)[1] == pytest.approx(
        100_000 * 0.01 / (1 - 1.01**-14), rel=1e-12
    )
    assert late.behind.tolist() == [0, 2]
    assert late.state.tolist() == [0, 2]


def test_a_loan_without_interest_falls_in_equal_steps() -> None:
    pool = build_pool(loans(gross_rate=[0.0, 0.06]), FEE)
    balances = [scheduled(pool, m)[0] for m in range(13)]
    # It is taken to pay 0.006 % a year, which bends the line by less than a dollar.
    np.testing.assert_allclose(balances, np.linspace(100_000.0, 0.0, 13), atol=1.0)
    assert pool.net_share[0] == 0.0


@pytest.mark.parametrize(
    ("rate", "share"), [(0.0, 0.0), (0.004, 0.0), (0.005, 0.0), (0.01, 0.5), (0.08, 0.9375)]
)
def test_the_fee_takes_its_share_of_interest(rate: float, share: float) -> None:
    pool = build_pool(loans(gross_rate=[rate, rate]), FEE)
    assert pool.net_share.tolist() == pytest.approx([share, share], abs=1e-15)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"balance": [float("nan"), 1.0]}, "pool.balance has a value that is not finite"),
        ({"gross_rate": [float("inf"), 0.1]}, "not finite"),
        ({"instalments_behind": [None, 0]}, "column instalments_behind of the tape has a null"),
        ({"state": ["paid off", "current"]}, "none of a live loan: {'paid off'}"),
        ({"state": [None, "current"]}, "none of a live loan"),
    ],
)
def test_what_a_reader_would_have_refused_is_an_internal_fault(
    column: dict[str, list[object]], message: str
) -> None:
    with pytest.raises(InternalError, match=message), np.errstate(all="ignore"):
        build_pool(loans(**column), FEE)
