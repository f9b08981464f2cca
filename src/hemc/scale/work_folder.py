"""A folder of results → the folder beside it in which a run keeps what it has finished.

It has one name for each folder of results, belongs to one process at a time, vanishes when the run
ends well, and stays when it does not, so that the run can be resumed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from hemc.errors import InputError
from hemc.outputs.folder import disk_errors, tidy_up
from hemc.scale.journal import Record
from hemc.scale.lock import held_folder
from hemc.scale.pieces import LastingPieces

_MOST_NAMED = 3  # differences in one error


class WorkFolder:
    """The folder of a run's finished pieces, used as a context.

    `resume` asks to go on with an interrupted run; `say` gets one line for each thing that a
    person should know.
    """

    def __init__(self, results: Path, resume: bool, say: Callable[[str], None]) -> None:
        self.results = results if results.name not in ("", "..") else results.resolve()
        self.path = self.results.parent / f".{self.results.name}.unfinished"
        self._resume, self._say = resume, say
        self._held = ExitStack()
        self._pieces: LastingPieces | None = None

    def open(self, identity: Record) -> LastingPieces:
        """Return the pieces to go on with: those of the run resumed, or none yet.

        `identity` is all that the run's values depend on. Raises InputError where another process
        holds the folder, where the run to resume has another identity, and where the folder
        cannot be written.
        """
        with disk_errors(self.path):
            self._held.enter_context(held_folder(self.path))
            tidy_up(self.results, self.path)
            found = LastingPieces.reopen(self.path)
            if found is not None and self._resume:
                _require_same(self.path, found.identity, identity)
                found.drop_unfinished()
            self._tell(found)
            resumed = found if self._resume else None
            self._pieces = resumed or LastingPieces.start(self.path, identity)
        return self._pieces

    def scratch(self) -> Path:
        """Return the folder for work that nobody resumes; raises InputError as `open` does."""
        self.open({})
        return self.path

    def _tell(self, found: LastingPieces | None) -> None:
        """Say what becomes of an interrupted run."""
        if found is None:
            if self._resume:
                self._say(f"nothing to resume for {self.results}, starting anew")
        elif self._resume:
            self._say(f"resuming after {_finished(found)}")
        else:
            self._say(f"starting anew, {_finished(found)} of an interrupted run are dropped")

    def __enter__(self) -> WorkFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Let go of the folder; it stays where the run failed and has finished pieces."""
        if self._pieces is not None:
            if kind is None or not self._pieces.paths_kept():
                shutil.rmtree(self.path, ignore_errors=True)
            else:
                self._pieces.discard_begun()
                self._say(f"{_finished(self._pieces)} are kept, --resume goes on from there")
        self._held.close()


def _finished(pieces: LastingPieces) -> str:
    """Return how far a run has come, for people."""
    return f"{pieces.paths_kept():,} of {pieces.identity['simulation.paths']:,} paths"


def _require_same(folder: Path, then: Record, now: Record) -> None:
    """Raise the InputError that says what has changed since a run began."""
    changed = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    if not changed:
        return
    named = [f"{key} was {then.get(key)}, is {now.get(key)}" for key in changed[:_MOST_NAMED]]
    more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
    raise InputError(
        folder, "", f"an interrupted run that differs: {'; '.join(named)}{more}",
        "the same again, or no --resume, to start anew",
    )  # fmt: skip
