"""A finished portfolio → one screen for the console, 80 columns wide."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.table import Table

from hemc.outputs.numbers import show_estimate
from hemc.outputs.portfolio_files import headline_rows

if TYPE_CHECKING:
    from hemc.engine.portfolio import PortfolioResult

WIDTH = 80

#: What the headline figures are called, by measure, insurer and statistic.
LABELS = {
    ("pool_loss_pct", None, "mean"): "Expected lifetime loss of the pools",
    ("pool_loss_pct", None, "es_99"): "99 % expected shortfall of lifetime loss",
    ("claims_pv", "performing", "mean"): "Expected claims, present value",
    ("claims_peak", "performing", "p99"): "Capital that pays all claims on 99 % of paths",
    ("insurer_fails", "wrapped", "probability"): "P(the insurer fails)",
    ("claims_unpaid", "wrapped", "mean"): "Expected claims that it does not pay",
    ("writedown", "unwrapped", "mean"): "Expected writedowns, no insurer",
    ("writedown", "wrapped", "mean"): "Expected writedowns, with this insurer",
}

_DEALS_SHOWN = 10
_MILLION = 1e6


def headline_label(row: dict[str, Any]) -> str:
    """Return what a headline figure is called."""
    return LABELS[row["measure"], row["insurer"], row["statistic"]]


def independent_paths(result: PortfolioResult) -> int:
    """Return the number of independent units, which bounds probabilities without a hit."""
    return result.portfolio.n_paths // result.portfolio.settings.simulation.unit_paths


def warnings_of(result: PortfolioResult) -> list[str]:
    """Return what the reader of the portfolio's figures should know, once for all deals alike."""
    deals: dict[str, list[str]] = {}
    for deal in result.deals:
        for text in deal.warnings:
            deals.setdefault(text, []).append(deal.name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {text}"
        for text, names in deals.items()
    ]


def render_portfolio(result: PortfolioResult, folder: Path) -> str:
    """Return the screen of a finished portfolio."""
    out = Console(file=StringIO(), width=WIDTH, highlight=False, legacy_windows=False)
    settings = result.portfolio.settings
    pool = sum(deal.pool for deal in result.deals) / _MILLION
    out.print(
        f"{settings.name}: {len(result.deals)} deals of {settings.payment_month} × "
        f"{result.portfolio.n_paths:,} paths, seed {settings.simulation.seed}"
    )
    out.print(
        f"pools of {pool:,.1f} million USD; insurer with {settings.insurer.capital / _MILLION:,.1f}"
        " million USD\n"
    )
    out.print(_headlines(result))
    out.print(_deals(result))
    for text in warnings_of(result):
        out.print(f"warning: {text}")
    for failure in result.failures:
        out.print(f"failed: {failure.deal}: {failure.error}")
    gap = f"{result.largest_gap:.1e} USD"
    out.print(f"largest gap of the cash identities: {gap} over all deals, paths and months")
    out.print(f"files: {folder}")
    file = out.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def _headlines(result: PortfolioResult) -> Table:
    """Return the headline figures with their standard errors."""
    table = Table(box=None, pad_edge=False, show_header=False, expand=True)
    table.add_column(ratio=1)
    table.add_column(justify="right")
    for row in headline_rows(result.measures):
        shown = show_estimate(row, independent_paths(result))
        table.add_row(headline_label(row), f"{shown} USD" if row["unit"] == "USD" else shown)
    return table


def _deals(result: PortfolioResult) -> Table:
    """Return the deals that claim most, with what they contribute."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("\ndeal", no_wrap=True, overflow="ellipsis", ratio=1)
    for name in ("pool\n$ million", "loss\n%", "claims, PV\n$ million", "of 99 %\nshortfall, %"):
        table.add_column(name, justify="right", no_wrap=True)
    claims = {
        (row["deal"], row["statistic"]): row
        for row in result.contributions.filter(pl.col("measure") == "claims_pv").to_dicts()
    }
    loss = dict(
        result.by_deal.filter(measure="pool_loss", statistic="mean").select("deal", "value").rows()
    )
    order = sorted(result.deals, key=lambda deal: -claims[deal.name, "es_99"]["value"])
    for deal in order[:_DEALS_SHOWN]:
        own, tail = claims[deal.name, "mean"], claims[deal.name, "es_99"]["share"]
        error = own["standard_error"]
        table.add_row(
            deal.name, f"{deal.pool / _MILLION:,.1f}", f"{100.0 * loss[deal.name] / deal.pool:.2f}",
            f"{own['value'] / _MILLION:,.2f} ± {error / _MILLION:,.2f}",
            "–" if tail is None else f"{100.0 * tail:.1f}",
        )  # fmt: skip
    if len(order) > _DEALS_SHOWN:
        table.add_row(f"and {len(order) - _DEALS_SHOWN} more")
    return table
