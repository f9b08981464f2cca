"""measures and months → what the insurer pays, gets back and earns."""

from __future__ import annotations

from hemc.outputs.labels import STATISTICS
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import DASH, Block, Chart, Grid, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import MILLION, estimate, estimate_millions
from hemc.outputs.report.sections.overcollateralization import first_month_row, first_month_table
from hemc.outputs.report.sections.values import wrap_value
from hemc.outputs.run_files import RunFiles

_MEASURES = {
    "draws": "draws",
    "draws_pv": "present value of draws",
    "peak_unreimbursed": "peak unreimbursed, with interest",
    "reimbursement": "reimbursement",
    "premium": "premium",
    "premium_pv": "present value of the premium",
    "insurer_net": "net: present value of draws − reimbursement − premium",
}
_STATISTICS = ("probability", "mean", "p50", "p75", "p95", "p99", "es_99")


def insurer(run: RunFiles) -> Section | None:
    """Return draws, what is reimbursed, and the premium; None where the deal has no insurer."""
    rows = [
        Row(
            (
                name,
                *(
                    estimate_millions(run.measure(m, s, "wrapped"), run.independent)
                    for s in _STATISTICS
                ),
            )
        )
        for m, name in _MEASURES.items()
        if run.measure(m, "mean", "wrapped")
    ]
    if not rows or run.manifest.configuration.insurer.mode == "absent":
        return None
    columns = ("", *(STATISTICS[statistic] for statistic in _STATISTICS))
    caption = f"Over the life of the deal, USD million ± standard error ({DASH} not measured)"
    blocks: list[Block] = [Table(caption, columns, rows), *_why_more_draws(run)]
    blocks += [table for table in [wrap_value(run)] if table.rows]
    blocks += _shares(run)
    firsts = [
        first_month_row(run, "first draw", "first_draw_month", "wrapped"),
        first_month_row(run, "the insurer fails", "insurer_default_month", "wrapped"),
    ]
    if any(firsts):
        blocks.append(first_month_table([row for row in firsts if row]))
    pictures = [chart for chart in (_mean(run, "draws"), _mean(run, "unreimbursed")) if chart]
    if pictures:
        blocks.append(Grid(pictures))
    return Section("insurer", "Insurer", blocks)


def _why_more_draws(run: RunFiles) -> list[Paragraph]:
    """Say why the insurer pays more often than notes are written down, where it does."""
    draws = run.measure("draws", "probability", "wrapped")
    writedown = run.measure("writedown", "probability", "unwrapped")
    if not draws or not writedown or draws["value"] <= writedown["value"]:
        return []
    return [
        Paragraph(
            "Draws are more frequent than writedowns: the insurer pays interest, and what notes "
            "exceed the pool by, at once; later months would have made good some of it.",
            "note",
        )
    ]


def _shares(run: RunFiles) -> list[Block]:
    """Return how likely the insurer fails, and what share of its draws it gets back."""
    fails = run.measure("insurer_fails", "probability", "wrapped")
    share = run.measure("reimbursed_share", "mean", "wrapped")
    rows = [
        Row((name, estimate(row, run.independent)))
        for name, row in (
            ("P(the insurer fails while the deal runs)", fails),
            ("reimbursed share of draws with interest, mean where there are any", share),
        )
        if row and not (row is fails and row["value"] == 0.0)
    ]
    return [Table("Over the life of the deal ± standard error", ("", ""), rows)] if rows else []


def _mean(run: RunFiles, name: str) -> Chart | None:
    """Return the mean of a series by month, whose bands are mostly zero."""
    table = run.shown(name)
    if table is None:
        return None
    rows = charts.month_rows(table, ("mean",), run.manifest.first_projected_month, 1.0 / MILLION)
    line = charts.Line("mean", "mean", "median")
    spec = charts.lines_by_month(rows, [line], "USD million", ",.4f")
    title = {"draws": "Expected draw by month", "unreimbursed": "Expected unreimbursed draws"}
    return Chart(title[name], spec, note=f"Mean over {run.n_paths:,} paths.")
