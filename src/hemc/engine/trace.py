"""A finished run and the choice of a path go in, all that happened on that path comes out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from pydantic import BaseModel

from hemc.config import Config, LoadedConfig
from hemc.engine.calibration import calibrate
from hemc.engine.documents import Documents, next_payment, read_documents
from hemc.engine.paths import choose_sampling
from hemc.engine.run_model import build_model
from hemc.errors import InputError, InternalError
from hemc.inputs.scenario_file import read_scenario_file
from hemc.inputs.toml import validate
from hemc.kernels.jit import KERNEL_DIGEST
from hemc.model.loan_history import LoanHistory, PathDraws, loan_histories
from hemc.outputs.run_files import RunFiles
from hemc.outputs.trace import PathTrace
from hemc.scale.block import play_block, story_figures
from hemc.scale.threads import Threads

#: Choices of a path by its pool loss, as a share of the paths from the smallest loss up.
RANKS = {"median": 0.5, "p99": 0.99, "worst": 1.0}

#: A figure may differ from the run's by so much, relative to it or in USD.
_ROUNDING = 1e-9


class _Input(BaseModel):
    sha256: str


class _Traced(BaseModel):
    """What manifest.json tells of a run that is simulated again."""

    configuration_folder: str
    configuration: dict[str, Any]
    inputs: dict[str, _Input]
    kernel_digest: str


class TracedRun(NamedTuple):
    """A path of a finished run, its figures now, its draws, and the tape behind them."""

    trace: PathTrace
    figures: dict[str, Any]  # as in the run's row
    draws: PathDraws | None  # None for a large pool, in which no loan is drawn
    tape: pl.DataFrame
    n_paths: int

    @property
    def n_months(self) -> int:
        """Length of the projection."""
        return int(self.trace.flows.cash.loss.shape[1])

    def loans(self, n_loans: int) -> list[tuple[str, LoanHistory]]:
        """Return number and history of `n_loans` loans, the largest losses first."""
        if self.draws is None:
            found = 'a run with simulation.method = "large-pool"'
            raise InputError("--loans", "", found, "a run that draws its loans")
        numbers = self.tape.sort("loan")["loan"].to_list()
        place = self.draws.model.pool.loan
        histories = loan_histories(self.draws, n_loans)
        return [(str(numbers[place[history.i]]), history) for history in histories]


def trace_path(folder: Path, choice: str, inputs: Path | None = None) -> TracedRun:
    """Simulate one path of a finished run again and return all that happened on it.

    `choice` is the number of a path or one of RANKS. Inputs are sought where the run found them,
    or from the folder `inputs` on. Raises InputError for no such run or path, and for inputs or
    kernels that are not those of the run; InternalError where the path comes out otherwise.
    """
    run = RunFiles(folder)
    rows = _read_paths(run)
    path = choose_path(rows, choice, folder)
    loaded = _loaded(run, inputs)
    documents = read_documents(loaded)
    _require_same_inputs(run, documents)
    calibration = calibrate(loaded, documents)
    model = build_model(loaded.config, documents, calibration)
    model = model.sampled(choose_sampling(loaded.config, model, Threads()))
    story = play_block(model, path, 1)
    figures = story_figures(model, story, path).row(0, named=True)
    row = rows.row(path, named=True)
    _require_same_figures(run, figures, row)
    first = next_payment(documents)
    trace = PathTrace(documents.deal, first, row, _rank(rows, path), model.deal, *story)
    draws = PathDraws(model.pool, story.factors, path, model.method)
    return TracedRun(
        trace, figures, None if model.large_pool else draws, calibration.tape, len(rows)
    )


def choose_path(rows: pl.DataFrame, choice: str, folder: Path) -> int:
    """Return the number of a path by number, or by the rank of its pool loss."""
    if choice in RANKS:
        by_loss = rows.sort("pool_loss", "path")["path"]
        # The quantile of outputs/estimates.py: the smallest loss that so many paths do not exceed.
        rank = max(-int(-RANKS[choice] * len(rows) // 1), 1)
        return int(by_loss[rank - 1])
    if choice.isdecimal() and int(choice) < len(rows):
        return int(choice)
    expected = f"0 to {len(rows) - 1}, or one of {', '.join(RANKS)}"
    raise InputError(folder, "path", f"'{choice}'", expected)


def _rank(rows: pl.DataFrame, path: int) -> int:
    """Return the rank of a path by pool loss, 1 for the largest."""
    loss = rows["pool_loss"]
    return int((loss > loss[path]).sum()) + 1


def _read_paths(run: RunFiles) -> pl.DataFrame:
    """Return the run's rows, one a path in the order of their numbers."""
    rows = run.table("paths")
    if rows is None:
        raise InputError(run.folder, "", "no paths.parquet", "the folder of a finished run")
    return rows


def _loaded(run: RunFiles, inputs: Path | None) -> LoadedConfig:
    """Return the run's resolved configuration as if it had just been read."""
    file = run.folder / "manifest.json"
    if "configuration_folder" not in run.record:
        expected = "'configuration_folder' (run it again)"
        raise InputError(file, "", "a run of an earlier version of hemc", expected)
    traced = validate(_Traced, run.record, file)
    folder = inputs or Path(traced.configuration_folder)
    config = validate(Config, traced.configuration, file)
    loaded = LoadedConfig(config, folder / f"{config.name}.toml", {}, {})
    # What the scenario file sets is in the configuration; its macroeconomic path is not.
    path = loaded.scenario_path
    return loaded if path is None else loaded._replace(scenario=read_scenario_file(path))


def _require_same_inputs(run: RunFiles, documents: Documents) -> None:
    """Refuse inputs that are not those that the run read."""
    for name, path in documents.paths.items():
        recorded = run.record["inputs"].get(name, {}).get("sha256", "none")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != recorded:
            raise InputError(
                path, "", f"a {name} changed since the run (SHA-256 {found[:12]}…)",
                f"the {name} that it read ({recorded[:12]}…); restore it, or run again",
            )  # fmt: skip


def _require_same_figures(run: RunFiles, traced: dict[str, Any], row: dict[str, Any]) -> None:
    """Refuse a path whose figures are not those of the run's row."""
    differing = [name for name in row if not _is_same(traced.get(name), row[name])]
    if not differing:
        return
    name = differing[0]
    found = f"{name} {row[name]} of path {row['path']}, where {traced.get(name)} comes out"
    if run.record["kernel_digest"] != KERNEL_DIGEST:
        expected = f"the kernels of the run ({run.record['kernel_digest']}); run again"
        raise InputError(run.folder, "paths.parquet", found, expected)
    raise InternalError(f"{run.folder}: paths.parquet holds {found} by the same kernels")


def _is_same(traced: object, recorded: object) -> bool:
    """Tell whether a figure is that of the run but for rounding."""
    if isinstance(traced, float) and isinstance(recorded, float):
        return abs(traced - recorded) <= _ROUNDING * max(1.0, abs(recorded))
    return traced == recorded
