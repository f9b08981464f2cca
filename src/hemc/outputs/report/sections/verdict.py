"""A run → what it says in one sentence, six figures and two charts."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hemc.outputs.labels import headline_label
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import (
    Block,
    Chart,
    Facts,
    Figure,
    Figures,
    Grid,
    Paragraph,
    Section,
)
from hemc.outputs.report.formats import MILLION, estimate
from hemc.outputs.run_files import RunFiles

_MAX_BINS = 60


def verdict(run: RunFiles) -> Section:
    """Return the first section: what was run, what came out, what to beware of."""
    figures = [Figure(headline_label(row) + _unit(row), _figure(run, row)) for row in run.headlines]
    pictures = [chart for chart in (oc_fan(run), loss_histogram(run)) if chart]
    blocks: list[Block] = [Facts(_facts(run)), Paragraph(_sentence(run), "lead"), Figures(figures)]
    blocks += [*_findings(run), *_doubts(run)]
    blocks.append(Grid(pictures))
    return Section("verdict", "Verdict", blocks)


def oc_fan(run: RunFiles) -> Chart | None:
    """Return overcollateralisation by month with its target."""
    table, target = run.shown("oc"), run.shown("oc_target")
    if table is None:
        return None
    extra = {} if target is None else {"target": target["mean"]}
    spec = charts.fan(
        table, run.manifest.first_projected_month, "USD million",
        1.0 / MILLION, extra,
    )  # fmt: skip
    legend = charts.FAN_LEGEND + ((("target", "mean target"),) if extra else ())
    return Chart("Overcollateralisation", spec, legend, run.bands)


def loss_histogram(run: RunFiles) -> Chart | None:
    """Return the distribution of lifetime loss with mean, 99 % quantile and expected shortfall."""
    paths = run.table("paths")
    if paths is None:
        return None
    named = (("mean", "median", "mean"), ("p99", "second", "99 % quantile"),
             ("es_99", "target", "99 % expected shortfall"))  # fmt: skip
    marks, legend = [], []
    for statistic, style, name in named:
        row = run.measure("pool_loss_pct", statistic)
        if row is not None:
            marks.append((row["value"], style))
            legend.append((style, f"{name} {estimate(row, run.independent)}"))
    spec = charts.histogram(loss_bins(paths), "lifetime loss, % of current pool", marks)
    return Chart("Lifetime loss of the pool", spec, legend, f"{len(paths):,} paths.")


def loss_bins(paths: pl.DataFrame, column: str = "pool_loss_pct") -> pl.DataFrame:
    """Return low and high of equal bins from zero, in the column's unit, and share (% of paths)."""
    loss = paths[column].to_numpy()
    n_bins = int(min(_MAX_BINS, max(10, 2 * len(loss) ** (1 / 3))))
    weight = paths["weight"].to_numpy()
    reach = (0.0, max(float(loss.max()), 1e-9))
    heavy, edges = np.histogram(loss, bins=n_bins, range=reach, weights=weight)
    share = 100.0 * heavy / weight.sum()
    return pl.DataFrame({"low": edges[:-1], "high": edges[1:], "share": share})


def _facts(run: RunFiles) -> list[tuple[str, str]]:
    """Return date, pool, scenario and size of the run; the page's heading has the deal."""
    manifest = run.manifest
    scenario = manifest.configuration.scenario
    file = manifest.scenario
    path = "" if file is None else f", path of “{file.name}”"
    shift = f"stress shift {scenario.stress_shift:+g}" if scenario.stress_shift else "no shift"
    facts = [
        ("Certificate of", manifest.payment_date or "a date that cannot be read"),
        ("Scenario", f"random factors {scenario.factors}{path}, {shift}"),
        ("Insurer", manifest.configuration.insurer.mode),
        ("Simulated", f"{manifest.paths:,} paths × {manifest.months} months"),
    ]
    balance = _pool_balance(run)
    return facts if balance is None else [facts[0], ("Pool", balance), *facts[1:]]


def _pool_balance(run: RunFiles) -> str | None:
    """Return the pool's balance and loans at the certificate's date."""
    table = run.table("next_certificate")
    if table is None:
        return None
    row = table.filter(pl.col("figure") == "pool.beginning_pool")
    return f"{row['p50'][0]:,.2f} USD" if len(row) else None


def _sentence(run: RunFiles) -> str:
    """Say the headline figures in one sentence of plain words."""
    shown = {(row["measure"], row["statistic"]): _figure(run, row) for row in run.headlines}
    insured = run.manifest.configuration.insurer.mode != "absent"
    parts = (
        (("pool_loss_pct", "mean"), "the pool is expected to lose {} of its present balance"),
        (("pool_loss_pct", "es_99"), "in the worst hundredth of paths {} on average"),
        (("draws", "probability"), "the insurer has to pay with probability {}" * insured),
        (("writedown", "probability"),
         f"without an insurer some note is written down with probability {{}}{_classes_hit(run)}"),
    )  # fmt: skip
    said = [text.format(shown[key]) for key, text in parts if key in shown and text]
    return f"Over its remaining life {'; '.join(said)}."


def _unit(row: dict[str, Any]) -> str:
    """Return what a label adds where the figure does not say its unit itself."""
    return ", USD" if row["unit"] == "USD" else ""


def _figure(run: RunFiles, row: dict[str, Any]) -> str:
    """Return a headline figure that no line break tears apart."""
    return estimate(row, run.independent).replace(" ", "\u00a0")


def _classes_hit(run: RunFiles) -> str:
    """Say which class is written down most often and which never, where classes differ."""
    found = {
        name: row["value"]
        for name in run.notes("writedown")
        if (row := run.measure("writedown", "probability", "unwrapped", name))
    }
    if len(found) < 2 or not any(found.values()):
        return ""
    never = [name for name, value in found.items() if value == 0.0]
    text = f", most often class {max(found, key=lambda name: found[name])}"
    return f"{text}, on no path class {' or '.join(never)}" if never else text


def _findings(run: RunFiles) -> list[Paragraph]:
    """Say how the certificate ties out, and repeat the run's warnings."""
    found = [Paragraph(f"Warning: {text}", "bad") for text in run.manifest.warnings]
    table = run.table("tieout")
    if table is None:
        return found
    statuses = table["status"].to_list()
    passed, failed = (statuses.count(word) for word in ("pass", "fail"))
    rest = len(statuses) - passed - failed
    text = f"The certificate's figures: {passed} identities hold, {failed} fail, "
    text += f"{rest} cannot be tested (section 2)."
    return [Paragraph(text, "bad" if failed else "good"), *found]


def _doubts(run: RunFiles) -> list[Paragraph]:
    """Say what ± leaves out: how much is opinion, and what the largest of other ones would do."""
    text = "± is sampling error alone."
    rates = run.table("roll_rates")
    if rates is not None and len(rates):
        driven = int(rates["prior_driven"].sum())
        text += f" {driven} of {len(rates)} roll rates are prior-driven: opinion."
    other = run.table("sensitivities")
    moved = None if other is None else other.filter(measure="pool_loss_pct")
    if moved is not None and len(moved):
        row = moved.sort(pl.col("difference").abs(), descending=True).row(0, named=True)
        text += (
            f" {row['assumption']} = {row['setting']} would move the expected loss by "
            f"{row['difference']:+.1f} points (Sensitivities).".replace("-", "−")
        )
    return [Paragraph(text, "note")]
