"""A portfolio goes in; losses, claims and writedowns of all deals, path by path, come out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from hemc.engine.paths import Progress
from hemc.engine.portfolio_book import DEALS, Book, Claims, Failure, require_deals
from hemc.engine.portfolio_deal import DealFacts, Portfolio
from hemc.engine.stage_times import timed
from hemc.kernels.flows import Ints
from hemc.model.insurer import failure_month, peak_claims
from hemc.outputs.portfolio_tables import (
    AMOUNTS,
    deal_contributions,
    deal_measures,
    portfolio_measures,
)
from hemc.scale.threads import Workers


@dataclass(frozen=True)
class PortfolioResult:
    """Tables of a finished portfolio; paths of its deals are files."""

    portfolio: Portfolio
    deals: tuple[DealFacts, ...]  # those that ran
    failures: tuple[Failure, ...]
    paths: pl.DataFrame
    measures: pl.DataFrame
    by_deal: pl.DataFrame
    contributions: pl.DataFrame
    n_settled: int  # paths of deals run again for the insurer's failure
    largest_gap: float  # of the cash identities, USD
    threads: int
    seconds: dict[str, float]


def run_portfolio(
    portfolio: Portfolio, folder: Path, workers: Workers, progress: Progress, strict: bool = False
) -> PortfolioResult:
    """Run a portfolio and leave the paths of every deal in `folder`, which exists.

    A deal that fails is named in the result and takes no part in it. Raises InputError where no
    deal runs, and for a fault of disk or cluster.
    """
    (folder / DEALS).mkdir()
    seconds: dict[str, float] = {}
    book, n_settled = Book(portfolio, folder, workers, progress, strict), None
    while n_settled is None:
        with timed(seconds, "first pass"):
            claims = book.claim()
            require_deals(book, claims)
        with timed(seconds, "second pass"):
            months = failure_month(claims.net, portfolio.settings.insurer.capital)
            n_settled = book.settle(claims.deals, months)
    with timed(seconds, "measure"):
        unit = portfolio.settings.simulation.unit_paths
        paths = _add_up(book, claims, months)
        rows = [deal_measures(name, rows, unit) for name, rows in book.paths(claims.deals)]
        contributions = deal_contributions(paths, book.paths(claims.deals), unit)
        measures = portfolio_measures(paths, unit)
    failures = tuple(Failure(*item) for item in book.failures.items())
    return PortfolioResult(
        portfolio, claims.deals, failures, paths, measures, pl.concat(rows), contributions,
        n_settled, claims.largest_gap, workers.n_threads, seconds,
    )  # fmt: skip


def _add_up(book: Book, claims: Claims, default_month: Ints) -> pl.DataFrame:
    """Return portfolio_paths.parquet: amounts of all deals, added in the order of the file."""
    n_paths = default_month.size
    total = {amount.column: np.zeros(n_paths) for amount in AMOUNTS}
    for _, rows in book.paths(claims.deals):
        for name, amounts in total.items():
            amounts += rows[name].to_numpy()
    pool = sum(deal.pool for deal in claims.deals)
    fails = default_month < max(deal.n_months for deal in claims.deals)
    columns = {
        "path": np.arange(n_paths),
        "weight": np.ones(n_paths),
        **total,
        "pool_loss_pct": 100.0 * total["pool_loss"] / pool,
        "claims_peak": peak_claims(claims.net),
        "claims_unpaid": total["claims"] - total["draws"],
        "insurer_default_month": np.where(fails, default_month + 1, 0),
    }
    return pl.DataFrame(columns).with_columns(pl.col("insurer_default_month").replace(0, None))
