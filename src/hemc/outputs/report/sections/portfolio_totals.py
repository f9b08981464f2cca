"""A finished portfolio → what all deals lose together, and their insurer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hemc.outputs.portfolio_files import headline_rows
from hemc.outputs.portfolio_text import headline_label, independent_paths, warnings_of
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import (
    Block,
    Chart,
    Facts,
    Figure,
    Figures,
    Grid,
    Paragraph,
    Row,
    Section,
    Table,
)
from hemc.outputs.report.formats import (
    MILLION,
    estimate,
    estimate_millions,
    millions,
    month_name,
)
from hemc.outputs.report.sections.verdict import loss_bins

if TYPE_CHECKING:
    from hemc.engine.portfolio import PortfolioResult

#: Lines of the table of distributions: measure, insurer, name.
_DISTRIBUTIONS = (
    ("pool_loss", None, "lifetime loss of the pools"),
    ("claims", "performing", "claims, if the insurer never failed"),
    ("claims_peak", "performing", "capital that pays them all"),
    ("draws", "wrapped", "paid by the insurer"),
    ("claims_unpaid", "wrapped", "not paid, since it failed"),
    ("writedown", "unwrapped", "writedowns without insurer"),
    ("writedown", "wrapped", "writedowns with this insurer"),
    ("interest_shortfall", "wrapped", "interest never paid, with this insurer"),
    ("held_writedown", "unwrapped", "writedowns of what is held, no insurer"),
    ("held_writedown", "wrapped", "writedowns of what is held, with it"),
)
_SHOWN = ("mean", "probability", "p50", "p95", "p99", "es_99")
_HEADS = ("mean", "P(any), %", "50 %", "95 %", "99 %", "99 % shortfall")


def verdict(result: PortfolioResult) -> Section:
    """Return what ran, the headline figures, and all distributions."""
    settings = result.portfolio.settings
    simulation = settings.simulation
    facts = [
        ("Deals", f"{len(result.deals)} of {len(settings.deals)}"),
        ("Pools", f"{millions(sum(d.pool for d in result.deals), 1)} million USD"),
        ("Notes", f"{millions(sum(d.notes for d in result.deals), 1)} million USD"),
        ("Held", f"{millions(sum(d.held for d in result.deals), 1)} million USD"),
        ("Insurer's capital", f"{millions(settings.insurer.capital, 1)} million USD"),
        ("Simulated", f"{simulation.paths:,} paths of every deal, seed {simulation.seed}"),
    ]
    figures = [
        Figure(headline_label(row), _with_unit(row, independent_paths(result)))
        for row in headline_rows(result.measures)
    ]
    shares = (("mean", "median", "mean"), ("p99", "second", "99 % quantile"),
              ("es_99", "target", "99 % expected shortfall"))  # fmt: skip
    marks = [(_row(result, "pool_loss_pct", None, s)["value"], style) for s, style, _ in shares]
    spec = charts.histogram(loss_bins(result.paths), "lifetime loss, % of current pools", marks)
    legend = [(style, name) for _, style, name in shares]
    chart = Chart("Lifetime loss of all pools", spec, legend, f"{len(result.paths):,} paths.")
    warnings = [Paragraph(f"Warning: {text}", "bad") for text in warnings_of(result)]
    blocks: list[Block] = [Facts(facts), Figures(figures), *warnings, Grid([chart]), _table(result)]
    return Section("verdict", "Verdict", blocks)


def insurer(result: PortfolioResult) -> Section:
    """Return claims against the insurer's capital, and when it fails."""
    capital = result.portfolio.settings.insurer.capital / MILLION
    peak = result.paths.select("weight", pl.col("claims_peak") / MILLION)
    p99 = _row(result, "claims_peak", "performing", "p99")["value"] / MILLION
    needed = charts.histogram(
        loss_bins(peak, "claims_peak"), "USD million", [(capital, "target"), (p99, "second")],
        "USD million",
    )  # fmt: skip
    first = month_name(result.portfolio.settings.payment_month, 2)
    failed = charts.lines_by_month(
        _failed_by_month(result, first), [charts.Line("share", "failed, %", "median")],
        "% of paths", ",.2f",
    )  # fmt: skip
    legend = (("target", "the insurer's capital"), ("second", "99 % quantile"))
    rule = (
        "Claims are draws less reimbursement and the share of premium that the insurer keeps. It "
        "fails in the first month in which the claims of all deals to date exceed its capital; "
        "of that month's claims it pays none, and from then on no premium goes to it."
    )
    pictures = [
        Chart("Capital that would pay all claims", needed, legend, "Largest sum of net claims."),
        Chart("The insurer has failed by", failed),
    ]
    return Section("insurer", "Insurer", [Paragraph(rule), Grid(pictures)])


def _failed_by_month(result: PortfolioResult, first: str) -> list[dict[str, Any]]:
    """Return a row a month with the share of paths on which the insurer has failed, %."""
    month = result.paths["insurer_default_month"].fill_null(0).to_numpy()
    last = max(deal.n_months for deal in result.deals)
    counts = np.bincount(month, minlength=last + 1)[1 : last + 1].cumsum()
    return [
        {"month": t, "payment": month_name(first, t), "share": round(100.0 * n / month.size, 4)}
        for t, n in enumerate(counts.tolist(), start=1)
    ]


def _table(result: PortfolioResult) -> Table:
    """Return the distributions of all amounts."""
    rows = []
    for measure, insurer, name in _DISTRIBUTIONS:
        cells = [
            estimate_millions(_row(result, measure, insurer, s), independent_paths(result))
            for s in _SHOWN
        ]
        rows.append(Row((name, *(cell.removesuffix(" %") for cell in cells))))
    return Table("All deals together, USD million ± standard error", ("", *_HEADS), rows)


def _row(
    result: PortfolioResult, measure: str, insurer: str | None, statistic: str
) -> dict[str, Any]:
    """Return a row of portfolio_measures.parquet."""
    return result.measures.filter(
        pl.col("measure") == measure, pl.col("statistic") == statistic,
        pl.col("insurer").eq_missing(pl.lit(insurer)),
    ).row(0, named=True)  # fmt: skip


def _with_unit(row: dict[str, Any], independent: int) -> str:
    """Return a figure with its unit, amounts in millions."""
    text = (
        estimate_millions(row, independent) if row["unit"] == "USD" else estimate(row, independent)
    )
    return f"{text} USD million" if row["unit"] == "USD" else text
