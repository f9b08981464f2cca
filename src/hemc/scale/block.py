"""One block of paths from random numbers to figures: the unit of work of threads and clusters."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from hemc.kernels.flows import DealTerms
from hemc.model.scenario import FactorModel
from hemc.model.simulation import PoolModel, simulate_block
from hemc.model.waterfall import pay_paths
from hemc.outputs.months import MonthSums, MonthTables, month_series
from hemc.outputs.next_month import next_month_figures
from hemc.outputs.path_figures import path_figures


class RunModel(NamedTuple):
    """Everything that a block of paths needs; nothing in it changes from path to path.

    `next_terms` are the terms of the next certificate's month and one more, so that the month
    shown is not final maturity. `loss_to_date` is None where the certificate does not show it.
    """

    pool: PoolModel
    factors: FactorModel
    terms: DealTerms
    next_terms: DealTerms
    performing: bool
    names: tuple[str, ...]
    discount_rate: float
    loss_to_date: float | None

    @property
    def n_months(self) -> int:
        """Length of the projection."""
        return self.factors.n_months


class BlockResult(NamedTuple):
    """What a block of paths leaves behind."""

    paths: pl.DataFrame
    next_month: pl.DataFrame
    months: MonthSums
    largest_gap: float


def run_block(model: RunModel, tables: MonthTables, first_path: int, n_paths: int) -> BlockResult:
    """Run consecutive paths: factors, pool, wrapped and unwrapped notes, figures."""
    factors = model.factors.draw(first_path, n_paths)
    flows = simulate_block(model.pool, factors, first_path)
    wrapped = pay_paths(model.terms, flows.cash, model.performing)
    unwrapped = pay_paths(model.terms, flows.cash, performing=False)
    timing = model.factors.draw_timing(first_path, n_paths)
    next_month = next_month_figures(
        flows, timing, model.next_terms, model.performing, model.names, model.loss_to_date
    )
    paths = path_figures(first_path, flows, wrapped, unwrapped, model.names, model.discount_rate)
    series = list(month_series(flows, wrapped, unwrapped, model.names))
    gaps = (flows.largest_gap, wrapped.largest_gap, unwrapped.largest_gap)
    return BlockResult(
        paths,
        next_month.with_columns(paths["path"]).select("path", pl.exclude("path")),
        tables.keep_block(first_path, series),
        float(max(gap.max() for gap in gaps)),
    )
