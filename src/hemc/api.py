"""hemc from Python, in the words of the command line.

import hemc
config = hemc.load_config("configs/base.toml", {"scenario.stress_shift": 0.4})
result = hemc.run(config, paths=1000)
result.measures                      # a polars frame
hemc.write_run(result, "results/stressed")
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hemc import config as configuration
from hemc import engine
from hemc.config import LoadedConfig
from hemc.engine import RunResult
from hemc.inputs import certificate as certificates
from hemc.inputs.certificate import Certificate
from hemc.outputs.report.document import write_report
from hemc.outputs.results import write_run as write_run_files


def load_config(file: str | Path, settings: Mapping[str, Any] | None = None) -> LoadedConfig:
    """Read a configuration; `settings` maps dotted keys to values that replace the file's.

    Raises InputError with every fault of the file, or with the key that does not exist.
    """
    return configuration.load_config(Path(file), settings)


def run(
    config: LoadedConfig | str | Path,
    paths: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    strict: bool = False,
) -> RunResult:
    """Simulate a configuration and return its tables; nothing is written.

    The options are those of `hemc run`. Raises InputError for input that cannot be used and
    TieOutError where `strict` and an identity of the certificate fails.
    """
    options = {"paths": paths, "seed": seed, "threads": threads}
    named = {f"simulation.{k}": v for k, v in options.items() if v is not None}
    if not isinstance(config, LoadedConfig):
        config = load_config(config)
    return engine.run(config.replaced(named), lambda n_paths: None, strict)


def write_run(result: RunResult, folder: str | Path) -> None:
    """Write all files of a run, report included, into a folder that appears when whole."""
    write_run_files(result, Path(folder), write_report)


def read_certificate(file: str | Path) -> Certificate:
    """Read a servicing certificate; raises InputError for a file that is none."""
    return certificates.read_certificate(Path(file))
