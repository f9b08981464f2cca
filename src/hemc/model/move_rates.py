"""Counts of one month's moves and a prior → rates with intervals, every row a Dirichlet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import betaincinv

from hemc.inputs.move_counts import MoveCounts, can_happen
from hemc.inputs.product import Product
from hemc.kernels.flows import Floats, Ints
from hemc.model.roll_rates import PRIOR_DRIVEN
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    FORECLOSURE,
    N_LIVE,
    N_STATES,
    NAMES,
    PAID_OFF,
)

#: Jeffreys' prior of a multinomial row: half a loan in each cell.
_JEFFREYS = 0.5

#: Where a product's current loans can be a month later (hemc.inputs.product.CurrentRow).
_MOVES_OF_CURRENT = [CURRENT, D30, BANKRUPTCY, FORECLOSURE, PAID_OFF, CHARGED_OFF]


class MoveRates(NamedTuple):
    """Monthly rates among the states shown, each float64[live state, state]; nan where no move.

    Rates are those of loans that do not go to a hidden state in the month. `outside` are counted
    moves that the prior excludes; they enter no rate.
    """

    counts: Ints
    prior_mean: Floats
    prior_sd: Floats
    mean: Floats
    sd: Floats
    p5: Floats
    p95: Floats
    outside: Ints


def fit_move_rates(moves: MoveCounts, product: Product | None) -> MoveRates:
    """Update Dirichlet rows by counts of one month; without a product the prior is Jeffreys'.

    The product's row of current loans has no Dirichlet: its moves get Jeffreys' prior.
    """
    prior = _prior(moves.hidden, product)
    counts = moves.possible(1)
    inside = np.where(prior > 0, counts, 0)
    prior_mean, prior_sd = _moments(prior)
    mean, sd = _moments(prior + inside)
    p5, p95 = (_quantile(prior + inside, level) for level in (0.05, 0.95))
    return MoveRates(inside, prior_mean, prior_sd, mean, sd, p5, p95, counts - inside)


def _prior(hidden: tuple[int, ...], product: Product | None) -> Floats:
    """Return the pseudo-counts of moves between shown states, float64[live state, state]."""
    prior = np.where(can_happen(1), _JEFFREYS, 0.0)
    if product is not None:
        prior = product.pseudo_counts()
        prior[CURRENT, _MOVES_OF_CURRENT] = _JEFFREYS
    prior[:, list(hidden)] = 0.0
    prior[[s for s in hidden if s < N_LIVE]] = 0.0
    return prior


def _moments(weight: Floats) -> tuple[Floats, Floats]:
    """Return means and standard deviations of Dirichlet rows."""
    total = weight.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(weight > 0, weight / total, np.nan)
        return mean, np.sqrt(mean * (1.0 - mean) / (total + 1.0))


def _quantile(weight: Floats, level: float) -> Floats:
    """Return a quantile of each cell, which is beta distributed."""
    rest = weight.sum(axis=1, keepdims=True) - weight
    found = np.full(weight.shape, np.nan)
    found[weight > 0] = 1.0
    free = (weight > 0) & (rest > 0)
    found[free] = betaincinv(weight[free], rest[free], level)
    return found


def move_rate_table(rates: MoveRates, deal: str) -> pl.DataFrame:
    """Return a row a move with the columns of roll_rates.parquet and the count."""
    cells = [(s, to) for s in range(N_LIVE) for to in range(N_STATES) if rates.mean[s, to] > 0]
    at = tuple(np.array(cells).T)
    ratio = np.where(rates.prior_sd[at] > 0, rates.sd[at] / rates.prior_sd[at], 1.0)
    return pl.DataFrame(
        {
            "deal": [deal] * len(cells),
            "latent_class": ["all"] * len(cells),
            "from_state": [NAMES[s] for s, _ in cells],
            "to_state": [NAMES[to] for _, to in cells],
            "count": rates.counts[at],
            "reported_ratio": pl.Series([None] * len(cells), dtype=pl.Float64),
            "prior_mean": rates.prior_mean[at],
            "prior_sd": rates.prior_sd[at],
            "posterior_mean": rates.mean[at],
            "posterior_sd": rates.sd[at],
            "p5": rates.p5[at],
            "p95": rates.p95[at],
            "sd_ratio": ratio,
            "prior_driven": ratio > PRIOR_DRIVEN,
        }
    )
