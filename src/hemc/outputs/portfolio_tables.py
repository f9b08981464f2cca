"""Paths of a portfolio and of its deals → distributions, and what each deal contributes to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from hemc.outputs.estimates import QUANTILES, SHORTFALLS, Design
from hemc.outputs.measures import MeasureTable
from hemc.outputs.tail_shares import tails


class Amount(NamedTuple):
    """A column of amounts by path, USD, as a measure; `insurer` says who pays on it."""

    column: str
    measure: str
    insurer: str | None


#: What a deal's paths and the portfolio's add up; "wrapped" is the insurer with its own capital.
AMOUNTS = (
    Amount("pool_loss", "pool_loss", None),
    Amount("claims", "claims", "performing"),
    Amount("claims_pv", "claims_pv", "performing"),
    Amount("draws", "draws", "wrapped"),
    Amount("draws_pv", "draws_pv", "wrapped"),
    Amount("premium", "premium", "wrapped"),
    Amount("insurer_net", "insurer_net", "wrapped"),
    Amount("writedown_wrapped", "writedown", "wrapped"),
    Amount("writedown", "writedown", "unwrapped"),
    Amount("interest_shortfall_wrapped", "interest_shortfall", "wrapped"),
    Amount("interest_shortfall", "interest_shortfall", "unwrapped"),
    Amount("held_writedown_wrapped", "held_writedown", "wrapped"),
    Amount("held_writedown", "held_writedown", "unwrapped"),
    Amount("held_interest_shortfall_wrapped", "held_interest_shortfall", "wrapped"),
    Amount("held_interest_shortfall", "held_interest_shortfall", "unwrapped"),
)

#: Amounts of which deals' contributions are told.
CONTRIBUTED = (
    "pool_loss", "claims_pv", "draws_pv", "writedown_wrapped", "writedown",
    "held_writedown_wrapped", "held_writedown",
)  # fmt: skip

_OF_A_DEAL = ("mean", "sd", "probability", "p50", "p95", "p99", *SHORTFALLS)
_OF_ALL = ("mean", "sd", "probability", *QUANTILES, *SHORTFALLS)
_MONTHS = ("mean", "sd", "p5", "p25", "p50", "p75", "p95")

_CONTRIBUTION_SCHEMA = {
    "measure": pl.String, "insurer": pl.String, "statistic": pl.String, "deal": pl.String,
    "value": pl.Float64, "standard_error": pl.Float64, "share": pl.Float64, "unit": pl.String,
}  # fmt: skip


def portfolio_measures(paths: pl.DataFrame, unit_paths: int) -> pl.DataFrame:
    """Return portfolio_measures.parquet from portfolio_paths.parquet."""
    table = MeasureTable(paths.lazy(), unit_paths)
    _add_amounts(table, _OF_ALL)
    table.add("pool_loss_pct", "pool_loss_pct", _OF_ALL, unit="% of current pools")
    table.add("claims_peak", "claims_peak", _OF_ALL, insurer="performing")
    table.add("claims_unpaid", "claims_unpaid", _OF_ALL, insurer="wrapped")
    table.add_present("insurer_fails", "insurer_default_month", insurer="wrapped")
    month = "insurer_default_month"
    table.add(month, month, _MONTHS, insurer="wrapped", unit="months, on paths with one")
    return table.frame()


def deal_measures(deal: str, paths: pl.DataFrame, unit_paths: int) -> pl.DataFrame:
    """Return a deal's rows of portfolio_deals.parquet from its paths."""
    table = MeasureTable(paths.with_columns(pl.lit(1.0).alias("weight")).lazy(), unit_paths)
    _add_amounts(table, _OF_A_DEAL)
    return table.frame().drop("note", "month").insert_column(0, pl.lit(deal).alias("deal"))


def deal_contributions(
    totals: pl.DataFrame, deals: Iterable[tuple[str, pl.DataFrame]], unit_paths: int
) -> pl.DataFrame:
    """Return portfolio_contributions.parquet from the totals and each deal's paths.

    What deals contribute to a mean or an expected shortfall of a total adds up to it.
    """
    amounts = [amount for amount in AMOUNTS if amount.column in CONTRIBUTED]
    design = Design(unit_paths)
    found = {a: list(tails(totals[a.column].to_numpy(), design)) for a in amounts}
    rows = [
        (a.measure, a.insurer, tail.statistic, deal, *tail.part(paths[a.column].to_numpy()), "USD")
        for deal, paths in deals
        for a in amounts
        for tail in found[a]
    ]
    return pl.DataFrame(rows, schema=_CONTRIBUTION_SCHEMA, orient="row").with_columns(
        pl.col("standard_error", "share").fill_nan(None)
    )


def _add_amounts(table: MeasureTable, statistics: tuple[str, ...]) -> None:
    """Add the distribution of every amount."""
    for amount in AMOUNTS:
        table.add(amount.measure, amount.column, statistics, insurer=amount.insurer)
