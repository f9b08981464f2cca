"""One block of paths from random numbers to figures: the unit of work of threads and clusters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import DealTerms, Floats
from hemc.kernels.transitions import PathFactors
from hemc.model.expected import ExpectedPool, expected_block
from hemc.model.innovations import Sampling
from hemc.model.oracle import Comparison, compare
from hemc.model.scenario import FactorModel
from hemc.model.simulation import BlockFlows, Method, PoolModel, simulate_block
from hemc.model.waterfall import pay_paths
from hemc.outputs.months import MonthBlock, month_block, month_series
from hemc.outputs.next_month import next_month_figures
from hemc.outputs.path_figures import path_figures


class RunModel(NamedTuple):
    """Everything that a block of paths needs; nothing in it changes from path to path.

    `next_terms` are the terms of the next certificate's month and one more, so that the month
    shown is not final maturity. `loss_to_date` is None where the certificate does not show it.
    With a `large_pool` its expected flows stand in for simulated ones.
    """

    pool: PoolModel
    factors: FactorModel
    terms: DealTerms
    next_terms: DealTerms
    method: Method
    performing: bool
    names: tuple[str, ...]
    discount_rate: float
    loss_to_date: float | None
    large_pool: ExpectedPool | None = None

    @property
    def n_months(self) -> int:
        """Length of the projection."""
        return self.factors.n_months

    def sampled(self, sampling: Sampling) -> RunModel:
        """Return the same model with innovations drawn by another method."""
        return self._replace(factors=self.factors.sampled(sampling))


class BlockResult(NamedTuple):
    """What a block of paths leaves behind."""

    paths: pl.DataFrame
    next_month: pl.DataFrame
    months: MonthBlock
    largest_gap: float


def pool_flows(model: RunModel, factors: PathFactors, first_path: int) -> BlockFlows:
    """Return the pool's flows given the factors: simulated, or expected for a large pool."""
    if model.large_pool is not None:
        return expected_block(model.large_pool, factors, first_path)
    return simulate_block(model.pool, factors, first_path, model.method)


def large_pool_loss(
    pool: ExpectedPool, factors: FactorModel, first_path: int, n_paths: int
) -> Floats:
    """Return the lifetime loss expected given the factors of consecutive paths, float64[p] USD."""
    flows = expected_block(pool, factors.draw(first_path, n_paths), first_path)
    return np.asarray(flows.cash.loss.sum(axis=1))


def compare_block(model: RunModel, pool: ExpectedPool, first_path: int, n_paths: int) -> Comparison:
    """Simulate consecutive paths again and put their expected flows beside the simulated ones."""
    factors = model.factors.draw(first_path, n_paths)
    return compare(pool, factors, pool_flows(model, factors, first_path), first_path)


def run_block(model: RunModel, band_paths: int, first_path: int, n_paths: int) -> BlockResult:
    """Run consecutive paths: factors, pool, wrapped and unwrapped notes, figures.

    Bands by month come from the run's first `band_paths` paths.
    """
    factors = model.factors.draw(first_path, n_paths)
    flows = pool_flows(model, factors, first_path)
    wrapped = pay_paths(model.terms, flows.cash, model.performing, first_path)
    unwrapped = pay_paths(model.terms, flows.cash, False, first_path)
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
        month_block(series, max(band_paths - first_path, 0)),
        float(max(gap.max() for gap in gaps)),
    )
