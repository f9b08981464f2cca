"""Everything that happened on one path → its rows by section, and a table with a row a month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hemc.inputs.deal import Deal
from hemc.kernels.flows import Floats, Ints, NoteFlows
from hemc.kernels.transitions import PathFactors
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.loan_history import LoanHistory
from hemc.model.oc_target import trigger_flows
from hemc.model.simulation import BlockFlows
from hemc.states import CURRENT, N_LIVE, NAMES

#: An amount of less is none, USD.
_HALF_CENT = 0.005


class PathTrace(NamedTuple):
    """One path of a finished run: flows and notes of a block of one path, and the run's row."""

    deal: Deal
    first_payment: dt.date  # a date in the month of the projection's first payment
    row: dict[str, Any]  # of paths.parquet
    rank: int  # of the path's pool loss, 1 for the largest
    monthly: MonthlyDeal
    factors: PathFactors
    flows: BlockFlows
    default_month: Ints  # [1] from 0, from which on the insurer pays nothing
    wrapped: NoteFlows
    unwrapped: NoteFlows


class Line(NamedTuple):
    """One figure by month; `unit` is "USD", "flag" or "number"."""

    section: str
    name: str
    values: Floats  # [t]
    unit: str = "USD"

    @property
    def is_zero(self) -> bool:
        """Whether this is an amount of nothing in every month."""
        return self.unit == "USD" and bool((np.abs(self.values) < _HALF_CENT).all())


def trace_lines(trace: PathTrace, notes: NoteFlows) -> Iterator[Line]:
    """Yield every figure of a path in reading order; `notes` is its wrapped or unwrapped pass."""
    yield from _pool_lines(trace)
    yield from _factor_lines(trace)
    yield from _payment_lines(trace, notes)
    yield from _oc_lines(trace, notes)
    yield from _class_lines(trace, notes)


def last_month(trace: PathTrace, notes: NoteFlows) -> int:
    """Return the last month in which there is a pool or a note, or the insurer is owed."""
    open_ = trace.flows.cash.balance[0, :-1] + notes.balance[0, :-1].sum(axis=1)
    open_ = open_ + np.append(0.0, notes.unreimbursed[0, :-1])
    return int(np.flatnonzero(open_ > _HALF_CENT)[-1]) + 1


def months_table(trace: PathTrace, notes: NoteFlows) -> pl.DataFrame:
    """Return a row a month with a column a figure, named section.figure."""
    lines = list(trace_lines(trace, notes))
    n_months = lines[0].values.size
    first = trace.first_payment
    starts = [first.year * 12 + first.month - 1 + t for t in range(n_months)]
    columns: dict[str, Any] = {
        "month": np.arange(1, n_months + 1),
        "payment": [f"{m // 12}-{m % 12 + 1:02d}" for m in starts],
    }
    columns |= {f"{line.section}.{line.name}": line.values for line in lines}
    return pl.DataFrame(columns)


def loans_table(loans: list[tuple[str, LoanHistory]]) -> pl.DataFrame:
    """Return a row a loan and month, month 0 at cut-off."""
    return pl.concat(
        pl.DataFrame(
            {
                "loan": number,
                "month": np.arange(h.state.size),
                "state": [NAMES[s] for s in h.state],
                "balance": h.balance,
                "principal": np.append(0.0, h.principal),
                "interest": np.append(0.0, h.interest),
                "loss": np.append(0.0, h.loss),
            }
        )
        for number, h in loans
    )


def _pool_lines(trace: PathTrace) -> Iterator[Line]:
    """Yield the pool's balances and flows."""
    cash = trace.flows.cash
    yield Line("pool", "balance at beginning", cash.balance[0, :-1])
    for name, values in (
        ("interest collections", cash.interest),
        ("recoveries", cash.recoveries),
        ("scheduled principal", cash.scheduled),
        ("prepaid principal", cash.prepaid),
        ("proceeds of charge-offs", cash.proceeds),
        ("loss", cash.loss),
    ):
        yield Line("pool", name, values[0])
    yield Line("pool", "balance at end", cash.balance[0, 1:])
    for s in range(N_LIVE):
        if s != CURRENT:
            yield Line("pool", f"of it {NAMES[s]}", trace.flows.state_balance[0, :, s])


def _factor_lines(trace: PathTrace) -> Iterator[Line]:
    """Yield what moved all loans together."""
    yield Line("factors", "credit (probit units)", trace.factors.credit[0], "number")
    yield Line("factors", "payoff multiplier", trace.factors.prepayment[0], "number")
    yield Line("factors", "charge-off multiplier", trace.factors.charge_off[0], "number")


def _payment_lines(trace: PathTrace, notes: NoteFlows) -> Iterator[Line]:
    """Yield the steps in the deal's order with their amounts, and the insurer's draws."""
    cash = trace.flows.cash
    collected = cash.interest + cash.recoveries + cash.scheduled + cash.prepaid + cash.proceeds
    yield Line("order of payments", "available", collected[0])
    for j, step in enumerate(trace.deal.steps):
        yield Line("order of payments", step.label, notes.step_paid[0, :, j])
    yield Line("insurer", "draw for interest", notes.draw_interest[0])
    yield Line("insurer", "draw for principal", notes.draw_principal[0])
    yield Line("insurer", "owed to it at end", notes.unreimbursed[0])


def _oc_lines(trace: PathTrace, notes: NoteFlows) -> Iterator[Line]:
    """Yield overcollateralisation, its target, and each trigger with value and threshold."""
    yield Line("overcollateralization", "amount", notes.oc[0, 1:])
    yield Line("overcollateralization", "target", notes.oc_target[0])
    for trigger in trigger_flows(trace.monthly.oc, trace.flows.cash):
        section = f"trigger {trigger.name}"
        yield Line(section, "value", trigger.value[0], "number")
        yield Line(section, "threshold", trigger.threshold, "number")
        yield Line(section, "tripped", trigger.is_tripped[0].astype(np.float64), "flag")


def _class_lines(trace: PathTrace, notes: NoteFlows) -> Iterator[Line]:
    """Yield what each class received and what it is left with."""
    for k, note in enumerate(trace.deal.classes):
        section = f"class {note.name}"
        yield Line(section, "interest", notes.interest[0, :, k])
        yield Line(section, "interest unpaid at end", notes.shortfall[0, :, k])
        if note.kind == "notional":
            continue
        yield Line(section, "principal", notes.principal[0, :, k])
        yield Line(section, "written down", notes.writedown[0, :, k])
        yield Line(section, "written up", notes.write_up[0, :, k])
        yield Line(section, "balance at end", notes.balance[0, 1:, k])
