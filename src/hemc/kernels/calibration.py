"""One chain of the sampler of roll rates: tables given rates, rates given tables, recorded.

Data augmentation for Markov chains known by their stocks alone (ten Cate 2014, "Maximum likelihood
estimation of the Markov chain model with macro data and the ecological inference model"): the
unseen tables of moves are part of what is sampled.
"""

from __future__ import annotations

from typing import NamedTuple

from hemc.kernels.dice import Dice
from hemc.kernels.jit import kernel
from hemc.kernels.loan_paths import Way
from hemc.kernels.loan_switches import redraw_loans
from hemc.kernels.move_tables import (
    Cycles,
    Occupied,
    Series,
    Tables,
    change_exits,
    exchange_months,
    gather_evidence,
)
from hemc.kernels.row_rates import Prior, Rates, draw_rates
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import CHARGED_OFF, CURRENT, N_LIVE, PAID_OFF


class Effort(NamedTuple):
    """How often each kind of step is proposed in one sweep, and how many sweeps a draw takes."""

    exchanges: int  # along cycles, in each month
    swaps: int  # in each month
    redraws: int  # in each window
    switches: int  # in each window
    thin: int
    warm_up: int  # draws whose sweeps do not count in the sums


class Chain(NamedTuple):
    """Everything that one chain changes."""

    tables: Tables
    rates: Rates
    way: Way
    occupied: Occupied
    dice: Dice


class Record(NamedTuple):
    """Draws of a chain, each a row, and sums over every sweep.

    Rates of rare moves have long tails, of which a few thousand draws say little. Sums are
    therefore over all sweeps, and of expectations given a sweep's tables where these are known
    (Rao and Blackwell; Gelfand and Smith 1990, "Sampling-based approaches to calculating marginal
    densities", section 2.4).
    """

    rows: Floats  # [draw, deal, live state, state] mean probabilities in the last month
    payoff_current: Floats  # [draw, interval]
    last_stock: Ints  # [draw, deal, live state] stocks at each deal's last date
    sums: Floats  # [probability | its square, deal, live state, state], over sweeps


@step
def record_rows(series: Series, prior: Prior, rates: Rates, e: int, rows: Floats) -> None:
    """Write a deal's mean probabilities as of its last date e."""
    for s in range(N_LIVE):
        payoff = rates.payoff_current[series.interval[e]] if s == CURRENT else rates.payoff[s]
        left = (1.0 - payoff) * (1.0 - rates.loss[s])
        for j in range(PAID_OFF):
            rows[s, j] = left * rates.rest[s, j]
        rows[s, PAID_OFF] = payoff
        rows[s, CHARGED_OFF] = (1.0 - payoff) * rates.loss[s]


@step
def record_draw(series: Series, prior: Prior, chain: Chain, record: Record, draw: int) -> None:
    """Write one draw."""
    for i in range(chain.rates.payoff_current.size):
        record.payoff_current[draw, i] = chain.rates.payoff_current[i]
    for e in range(series.is_last.size):
        if series.is_last[e]:
            deal = series.deal[e]
            rest = chain.rates.rest[CURRENT]
            weight = chain.rates.weight[e, CURRENT]
            stay = 1.0 - weight[PAID_OFF] - weight[CHARGED_OFF]
            for j in range(PAID_OFF):
                rest[j] = weight[j] / stay
            record_rows(series, prior, chain.rates, e, record.rows[draw, deal])
            for s in range(N_LIVE):
                record.last_stock[draw, deal, s] = chain.tables.stock[e, s]


@step
def add_cell(sums: Floats, deal: int, s: int, j: int, first: float, second: float) -> None:
    """Add a probability and its square, or what is expected of them."""
    sums[0, deal, s, j] += first
    sums[1, deal, s, j] += second


@step
def add_expected_row(rates: Rates, s: int, deal: int, sums: Floats) -> None:
    """Add what is expected of a delinquent row given the tables and its charge-off rate.

    Payoff is a beta, the other moves are a Dirichlet of its own (`row_rates.draw_row`).
    """
    evidence, loss = rates.evidence[s], rates.loss[s]
    out, rest = evidence[PAID_OFF], 0.0
    for j in range(PAID_OFF):
        rest += evidence[j]
    kept = rest + evidence[CHARGED_OFF]
    total = out + kept
    stays, stays_square = kept / total, kept * (kept + 1.0) / (total * (total + 1.0))
    left, left_square = stays * (1.0 - loss), stays_square * (1.0 - loss) ** 2
    for j in range(PAID_OFF):
        n = evidence[j]
        square = n * (n + 1.0) / (rest * (rest + 1.0))
        add_cell(sums, deal, s, j, left * n / rest, left_square * square)
    add_cell(sums, deal, s, PAID_OFF, out / total, out * (out + 1.0) / (total * (total + 1.0)))
    add_cell(sums, deal, s, CHARGED_OFF, stays * loss, stays_square * loss**2)


@step
def add_sweep(rates: Rates, rows: Floats, sums: Floats) -> None:
    """Add a sweep's probabilities of all deals, and their squares."""
    for deal in range(rows.shape[0]):
        for j in range(rows.shape[2]):
            p = rows[deal, CURRENT, j]
            add_cell(sums, deal, CURRENT, j, p, p * p)
        for s in range(CURRENT + 1, N_LIVE):
            add_expected_row(rates, s, deal, sums)


@step
def redraw_all(series: Series, prior: Prior, effort: Effort, chain: Chain) -> None:
    """Redraw and switch loans in each window of dates."""
    tables, weight, way, dice = chain.tables, chain.rates.weight, chain.way, chain.dice
    redraws, switches = effort.redraws, effort.switches
    redraw_loans(series, tables, weight, prior.start, way, dice, redraws, switches)


@step
def exchange_all(
    series: Series, cycles: Cycles, prior: Prior, effort: Effort, chain: Chain
) -> None:
    """Exchange destinations in each month; the rates of delinquent rows are out of date then."""
    tables, rates = chain.tables, chain.rates
    gather_evidence(series, tables, prior.row, rates.evidence)
    exchange_months(
        series, tables, rates.weight, rates.evidence, cycles, chain.occupied, chain.dice,
        effort.exchanges, effort.swaps,
    )  # fmt: skip


@kernel
def run_chain(
    series: Series,
    cycles: Cycles,
    prior: Prior,
    effort: Effort,
    chain: Chain,
    record: Record,
    draws: tuple[int, int],
) -> None:
    """Run a chain on until it has filled the draws from the first to before the last."""
    tables, rates, dice = chain.tables, chain.rates, chain.dice
    for draw in range(draws[0], draws[1]):
        for _ in range(effort.thin):
            change_exits(series, tables, rates.weight, dice)
            redraw_all(series, prior, effort, chain)
            exchange_all(series, cycles, prior, effort, chain)
            draw_rates(series, tables, prior, rates, dice)
            record_draw(series, prior, chain, record, draw)  # the last sweep's stays
            if draw >= effort.warm_up:
                add_sweep(rates, record.rows[draw], record.sums)
