"""Rows that can be counted → numbers of moves a given number of months ahead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hemc.inputs.move_counts import Counts
from hemc.inputs.panel_rows import Rows
from hemc.states import N_LIVE, N_STATES, PAID_OFF


def count_moves(rows: Rows, horizons: Sequence[int], last_month: int) -> Counts:
    """Count moves in whole loans, int64[horizon, live state, state]; impossible ones included.

    A move over h months joins two rows of a loan exactly h months apart; a loan that ended on the
    way is in its last state at the end. None leads to a loan that was sold or repurchased, nor
    beyond the panel's last month: there, loans that ended would be counted and others not.
    """
    counts = np.zeros((len(horizons), N_LIVE, N_STATES), dtype=np.int64)
    for ahead in range(1, min(max(horizons), len(rows.code) - 1) + 1):
        same_loan = rows.loan[ahead:] == rows.loan[:-ahead]
        months = np.where(same_loan, rows.month[ahead:] - rows.month[:-ahead], 0)
        start, end = rows.code[:-ahead], rows.code[ahead:]
        pair = (months > 0) & (start < N_LIVE) & (end < N_STATES)
        move = start * N_STATES + end
        for i, horizon in enumerate(horizons):
            if ahead <= horizon:
                seen = rows.month[:-ahead] <= last_month - horizon
                ended = (months < horizon) & (end >= PAID_OFF)
                reached = pair & seen & ((months == horizon) | ended)
                counts[i] += _tabulate(move[reached])
    return counts


def _tabulate(moves: NDArray[np.int64]) -> Counts:
    """Count coded moves, int64[live state, state]."""
    return np.bincount(moves, minlength=N_LIVE * N_STATES).reshape(N_LIVE, N_STATES)
