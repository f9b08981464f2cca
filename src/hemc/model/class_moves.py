"""Which part of each kind of move chronic loans make → a matrix for each latent class.

Of the moves out of a state, chronic loans make a fraction that depends on whether the move
improves, stays or worsens. Whatever the fractions, both classes' rates are non-negative and their
mix is the given matrix; chronic loans pay off as often as others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, Ints
from hemc.states import N_LIVE, N_STATES, PAID_OFF

IMPROVING, STAYING, WORSENING = range(3)
KINDS = ("improving", "staying", "worsening")


class LatentClasses(NamedTuple):
    """Matrices by latent class and the shares of a loan's class given its state at cut-off."""

    rates: Floats  # [class, live state, state]
    share: Floats  # [live state, class]


def kinds_of_moves(order: Ints) -> Ints:
    """Return the kind of each move, int64[live state, state]; payoff's has no meaning.

    `order` lists destinations other than payoff, worst first.
    """
    rank = np.zeros(N_STATES, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return np.asarray(np.sign(rank[:N_LIVE, None] - rank[None, :]) + 1)


def split_by_fractions(mean: Floats, order: Ints, fractions: Floats) -> LatentClasses:
    """Split a matrix into movers and chronic loans.

    `fractions` is the chronic loans' part of each kind of move, float64[..., live state, kind],
    each above 0 and below 1; axes before these are kept: many splits at once. A class's share of a
    state is its part of all moves other than payoff.
    """
    kinds = kinds_of_moves(order)
    part = fractions[..., np.arange(N_LIVE)[:, None], kinds]
    moves = mean.copy()
    moves[:, PAID_OFF] = 0.0
    total = np.maximum(moves.sum(axis=1), np.finfo(float).tiny)
    share = (moves * part).sum(axis=-1) / total
    part[..., PAID_OFF] = share
    chronic = _rows_that_add_up(mean * part)
    movers = _rows_that_add_up(mean * (1.0 - part))
    return LatentClasses(np.stack([movers, chronic]), np.stack([1.0 - share, share], axis=-1))


def _rows_that_add_up(mass: Floats) -> Floats:
    return np.asarray(mass / mass.sum(axis=-1, keepdims=True))
