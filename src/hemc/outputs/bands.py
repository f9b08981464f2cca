"""Monthly series of the first paths, kept on disk while blocks come → their quantiles by month."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats

Bands = NDArray[np.float32]

#: Statistic of months.parquet → level in per cent.
LEVELS = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}

_VALUES_AT_ONCE = 2**23  # read and sorted at a time, 32 MB


class _Piece(NamedTuple):
    """Where a block's values stand in the file, and their shape."""

    start: int  # in values
    n_months: int
    n_paths: int


class BandFile:
    """A file of one piece float32[series, t, p] a block, of which quantiles need [t, all p].

    Whole, it would be the largest table of a run: 1 GB for 45 series, 292 months, 20,000 paths.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._pieces: list[_Piece] = []
        self._n_values = 0
        self._weights: list[Floats] = []

    def append(self, values: Bands, weight: Floats | None = None) -> None:
        """Add a block's values, the next paths of every series; raises OSError on a full disk.

        Either all blocks have weights float64[p] or none.
        """
        if not values.size:
            return
        with self._file.open("ab") as file:
            file.write(np.ascontiguousarray(values).data)
        self._pieces.append(_Piece(self._n_values, *values.shape[1:]))
        self._n_values += values.size
        if weight is not None:
            self._weights.append(weight)

    def quantiles(self, k: int) -> Floats:
        """Return series `k`'s value at each of LEVELS among its paths, float64[level, t].

        Paths on which a month is nan do not count in it; nan where that leaves none.
        """
        if self._weights:
            weight = np.concatenate(self._weights)
            parts = [_weighted_quantiles(part, weight) for part in self._read(k)]
        else:
            parts = [_quantiles(part) for part in self._read(k)]
        return np.concatenate(parts, axis=1)

    def _read(self, k: int) -> Iterator[Bands]:
        """Yield some months of series `k` at a time, float32[t, p]."""
        n_months = self._pieces[0].n_months
        at_once = max(1, _VALUES_AT_ONCE // sum(piece.n_paths for piece in self._pieces))
        with self._file.open("rb") as file:
            for t in range(0, n_months, at_once):
                n = min(at_once, n_months - t)
                parts = []
                for piece in self._pieces:
                    row = k * n_months + t
                    file.seek(np.float32().itemsize * (piece.start + row * piece.n_paths))
                    part = np.fromfile(file, np.float32, n * piece.n_paths)
                    parts.append(part.reshape(n, piece.n_paths))
                yield np.concatenate(parts, axis=1)


def _quantiles(values: Bands) -> Floats:
    """Return the values at LEVELS of each row, float64[level, t]; sorts `values` in place."""
    values.sort(axis=1)  # nan last
    present = values.shape[1] - np.isnan(values).sum(axis=1)
    places = np.stack([present * level // 100 for level in LEVELS.values()], axis=1)
    return np.take_along_axis(values, places, axis=1).T.astype(np.float64)


def _weighted_quantiles(values: Bands, weight: Floats) -> Floats:
    """Return the values at LEVELS of rows [t, p] under weights [p], float64[level, t]."""
    out = np.empty((len(LEVELS), len(values)))
    for t, row in enumerate(values):  # a row at a time: its order is eight times its size
        order = np.argsort(row, kind="stable")[: row.size - int(np.isnan(row).sum())]
        if order.size == 0:
            out[:, t] = np.nan
            continue
        up_to = np.cumsum(weight[order])
        ranks = up_to[-1] * np.array(list(LEVELS.values())) / 100.0
        places = np.searchsorted(up_to, ranks, side="right").clip(max=order.size - 1)
        out[:, t] = row[order[places]]
    return out
