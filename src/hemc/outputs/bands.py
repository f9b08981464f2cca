"""Monthly series of the first paths, kept on disk while blocks come → their quantiles by month."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats

Bands = NDArray[np.float32]

#: Statistic of months.parquet → level in per cent.
LEVELS = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}

_VALUES_AT_ONCE = 2**23  # read and sorted at a time, 32 MB


#: Series, months and paths of the values of a block.
Shape = tuple[int, int, int]


class BandFiles:
    """Files of values float32[series, t, p], a block after another; quantiles need [t, all p].

    Whole, it would be the largest table of a run: 1 GB for 45 series, 292 months, 20,000 paths.
    """

    def __init__(self) -> None:
        self._shapes: dict[Path, list[Shape]] = {}  # of the blocks in each file, in path order

    def append(self, file: Path, values: Bands, weight: Floats | None = None) -> None:
        """Add a block's values, the next paths of every series; raises OSError on a full disk.

        Either all blocks have weights float64[p] or none; they stand in a file beside.
        """
        if not values.size:
            return
        n_series, n_months, n_paths = values.shape
        self._shapes.setdefault(file, []).append((n_series, n_months, n_paths))
        _append(file, values)
        if weight is not None:
            _append(_weights_of(file), weight)

    def shapes(self, file: Path) -> list[Shape]:
        """Return the shapes of the blocks in a file, and forget the file: it is to be moved."""
        return self._shapes.pop(file, [])

    def adopt(self, file: Path, shapes: list[Shape]) -> None:
        """Take a whole file as the next."""
        if shapes:
            self._shapes[file] = shapes

    def quantiles(self, k: int) -> Floats:
        """Return series `k`'s value at each of LEVELS among its paths, float64[level, t].

        Paths on which a month is nan do not count in it; nan where that leaves none.
        """
        weights = [_weights_of(file) for file in self._shapes]
        if weights and weights[0].exists():
            weight = np.concatenate([np.fromfile(file) for file in weights])
            parts = [_weighted_quantiles(part, weight) for part in self._read(k)]
        else:
            parts = [_quantiles(part) for part in self._read(k)]
        return np.concatenate(parts, axis=1)

    def _read(self, k: int) -> Iterator[Bands]:
        """Yield some months of series `k` at a time, float32[t, p]."""
        blocks = [shape for shapes in self._shapes.values() for shape in shapes]
        n_months = blocks[0][1]
        at_once = max(1, _VALUES_AT_ONCE // sum(n_paths for _, _, n_paths in blocks))
        for t in range(0, n_months, at_once):
            n = min(at_once, n_months - t)
            parts = [
                part
                for file, shapes in self._shapes.items()
                for part in _rows(file, shapes, k * n_months + t, n)
            ]
            yield np.concatenate(parts, axis=1)


def _weights_of(file: Path) -> Path:
    """Return the file of the weights of the paths in a file, float64[p]."""
    return file.with_name(f"{file.name}.weights")


def _append(file: Path, values: NDArray[np.floating[Any]]) -> None:
    """Write values at the end of a file."""
    with file.open("ab") as stream:
        stream.write(np.ascontiguousarray(values).data)


def _rows(file: Path, shapes: list[Shape], row: int, n: int) -> Iterator[Bands]:
    """Yield rows `row` to `row + n` of each block in a file, float32[n, p]."""
    start = 0
    with file.open("rb") as stream:
        for n_series, n_months, n_paths in shapes:
            stream.seek(np.float32().itemsize * (start + row * n_paths))
            yield np.fromfile(stream, np.float32, n * n_paths).reshape(n, n_paths)
            start += n_series * n_months * n_paths


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
