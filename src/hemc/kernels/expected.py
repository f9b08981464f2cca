"""Rules of a linear ledger × a path's moves → its expected flows; no draws.

Loans are pooled into cells of one rate and maturity. A row holds, cell by cell, an expected sum
over the loans in a state, or a flow of the month. Every rule takes a share of a row to another one,
so a month is a list of rules, and the list read backwards values what is lost in the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, Ints
from hemc.kernels.jit import kernel
from hemc.kernels.step import step
from hemc.kernels.transitions import MoveRates, PathFactors, cumulate_path
from hemc.states import N_LIVE, N_STATES

#: Sums over the loans in a state: loans; level payments, balances; the same two, each times the
#: instalments that the loan is behind. Row `sum × N_LIVE + state`; rows of flows follow.
LOANS, PAYMENT, BALANCE, BALANCE_BEHIND, PAYMENT_BEHIND = range(5)
N_SUMS = 5

INTEREST, SCHEDULED, PREPAID, PROCEEDS, LOSS, NET_RATE_BALANCE, PAYOFFS, CHARGE_OFFS = range(8)
N_FLOWS = 8
FIRST_FLOW = N_SUMS * N_LIVE
N_ROWS = FIRST_FLOW + N_FLOWS

#: Columns of a month's output: the flows, then balance and loans by state.
STATE_BALANCE, STATE_LOANS = N_FLOWS, N_FLOWS + N_LIVE
N_COLUMNS = N_FLOWS + 2 * N_LIVE


class Cells(NamedTuple):
    """Loans of one rate and maturity added up; cells stand in order of maturity, latest first."""

    growth: Floats  # [cell] 1 + monthly rate
    net_share: Floats  # [cell] of interest, after the servicing fee
    maturity: Ints  # [cell] months from cut-off
    sums: Floats  # [sum, live state, cell] at cut-off


class Rules(NamedTuple):
    """Rules of a month: `target` row += chance of the move × factor × `source` row.

    `move` is state × N_STATES + destination; the move after the last always happens.
    """

    source: Ints  # [rule]
    target: Ints  # [rule]
    move: Ints  # [rule]
    factor: Ints  # [rule] row of `factors`
    factors: Floats  # [factor, cell]


class Ledger(NamedTuple):
    """What a month does to loans before their maturity, to those after it, and on reaching it."""

    scheduled: Rules
    matured: Rules
    maturing: Rules


class LossLedger(NamedTuple):
    """The rules of a ledger that loss depends on."""

    scheduled: Rules
    matured: Rules


ALWAYS = N_LIVE * N_STATES


@step
def apply(rules: Rules, chance: Floats, x: Floats, out: Floats, first: int, last: int) -> None:
    """Add what the rules make of rows `x` to rows `out` in cells first … last − 1."""
    for r in range(rules.source.size):
        p = chance[rules.move[r]]
        if p != 0.0 and last > first:
            source = x[rules.source[r], first:last]
            target = out[rules.target[r], first:last]
            factor = rules.factors[rules.factor[r], first:last]
            for i in range(source.size):
                target[i] += p * factor[i] * source[i]


@step
def unmatured(maturity: Ints, month: int, n: int) -> int:
    """Return how many of the first n cells have their maturity in or after a month."""
    while n > 0 and maturity[n - 1] < month:
        n -= 1
    return n


@step
def total(x: Floats) -> float:
    """Add up all cells, in four running sums since each addition waits for the one before."""
    a = b = c = d = 0.0
    whole = x.size // 4 * 4
    for i in range(0, whole, 4):
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
    for i in range(whole, x.size):
        a += x[i]
    return (a + b) + (c + d)


@step
def close_month(rows: Floats, out: Floats) -> None:
    """Add a month's rows, totalled over cells, to its output."""
    for j in range(N_FLOWS):
        out[j] += total(rows[FIRST_FLOW + j])
    for s in range(N_LIVE):
        out[STATE_BALANCE + s] += total(rows[BALANCE * N_LIVE + s])
        out[STATE_LOANS + s] += total(rows[LOANS * N_LIVE + s])


@step
def decumulate(rates: MoveRates, cumulative: Floats, chance: Floats) -> None:
    """Take chances out of cumulative rows: [state, t, best first] → `chance[t, move]`."""
    for t in range(chance.shape[0]):
        chance[t, ALWAYS] = 1.0
        for s in range(N_LIVE):
            below = 0.0
            for j in range(rates.n_destinations[s] + 1):
                move = s * N_STATES + rates.destination[s, j]
                chance[t, move] = cumulative[s, t, j] - below
                below = cumulative[s, t, j]


@step
def expect_path(
    ledger: Ledger, maturity: Ints, chance: Floats, rows: Floats, months: Floats
) -> None:  # fmt: skip
    """Add one latent class's expected flows to `months[t, column]`.

    `rows[0]` holds its sums at cut-off and zero flows, `rows[1]` is worked in.
    """
    n_cells = n = maturity.size
    for t in range(months.shape[0]):
        old, new = rows[t & 1], rows[(t + 1) & 1]
        new.fill(0.0)
        apply(ledger.scheduled, chance[t], old, new, 0, n)
        apply(ledger.matured, chance[t], old, new, n, n_cells)
        still = unmatured(maturity, t + 2, n)
        apply(ledger.maturing, chance[t], new, new, still, n)
        close_month(new, months[t])
        n = still


@step
def value_path(
    ledger: LossLedger, maturity: Ints, chance: Floats, current: Ints, value: Floats
) -> None:  # fmt: skip
    """Work backwards to `value[0, row, cell]`: the loss to come of a USD in each row at cut-off.

    `current` are the rows of what is repaid at maturity and loses nothing more.
    """
    n_cells, n_months = maturity.size, chance.shape[0]
    value[n_months & 1] = 0.0
    for t in range(n_months - 1, -1, -1):
        after, before = value[(t + 1) & 1], value[t & 1]
        after[FIRST_FLOW + LOSS] = 1.0
        before.fill(0.0)
        n = unmatured(maturity, t + 1, n_cells)
        for row in current:
            for i in range(unmatured(maturity, t + 2, n), n):
                after[row, i] = 0.0
        apply(ledger.scheduled, chance[t], after, before, 0, n)
        apply(ledger.matured, chance[t], after, before, n, n_cells)


@kernel
def expect_paths(
    cells: Cells, ledgers: tuple[Ledger, LossLedger], rates: MoveRates, factors: PathFactors,
    share: Floats, current: Ints, out: tuple[Floats, Floats],
) -> None:  # fmt: skip
    """Work out the expected flows of a block of paths.

    `share[class, state]` are the latent classes of the loans in a state at cut-off; `out` are
    zeroed: months [p, t, N_COLUMNS] and lifetime loss by origin [p, class, state].
    """
    n_months, n_classes, n_states, width = rates.threshold.shape
    ledger, loss_ledger = ledgers
    cumulative = np.empty((n_classes, n_states, n_months, width + 1))
    chance = np.zeros((n_months, ALWAYS + 1))
    rows = np.zeros((2, N_ROWS, cells.maturity.size))
    for p in range(factors.credit.shape[0]):
        credit, prepayment = factors.credit[p], factors.prepayment[p]
        cumulate_path(rates, credit, prepayment, factors.charge_off[p], cumulative)
        for c in range(n_classes):
            decumulate(rates, cumulative[c], chance)
            start_path(cells.sums, share[c], rows[0])
            expect_path(ledger, cells.maturity, chance, rows, out[0][p])
            value_path(loss_ledger, cells.maturity, chance, current, rows)
            lose_by_origin(cells.sums, share[c], rows[0], out[1][p, c])


@step
def start_path(sums: Floats, share: Floats, rows: Floats) -> None:
    """Give a latent class its share of the loans in each state at cut-off."""
    for q in range(N_SUMS):
        for s in range(N_LIVE):
            for i in range(sums.shape[2]):
                rows[q * N_LIVE + s, i] = share[s] * sums[q, s, i]


@step
def lose_by_origin(sums: Floats, share: Floats, value: Floats, out: Floats) -> None:
    """Add lifetime loss by state at cut-off to `out[state]`."""
    for s in range(N_LIVE):
        for q in (PAYMENT, BALANCE):
            for i in range(sums.shape[2]):
                out[s] += share[s] * value[q * N_LIVE + s, i] * sums[q, s, i]
