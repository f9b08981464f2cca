"""A configuration goes in; what a study around a run changes one setting at a time comes out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from hemc.config import LoadedConfig
from hemc.engine.calibration import Calibration, calibrate
from hemc.engine.documents import Documents, read_documents
from hemc.engine.paths import Progress, choose_sampling
from hemc.engine.run_model import build_model
from hemc.model.innovations import Sampling
from hemc.scale.block import RunModel
from hemc.scale.losses import Losses, join_losses, lose_block
from hemc.scale.threads import Threads, block_ranges


class Study(NamedTuple):
    """A run's documents and calibration, made once, and how its paths are drawn."""

    loaded: LoadedConfig
    documents: Documents
    calibration: Calibration
    model: RunModel  # of the run itself
    sampling: Sampling
    workers: Threads

    @property
    def title(self) -> str:
        """Deal and certificate, for the top of a screen."""
        deal, date = self.documents.deal, self.documents.certificate.payment_date
        return f"{deal.issuer} {deal.series}, group {deal.group}, certificate of {date}"

    @property
    def unit_paths(self) -> int:
        """Number of consecutive paths in the independent unit of standard errors."""
        return self.loaded.config.simulation.unit_paths

    def whole_units(self, n_paths: int) -> int:
        """Return the nearest number of paths below that cuts no unit in two, one unit at least."""
        return max(n_paths // self.unit_paths, 1) * self.unit_paths

    def under(self, settings: Mapping[str, Any]) -> RunModel:
        """Return the model under other settings, with the run's calibration and random numbers."""
        config = self.loaded.replaced(settings).config
        return build_model(config, self.documents, self.calibration).sampled(self.sampling)

    def lose(self, model: RunModel, n_paths: int, progress: Progress) -> Losses:
        """Return what the first paths lose under a model."""
        ranges = block_ranges(n_paths, self.loaded.config.simulation.block_paths)
        blocks = []
        for block in self.workers.map_blocks(partial(lose_block, model), ranges):
            blocks.append(block)
            progress(len(block.pool))
        return join_losses(blocks)


def prepare_study(loaded: LoadedConfig) -> Study:
    """Read, calibrate and compile the run that a study turns around."""
    documents = read_documents(loaded)
    calibration = calibrate(loaded, documents)
    model = build_model(loaded.config, documents, calibration)
    workers = Threads(loaded.config.simulation.threads)
    sampling = choose_sampling(loaded.config, model, workers)
    return Study(loaded, documents, calibration, model.sampled(sampling), sampling, workers)
