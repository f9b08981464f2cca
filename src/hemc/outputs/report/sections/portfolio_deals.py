"""A finished portfolio → what each deal loses, and what it contributes to all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from hemc.outputs.portfolio_text import independent_paths
from hemc.outputs.report.blocks import DASH, Block, Row, Section, Table
from hemc.outputs.report.formats import estimate_millions, millions, percent

if TYPE_CHECKING:
    from hemc.engine.portfolio import PortfolioResult

#: Measures whose contributions are shown: measure, insurer, caption.
_CONTRIBUTED = (
    ("pool_loss", None, "Lifetime loss of the pools"),
    ("claims_pv", "performing", "Present value of claims, if the insurer never failed"),
    ("writedown", "wrapped", "Writedowns with this insurer"),
    ("writedown", "unwrapped", "Writedowns without insurer"),
    ("held_writedown", "wrapped", "Writedowns of what is held, with this insurer"),
)
_STATISTICS = {"mean": "expected", "es_97_5": "97.5 % shortfall", "es_99": "99 % shortfall"}

#: Deals in a table of the page; the files have all of them.
_MOST_SHOWN = 100


def contributions(result: PortfolioResult) -> Section:
    """Return what each deal contributes to means and tails, which add up to the totals."""
    blocks: list[Block] = []
    for measure, insurer, caption in _CONTRIBUTED:
        rows = result.contributions.filter(
            pl.col("measure") == measure, pl.col("insurer").eq_missing(pl.lit(insurer))
        )
        if rows["value"].sum() > 0.0:
            blocks.append(_shares(result, rows, caption, folded=bool(blocks)))
    return Section("contributions", "Contributions by deal", blocks)


def _shares(result: PortfolioResult, table: pl.DataFrame, caption: str, folded: bool) -> Table:
    """Return a row a deal, the largest in the tail first, and the total."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in table.to_dicts():
        found.setdefault(row["deal"], {})[row["statistic"]] = row
    order = sorted(found, key=lambda deal: -found[deal]["es_99"]["value"])
    rows = []
    for deal in order[:_MOST_SHOWN]:
        cells = []
        for statistic in _STATISTICS:
            row = found[deal][statistic]
            cells += [
                estimate_millions(row, independent_paths(result)),
                DASH if row["share"] is None else percent(row["share"], 1),
            ]
        rows.append(Row((deal, *cells)))
    rows += _left_out(len(order))
    totals = [sum(found[deal][s]["value"] for deal in order) for s in _STATISTICS]
    rows.append(Row(("all", *(c for x in totals for c in (millions(x), "100.0"))), "muted"))
    heads = [head for name in _STATISTICS.values() for head in (name, "%")]
    return Table(f"{caption}, USD million ± standard error", ("", *heads), rows, folded=folded)


def deals(result: PortfolioResult) -> Section:
    """Return what each deal is and loses on its own."""
    figures = {
        (row["deal"], row["measure"], row["insurer"], row["statistic"]): row
        for row in result.by_deal.to_dicts()
    }
    wanted = (
        ("pool_loss", None, "mean"), ("pool_loss", None, "es_99"),
        ("claims_pv", "performing", "mean"), ("writedown", "unwrapped", "mean"),
        ("writedown", "wrapped", "mean"),
    )  # fmt: skip
    rows = []
    for deal in result.deals[:_MOST_SHOWN]:
        cells = [
            estimate_millions(figures[deal.name, *key], independent_paths(result)) for key in wanted
        ]
        rows.append(Row((deal.name, deal.series, str(deal.copies), millions(deal.pool, 1), *cells)))
    rows += _left_out(len(result.deals))
    heads = (
        "deal", "series", "copies", "pool", "expected loss", "99 % shortfall of loss",
        "claims, present value", "writedown, no insurer", "writedown, this insurer",
    )  # fmt: skip
    table = Table("Each deal, all copies, USD million", heads, rows, texts=(0,))
    return Section("deals", "Deals", [table])


def _left_out(n_deals: int) -> list[Row]:
    """Return a row that counts the deals which are not shown, or none."""
    more = n_deals - _MOST_SHOWN
    return [Row((f"and {more} more, in the files",), "muted")] if more > 0 else []
