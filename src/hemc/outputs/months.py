"""Flows of blocks → means of every month over all paths and bands over the first of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.kernels.flows import Floats, NoteFlows
from hemc.model.simulation import BlockFlows
from hemc.outputs.path_figures import annual_rate, exhausted, oc_shortfall, undercollateralized
from hemc.states import N_LIVE, NAMES

#: Sums run over groups of this many paths, so that no block size changes a bit of them.
GROUP_PATHS = 64

Bands = NDArray[np.float32]

_BANDS = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}


class Series(NamedTuple):
    """Name of a monthly series; `has_bands` is false for indicators, whose mean says it all."""

    name: str
    note: str | None = None
    state: str | None = None
    has_bands: bool = True


def month_series(
    flows: BlockFlows, wrapped: NoteFlows, unwrapped: NoteFlows, names: tuple[str, ...]
) -> Iterator[tuple[Series, Floats]]:
    """Yield every monthly series of a block with its values, float64[p, t]."""
    cash = flows.cash
    yield Series("pool_balance"), cash.balance[:, 1:]
    yield Series("scheduled_principal"), cash.scheduled
    yield Series("prepaid_principal"), cash.prepaid
    yield Series("charge_off_proceeds"), cash.proceeds
    yield Series("interest"), cash.interest
    yield Series("loss"), cash.loss
    yield Series("cumulative_loss"), cash.loss.cumsum(axis=1)
    yield Series("recoveries"), cash.recoveries
    yield Series("cpr"), annual_rate(cash.prepaid, flows)
    yield Series("cdr"), annual_rate(cash.loss + cash.proceeds, flows)
    for s in range(N_LIVE):
        yield Series("count", state=NAMES[s]), flows.state_loans[:, :, s]
        yield Series("balance", state=NAMES[s]), flows.state_balance[:, :, s]
    shortfall = oc_shortfall(flows, wrapped)
    yield Series("oc"), wrapped.oc[:, 1:]
    yield Series("oc_target"), np.minimum(wrapped.oc_target, cash.balance[:, 1:])
    yield Series("oc_shortfall"), shortfall
    yield Series("oc_below_target", has_bands=False), (shortfall > 0.005).astype(np.float64)
    yield Series("oc_exhausted", has_bands=False), exhausted(wrapped).astype(np.float64)
    under = undercollateralized(unwrapped).astype(np.float64)
    yield Series("undercollateralized", has_bands=False), under
    for k, name in enumerate(names):
        if wrapped.balance[:, 0, k].max() > 0.0:
            yield Series("note_balance", note=name), wrapped.balance[:, 1:, k]
    yield Series("draws"), wrapped.draw_interest + wrapped.draw_principal
    yield Series("unreimbursed"), wrapped.unreimbursed
    yield Series("premium"), wrapped.premium
    yield Series("residual"), wrapped.residual
    yield Series("note_interest"), wrapped.interest.sum(axis=2)


class MonthSums(NamedTuple):
    """Sums of one block over groups of GROUP_PATHS paths; nan counts as absent."""

    total: Floats  # [group, series, t]
    squares: Floats  # [group, series, t]
    present: Floats  # [group, series, t]


class MonthTables:
    """Collects monthly series over all blocks of a run."""

    def __init__(self, n_months: int, n_band_paths: int) -> None:
        self.n_months, self.n_band_paths = n_months, n_band_paths
        self._series: list[Series] = []
        self._bands: dict[Series, Bands] = {}
        self._sums: list[Floats] = []
        self._lock = threading.Lock()

    def _reserve(self, series: list[Series]) -> None:
        """Make room for the bands when the first block comes; blocks write their own columns."""
        with self._lock:
            if self._series:
                return
            shape = (self.n_months, self.n_band_paths)
            self._bands = {s: np.empty(shape, dtype=np.float32) for s in series if s.has_bands}
            self._sums = [np.zeros((len(series), self.n_months)) for _ in MonthSums._fields]
            self._series = series

    def keep_block(self, first_path: int, values: list[tuple[Series, Floats]]) -> MonthSums:
        """Keep a block's bands and return its sums; blocks may do so at the same time."""
        self._reserve([series for series, _ in values])
        last = min(first_path + len(values[0][1]), self.n_band_paths)
        groups = []
        for series, value in values:
            if series.has_bands and first_path < last:
                self._bands[series][:, first_path:last] = value[: last - first_path].T
            groups.append(_group_sums(value))
        return MonthSums(*(np.stack(part, axis=1) for part in zip(*groups, strict=True)))

    def add(self, sums: MonthSums) -> None:
        """Add a block's sums; to be called in path order."""
        for running, groups in zip(self._sums, sums, strict=True):
            for group in groups:
                running += group

    def frame(self) -> pl.DataFrame:
        """Return months.parquet: mean, its sd over paths, and bands."""
        total, squares, present = self._sums
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / present
            variance = squares / present - mean**2
        sd = np.sqrt(np.maximum(variance, 0.0))
        parts = []
        for j, series in enumerate(self._series):
            parts.append(self._rows(series, "mean", mean[j]))
            parts.append(self._rows(series, "sd", sd[j]))
            parts.extend(self._band_rows(series))
        return pl.concat(parts)

    def _band_rows(self, series: Series) -> list[pl.DataFrame]:
        """Return the bands of one series."""
        if not series.has_bands:
            return []
        ordered = np.sort(self._bands[series], axis=1)  # nan last
        present = self.n_band_paths - np.isnan(ordered).sum(axis=1)
        rows = []
        for statistic, level in _BANDS.items():
            place = np.minimum(present * level // 100, np.maximum(present - 1, 0))
            value = np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]
            rows.append(self._rows(series, statistic, value.astype(np.float64)))
        return rows

    def _rows(self, series: Series, statistic: str, value: Floats) -> pl.DataFrame:
        """Return one statistic of one series by month."""
        return pl.DataFrame({"month": np.arange(1, self.n_months + 1), "value": value}).select(
            "month",
            pl.lit(series.name).alias("series"),
            pl.lit(series.note, dtype=pl.String).alias("note"),
            pl.lit(series.state, dtype=pl.String).alias("state"),
            pl.lit(statistic).alias("statistic"),
            pl.col("value").fill_nan(None),
        )


def _group_sums(value: Floats) -> tuple[Floats, Floats, Floats]:
    """Return sums, sums of squares and numbers present over groups of paths, float64[group, t]."""
    starts = np.arange(0, len(value), GROUP_PATHS)
    present = ~np.isnan(value)
    clean = np.where(present, value, 0.0)
    return (
        np.add.reduceat(clean, starts, axis=0),
        np.add.reduceat(clean * clean, starts, axis=0),
        np.add.reduceat(present.astype(np.float64), starts, axis=0),
    )
