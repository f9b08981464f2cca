"""Loan rows → the contiguous arrays of a `Pool`: the only door to the kernels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.errors import InternalError
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.pool import Pool
from hemc.states import N_LIVE, NAMES

#: What a loan without interest is taken to pay a month, 0.006 % a year. The level-pay formula
#: divides by it: with 1e-8 the scheduled balances of twenty such loans were a dollar off.
LOWEST_MONTHLY_RATE = 5e-6

Scalar = TypeVar("Scalar", np.float64, np.int64)


def build_pool(tape: pl.DataFrame, servicing_fee: float) -> Pool:
    """Lay the loans of a tape out for the kernels.

    `tape` has the columns of docs/tape.md, as `read_tape` and `synthesise_tape` return them;
    `servicing_fee` is per year, net rate = gross rate - fee. The result does not depend on the
    order of the rows. Raises InternalError for a null, a value that is not finite or an unknown
    state: a tape that came through its reader has none.
    """
    tape = _in_kernel_order(tape)
    gross_rate = _column(tape, "gross_rate", np.float64)
    balance = _column(tape, "balance", np.float64)
    behind = _column(tape, "instalments_behind", np.int64)
    growth = _monthly_growth(gross_rate)
    amortization = _column(tape, "amortization_months", np.int64)
    scheduled_a, scheduled_c = level_pay(balance, growth, amortization, behind)
    rates, rate_group = np.unique(gross_rate, return_inverse=True)
    pool = Pool(
        loan=_column(tape, "position", np.int64),
        state=_state_indices(tape),
        behind=behind,
        balance=balance,
        scheduled_a=scheduled_a,
        scheduled_c=scheduled_c,
        growth=growth,
        net_share=net_share(gross_rate, servicing_fee),
        maturity=_column(tape, "maturity_months", np.int64),
        gross_rate=gross_rate,
        rate_group=rate_group.astype(np.int64),
        group_growth=_monthly_growth(rates),
    )
    _require_finite(pool)
    return pool


def _in_kernel_order(tape: pl.DataFrame) -> pl.DataFrame:
    """Number the loans by loan number, then put those of one rate side by side."""
    numbered = tape.sort("loan").with_row_index("position")
    return numbered.sort("gross_rate", "maturity_months", "loan")


def _monthly_growth(gross_rate: Floats) -> Floats:
    """Return 1 + monthly rate."""
    return 1.0 + np.maximum(gross_rate / 12.0, LOWEST_MONTHLY_RATE)


def level_pay(
    balance: Floats, growth: Floats, amortization: Ints, behind: Ints
) -> tuple[Floats, Floats]:
    """Return a and c (USD) of the scheduled balance b(m) = a - c * growth**m.

    They are set so that b(-behind) = balance and b(amortization) = 0. The monthly rate is taken
    back from `growth`, which kernels raise to powers, so that both sides round alike; expm1 keeps
    the digits that the difference of two powers loses at low rates.
    """
    log_growth = np.log1p(growth - 1.0)
    annuity = -np.expm1(-(amortization + behind) * log_growth)  # 1 - growth**-(N + k)
    scheduled_a = balance / annuity
    return scheduled_a, scheduled_a * np.exp(-amortization * log_growth)


def net_share(gross_rate: Floats, servicing_fee: float) -> Floats:
    """Return the share of a loan's interest left after the fee, (rate - fee) / rate in [0, 1].

    Zero for a loan whose rate does not exceed the fee.
    """
    net_rate = np.clip(gross_rate - servicing_fee, 0.0, None)
    return np.divide(net_rate, gross_rate, out=np.zeros_like(gross_rate), where=gross_rate > 0.0)


def _column(tape: pl.DataFrame, name: str, dtype: type[Scalar]) -> NDArray[Scalar]:
    """Return a column as an array of our own: contiguous, writeable, of exactly this dtype.

    polars hands out read-only views, and each variant would compile another kernel.
    """
    series = tape[name]
    if series.null_count():
        raise InternalError(f"column {name} of the tape has a null")
    return np.array(series.to_numpy(), dtype=dtype, order="C")


def _state_indices(tape: pl.DataFrame) -> Ints:
    """Return each loan's index in hemc.states."""
    index = {name: s for s, name in enumerate(NAMES[:N_LIVE])}
    unknown = set(tape["state"].unique()) - set(index)
    if unknown:
        raise InternalError(f"the tape has states that are none of a live loan: {unknown}")
    numbers = tape.select(pl.col("state").replace_strict(index, return_dtype=pl.Int64))
    return _column(numbers, "state", np.int64)


def _require_finite(pool: Pool) -> None:
    """Refuse a pool with a value that is not finite."""
    for name, values in pool._asdict().items():
        if not np.isfinite(values).all():
            raise InternalError(f"pool.{name} has a value that is not finite")
