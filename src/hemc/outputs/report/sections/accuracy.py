"""A run → how far its figures can be trusted: errors, convergence, cash identities."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.labels import headline_label
from hemc.outputs.measures import Estimate, expected_shortfall, mean
from hemc.outputs.report import charts
from hemc.outputs.report.blocks import (
    DASH,
    Block,
    Chart,
    Facts,
    Grid,
    Paragraph,
    Row,
    Section,
    Table,
)
from hemc.outputs.report.formats import estimate
from hemc.outputs.report.run_files import RunFiles

_POINTS = 20
_BAND = 1.96


class _Curve(NamedTuple):
    """A statistic to follow from `fewest` paths on; `level` of a shortfall, None for the mean."""

    title: str
    level: float | None
    fewest: int


_CURVES = (
    _Curve("Expected lifetime loss", None, 50),
    _Curve("99 % expected shortfall of lifetime loss", 0.99, 200),
)


def accuracy(run: RunFiles) -> Section:
    """Return sizes, residuals, relative errors and convergence with the number of paths."""
    manifest = run.manifest
    facts = [
        ("Paths", f"{manifest.paths:,}"),
        ("Effective sample size", f"{manifest.effective_sample_size:,.0f}"),
        ("Largest gap of a cash identity", f"{manifest.largest_identity_residual_usd:.1e} USD"),
    ]  # fmt: skip
    blocks: list[Block] = [Facts(facts), Paragraph(run.bands, "note"), _errors(run)]
    paths = run.table("paths")
    curves = [] if paths is None else [c for c in _CURVES if len(paths) > c.fewest]
    if paths is not None and curves:
        blocks.append(Grid([_convergence(paths, curve) for curve in curves]))
    return Section("accuracy", "Accuracy", blocks)


def _errors(run: RunFiles) -> Table:
    """Return the headline figures with their standard errors relative to them."""
    rows = [
        Row((headline_label(row), estimate(row, run.n_paths), _relative(row)))
        for row in run.headlines
    ]
    columns = ("", "estimate ± standard error", "relative error, %")
    return Table("Standard errors; the path is the independent unit", columns, rows)


def _relative(row: dict[str, Any]) -> str:
    """Return the standard error in per cent of the value."""
    error, value = row["standard_error"], row["value"]
    return DASH if error is None or not value else f"{100.0 * error / abs(value):.1f}"


def _convergence(paths: pl.DataFrame, curve: _Curve) -> Chart:
    """Return how a statistic of loss settles with the number of paths."""
    rows = convergence_rows(paths["pool_loss_pct"].to_numpy(), curve.level, curve.fewest)
    note = "Estimate ± 1.96 standard errors from the first n paths"
    if curve.level is not None:
        note += "; no error is stated below 10 paths in the tail"
    return Chart(curve.title, charts.convergence(rows, "% of current pool"), note=f"{note}.")


def convergence_rows(loss: Floats, level: float | None, fewest: int) -> list[dict[str, Any]]:
    """Return n, value, low, high of the mean, or the expected shortfall, of the first n values.

    `n` runs from `fewest` to all, evenly in its logarithm.
    """
    sizes = np.unique(np.geomspace(fewest, len(loss), _POINTS).round().astype(int))
    rows = []
    for n in sizes.tolist():
        value, error = _estimate(loss[:n], level)
        reach = _BAND * error if np.isfinite(error) else None
        rows.append(
            {
                "n": n,
                "value": round(value, 5),
                "low": None if reach is None else round(value - reach, 5),
                "high": None if reach is None else round(value + reach, 5),
            }
        )
    return rows


def _estimate(loss: Floats, level: float | None) -> Estimate:
    """Return mean or expected shortfall."""
    return mean(loss) if level is None else expected_shortfall(np.sort(loss), level)
