"""Roll rates and a multiple → roll rates of which the worsening moves are that much likelier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats, Ints
from hemc.model.class_moves import WORSENING, kinds_of_moves
from hemc.settings.multiples import MultipleSettings
from hemc.states import CURRENT, D180, KEYS, N_LIVE, N_STATES, PAID_OFF

#: A row of which all moves are multiplied has none to take from or give to.
_ALL = 1.0 - 1e-12


def multiply_roll_rates(rates: Floats, order: Ints, settings: MultipleSettings) -> Floats:
    """Return rates float64[..., live state, state] with the chosen moves multiplied.

    Let w be the probability of a row's chosen moves given no payoff. It becomes 1 − (1 − w)^m
    (hazard) or min(m·w, 1) (probability); the chosen moves keep their proportions, as do the
    others, which take what is left, and payoff stays. `order` lists destinations, worst first.
    """
    multiple = settings.roll_rate
    if multiple == 1.0:
        return rates
    chosen = multiplied_cells(order, settings.roll_rate_cells)
    kept = 1.0 - rates[..., PAID_OFF]
    before = np.divide(
        np.where(chosen, rates, 0.0).sum(axis=-1), kept, out=np.zeros_like(kept), where=kept > 0.0
    )
    after = (
        1.0 - (1.0 - np.minimum(before, 1.0)) ** multiple
        if settings.roll_rate_form == "hazard"
        else np.minimum(multiple * before, 1.0)
    )
    turns = (before > 0.0) & (before < _ALL)
    up = np.divide(after, before, out=np.ones_like(before), where=turns)
    rest = np.divide(1.0 - after, 1.0 - before, out=np.ones_like(before), where=turns)
    factor = np.where(chosen, up[..., None], rest[..., None])
    factor[..., PAID_OFF] = 1.0
    return np.asarray(rates * factor)


def multiplied_cells(order: Ints, cells: str | tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which moves a multiple is about, bool[live state, state]."""
    if cells == "worsening":
        worse = kinds_of_moves(order) == WORSENING
        worse[:, PAID_OFF] = False
        return np.asarray(worse)
    named = np.zeros((N_LIVE, N_STATES), dtype=bool)
    if cells == "buckets":
        buckets = np.arange(CURRENT, D180)
        named[buckets, buckets + 1] = True
        return named
    for move in cells:
        start, _, end = move.partition("-")
        named[KEYS.index(start), KEYS.index(end)] = True
    return named
