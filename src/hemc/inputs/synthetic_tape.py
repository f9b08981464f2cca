"""Published totals of a pool → loan rows that meet every one of them exactly.

Sizes, rates and terms of single loans are assumptions (`TapeSettings`); the totals are not.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from hemc.errors import InternalError
from hemc.inputs.tape import TapeSettings
from hemc.inputs.tape_schema import SCHEMA
from hemc.inputs.tape_totals import TapeTotals, totals_of_tape
from hemc.kernels.flows import Floats, Ints
from hemc.states import N_LIVE, NAMES, PAYING

#: Share of a printed unit that the average rate may be off: the rest of the half unit keeps the
#: figure from sitting on a rounding boundary, where float sums decide.
RATE_TOLERANCE_UNITS = 0.45


def synthesise_tape(totals: TapeTotals, settings: TapeSettings, seed: int) -> pl.DataFrame:
    """Draw loan rows with the columns of docs/tape.md that meet `totals` exactly.

    Count and balance of each state and of the pool hold in integer cents; the weighted average
    net rate rounds to the printed digits. Rates lie on the grid of `settings.rate_step`, except
    that in a pool too small for the grid (a few thousand loans and less) the largest loan takes
    up the remainder, less than one step of the smallest loan. Inside a state, sizes above
    `min_balance` are lognormal; the minimum gives way to half the average where the average is
    lower than twice it. Rates, terms and ages are drawn independently of size and state. The same
    `seed` (>= 0) gives the same rows. Raises InternalError if the rows miss a total.
    """
    generator = np.random.Generator(np.random.Philox(seed))
    state = np.repeat(np.arange(N_LIVE), totals.count)
    sizes = [
        _draw_cents(int(balance.scaleb(2)), n, settings, generator)
        for n, balance in zip(totals.count, totals.balance, strict=True)
    ]
    cents = np.concatenate(sizes)
    gross_rate = _draw_rates(cents, totals, settings, generator)
    amortization, maturity = _draw_terms(len(state), settings, generator)
    tape = pl.DataFrame(
        {
            "loan": np.arange(1, len(state) + 1),
            "state": np.array(NAMES)[state],
            "balance": cents / 100.0,
            "gross_rate": gross_rate,
            "amortization_months": amortization,
            "maturity_months": maturity,
            "instalments_behind": behind_by_state(settings)[state],
        },
        schema=SCHEMA,
    )
    _require_totals(tape, totals, settings.servicing_fee)
    return tape


def _require_totals(tape: pl.DataFrame, totals: TapeTotals, servicing_fee: float) -> None:
    """Refuse a tape that misses a published total or has a loan that pays less than the fee."""
    found = totals_of_tape(tape, servicing_fee, totals.net_rate_digits)
    if found != totals:
        raise InternalError(f"the synthetic tape has {found} where {totals} are published")
    lowest = tape.select(pl.col("gross_rate").min()).item()
    if lowest < servicing_fee - 1e-12:  # k steps and the fee may differ in the last bit
        raise InternalError(f"rates from {lowest} cannot average {totals.net_rate} net of the fee")


def _draw_cents(total: int, n: int, settings: TapeSettings, generator: np.random.Generator) -> Ints:
    """Draw `n` loan balances in whole cents that add up to `total` exactly."""
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    floor = max(1, min(round(settings.min_balance * 100), total // (2 * n)))
    if total == n * floor:  # a cent each
        return np.full(n, floor)
    mean = total / n
    # The part above the floor carries the whole variation.
    variance = math.log1p((settings.size_cv * mean / (mean - floor)) ** 2)
    return floor + _split_cents(
        total - n * floor, generator.lognormal(sigma=math.sqrt(variance), size=n)
    )


def _split_cents(total: int, weight: Floats) -> Ints:
    """Split `total` cents by weight; the running share ends at 1, so that no cent is lost."""
    running = np.cumsum(weight)
    bounds = np.rint(running / running[-1] * total).astype(np.int64)
    cents: Ints = np.diff(bounds, prepend=0)
    return cents


def _draw_rates(
    cents: Ints, totals: TapeTotals, settings: TapeSettings, generator: np.random.Generator
) -> Floats:
    """Draw gross rates (per year) whose average, less the fee, prints as the published figure."""
    step = settings.rate_step
    average = float(totals.net_rate) + settings.servicing_fee
    tolerance = RATE_TOLERANCE_UNITS * float(totals.net_rate_unit) / step * float(cents.sum())
    drawn = generator.normal(average, settings.rate_sd, size=len(cents))
    lowest = math.ceil(round(settings.servicing_fee / step, 9))  # no rate below the fee
    steps = np.maximum(np.rint(drawn / step).astype(np.int64), lowest)
    gap = _close_gap(steps, cents, average / step, lowest, tolerance, generator)
    gross_rate = steps * step
    if abs(gap) > tolerance:
        largest = int(np.argmax(cents))
        gross_rate[largest] += gap * step / cents[largest]
    return gross_rate


def _close_gap(
    steps: Ints,
    cents: Ints,
    average_steps: float,
    lowest: int,
    tolerance: float,
    generator: np.random.Generator,
) -> float:
    """Move loans one step at a time, in place, until the average fits; return what is left.

    The gap is target - sum of steps x balance (steps x cents). Only loans that do not overshoot
    it are moved, so that it shrinks in every round.
    """
    gap = average_steps * float(cents.sum()) - float(steps @ cents)
    while abs(gap) > tolerance:
        fits = cents <= abs(gap) + tolerance
        fits &= (gap > 0) | (steps > lowest)
        order = generator.permutation(np.flatnonzero(fits))
        moved = order[: np.searchsorted(np.cumsum(cents[order]), abs(gap) + tolerance, "right")]
        if len(moved) == 0:
            break
        sign = 1 if gap > 0 else -1
        steps[moved] += sign
        gap -= sign * float(cents[moved].sum())
    return gap


def _draw_terms(
    n: int, settings: TapeSettings, generator: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw remaining amortisation terms and maturities (months) from terms and ages."""
    share = np.array([term.share for term in settings.terms])
    kind = generator.choice(len(share), size=n, p=share / share.sum())
    age = generator.integers(settings.lowest_age, settings.highest_age, size=n, endpoint=True)
    amortization = np.array([term.amortization_term for term in settings.terms])[kind] - age
    maturity = np.array([term.original_term for term in settings.terms])[kind] - age
    return amortization, maturity


def behind_by_state(settings: TapeSettings) -> Ints:
    """Return the instalments that a loan of each live state is behind at cut-off."""
    behind = settings.instalments_behind
    return np.array(
        [*PAYING, behind.d180, behind.bankruptcy, behind.foreclosure, behind.reo], dtype=np.int64
    )
