"""A reader and minutes → what fuzzing it executed, found and covered."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.accuracy import markdown
from benchmarks.fuzz.readers import Reader
from benchmarks.fuzz.seeds import RUN_VARIABLE
from hemc.outputs.provenance import code

ROOT = Path(__file__).parents[2]

#: Finds that end a worker (a hang, too much memory) before the campaign gives up on the reader.
_MOST_STARTS = 20
#: File of a reader's folder that keeps what became of it, where nothing was found.
_OUTCOME = "outcome.json"


class Outcome(NamedTuple):
    """What became of fuzzing one reader."""

    reader: Reader
    minutes: float  # of the processor
    executions: int
    finds: tuple[Path, ...]
    coverage: float  # % of the lines of the reader's modules

    @property
    def line(self) -> str:
        """The outcome for the console."""
        return (
            f"{self.reader.name:12} {self.minutes:5.1f} processor min "
            f"{self.executions:>9,} executions "
            f"{len(self.finds):>3} finds {self.coverage:5.1f} % of lines"
        )


def fuzz_reader(reader: Reader, place: Path, minutes: float, run: Path) -> Outcome:
    """Fuzz a reader in processes of its own, kept in `place`; `run` is the seed of stored runs.

    `minutes` are those of the processor. What `place` keeps of an earlier campaign is returned
    where the reader's modules are those of that day.
    """
    kept = _kept(reader, place, minutes)
    if kept is not None:
        return kept
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    environment = os.environ | {"POLARS_MAX_THREADS": "1", RUN_VARIABLE: str(run)}
    executions, seconds = 0, 0.0
    for _ in range(_MOST_STARTS):
        left = 60 * minutes - seconds
        if left < 2:
            break
        with (place / "log").open("ab") as log:
            _call(["worker", reader.name, str(place), str(left)], environment, log.fileno())
        executions, seconds = _progress(place)
    finds = tuple(sorted((place / "finds").glob("*")))
    outcome = Outcome(
        reader, seconds / 60, executions, finds, _coverage(reader, place, environment)
    )
    if not finds:
        kept_values = {"digest": _digest(reader), "minutes": outcome.minutes,
                       "executions": executions, "coverage": outcome.coverage}  # fmt: skip
        (place / _OUTCOME).write_text(json.dumps(kept_values), encoding="ascii")
    return outcome


def _kept(reader: Reader, place: Path, minutes: float) -> Outcome | None:
    """Return the outcome that a folder keeps, None where it is of other sources or shorter."""
    file = place / _OUTCOME
    kept = json.loads(file.read_text("ascii")) if file.exists() else {}
    if kept.get("digest") != _digest(reader) or kept["minutes"] < 0.99 * minutes:
        return None
    return Outcome(reader, kept["minutes"], kept["executions"], (), kept["coverage"])


def _digest(reader: Reader) -> str:
    """Return the digest of the sources of a reader's modules."""
    digest = hashlib.sha256()
    for name in reader.modules:
        digest.update((ROOT / "src" / f"{name.replace('.', '/')}.py").read_bytes())
    return digest.hexdigest()


def _progress(place: Path) -> tuple[int, float]:
    """Return executions and processor seconds of all workers so far."""
    done = [json.loads(file.read_text("ascii")) for file in place.glob("progress-*.json")]
    return sum(one["executions"] for one in done), sum(one["seconds"] for one in done)


def _call(arguments: Sequence[str], environment: dict[str, str], log: int) -> None:
    """Run a module of this package; how it ends is told by what it leaves."""
    command = [sys.executable, "-m", f"benchmarks.fuzz.{arguments[0]}", *arguments[1:]]
    subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=False)


def _coverage(reader: Reader, place: Path, environment: dict[str, str]) -> float:
    """Return the line coverage of a reader's modules by the corpus, %, 0 where it failed."""
    with (place / "log").open("ab") as log:
        _call(["corpus_coverage", reader.name, str(place)], environment, log.fileno())
    report = place / "coverage.json"
    return float(json.loads(report.read_text(encoding="ascii"))) if report.exists() else 0.0


def table_of(outcomes: Sequence[Outcome]) -> str:
    """Return the table of docs/reliability.md."""
    rows = [
        (
            o.reader.name, o.reader.reads, f"{o.minutes:.1f}", f"{o.executions:,}",
            str(len(o.finds)), f"{o.coverage:.1f}",
        )
        for o in outcomes
    ]  # fmt: skip
    header = (
        "reader", "reads", "processor minutes", "executions", "finds", "lines covered, %",
    )  # fmt: skip
    words = f"{dt.date.today().isoformat()}, hemc source `{code()['hemc source']}`:"
    return f"{words}\n\n{markdown(header, rows)}"
