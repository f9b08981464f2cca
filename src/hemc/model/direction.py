"""A pilot of a few hundred paths → the directions over months along which the factors matter.

The pilot has a seed of its own, so that the run's paths are independent of what it finds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hemc.kernels.factors import autoregress_paths
from hemc.kernels.flows import Floats
from hemc.model.importance import Tilt, choose_tilt
from hemc.model.innovations import (
    PLAIN,
    SOBOL_CREDIT,
    SOBOL_PREPAYMENT,
    Directions,
    coordinates,
    draw_innovations,
    orthonormal,
)
from hemc.model.scenario import FactorModel
from hemc.model.simulation import PoolModel, simulate_block
from hemc.settings.scenario import ScenarioSettings
from hemc.settings.simulation import SimulationSettings

PILOT_PATHS = 512

_SEED_OF_PILOT = 0x5DEECE66D  # added to the run's seed
_WAVES = 6
_FLOOR = 0.01  # of the mean loss, so that a path without a loss has a logarithm


class PilotBlock(NamedTuple):
    """What a block of pilot paths tells."""

    credit: Floats  # [p, t] innovations
    loss: Floats  # [p] lifetime loss, USD
    balance: Floats  # [p, t] pool at the beginning of each month, USD


def pilot_block(pool: PoolModel, factors: FactorModel, first_path: int, n_paths: int) -> PilotBlock:
    """Simulate consecutive pilot paths of a run's model, drawn plainly from the pilot's seed."""
    seed = (factors.seed + _SEED_OF_PILOT) % 2**64
    own = replace(factors, seed=seed, sampling=PLAIN)
    flows = simulate_block(pool._replace(seed=seed), own.draw(first_path, n_paths), first_path)
    drawn = draw_innovations(PLAIN, seed, first_path, n_paths, factors.n_months)
    return PilotBlock(drawn.credit, flows.cash.loss.sum(axis=1), flows.cash.balance[:, :-1])


def directions_from_pilot(blocks: list[PilotBlock], settings: ScenarioSettings) -> Directions:
    """Return the main direction of lifetime loss and further principal directions.

    Principal directions are those of a factor's level, weighted by the pool left in each month.
    """
    # All paths first, sums after: whatever the blocks, the same bits.
    credit, loss, balance = (np.concatenate(part) for part in zip(*blocks, strict=True))
    pool = balance.sum(axis=0)
    weight = pool / pool[0]
    main = main_direction(credit, loss)
    more = principal_directions(settings.credit_persistence, weight, SOBOL_CREDIT)
    prepayment = principal_directions(settings.prepayment_persistence, weight, SOBOL_PREPAYMENT)
    return Directions(orthonormal(np.vstack([main, more]))[:SOBOL_CREDIT], prepayment)


def tilt_from_pilot(
    blocks: list[PilotBlock], directions: Directions, settings: SimulationSettings
) -> Tilt:
    """Return where importance sampling shifts the main direction to."""
    credit, loss, _ = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return choose_tilt(
        coordinates(credit, directions.credit[0]), log_losses(loss),
        settings.tail_probability, settings.unshifted_share,
    )  # fmt: skip


def log_losses(loss: Floats) -> Floats:
    """Return the logarithm of losses float64[p], with a floor below; zero where nothing is lost."""
    return np.log(loss + _FLOOR * loss.mean()) if loss.any() else np.zeros(loss.size)


def main_direction(credit: Floats, loss: Floats) -> Floats:
    """Return the unit vector float64[t] along which credit innovations [p, t] move log loss [p].

    Regression on a few cosines of √month: smooth, with most room where months matter most. Where
    all losses are equal nothing is known and the months count alike.
    """
    n_months = credit.shape[1]
    place = np.sqrt((np.arange(n_months) + 0.5) / n_months)
    waves = np.cos(np.pi * np.outer(np.arange(min(_WAVES, n_months)), place))
    log_loss = log_losses(loss)
    if np.ptp(log_loss) == 0.0:
        return np.full(n_months, n_months**-0.5)
    slope = np.linalg.lstsq(credit @ waves.T, log_loss - log_loss.mean(), rcond=None)[0]
    direction = slope @ waves
    return np.asarray(direction / np.linalg.norm(direction))


def principal_directions(persistence: float, weight: Floats, n: int) -> Floats:
    """Return the n orthonormal directions that move an AR(1)'s weighted level most, [n, t]."""
    n_months = weight.size
    response = np.empty((n_months, n_months))  # row: impulse in that month, column: level
    autoregress_paths(np.eye(n_months), persistence, 1.0, response)
    left, _, _ = np.linalg.svd(response * weight)
    return np.ascontiguousarray(left[:, :n].T)
