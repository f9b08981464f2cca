"""A traced path → text of 80 columns: a header, months three abreast, and loans on request."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from hemc.kernels.flows import NoteFlows
from hemc.model.loan_history import LoanHistory
from hemc.outputs.trace import Line, PathTrace, last_month, trace_lines
from hemc.states import NAMES

#: Months that stand beside each other; three amounts of a pool of a billion fit 80 columns.
MONTHS_ABREAST = 3

_NAME_WIDTH, _CELL_WIDTH = 29, 17


def trace_screen(
    trace: PathTrace, notes: NoteFlows, n_paths: int, months: range | None = None
) -> Iterator[str]:
    """Yield the header and the months asked for, by default to the end of the deal."""
    last = last_month(trace, notes)
    yield from _header(trace, n_paths, last, notes is trace.unwrapped)
    shown = months or range(1, last + 1)
    lines = [line for line in trace_lines(trace, notes) if _is_shown(line)]
    for first in range(shown.start, shown.stop, MONTHS_ABREAST):
        yield ""
        yield from _block(trace, lines, range(first, min(first + MONTHS_ABREAST, shown.stop)))


def loan_screen(number: str, history: LoanHistory) -> Iterator[str]:
    """Yield a loan's history, a line for each stay in a state and the cash of the stay."""
    yield ""
    lost = f"{history.loss.sum():,.2f} lost" if history.loss.sum() > 0.0 else "nothing lost"
    yield f"Loan {number}: {history.balance[0]:,.2f} at cut-off, {lost}"
    heads = ("balance", "principal", "interest", "loss")
    yield f"  {'months':<10}{'state':<13}" + "".join(f"{head:>13}" for head in heads)
    for state, stay in groupby(range(history.state.size), key=lambda t: history.state[t]):
        months = list(stay)
        sums = (x[max(months[0], 1) - 1 : months[-1]].sum() for x in history[3:])
        cells = "".join(f"{x:>13,.2f}" for x in (history.balance[months[-1]], *sums))
        yield f"  {_span(months):<10}{NAMES[state]:<13}{cells}"


def _span(months: list[int]) -> str:
    """Return the first and last of consecutive months."""
    return str(months[0]) if len(months) == 1 else f"{months[0]}-{months[-1]}"


def _is_shown(line: Line) -> bool:
    """Tell whether a line says anything: steps always do, other amounts unless always zero."""
    return line.section == "order of payments" or not line.is_zero


def _header(trace: PathTrace, n_paths: int, last: int, is_unwrapped: bool) -> Iterator[str]:
    """Yield which path this is and what became of it."""
    row: dict[str, Any] = trace.row
    deal = trace.deal
    yield f"{deal.issuer} {deal.series}, group {deal.group}: path {row['path']} of {n_paths:,}"
    yield (
        f"Pool loss {row['pool_loss']:,.2f} USD ({row['pool_loss_pct']:.2f} % of the pool), "
        f"rank {trace.rank:,}"
    )
    fails = row["insurer_default_month"]
    failure = f"; the insurer fails in month {fails}" if fails else ""
    yield f"Draws {row['draws']:,.2f} USD{failure}; {last} months to the deal's end"
    if is_unwrapped:
        yield "Below the notes are paid without the insurer."


def _block(trace: PathTrace, lines: list[Line], months: range) -> Iterator[str]:
    """Yield some months beside each other."""
    yield f"{'':<{_NAME_WIDTH}}" + "".join(f"{_heading(trace, m):>{_CELL_WIDTH}}" for m in months)
    chosen = np.array(months) - 1
    for section, inside in groupby(lines, key=lambda line: line.section):
        yield section[0].upper() + section[1:]
        for line in inside:
            cells = (f"{_cell(x, line.unit):>{_CELL_WIDTH}}" for x in line.values[chosen])
            yield f"  {line.name:<{_NAME_WIDTH - 2}.{_NAME_WIDTH - 2}}" + "".join(cells)


def _heading(trace: PathTrace, month: int) -> str:
    """Return the number and the calendar month of a month."""
    at = trace.first_payment.year * 12 + trace.first_payment.month - 2 + month
    return f"{month}: {at // 12}-{at % 12 + 1:02d}"


def _cell(value: float, unit: str) -> str:
    """Return a figure in its unit."""
    if unit == "flag":
        return "yes" if value else "no"
    return f"{value:,.2f}" if unit == "USD" else f"{value:.4f}"
