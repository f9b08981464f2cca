"""A model goes in; simulated paths, and checks and refinements upon them, come out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl

from hemc.config import Config, LoadedConfig
from hemc.model.direction import (
    PILOT_PATHS,
    directions_from_pilot,
    pilot_block,
    tilt_from_pilot,
)
from hemc.model.expected import large_pool, oracle_pool
from hemc.model.innovations import Sampling
from hemc.model.oracle import oracle_check, oracle_paths
from hemc.outputs.estimates import Estimate
from hemc.outputs.measures import measure_paths
from hemc.outputs.sample_size import relative_error, round_ends
from hemc.outputs.two_level import LARGE_POOL_PATHS, two_level_mean
from hemc.scale.block import RunModel, compare_block, large_pool_loss, run_block
from hemc.scale.store import RunStore
from hemc.scale.threads import Workers, block_ranges

#: Called with the number of paths done; a run reports after each block.
Progress = Callable[[int], None]

_ORACLE_BLOCK = 64  # whatever the run's, so that memory is bounded and sums are the same


def choose_sampling(config: Config, model: RunModel, workers: Workers) -> Sampling:
    """Return how innovations are drawn; methods that steer the main direction need a pilot."""
    method = config.simulation.sampling
    if method not in ("strata", "sobol", "importance") or config.scenario.factors == "off":
        return Sampling(method)
    work = partial(pilot_block, model.pool, model.factors)
    blocks = block_ranges(PILOT_PATHS, config.simulation.block_paths)
    pilot = list(workers.map_blocks(work, blocks))
    directions = directions_from_pilot(pilot, config.scenario)
    if method != "importance":
        return Sampling(method, directions)
    return Sampling(method, directions, tilt_from_pilot(pilot, directions, config.simulation))


def simulate_rounds(
    loaded: LoadedConfig,
    model: RunModel,
    store: RunStore,
    original: float,
    progress: Progress,
    workers: Workers,
) -> float | None:
    """Simulate until the target is met or there are `simulation.paths` paths.

    `original` is the original balance of the notes, USD. Returns the relative standard error of
    the target's figure, None without a target. A round that `store` has gone beyond, before the
    run was interrupted, did not meet the target.
    """
    config = loaded.config
    target = config.simulation.target
    reached = None
    if len(store):
        progress(len(store))
    for n_paths in round_ends(config.simulation):
        if n_paths < len(store):
            continue
        simulate(config, model, store, n_paths, progress, workers, config.outputs.band_paths)
        if target is not None:
            measures = measure_paths(store.paths.scan(), original, config.simulation.unit_paths)
            reached = relative_error(measures, target, loaded.file)
            if reached <= target.relative_error:
                break
    return reached


def simulate(
    config: Config,
    model: RunModel,
    store: RunStore,
    n_paths: int,
    progress: Progress,
    workers: Workers,
    band_paths: int = 0,
) -> None:
    """Run a model until `store` holds its first `n_paths` paths.

    `band_paths` is the number of first paths that the bands by month come from.
    """
    blocks = block_ranges(n_paths, config.simulation.block_paths, len(store))
    for block in workers.map_blocks(partial(run_block, model, band_paths), blocks):
        store.add(block)
        progress(len(block.paths))
    store.finish_piece()


def check_flows(config: Config, model: RunModel, n_paths: int, workers: Workers) -> pl.DataFrame:
    """Simulate a run's first paths again beside their expected flows."""
    few = 0 if model.large_pool else oracle_paths(config.simulation.oracle_paths, n_paths)
    if few == 0:
        return oracle_check([])
    work = partial(compare_block, model, oracle_pool(model.pool))
    return oracle_check(list(workers.map_blocks(work, block_ranges(few, _ORACLE_BLOCK))))


def refine_mean_loss(
    config: Config, model: RunModel, store: RunStore, workers: Workers
) -> Estimate:
    """Run large-pool paths and return the mean of lifetime loss by two levels, USD."""
    n_paths = (1 + LARGE_POOL_PATHS) * len(store)
    work = partial(large_pool_loss, large_pool(model.pool), model.factors)
    blocks = block_ranges(n_paths, config.simulation.block_paths)
    expected = list(workers.map_blocks(work, blocks))
    simulated = store.paths.scan().select("pool_loss").collect().to_series().to_numpy()
    return two_level_mean(simulated, np.concatenate(expected))
