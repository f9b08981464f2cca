"""A configuration goes in; what would run, its size and a measured guess of its time come out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from hemc.config import LoadedConfig
from hemc.engine.study import Study, prepare_study
from hemc.engine.variance import TWINS
from hemc.engine.variations import variations
from hemc.kernels.jit import is_cold
from hemc.scale.block import BlockResult, run_block
from hemc.scale.threads import block_ranges

#: Paths of each thread that are simulated to see how long a path takes.
_TRIED_PATHS = 64


class Plan(NamedTuple):
    """What a command would do; `parts` are numbers of paths by what they are for."""

    title: str
    parts: Mapping[str, int]
    n_months: int
    n_loans: int
    n_threads: int
    is_cold: bool  # kernels are compiled first
    seconds_to_prepare: float
    seconds_a_path: float
    bytes_a_path: float  # of the run's files at most

    @property
    def n_paths(self) -> int:
        """Paths of all parts."""
        return sum(self.parts.values())

    @property
    def seconds(self) -> float:
        """Time of preparing and simulating; tables and report take some seconds more."""
        return self.seconds_to_prepare + self.seconds_a_path * self.n_paths


def plan_run(study: Study, seconds: float, was_cold: bool, more: Mapping[str, int]) -> Plan:
    """Time a few paths of a prepared run; `more` are paths that a study would add to it."""
    n_tried = _TRIED_PATHS * study.workers.n_threads
    work = partial(run_block, study.model, 0)
    list(study.workers.map_blocks(work, [(0, 1)]))  # loads the kernels
    start = time.perf_counter()
    blocks = list(study.workers.map_blocks(work, block_ranges(n_tried, _TRIED_PATHS)))
    a_path = (time.perf_counter() - start) / n_tried
    size = sum(_largest_size(block) for block in blocks) / n_tried
    return Plan(
        study.title, {**dict(_parts(study)), **more}, study.model.n_months,
        len(study.calibration.tape), study.workers.n_threads, was_cold, seconds, a_path, size,
    )  # fmt: skip


def timed_study(loaded: LoadedConfig) -> tuple[Study, float, bool]:
    """Return a prepared run, the seconds that it took, and whether kernels had to be compiled."""
    was_cold, start = is_cold(), time.perf_counter()
    study = prepare_study(loaded)
    return study, time.perf_counter() - start, was_cold


def _parts(study: Study) -> Iterator[tuple[str, int]]:
    """Yield what a run simulates, the largest number of paths that it may take."""
    config = study.loaded.config
    n_paths = config.simulation.paths
    yield "the run", n_paths
    beside = min(config.outputs.sensitivity_paths, n_paths)
    n_cases = len(list(variations(study.loaded, study.documents)))
    if beside and n_cases:
        yield f"{n_cases} other assumptions", n_cases * study.whole_units(beside)
    if study.calibration.draws is not None:
        yield "twins of paths", 3 * TWINS


def _largest_size(block: BlockResult) -> int:
    """Return the bytes of a block's rows, which the files of a run hold compressed."""
    return int(block.paths.estimated_size() + block.next_month.estimated_size())
