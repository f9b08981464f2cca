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
from hemc.kernels.move_tables import Cycles, Series, Tables, change_exits, exchange_months
from hemc.kernels.row_rates import Prior, Rates, draw_rates
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints
from hemc.states import CHARGED_OFF, CURRENT, N_LIVE, PAID_OFF


class Effort(NamedTuple):
    """How often each kind of step is proposed in one sweep, and how many sweeps a draw takes."""

    exchanges: int  # in each month
    redraws: int  # in each window
    thin: int
    warm_up: int  # draws whose sweeps do not count in the sums


class Chain(NamedTuple):
    """Everything that one chain changes."""

    tables: Tables
    rates: Rates
    way: Way
    dice: Dice


class Record(NamedTuple):
    """Draws of a chain, each a row, and sums over every sweep.

    Rates of rare moves have long tails: of a draw's fifteen sweeps one says little of their
    standard deviation.
    """

    rows: Floats  # [draw, deal, live state, state] mean probabilities in the last month
    payoff_current: Floats  # [draw, interval]
    last_stock: Ints  # [draw, deal, live state] stocks at each deal's last date
    sums: Floats  # [probability | its square, deal, live state, state]


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
def add_sweep(rows: Floats, sums: Floats) -> None:
    """Add a sweep's probabilities of all deals, and their squares."""
    for deal in range(rows.shape[0]):
        for s in range(N_LIVE):
            for j in range(rows.shape[2]):
                sums[0, deal, s, j] += rows[deal, s, j]
                sums[1, deal, s, j] += rows[deal, s, j] * rows[deal, s, j]


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
            draw_rates(series, tables, prior, rates, dice)
            exchange_months(series, tables, rates.weight, cycles, dice, effort.exchanges)
            change_exits(series, tables, rates.weight, dice)
            redraw_loans(series, tables, rates.weight, prior.start, chain.way, dice, effort.redraws)
            record_draw(series, prior, chain, record, draw)  # the last sweep's stays
            if draw >= effort.warm_up:
                add_sweep(record.rows[draw], record.sums)
