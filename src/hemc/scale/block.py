"""One block of paths from random numbers to figures: the unit of work of threads and clusters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.errors import InternalError
from hemc.kernels.flows import Floats, Ints, NoteFlows
from hemc.kernels.transitions import PathFactors
from hemc.kernels.valuation import Quotes
from hemc.model.cash_timing import CashTiming
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.expected import ExpectedPool, expected_block
from hemc.model.innovations import Sampling
from hemc.model.insurer import InsurerModel, absent
from hemc.model.oracle import Comparison, compare
from hemc.model.scenario import FactorModel
from hemc.model.simulation import (
    BlockFlows,
    Method,
    PoolModel,
    require_finite,
    simulate_block,
)
from hemc.model.valuation import value_notes
from hemc.model.waterfall import pay_paths
from hemc.outputs.collateral import Collateral, collateral
from hemc.outputs.months import MonthBlock, month_block, month_series
from hemc.outputs.next_month import next_month_figures
from hemc.outputs.note_values import value_table
from hemc.outputs.path_figures import path_figures
from hemc.outputs.sensitivities import compared_columns


class RunModel(NamedTuple):
    """Everything that a block of paths needs; nothing in it changes from path to path.

    `next_deal` has the next certificate's month and one more, so that the month shown is not final
    maturity. `loss_to_date` is None where the certificate does not show it.
    With a `large_pool` its expected flows stand in for simulated ones.
    """

    pool: PoolModel
    factors: FactorModel
    deal: MonthlyDeal
    next_deal: MonthlyDeal
    method: Method
    insurer: InsurerModel
    discount_rate: float
    loss_to_date: float | None
    quotes: Quotes
    timing: CashTiming
    large_pool: ExpectedPool | None = None

    @property
    def n_months(self) -> int:
        """Length of the projection."""
        return self.factors.n_months

    def sampled(self, sampling: Sampling) -> RunModel:
        """Return the same model with innovations drawn by another method."""
        return self._replace(factors=self.factors.sampled(sampling))


class BlockStory(NamedTuple):
    """All that happens on a block of paths."""

    factors: PathFactors
    flows: BlockFlows
    default_month: Ints  # [p] from 0, from which on the insurer of the wrapped pass pays nothing
    wrapped: NoteFlows
    unwrapped: NoteFlows
    collateral: Collateral


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


def play_block(model: RunModel, first_path: int, n_paths: int) -> BlockStory:
    """Run consecutive paths: factors, pool, wrapped and unwrapped notes."""
    factors = model.factors.draw(first_path, n_paths)
    return pay_block(model, factors, pool_flows(model, factors, first_path), first_path)


def pay_block(
    model: RunModel, factors: PathFactors, flows: BlockFlows, first_path: int
) -> BlockStory:
    """Pay the notes, wrapped and unwrapped, from a block's flows."""
    default_month = model.insurer.default_month(factors.credit, first_path)
    wrapped = pay_paths(model.deal, flows.cash, default_month, first_path)
    unwrapped = pay_paths(model.deal, flows.cash, absent(default_month.size), first_path)
    behind = collateral(flows.cash, wrapped, unwrapped)
    return BlockStory(factors, flows, default_month, wrapped, unwrapped, behind)


def cash_figures(model: RunModel, story: BlockStory, first_path: int) -> pl.DataFrame:
    """Return the rows of paths.parquet but for what the classes are worth."""
    _, flows, default_month, wrapped, unwrapped, behind = story
    weight = model.factors.draw_weights(first_path, default_month.size)
    return path_figures(
        first_path, weight, flows, wrapped, unwrapped, behind, model.deal.class_names,
        model.discount_rate, default_month,
    )  # fmt: skip


def story_figures(model: RunModel, story: BlockStory, first_path: int) -> pl.DataFrame:
    """Return the rows of paths.parquet."""
    values = [
        value_notes(model.quotes, notes, story.flows.cash, first_path)
        for notes in (story.wrapped, story.unwrapped)
    ]
    figures = cash_figures(model, story, first_path)
    return figures.hstack(value_table(model.deal.class_names, model.quotes, *values))


def vary_block(models: tuple[RunModel, ...], first_path: int, n_paths: int) -> list[pl.DataFrame]:
    """Return what sensitivities compare of the same paths under each model.

    Models in a row that have pool and factors in common are paid from the same flows.
    """
    tables = []
    before: RunModel | None = None
    for model in models:
        if before is None or model.pool is not before.pool or model.factors is not before.factors:
            factors = model.factors.draw(first_path, n_paths)
            flows = pool_flows(model, factors, first_path)
        story = pay_block(model, factors, flows, first_path)
        figures = cash_figures(model, story, first_path)
        require_finite_figures(figures)
        tables.append(compared_columns(figures))
        before = model
    return tables


def require_finite_figures(table: pl.DataFrame) -> None:
    """Raise InternalError for the first figure of a path that is neither finite nor null."""
    # One query for all columns: one a column took as long as the simulation of the pool.
    is_finite = table.select(pl.col(pl.Float64).is_finite().all()).row(0, named=True)
    for name, finite in is_finite.items():
        if not finite:
            path = table["path"].filter(~table[name].is_finite().fill_null(True))[0]
            raise InternalError(f"the figure {name} is not finite on path {path}")


def run_block(model: RunModel, band_paths: int, first_path: int, n_paths: int) -> BlockResult:
    """Run consecutive paths and measure them.

    Bands by month come from the run's first `band_paths` paths.
    """
    story = play_block(model, first_path, n_paths)
    _, flows, default_month, wrapped, unwrapped, behind = story
    timing = model.timing.draw(first_path, n_paths, model.next_deal.n_months)
    require_finite(timing.interest, first_path, "the timing of cash")
    next_month = next_month_figures(
        flows, timing, model.next_deal, default_month, model.loss_to_date
    )
    paths = story_figures(model, story, first_path)
    next_month = pl.concat([paths.select("path", "weight"), next_month], how="horizontal")
    require_finite_figures(paths)
    require_finite_figures(next_month)
    series = list(month_series(flows, wrapped, behind, model.deal))
    gaps = (flows.largest_gap, wrapped.largest_gap, unwrapped.largest_gap)
    return BlockResult(
        paths,
        next_month,
        month_block(series, max(band_paths - first_path, 0), paths["weight"].to_numpy()),
        float(max(gap.max() for gap in gaps)),
    )
