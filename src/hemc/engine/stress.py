"""A stress file goes in; every scenario on the same paths, compared and weighted, comes out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import polars as pl

from hemc.config import LoadedConfig, load_config
from hemc.engine.cases import Case, play_case
from hemc.engine.documents import read_documents
from hemc.engine.paths import Progress
from hemc.engine.single_run import RunResult, run
from hemc.inputs.toml import read_toml, validate
from hemc.outputs.scenario_measures import ScenarioPaths, scenario_measures, weighted_measures
from hemc.scale.pieces import Scratch, temporary_pieces
from hemc.scale.threads import Threads
from hemc.settings.stress import StressFile


class StressResult(NamedTuple):
    """The base run of a batch and what its scenarios add."""

    file: StressFile
    base: RunResult
    scenarios: pl.DataFrame  # rows of scenarios.parquet
    months: pl.DataFrame  # rows of scenario_months.parquet


def read_stress_file(file: Path) -> StressFile:
    """Read a stress file; raises InputError with every fault."""
    return validate(StressFile, read_toml(file, "a stress file (configs/stress.toml)"), file)


def stressed_paths(file: Path, overrides: dict[str, str]) -> int:
    """Return the number of paths of all scenarios together."""
    stress = read_stress_file(file)
    loaded = load_config(file.parent / stress.run, overrides)
    return loaded.config.simulation.paths * len(stress.scenarios)


def stress_base(file: Path, overrides: dict[str, str]) -> LoadedConfig:
    """Return the run of a batch's first scenario, from which the others differ."""
    stress = read_stress_file(file)
    loaded = load_config(file.parent / stress.run, overrides)
    return _under(loaded, file.parent / stress.scenarios[0].file)


def run_stress(
    file: Path, overrides: dict[str, str], progress: Progress, scratch: Path | None = None
) -> StressResult:
    """Run every scenario of a stress file; `overrides` set keys of all of them.

    Raises InputError for a fault in the stress file, the configuration or a scenario file.
    """
    stress = read_stress_file(file)
    loaded = load_config(file.parent / stress.run, overrides)
    first, *others = [(e.name, _under(loaded, file.parent / e.file)) for e in stress.scenarios]
    cases = [Case(name, "", under, read_documents(under)) for name, under in others]
    workers = Threads(first[1].config.simulation.threads)
    base = run(first[1], progress, work=Scratch(scratch), workers=workers)
    unit = first[1].config.simulation.unit_paths
    original = float(base.documents.deal.original_notes)
    played = [ScenarioPaths(first[0], base.paths)]
    months = [_named(base.months, first[0])]
    for case in cases:
        store = play_case(
            case, (base.loaded, base.calibration), base.sampling, base.n_paths,
            temporary_pieces(scratch), workers, progress,
        )  # fmt: skip
        played.append(ScenarioPaths(case.name, store.paths.scan().collect()))
        months.append(_named(store.months.frame(), case.name))
    weighted = [
        weighted_measures(w.name, w.weights, played, original, unit) for w in stress.weightings
    ]
    table = pl.concat([scenario_measures(played, original, unit), *weighted])
    return StressResult(stress, base, table, pl.concat(months))


def _under(loaded: LoadedConfig, scenario: Path) -> LoadedConfig:
    """Return the configuration under a scenario file."""
    path = os.path.relpath(scenario, loaded.file.parent)
    return loaded.replaced({"scenario.file": Path(path)})


def _named(months: pl.DataFrame, scenario: str) -> pl.DataFrame:
    """Put the scenario's name before its series by month."""
    return months.select(pl.lit(scenario).alias("scenario"), pl.all())
