"""Flows of a block of paths → in which months notes have too little collateral behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats, NoteFlows, PoolFlows
from hemc.outputs.estimates import HALF_CENT

Flags = NDArray[np.bool_]


class Collateral(NamedTuple):
    """What path figures and monthly series have in common, worked out once a block.

    `undercollateralized` is that of the unwrapped pass, the others are those of the wrapped one.
    """

    has_notes: Flags  # [p, t] whether notes were outstanding at the beginning of the month
    shortfall: Floats  # [p, t] what OC lacks of its target, or of the pool where that is less, USD
    exhausted: Flags  # [p, t] whether no OC was left under outstanding notes
    undercollateralized: Flags  # [p, t] whether notes exceeded the pool or were written down


def collateral(cash: PoolFlows, wrapped: NoteFlows, unwrapped: NoteFlows) -> Collateral:
    """Compare notes and pool in every month."""
    outstanding = over_classes(wrapped.balance) > HALF_CENT
    has_notes, has_notes_after = outstanding[:, :-1], outstanding[:, 1:]
    oc = wrapped.oc[:, 1:]
    wanted = np.minimum(wrapped.oc_target, cash.balance[:, 1:])
    no_oc = has_notes_after & (oc <= HALF_CENT)
    written_down = over_classes(unwrapped.writedown) > HALF_CENT
    return Collateral(
        has_notes,
        np.where(has_notes, np.maximum(wanted - oc, 0.0), 0.0),
        no_oc | (wrapped.draw_principal > HALF_CENT),
        (unwrapped.oc[:, 1:] < -HALF_CENT) | written_down,
    )


def undercollateralized_classes(
    cash: PoolFlows, notes: NoteFlows, paths: NDArray[np.int64]
) -> Iterator[Flags]:
    """Yield for each class in which months it lacks collateral on `paths`, bool[len(paths), t].

    It does in a month in which it is written down, and where it is outstanding and exceeds the pool
    together with the classes before it. Some class does where `undercollateralized` is true.
    """
    pool = cash.balance[paths, 1:]
    down_to = np.zeros_like(pool)
    for k in range(notes.balance.shape[2]):
        balance = notes.balance[paths, 1:, k]
        down_to += balance
        exceeds = (balance > HALF_CENT) & (down_to > pool + HALF_CENT)
        yield exceeds | (notes.writedown[paths, :, k] > HALF_CENT)


def over_classes(amounts: Floats) -> Floats:
    """Return the sum of amounts[p, t, k] over classes, float64[p, t]."""
    # Class by class: NumPy's sum along rows of a few values takes five times as long.
    total = amounts[:, :, 0].copy()
    for k in range(1, amounts.shape[2]):
        total += amounts[:, :, k]
    return total
