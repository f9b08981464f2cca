"""A finished run and the choice of a path go in, all that happened on that path comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from hemc.engine.calibration import calibrate
from hemc.engine.documents import next_payment
from hemc.engine.paths import choose_sampling
from hemc.engine.run_model import build_model
from hemc.engine.stored_run import reopen_run, require_same_figures
from hemc.errors import InputError
from hemc.model.loan_history import LoanHistory, PathDraws, loan_histories
from hemc.outputs.run_files import RunFiles
from hemc.outputs.trace import PathTrace
from hemc.scale.block import play_block, story_figures
from hemc.scale.threads import Threads

#: Choices of a path by its pool loss, as a share of the paths from the smallest loss up.
RANKS = {"median": 0.5, "p99": 0.99, "worst": 1.0}


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
    run, loaded, documents = reopen_run(folder, inputs)
    rows = _read_paths(run)
    path = choose_path(rows, choice, folder)
    calibration = calibrate(loaded, documents)
    model = build_model(loaded.config, documents, calibration)
    model = model.sampled(choose_sampling(loaded.config, model, Threads()))
    story = play_block(model, path, 1)
    figures = story_figures(model, story, path).row(0, named=True)
    row = rows.row(path, named=True)
    require_same_figures(run, figures, row)
    first = next_payment(documents)
    trace = PathTrace(
        documents.deal, first, row, _rank(rows, path), model.deal, story.factors, story.flows,
        story.default_month, story.wrapped, story.unwrapped,
    )  # fmt: skip
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
