"""Loan rows → their totals as a certificate prints them, and where the two differ."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import polars as pl

from hemc.states import N_LIVE, NAMES


@dataclass(frozen=True)
class TapeTotals:
    """What a certificate publishes about the loans at cut-off.

    `count` and `balance` (USD, to the cent) have one entry per live state in the order of
    hemc.states. `net_rate` is the weighted average net loan rate per year; `net_rate_digits` is
    the number of decimals of the printed per cent figure.
    """

    count: tuple[int, ...]
    balance: tuple[Decimal, ...]
    net_rate: Decimal
    net_rate_digits: int

    @property
    def n_loans(self) -> int:
        """Active loans of all states."""
        return sum(self.count)

    @property
    def pool_balance(self) -> Decimal:
        """Balance of all states, USD."""
        return sum(self.balance, Decimal(0))

    @property
    def net_rate_unit(self) -> Decimal:
        """One unit in the last printed place of the net rate, per year as a fraction."""
        return Decimal(1).scaleb(-2 - self.net_rate_digits)


class TapeDifference(NamedTuple):
    """One total in which a tape and a certificate differ; `difference` = tape - certificate."""

    what: str
    certificate: Decimal
    tape: Decimal
    difference: Decimal


def check_tape(
    tape: pl.DataFrame, totals: TapeTotals, servicing_fee: float
) -> tuple[TapeDifference, ...]:
    """Compare the loans of a tape with a certificate's totals; only what differs is returned.

    Counts and balances (USD, to the cent) per live state and for the pool, and the average net
    rate (per year, to the printed digits) with `servicing_fee` per year taken off gross rates.
    """
    found = totals_of_tape(tape, servicing_fee, totals.net_rate_digits)
    pairs = [
        ("loans", Decimal(totals.n_loans), Decimal(found.n_loans)),
        ("pool balance", totals.pool_balance, found.pool_balance),
        ("average net rate", totals.net_rate, found.net_rate),
    ]
    for s in range(N_LIVE):
        pairs.append((f"loans {NAMES[s]}", Decimal(totals.count[s]), Decimal(found.count[s])))
        pairs.append((f"balance {NAMES[s]}", totals.balance[s], found.balance[s]))
    return tuple(
        TapeDifference(what, printed, ours, ours - printed)
        for what, printed, ours in pairs
        if ours != printed
    )


def totals_of_tape(tape: pl.DataFrame, servicing_fee: float, net_rate_digits: int) -> TapeTotals:
    """Add up a tape as a certificate would: balances in whole cents, the net rate as printed.

    The average net rate (per year) is rounded half up to `net_rate_digits` of its per cent figure.
    """
    cents = (pl.col("balance") * 100).round().cast(pl.Int64)
    by_state = {
        state: (n, total)
        for state, n, total in tape.group_by("state")
        .agg(pl.len(), cents.sum().alias("cents"))
        .rows()
    }
    rows = [by_state.get(state, (0, 0)) for state in NAMES[:N_LIVE]]
    gross_interest = tape.select((pl.col("gross_rate") * cents).sum()).item()
    net_rate = Decimal(gross_interest / sum(total for _, total in rows)) - Decimal(servicing_fee)
    unit = Decimal(1).scaleb(-2 - net_rate_digits)
    return TapeTotals(
        count=tuple(n for n, _ in rows),
        balance=tuple(Decimal(total).scaleb(-2) for _, total in rows),
        net_rate=net_rate.quantize(unit, ROUND_HALF_UP),
        net_rate_digits=net_rate_digits,
    )
