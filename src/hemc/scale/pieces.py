"""Finished pieces of a run → folders, each there whole or not at all, and a journal of them."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, Protocol

from hemc.outputs.folder import disk_errors
from hemc.scale.journal import (
    Record,
    append_record,
    checksum,
    flush_to_disk,
    read_records,
    rewrite_records,
)

#: What a run notes beside the files of a piece and needs to go on after it.
_NOTED = {"paths", "largest_gap", "months"}


class Piece(NamedTuple):
    """A finished piece: the folder of its files and what its writer noted beside them."""

    folder: Path
    state: Record


class Pieces:
    """Pieces of one process, in the order in which they were finished; `folder` exists.

    A piece is written in the folder that `begin` gives and counts once `publish` has returned.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.finished: list[Piece] = []

    def begin(self) -> Path:
        """Return the folder to write the next piece in."""
        part = self._part()
        part.mkdir(parents=True, exist_ok=True)
        return part

    def publish(self, state: Record) -> Piece:
        """Make the piece under way the next finished one; `state` is what JSON can hold."""
        part, piece = self._part(), Piece(self._place(len(self.finished)), state)
        self._secure(part)
        part.rename(piece.folder)
        self._record(piece)
        self.finished.append(piece)
        return piece

    def discard_begun(self) -> None:
        """Drop the piece under way."""
        shutil.rmtree(self._part(), ignore_errors=True)

    def _secure(self, part: Path) -> None:
        """Do what has to be done before the piece gets its name."""

    def _record(self, piece: Piece) -> None:
        """Do what has to be done before the piece counts as finished."""

    def _place(self, k: int) -> Path:
        """Return the folder of piece `k`."""
        return self.folder / "pieces" / f"{k:06d}"

    def _part(self) -> Path:
        """Return the folder of the piece under way."""
        return self._place(len(self.finished)).with_suffix(".part")


class LastingPieces(Pieces):
    """Pieces that outlast the process, however it ends: on disk, in a journal with checksums.

    The journal's first record is the identity of the run, the others are pieces.
    """

    identity: Record

    @classmethod
    def start(cls, folder: Path, identity: Record) -> LastingPieces:
        """Begin a journal in `folder`, in which pieces of an earlier run are dropped."""
        pieces = cls(folder)
        pieces.identity = identity
        shutil.rmtree(folder / "pieces", ignore_errors=True)
        rewrite_records(pieces._journal(), [identity])
        return pieces

    @classmethod
    def reopen(cls, folder: Path) -> LastingPieces | None:
        """Return the pieces that a run has left in `folder`, None where it has left none.

        They end before the first whose files are not those that the journal tells. A journal that
        hemc has not written leads to none.
        """
        pieces = cls(folder)
        records = pieces._records()
        for k, record in enumerate(records[1:]):
            if not _is_whole(pieces._place(k), record["files"]):
                break
            pieces.finished.append(Piece(pieces._place(k), record["state"]))
        if not pieces.finished:
            return None
        pieces.identity = records[0]
        return pieces

    def paths_kept(self) -> int:
        """Return the number of paths up to the last piece in the journal.

        That may be one more than the process came to know of when it was interrupted.
        """
        records = self._records()[1:]
        return int(records[-1]["state"]["paths"]) if records else 0

    def drop_unfinished(self) -> None:
        """Take from folder and journal all but the finished pieces, to go on after them."""
        whole = {piece.folder for piece in self.finished}
        for folder in set((self.folder / "pieces").iterdir()) - whole:
            shutil.rmtree(folder)
        rewrite_records(self._journal(), self._records()[: len(whole) + 1])

    def _secure(self, part: Path) -> None:
        """Wait until the files are on disk."""
        for path in (*part.iterdir(), part):
            flush_to_disk(path)

    def _record(self, piece: Piece) -> None:
        """Write the piece into the journal."""
        flush_to_disk(piece.folder.parent)
        files = {file.name: checksum(file) for file in sorted(piece.folder.iterdir())}
        append_record(self._journal(), {"files": files, "state": piece.state})

    def _records(self) -> list[Record]:
        """Return identity and pieces of the journal, up to the first record that is neither."""
        records = read_records(self._journal())
        if not records or not isinstance(records[0].get("simulation.paths"), int):
            return []
        return [records[0], *takewhile(_is_piece, records[1:])]

    def _journal(self) -> Path:
        """Return the file of the journal."""
        return self.folder / "journal.jsonl"


class Work(Protocol):
    """Where a run keeps its pieces."""

    def open(self, identity: Record) -> Pieces:
        """Return the pieces to go on with; `identity` is all that the run's values depend on."""


class Scratch:
    """Work that nobody resumes; `folder` is where to make it, as for `temporary_pieces`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def open(self, identity: Record) -> Pieces:
        """Return temporary pieces, whatever the run."""
        return temporary_pieces(self._folder)


def temporary_pieces(scratch: Path | None = None) -> Pieces:
    """Return pieces in a new folder that vanishes with them, also when the process ends.

    `scratch` is where to make it, the system's own place for temporary files where None. Raises
    InputError where that cannot be written.
    """
    place = scratch or Path(tempfile.gettempdir())
    with disk_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        pieces = Pieces(Path(tempfile.mkdtemp(prefix=".hemc-", dir=place)))
    weakref.finalize(pieces, shutil.rmtree, pieces.folder, ignore_errors=True)
    return pieces


def _is_piece(record: Record) -> bool:
    """Tell whether a record has what a piece's record has."""
    files, state = record.get("files"), record.get("state")
    if not isinstance(files, dict) or not isinstance(state, dict):
        return False
    return bool(files) and state.keys() >= _NOTED and isinstance(state["paths"], int)


def _is_whole(folder: Path, files: dict[str, list[int]]) -> bool:
    """Tell whether the files of a piece are there with the size and checksum noted."""
    try:
        return all(checksum(folder / name) == noted for name, noted in files.items())
    except OSError:
        return False
