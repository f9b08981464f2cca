"""Commands in; their wall time, stages, memory and answers, each from a fresh process, out."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import polars as pl

from benchmarks.plan import Plan
from benchmarks.timing import calibrate, line_through, seconds_of

Record = dict[str, Any]

ROOT = Path(__file__).parent.parent
_HEMC = (sys.executable, "-m", "hemc.cli")
_LAUNCH = (sys.executable, str(Path(__file__).parent / "launch.py"))
_TARGET = 0.01
#: Stages that do not depend on paths and sampling.
_FIXED_STAGES = ("read", "calibrate", "sensitivities")


class CommandFailedError(RuntimeError):
    """A command that was to be timed ended with an error."""


def launch(command: list[str], check: bool = True, **environment: str) -> Record:
    """Run a command from the repository's root; return seconds, peak_mb and exit_code.

    Python keeps its bytecode, as it does for a person, whatever the caller's environment says.
    Raises CommandFailedError with the end of what it printed where `check` and it fails.
    """
    with TemporaryDirectory() as folder:
        result, printed = Path(folder, "result.json"), Path(folder, "printed.txt")
        with printed.open("wb") as stream:
            subprocess.run(
                [*_LAUNCH, str(result), *command],
                cwd=ROOT, stdout=stream, stderr=stream, check=True,
                env=os.environ | environment | {"PYTHONDONTWRITEBYTECODE": ""},
            )  # fmt: skip
        record: Record = json.loads(result.read_text(encoding="utf-8"))
        if check and record["exit_code"] != 0:
            tail = printed.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise CommandFailedError(f"{shlex.join(command)} failed:\n{tail}")
    return record


def run_base(n_paths: int, settings: tuple[str, ...] = (), kept: Path | None = None) -> Record:
    """Run base as a person does; `settings` are KEY=VALUE, `kept` is where the run stays, if so.

    Returns launch's record with the manifest's stages and peak memory, and value and standard
    error of mean lifetime loss and its 99 % expected shortfall, both % of the current pool.
    """
    with TemporaryDirectory() as folder:
        out = Path(folder, "run") if kept is None else kept
        given = [word for setting in settings for word in ("--set", setting)]
        command = ["run", "configs/base.toml", "--paths", str(n_paths), "--out", str(out), *given]
        record = launch([*_HEMC, *command, "--quiet"])
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        measures = pl.read_parquet(out / "measures.parquet")
    loss = {statistic: _pool_loss(measures, statistic) for statistic in ("mean", "es_99")}
    return record | {"paths": n_paths, "stages": manifest["seconds"], "loss_pct": loss}


def _pool_loss(measures: pl.DataFrame, statistic: str) -> Record:
    """Return a statistic of lifetime loss, % of the current pool, with its standard error."""
    rows = measures.filter(pl.col("measure") == "pool_loss_pct", pl.col("statistic") == statistic)
    return rows.select("value", "standard_error").row(0, named=True)


def whole_runs(plan: Plan) -> list[Record]:
    """Time whole warm runs, the calibration loop in turn with them; keep the best of each size."""
    run_base(plan.command_paths[0])
    calibrate()
    calibration = float("inf")
    best: dict[int, Record] = {}
    for _ in range(plan.command_rounds):
        for n_paths in plan.command_paths:
            calibration = min(calibration, seconds_of(calibrate))
            record = run_base(n_paths)
            best[n_paths] = min(record, best.get(n_paths, record), key=lambda r: r["seconds"])
    return [record | {"calibration_ms": 1e3 * calibration} for record in best.values()]


def start_up() -> Record:
    """Return what a first and a second process with the same kernel cache pay for the kernels.

    `warmup` are the seconds of `hemc warmup` with an empty cache, charts' script included.
    """
    with TemporaryDirectory() as cache:
        warmup = launch([*_HEMC, "warmup", "--quiet"], HEMC_CACHE_DIR=cache)
    with TemporaryDirectory() as cache:
        environment = os.environ | {"HEMC_CACHE_DIR": cache}
        command = [sys.executable, "-m", "benchmarks.start_up"]
        cold, warm = (
            json.loads(subprocess.run(
                command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE
            ).stdout)
            for _ in range(2)
        )  # fmt: skip
    return {"cold": cold, "warm": warm, "warmup": warmup["seconds"]}


def sampling_methods() -> tuple[str, ...]:
    """Return the values of `simulation.sampling`."""
    from hemc.settings.simulation import SimulationSettings

    field = SimulationSettings.model_fields["sampling"]
    return tuple(str(value) for value in get_args(field.annotation))


def seconds_to_target(plan: Plan) -> list[Record]:
    """Return, for each sampling method, paths and seconds to a standard error of 1 %."""
    return [
        _reach(sampling, plan.accuracy_paths, plan.accuracy_rounds)
        for sampling in sampling_methods()
    ]


def _reach(sampling: str, n_paths: int, rounds: int) -> Record:
    """Run a sampling method with a quarter of the paths and with all of them.

    The best times of the two tell what a path costs from what a run costs once, such as a pilot. A
    run before them, which does not count, compiles what this method alone may need.
    """
    settings = (f'simulation.sampling="{sampling}"', "outputs.sensitivity_paths=0")
    sizes = (n_paths // 4, n_paths)
    run_base(sizes[0], settings)
    runs = [[run_base(n, settings) for n in sizes] for _ in range(rounds)]
    best = [min(_growing_seconds(run[k]) for run in runs) for k in (0, 1)]
    line, whole = line_through(sizes, best), runs[0][1]
    row: Record = {"sampling": sampling, "paths": n_paths, "rounds": rounds,
                   "fixed_seconds": line.fixed, "ms_per_path": 1e3 * line.slope}  # fmt: skip
    for statistic, estimate in whole["loss_pct"].items():
        needed = paths_to_target(n_paths, **estimate)
        seconds = None if needed is None else line.fixed + line.slope * needed
        row[statistic] = estimate | {"paths": needed, "seconds": seconds}
    return row


def _growing_seconds(record: Record) -> float:
    """Return the seconds of the stages that depend on paths and sampling."""
    return float(sum(s for stage, s in record["stages"].items() if stage not in _FIXED_STAGES))


def paths_to_target(n_paths: int, value: float, standard_error: float | None) -> float | None:
    """Return paths at which the relative error is 1 %; None where there is no error."""
    if standard_error is None:
        return None
    return n_paths * (standard_error / value / _TARGET) ** 2


def other_commands(plan: Plan, commands: tuple[str, ...]) -> list[Record]:
    """Time commands given by the caller: best of several, peak memory, exit code."""
    rows = []
    for command in commands:
        records = [launch(shlex.split(command), check=False) for _ in range(plan.command_rounds)]
        rows.append({"command": command} | min(records, key=lambda r: r["seconds"]))
    return rows
