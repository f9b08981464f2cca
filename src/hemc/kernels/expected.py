"""Rules of a linear ledger × a path's moves → its expected flows; no draws.

Loans are pooled into cells of one rate and maturity. A row holds, cell by cell, an expected sum
over the loans in a state, or a flow of the month. Every rule takes a share of a row to another one,
so a month is a list of rules, and the list read backwards values what is lost in the end.
"""

from __future__ import annotations

from typing import NamedTuple

from hemc.kernels.flows import Floats, Ints
from hemc.kernels.jit import kernel
from hemc.kernels.records import Records
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


class Rule:
    """Row `target` += chance of the move × factor by cell × row `source`.

    `move` is state × N_STATES + destination; the move after the last always happens.
    """

    source: int
    target: int
    move: int
    factor: int  # row of the ledger's factors


class Ledger(NamedTuple):
    """What a month does to loans before their maturity, to those after it, and on reaching it."""

    rules: Records[Rule]  # [rule] in order of the phases
    first: Ints  # [phase + 1] first rule of each phase, then the number of rules
    factors: Floats  # [factor, cell]


#: Phases of a ledger.
BEFORE_MATURITY, AFTER_MATURITY, AT_MATURITY = range(3)


class Work(NamedTuple):
    """Working memory of a block."""

    cumulative: Floats  # [class, state, t, d + 1]
    chance: Floats  # [t, move + 1]
    rows: Floats  # [2, row, cell]


ALWAYS = N_LIVE * N_STATES


@step
def apply(
    ledger: Ledger, phase: int, chance: Floats, x: Floats, out: Floats, begin: int, end: int
) -> None:
    """Add what a phase's rules make of rows `x` to rows `out` in cells begin … end − 1."""
    for r in range(ledger.first[phase], ledger.first[phase + 1]):
        rule = ledger.rules[r]
        p = chance[rule.move]
        if p != 0.0 and end > begin:
            source, target = x[rule.source, begin:end], out[rule.target, begin:end]
            factor = ledger.factors[rule.factor, begin:end]
            for i in range(source.size):
                target[i] += p * factor[i] * source[i]


@step
def clear(rows: Floats) -> None:
    """Set all rows to zero."""
    for r in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            rows[r, i] = 0.0


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
    for column in range(N_COLUMNS):
        row = FIRST_FLOW + column
        if column >= STATE_LOANS:
            row = LOANS * N_LIVE + column - STATE_LOANS
        elif column >= STATE_BALANCE:
            row = BALANCE * N_LIVE + column - STATE_BALANCE
        out[column] += total(rows[row])


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
) -> None:
    """Add one latent class's expected flows to `months[t, column]`.

    `rows[0]` holds its sums at cut-off and zero flows, `rows[1]` is worked in.
    """
    n = maturity.size
    for t in range(months.shape[0]):
        new, still = rows[(t + 1) & 1], unmatured(maturity, t + 2, n)
        clear(new)
        for phase in range(3):
            begin, end = (still, n) if phase == AT_MATURITY else (0, n)
            if phase == AFTER_MATURITY:
                begin, end = n, maturity.size
            read = t + 1 if phase == AT_MATURITY else t
            apply(ledger, phase, chance[t], rows[read & 1], new, begin, end)
        close_month(new, months[t])
        n = still


@step
def value_path(
    ledger: Ledger, maturity: Ints, chance: Floats, current: Ints, value: Floats
) -> None:
    """Work backwards to `value[0, row, cell]`: the loss to come of a USD in each row at cut-off.

    `current` are the rows of what is repaid at maturity and loses nothing more.
    """
    n_months = chance.shape[0]
    clear(value[n_months & 1])
    for t in range(n_months - 1, -1, -1):
        after, before = value[(t + 1) & 1], value[t & 1]
        for i in range(maturity.size):
            after[FIRST_FLOW + LOSS, i] = 1.0
        clear(before)
        n = unmatured(maturity, t + 1, maturity.size)
        for j in range(current.size):
            for i in range(unmatured(maturity, t + 2, n), n):
                after[current[j], i] = 0.0
        for phase in range(AT_MATURITY):
            begin, end = (0, n) if phase == BEFORE_MATURITY else (n, maturity.size)
            apply(ledger, phase, chance[t], after, before, begin, end)


@kernel
def expect_paths(
    cells: Cells, ledgers: tuple[Ledger, Ledger], rates: MoveRates, factors: PathFactors,
    shares: tuple[Floats, Ints], work: Work, out: tuple[Floats, Floats],
) -> None:  # fmt: skip
    """Work out the expected flows of a block of paths.

    `ledgers` are those of flows and of loss; `shares` the latent classes [class, state] of the
    loans at cut-off and the rows that are current; `out` are zeroed: months [p, t, N_COLUMNS] and
    lifetime loss by origin [p, class, state].
    """
    share, current = shares
    rows = work.rows
    for p in range(factors.credit.shape[0]):
        credit, prepayment = factors.credit[p], factors.prepayment[p]
        cumulate_path(rates, credit, prepayment, factors.charge_off[p], work.cumulative)
        for c in range(share.shape[0]):
            decumulate(rates, work.cumulative[c], work.chance)
            start_path(cells.sums, share[c], rows[0])
            expect_path(ledgers[0], cells.maturity, work.chance, rows, out[0][p])
            value_path(ledgers[1], cells.maturity, work.chance, current, rows)
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
