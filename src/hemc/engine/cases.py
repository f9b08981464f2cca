"""A changed assumption goes in; the same paths under it come out, on common random numbers."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import polars as pl

from hemc.config import Config, LoadedConfig
from hemc.engine.calibration import Calibration, calibrate, with_classes
from hemc.engine.documents import Documents
from hemc.engine.paths import Progress, simulate
from hemc.engine.run_model import build_model
from hemc.model.innovations import Sampling
from hemc.scale.block import RunModel, vary_block
from hemc.scale.pieces import Pieces
from hemc.scale.store import RunStore
from hemc.scale.threads import Workers, block_ranges

#: Sections of the configuration that the calibration depends on.
_CALIBRATING = ("inputs", "tape", "roll_rates", "prepayment", "loss")


class Case(NamedTuple):
    """A run under an assumption of its own."""

    name: str
    setting: str
    loaded: LoadedConfig
    documents: Documents


def case_model(case: Case, base: tuple[LoadedConfig, Calibration], sampling: Sampling) -> RunModel:
    """Return the model of a case, its paths drawn as the run's are.

    The calibration of `base` serves again where nothing that it rests on has changed, but for the
    latent classes that its mean roll rates are split into.
    """
    config, base_config = case.loaded.config, base[0].config
    calibration = base[1]
    if not _same_calibration(config, _with_classes_of(config, base_config)):
        calibration = calibrate(case.loaded, case.documents)
    elif config.roll_rates.classes != base_config.roll_rates.classes:
        calibration = with_classes(calibration, config, case.documents)
    return build_model(config, case.documents, calibration).sampled(sampling)


def play_case(
    case: Case,
    base: tuple[LoadedConfig, Calibration],
    sampling: Sampling,
    n_paths: int,
    pieces: Pieces,
    workers: Workers,
    progress: Progress,
) -> RunStore:
    """Simulate the first paths of a run under the case, into `pieces`; see `case_model`."""
    config = case.loaded.config
    model = case_model(case, base, sampling)
    store = RunStore(pieces)
    simulate(config, model, store, n_paths, progress, workers, config.outputs.band_paths)
    return store


def compare_models(
    models: tuple[RunModel, ...],
    n_paths: int,
    block_paths: int,
    workers: Workers,
    progress: Progress = lambda n_paths: None,
) -> list[pl.DataFrame]:
    """Return what sensitivities compare of the first paths under each model."""
    blocks = []
    ranges = block_ranges(n_paths, block_paths)
    for block in workers.map_blocks(partial(vary_block, models), ranges):
        blocks.append(block)
        progress(sum(map(len, block)))
    return [pl.concat(tables) for tables in zip(*blocks, strict=True)]


def _with_classes_of(other: Config, config: Config) -> Config:
    """Return a configuration with the number of latent classes of another."""
    roll_rates = config.roll_rates.model_copy(update={"classes": other.roll_rates.classes})
    return config.model_copy(update={"roll_rates": roll_rates})


def _same_calibration(one: Config, other: Config) -> bool:
    """Tell whether two configurations lead to the same tape and roll rates."""
    return one.simulation.seed == other.simulation.seed and all(
        getattr(one, name) == getattr(other, name) for name in _CALIBRATING
    )
