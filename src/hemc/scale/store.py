"""Blocks of paths in path order → pieces of tables on disk, read back lazily, and sums by month.

What stays in memory does not grow with the number of paths; what is in a finished piece need not be
simulated again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from hemc.outputs.folder import disk_errors
from hemc.outputs.months import MonthTables
from hemc.scale.block import BlockResult
from hemc.scale.pieces import Piece, Pieces, temporary_pieces

#: Paths of a piece at the beginning of a run and at most. In between a piece is a sixteenth of what
#: is there: a kill costs little of the work, and a long run has some hundred files, not thousands.
FIRST_PIECE_PATHS, LARGEST_PIECE_PATHS = 1_024, 16_384
_PIECES_LIKE_THE_FIRST = 16

#: Rows of a row group in the files of a run, whatever the pieces were.
_ROW_GROUP_PATHS = 16_384

#: Rows that are read once and held, since a run's figures come from a hundred columns one by one.
_HELD_ROWS = 20_000

_BANDS, _SUMS = "bands.bin", "sums.npy"


class PathTable:
    """Rows of paths, in path order: finished ones wait in files, the latest in memory."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._files: list[Path] = []
        self._recent: list[pl.DataFrame] = []
        self._held: pl.DataFrame | None = None  # all rows, where they are few

    def append(self, rows: pl.DataFrame) -> None:
        """Add the next paths."""
        self._recent.append(rows)
        self._held = None

    def write_recent(self, folder: Path) -> None:
        """Write the recent rows into a file of `folder`."""
        # The file lives for minutes; lz4 is written three times as fast as the default.
        pl.concat(self._recent).write_parquet(folder / self._name, compression="lz4")

    def adopt(self, folder: Path) -> None:
        """Count the file in `folder` among the rows, in place of recent ones."""
        self._files.append(folder / self._name)
        self._recent = []
        self._held = None

    def scan(self) -> pl.LazyFrame:
        """Return all rows so far, in path order; a column selected from them is all that is read.

        The frame can be read while the store exists that this table belongs to.
        """
        if self._held is None:
            self._recent = [pl.concat(self._recent)] if self._recent else []
            parts = [pl.scan_parquet(self._files)] if self._files else []
            rows = pl.concat([*parts, *(rows.lazy() for rows in self._recent)])
            if rows.select(pl.len()).collect().item() > _HELD_ROWS:
                return rows
            self._held = rows.collect()
        return self._held.lazy()

    def write(self, file: Path) -> None:
        """Write all rows into one Parquet file, of which a row group at a time is in memory."""
        # Left to polars, the row groups would follow its threads.
        self.scan().sink_parquet(file, row_group_size=_ROW_GROUP_PATHS)


class RunStore:
    """What a run keeps of its paths: those of `pieces`, and all that are added.

    Where `pieces` is None they are temporary. Raises InputError where there is no room.
    """

    def __init__(self, pieces: Pieces | None = None) -> None:
        self._pieces = temporary_pieces() if pieces is None else pieces
        self.paths = PathTable("paths.parquet")
        self.next_month = PathTable("next_month.parquet")
        self.months = MonthTables()
        self.largest_gap = 0.0  # of the cash identities, USD
        self._n_paths = self._n_finished = 0
        for piece in self._pieces.finished:
            self._restore(piece)

    def __len__(self) -> int:
        """Return the number of paths so far."""
        return self._n_paths

    @property
    def scratch(self) -> Path:
        """Folder that is this store's own, for temporary files."""
        return self._pieces.folder

    def add(self, block: BlockResult) -> None:
        """Add the block of the next paths."""
        with disk_errors(self.scratch):
            self.paths.append(block.paths)
            self.next_month.append(block.next_month)
            self.months.add(block.months, self._pieces.begin() / _BANDS)
        self.largest_gap = max(self.largest_gap, block.largest_gap)
        self._n_paths += len(block.paths)
        if self._n_paths - self._n_finished >= piece_paths(self._n_finished):
            self.finish_piece()

    def finish_piece(self) -> None:
        """Make a finished piece of what has been added since the last one."""
        if self._n_paths == self._n_finished:
            return
        with disk_errors(self.scratch):
            part = self._pieces.begin()
            for table in (self.paths, self.next_month):
                table.write_recent(part)
            np.save(part / _SUMS, self.months.sums)
            state = {
                "paths": self._n_paths,
                "largest_gap": self.largest_gap,
                "months": self.months.state(part / _BANDS),
            }
            self._adopt(self._pieces.publish(state))

    def _adopt(self, piece: Piece) -> None:
        """Read a finished piece's rows from its files from now on."""
        for table in (self.paths, self.next_month):
            table.adopt(piece.folder)
        self.months.adopt(piece.folder / _BANDS, piece.state["months"])
        self._n_finished = piece.state["paths"]

    def _restore(self, piece: Piece) -> None:
        """Go on after a piece that an earlier process finished."""
        self._adopt(piece)
        self.months.sums = np.load(piece.folder / _SUMS)
        self.largest_gap = piece.state["largest_gap"]
        self._n_paths = self._n_finished


def piece_paths(n_finished: int) -> int:
    """Return the number of paths of the piece after `n_finished` paths, some more at most."""
    grown = n_finished // _PIECES_LIKE_THE_FIRST
    return min(max(grown, FIRST_PIECE_PATHS), LARGEST_PIECE_PATHS)
