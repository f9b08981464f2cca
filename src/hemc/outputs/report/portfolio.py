"""A finished portfolio → its report: one self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hemc.outputs.portfolio_files import manifest, portfolio_assumptions
from hemc.outputs.report.blocks import Paragraph, Row, Section, Table
from hemc.outputs.report.document import Head, render_page
from hemc.outputs.report.sections.portfolio_deals import contributions, deals
from hemc.outputs.report.sections.portfolio_totals import insurer, verdict
from hemc.outputs.report.sections.provenance import key_rows

if TYPE_CHECKING:
    from hemc.engine.portfolio import PortfolioResult


def render_portfolio_report(result: PortfolioResult) -> str:
    """Return the page of a portfolio."""
    settings = result.portfolio.settings
    head = Head(
        f"portfolio {settings.name}",
        f"Portfolio {settings.name}",
        f"{len(result.deals)} deals in the same world, from certificates of "
        f"{settings.payment_month}: what they lose, claim and write down together.",
    )
    build = (verdict, _failed, insurer, contributions, deals, _assumptions, _manifest)
    return render_page(head, [s for one in build if (s := one(result)) is not None])


def _failed(result: PortfolioResult) -> Section | None:
    """Return the deals that could not be run, with their errors."""
    if not result.failures:
        return None
    rows = [Row(failure, "bad") for failure in result.failures]
    text = "These deals could not be run; no figure of this page contains them."
    table = Table("Deals that failed", ("deal", "error"), rows, texts=(0,))
    return Section("failed", "Failed deals", [Paragraph(text, "bad"), table])


def _assumptions(result: PortfolioResult) -> Section:
    """Return every assumption; where deals differ, how many values there are."""
    keys = ("name", "value", "meaning", "where_set", "source")
    table = portfolio_assumptions(result)
    rows = []
    for (name,), group in table.group_by("name", maintain_order=True):
        first, values = group.row(0, named=True), group["value"].unique(maintain_order=True)
        if len(values) > 1:
            first["value"] = f"{len(values)} values: {_listed(values.to_list())}"
            first["where_set"] = ", ".join(group["where_set"].unique(maintain_order=True))
        rows.append(Row((str(name), *(first[key] or "" for key in keys[1:]))))
    caption = "Value, meaning, where it was set and where it comes from"
    heads = ("assumption", "value", "meaning", "set in", "source")
    return Section("assumptions", "Assumptions", [Table(caption, heads, rows, texts=range(4))])


def _manifest(result: PortfolioResult) -> Section:
    """Return what exactly ran."""
    record = {key: value for key, value in manifest(result).items() if key != "configuration"}
    blocks = [Table("What ran", ("key", "value"), key_rows(record), texts=(0,), folded=True)]
    return Section("manifest", "Manifest", blocks)


def _listed(values: list[str]) -> str:
    """Return some values for people."""
    shown = ", ".join(values[:3])
    return shown if len(values) <= 3 else f"{shown} …"
