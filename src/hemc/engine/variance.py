"""A run's model goes in; what the variance of lifetime loss comes from goes out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from hemc.config import Config
from hemc.kernels.flows import Floats
from hemc.model.innovations import PLAIN
from hemc.model.scenario import FactorModel
from hemc.model.simulation import PoolModel, simulate_block
from hemc.outputs.variance_split import no_split, split_variance
from hemc.scale.block import RunModel
from hemc.scale.threads import Workers, block_ranges

#: Twins of each kind, and what is added to the run's seed for other draws.
TWINS = 500
_OTHER_LOANS, _OTHER_PATHS = 0x10A5, 0xFAC7


def split_loss_variance(config: Config, model: RunModel, workers: Workers) -> pl.DataFrame:
    """Return how much of the variance of lifetime loss each source of chance makes.

    Twins of a path share its roll rates and factors and differ in loans, or share its roll rates
    alone. Without draws of the roll rates there is nothing to split, and no row.
    """
    if model.pool.draws is None:
        return no_split()
    seed = config.simulation.seed
    other_loans = model.pool._replace(seed=(seed + _OTHER_LOANS) % 2**64)
    other_pool = model.pool._replace(seed=(seed + _OTHER_PATHS) % 2**64)
    other_factors = replace(model.factors, seed=(seed + _OTHER_PATHS) % 2**64)

    def losses(pool: PoolModel, factors: FactorModel) -> Floats:
        work = partial(_lifetime_losses, pool, replace(factors, sampling=PLAIN))
        blocks = block_ranges(TWINS, config.simulation.block_paths)
        return np.concatenate(list(workers.map_blocks(work, blocks)))

    return split_variance(
        losses(model.pool, model.factors),
        losses(other_loans, model.factors),
        losses(other_pool, other_factors),
        float(model.pool.pool.balance.sum()),
    )


def _lifetime_losses(
    pool: PoolModel, factors: FactorModel, first_path: int, n_paths: int
) -> Floats:
    """Return the lifetime loss of consecutive paths, float64[p] USD."""
    flows = simulate_block(pool, factors.draw(first_path, n_paths), first_path)
    return np.asarray(flows.cash.loss.sum(axis=1))
