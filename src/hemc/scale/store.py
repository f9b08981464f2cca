"""Blocks of paths in path order → tables on disk, read back lazily, and sums by month.

What stays in memory does not grow with the number of paths.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

import polars as pl

from hemc.outputs.folder import disk_errors
from hemc.outputs.months import MonthTables
from hemc.scale.block import BlockResult

#: Paths of one file. Tables are cut at the same paths whatever the size of the blocks.
CHUNK_PATHS = 16_384


class PathTable:
    """A table with a row a path: rows come in path order and wait in files of CHUNK_PATHS rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []
        self._recent: list[pl.DataFrame] = []  # not yet enough for a file
        self._n_recent = 0

    def __len__(self) -> int:
        """Return the number of paths so far."""
        return len(self._files) * CHUNK_PATHS + self._n_recent

    def append(self, rows: pl.DataFrame) -> None:
        """Add the next paths."""
        self._recent.append(rows)
        self._n_recent += len(rows)
        while self._n_recent >= CHUNK_PATHS:
            self._write_chunk()

    def scan(self) -> pl.LazyFrame:
        """Return all rows so far, in path order; a column selected from them is all that is read.

        The frame can be read while this table exists.
        """
        self._recent = [pl.concat(self._recent)] if self._recent else []
        parts = [pl.scan_parquet(self._files)] if self._files else []
        return pl.concat([*parts, *(rows.lazy() for rows in self._recent)])

    def write(self, file: Path) -> None:
        """Write all rows into one Parquet file, of which a chunk at a time is in memory."""
        # Left to polars, the row groups would follow its threads.
        self.scan().sink_parquet(file, row_group_size=CHUNK_PATHS)

    def _write_chunk(self) -> None:
        """Move the first CHUNK_PATHS of the recent rows into a file."""
        rows = pl.concat(self._recent)
        file = self._folder / f"{len(self._files):06d}.parquet"
        self._folder.mkdir(exist_ok=True)
        # The files live for minutes; lz4 writes them three times as fast as the default.
        rows.head(CHUNK_PATHS).write_parquet(file, compression="lz4")
        self._files.append(file)
        self._recent = [rows.slice(CHUNK_PATHS)]
        self._n_recent = len(self._recent[0])


class RunStore:
    """What a run keeps of its paths, in a temporary folder that vanishes with it.

    `scratch` is the folder to make that in, the system's own for temporary files where None.
    Raises InputError where there is no room.
    """

    def __init__(self, scratch: Path | None = None) -> None:
        self.scratch = scratch or Path(tempfile.gettempdir())
        with disk_errors(self.scratch):
            self.scratch.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=".hemc-", dir=self.scratch))
        # Also runs when the process ends by an error or an interruption.
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.paths = PathTable(folder / "paths")
        self.next_month = PathTable(folder / "next_month")
        self.months = MonthTables(folder / "bands")
        self.largest_gap = 0.0  # of the cash identities, USD

    def __len__(self) -> int:
        """Return the number of paths so far."""
        return len(self.paths)

    def add(self, block: BlockResult) -> None:
        """Add the block of the next paths."""
        with disk_errors(self.scratch):
            self.paths.append(block.paths)
            self.next_month.append(block.next_month)
            self.months.add(block.months)
        self.largest_gap = max(self.largest_gap, block.largest_gap)
