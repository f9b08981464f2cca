"""Flows of blocks → means of every month over all paths and bands over the first of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.deal_terms import PREMIUM, RESIDUAL
from hemc.kernels.flows import Floats, NoteFlows
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.oc_target import trigger_flows
from hemc.model.simulation import BlockFlows
from hemc.outputs.bands import LEVELS, BandFiles, Bands
from hemc.outputs.collateral import Collateral, over_classes
from hemc.outputs.estimates import HALF_CENT
from hemc.outputs.path_figures import annual_rate
from hemc.states import N_LIVE, NAMES

#: Sums run over groups of this many paths, so that no block size changes a bit of them.
GROUP_PATHS = 64


class Series(NamedTuple):
    """Name of a monthly series; `state` is a delinquency state or, for a trigger's, its name.

    `has_bands` is false for indicators, whose mean says it all.
    """

    name: str
    note: str | None = None
    state: str | None = None
    has_bands: bool = True


def month_series(
    flows: BlockFlows, wrapped: NoteFlows, collateral: Collateral, deal: MonthlyDeal
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
    below = (collateral.shortfall > HALF_CENT).astype(np.float64)
    under = collateral.undercollateralized.astype(np.float64)
    yield Series("oc"), wrapped.oc[:, 1:]
    yield Series("oc_target"), np.minimum(wrapped.oc_target, cash.balance[:, 1:])
    yield Series("oc_shortfall"), collateral.shortfall
    yield Series("oc_below_target", has_bands=False), below
    yield Series("oc_exhausted", has_bands=False), collateral.exhausted.astype(np.float64)
    yield Series("undercollateralized", has_bands=False), under
    for k, name in enumerate(deal.class_names):
        if wrapped.balance[:, 0, k].max() > 0.0:
            yield Series("note_balance", note=name), wrapped.balance[:, 1:, k]
    for trigger in trigger_flows(deal.oc, cash):
        threshold = np.broadcast_to(trigger.threshold, trigger.value.shape)
        tripped = trigger.is_tripped.astype(np.float64)
        yield Series("trigger_value", state=trigger.name), trigger.value
        yield Series("trigger_threshold", state=trigger.name, has_bands=False), threshold
        yield Series("trigger_tripped", state=trigger.name, has_bands=False), tripped
    yield Series("draws"), wrapped.draw_interest + wrapped.draw_principal
    yield Series("unreimbursed"), wrapped.unreimbursed
    yield Series("premium"), wrapped.paid(PREMIUM)
    yield Series("residual"), wrapped.paid(RESIDUAL)
    yield Series("note_interest"), over_classes(wrapped.interest)


class MonthBlock(NamedTuple):
    """Monthly series of one block: sums over groups of GROUP_PATHS paths, and paths for bands."""

    series: list[Series]
    sums: Floats  # [group, sum | sum of squares | weight of paths with a value, series, t]
    bands: Bands  # [series that has bands, t, p]
    band_weight: Floats | None  # [p]


def month_block(
    values: list[tuple[Series, Floats]], n_band_paths: int, weight: Floats | None = None
) -> MonthBlock:
    """Sum a block's series, float64[p, t] each, and keep the block's first `n_band_paths` paths.

    The block's first path is a multiple of GROUP_PATHS; nan is a path without a value. `weight`
    float64[p] is None, or all ones, where all paths weigh the same.
    """
    if weight is not None and (weight == 1.0).all():
        weight = None
    banded = [value[:n_band_paths].T for series, value in values if series.has_bands]
    return MonthBlock(
        [series for series, _ in values],
        _group_sums([value for _, value in values], weight),
        np.stack(banded, dtype=np.float32, casting="same_kind"),
        None if weight is None else weight[:n_band_paths],
    )


class MonthTables:
    """Adds up the monthly series of a run's blocks; paths for the bands wait in files.

    `sums` is what has been added up so far, float64[sum | sum of squares | paths with a value,
    series, t].
    """

    def __init__(self) -> None:
        self._series: list[Series] = []
        self.sums: Floats = np.zeros(0)
        self._bands = BandFiles()

    def add(self, block: MonthBlock, bands: Path) -> None:
        """Add the next block, its bands into file `bands`; raises OSError on a full disk."""
        if not self._series:
            self._series, self.sums = block.series, np.zeros(block.sums.shape[1:])
        for group in block.sums:
            self.sums += group
        self._bands.append(bands, block.bands, block.band_weight)

    def state(self, bands: Path) -> dict[str, Any]:
        """Return what `adopt` needs to take file `bands`, which is to be moved, as JSON."""
        return {"series": self._series, "bands": self._bands.shapes(bands)}

    def adopt(self, bands: Path, state: dict[str, Any]) -> None:
        """Take file `bands` as the next; its series and blocks are those of `state`."""
        self._series = [Series(*fields) for fields in state["series"]]
        self._bands.adopt(bands, state["bands"])

    def frame(self) -> pl.DataFrame:
        """Return months.parquet: mean, its sd over paths, and bands.

        Weighted means divide by the sum of weights of the paths that have a value.
        """
        total, squares, present = self.sums
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / present
            variance = squares / present - mean**2
        sd = np.sqrt(np.maximum(variance, 0.0))
        rows: list[tuple[Series, str, Floats]] = []
        banded = 0
        for j, series in enumerate(self._series):
            rows += [(series, "mean", mean[j]), (series, "sd", sd[j])]
            if series.has_bands:
                bands = zip(LEVELS, self._bands.quantiles(banded), strict=True)
                rows += [(series, statistic, value) for statistic, value in bands]
                banded += 1
        return _frame(rows)


def _frame(rows: list[tuple[Series, str, Floats]]) -> pl.DataFrame:
    """Return each statistic float64[t] of a series by month, one after the other."""
    names = [(series.name, series.note, series.state, statistic) for series, statistic, _ in rows]
    values = np.stack([value for _, _, value in rows])
    month = np.broadcast_to(np.arange(1, values.shape[1] + 1), values.shape)
    schema = dict.fromkeys(("series", "note", "state", "statistic"), pl.String)
    table = pl.DataFrame(names, schema=schema, orient="row")
    table = table.with_columns(month=pl.Series(month), value=pl.Series(values))
    return table.explode("month", "value").select(
        "month", "series", "note", "state", "statistic", pl.col("value").fill_nan(None)
    )


def _group_sums(values: list[Floats], weight: Floats | None) -> Floats:
    """Return sum, sum of squares and number of values over groups of paths.

    `values` are float64[p, t] of each series; returns float64[group, which, series, t].
    """
    n_paths, n_months = values[0].shape
    starts = np.arange(0, n_paths, GROUP_PATHS)
    number = np.diff(starts, append=n_paths).astype(np.float64)[:, None]
    sums = np.empty((starts.size, 3, len(values), n_months))
    square = np.empty((n_paths, n_months))
    for j, value in enumerate(values):
        total, squares, present = sums[:, 0, j], sums[:, 1, j], sums[:, 2, j]
        np.add.reduceat(value, starts, axis=0, out=total)
        if weight is not None or np.isnan(total).any():
            for part, out in zip(_parts(value, weight), (total, squares, present), strict=True):
                np.add.reduceat(part, starts, axis=0, out=out)
        else:
            np.add.reduceat(np.multiply(value, value, out=square), starts, axis=0, out=squares)
            present[:] = number
    return sums


def _parts(value: Floats, weight: Floats | None) -> tuple[Floats, Floats, Floats]:
    """Return weight × value, weight × its square and weight, 0 where there is no value."""
    heavy = np.where(np.isnan(value), 0.0, 1.0 if weight is None else weight[:, None])
    clean = np.where(heavy > 0.0, value, 0.0)
    return heavy * clean, heavy * clean * clean, heavy
