"""Months known by their stocks × prior → chains of tables and rates, run side by side."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hemc.kernels.calibration import Chain, Effort, Record, run_chain
from hemc.kernels.dice import throw
from hemc.kernels.flows import Floats
from hemc.kernels.loan_paths import Way
from hemc.kernels.move_tables import Occupied
from hemc.kernels.row_rates import Prior, fill_weights
from hemc.model.move_cycles import move_cycles
from hemc.model.series_months import SeriesMonths
from hemc.model.series_prior import first_rates
from hemc.model.series_start import first_tables
from hemc.states import N_LIVE, N_STATES

#: Proposals in one sweep: exchanges along cycles and swaps in each month's table, and loans redrawn
#: and switched in all windows together.
_EXCHANGES, _SWAPS, _REDRAWS, _SWITCHES = 40, 80, 240, 30
#: Draws after which a chain looks whether it should stop.
_CHUNK = 25


def run_chains(
    months: SeriesMonths,
    prior: Prior,
    sweeps_per_draw: int,
    n_draws: int,
    warm_up: int,
    chains: Sequence[Chain],
    threads: int,
) -> list[Record]:
    """Run chains on threads for `n_draws` draws each; a chain is the same whatever their number.

    The sweeps of the first `warm_up` draws are left out of the sums.
    """
    n_windows = max(len(months.series.windows), 1)
    redraws, switches = max(_REDRAWS // n_windows, 1), max(_SWITCHES // n_windows, 1)
    effort = Effort(_EXCHANGES, _SWAPS, redraws, switches, sweeps_per_draw, warm_up)
    cycles = move_cycles(typical_table(months, chains))
    stop = threading.Event()

    def follow(chain: Chain) -> Record:
        record = empty_record(months, n_draws)
        for draw in range(0, n_draws, _CHUNK):
            if stop.is_set():
                break
            draws = (draw, min(draw + _CHUNK, n_draws))
            run_chain(months.series, cycles, prior, effort, chain, record, draws)
        return record

    with ThreadPoolExecutor(threads, thread_name_prefix="hemc-chain") as pool:
        try:
            return list(pool.map(follow, chains))
        finally:
            stop.set()


def first_chain(months: SeriesMonths, prior: Prior, seed: int, c: int) -> Chain:
    """Return chain number `c` before its first sweep; chains start from different tables."""
    generator = np.random.Generator(np.random.Philox(key=[seed, c + 1]))
    rates = first_rates(prior, months, generator)
    fill_weights(months.series, prior, rates)
    mean = rates.weight[~months.series.is_first].mean(axis=0)
    tables = first_tables(months, mean, generator)
    windows = months.series.windows
    longest = int((windows[:, 1] - windows[:, 0]).max(initial=0)) + 1
    way = Way(
        np.zeros(longest, dtype=np.int64), np.zeros(longest, dtype=np.int64),
        np.zeros((longest, N_STATES)),
    )  # fmt: skip
    occupied = Occupied(
        np.zeros(N_LIVE * N_STATES, dtype=np.int64), np.zeros((4, 2), dtype=np.int64)
    )
    return Chain(tables, rates, way, occupied, throw(seed, c))


def typical_table(months: SeriesMonths, chains: Sequence[Chain]) -> Floats:
    """Return the moves to be expected in a month of these deals, float64[live state, state]."""
    later = ~months.series.is_first
    weight = chains[0].rates.weight[later].mean(axis=0)
    count = np.mean([chain.tables.stock.mean(axis=0) for chain in chains], axis=0)
    return np.asarray((count[:, None] + 0.1) * weight)


def empty_record(months: SeriesMonths, n_draws: int) -> Record:
    """Return a record with room for all draws of a chain."""
    n_deals = len(months.names)
    return Record(
        np.zeros((n_draws, n_deals, N_LIVE, N_STATES)),
        np.zeros((n_draws, max(len(months.intervals), 1))),
        np.zeros((n_draws, n_deals, N_LIVE), dtype=np.int64),
        np.zeros((2, n_deals, N_LIVE, N_STATES)),
    )
