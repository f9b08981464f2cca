"""A run → how far its figures can be trusted: errors, convergence, cash identities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.estimates import (
    Design,
    Estimate,
    design_of,
    expected_shortfall,
    mean,
    take_sample,
)
from hemc.outputs.labels import headline_label
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
from hemc.outputs.run_files import RunFiles
from hemc.outputs.run_manifest import Oracle, Target, Weights

_POINTS = 20
_BAND = 1.96


class _Curve(NamedTuple):
    """A statistic to follow from `fewest` paths on; `level` of a shortfall, None for the mean."""

    title: str
    level: float | None
    fewest: int


_UNITS = {
    "plain": "the path is the independent unit",
    "two-level": "the path is the independent unit; mean lifetime loss by two levels",
    "antithetic": "the pair of mirrored paths is the independent unit",
    "strata": "64 paths, one a stratum, are the independent unit",
    "importance": "the path is the independent unit; weights are calibrated to their mean of 1",
    "sobol": "128 paths, one scrambled net, are the independent unit",
}

_MEANING = {
    "idiosyncratic": "which loans move",
    "parameter": "the roll rates, known from certificates and prior only so far",
    "systematic": "what moves all loans together",
}

_CURVES = (
    _Curve("Expected lifetime loss", None, 50),
    _Curve("99 % expected shortfall of lifetime loss", 0.99, 200),
)


def accuracy(run: RunFiles) -> Section:
    """Return sizes, residuals, relative errors and convergence with the number of paths."""
    blocks: list[Block] = [Facts(list(_facts(run))), Paragraph(run.bands, "note"), _errors(run)]
    variance = run.table("variance")
    if variance is not None:
        blocks.append(_variance(variance))
    oracle = run.table("oracle")
    if oracle is not None and len(oracle):
        blocks.append(_flows(oracle))
    paths, unit = run.table("paths"), run.manifest.sampling.unit_paths
    if paths is not None:
        curves = [curve for curve in _CURVES if len(paths) > curve.fewest]
        charts_shown = [_convergence(paths, unit, curve) for curve in curves]
        blocks += [Grid(charts_shown)] if charts_shown else []
    return Section("accuracy", "Accuracy", blocks)


def _facts(run: RunFiles) -> Iterator[tuple[str, str]]:
    """Yield sizes, what paths are worth, and how well identities and expectations hold."""
    manifest, sampling = run.manifest, run.manifest.sampling
    paths = run.table("paths")
    yield "Paths", f"{manifest.paths:,}"
    yield "Sampling", f"{sampling.method}, {sampling.units:,} independent units"
    yield "Effective sample size (mean loss)", f"{manifest.effective_sample_size:,.0f}"
    yield "Largest gap of a cash identity", f"{manifest.largest_identity_residual_usd:.1e} USD"
    if sampling.weights is not None:
        yield "Weights", _weights(sampling.weights)
    if manifest.oracle is not None and manifest.oracle.largest_z is not None:
        yield "Simulated minus expected flows", _oracle(manifest.oracle)
    if manifest.target is not None:
        yield "Target", _target(manifest.target)
    if paths is not None:
        yield "Implied default correlation, lifetime", f"{_correlation(paths):.3f}"


def _flows(oracle: pl.DataFrame) -> Table:
    """Return each flow's sum, simulated and expected, over all months and the frequent ones."""
    rows = [
        Row((
            f"{row['flow'].replace('_', ' ')}, {row['months']}",
            f"{row['simulated']:,.0f}", f"{row['expected']:,.0f}",
            DASH if row["z"] is None else f"{row['z']:+.2f}".replace("-", "−"),
        ))
        for row in oracle.iter_rows(named=True)
    ]  # fmt: skip
    caption = f"Simulated and expected sums over months, mean of {oracle['paths'][0]:,} paths"
    heads = ("flow", "simulated", "expected", "standard errors apart")
    return Table(caption, heads, rows, folded=True)


def _correlation(paths: pl.DataFrame) -> float:
    """Return the correlation of two loans' lifetime losses, variance / (mean × (1 − mean)).

    Holds for losses of all or nothing; the loans' own luck, left in, is below 1 % of the variance.
    """
    loss, weight = (paths[name].to_numpy() for name in ("pool_loss_pct", "weight"))
    average = float(np.average(loss / 100.0, weights=weight))
    variance = float(np.average((loss / 100.0 - average) ** 2, weights=weight))
    return variance / (average * (1.0 - average)) if 0.0 < average < 1.0 else 0.0


def _target(target: Target) -> str:
    """Say which figure was to be known how well, and whether it is."""
    reached = "no error yet" if target.reached is None else f"{100.0 * target.reached:.2g} %"
    verdict = "met" if target.met else f"not met with the {target.most_paths:,} paths allowed"
    wanted = f"{100.0 * target.relative_error:.2g} %"
    return f"{target.measure} {target.statistic} to {wanted}: {reached}, {verdict}"


def _weights(weights: Weights) -> str:
    """Say what weights are worth in the whole and in the tail."""
    return (
        f"worth {weights.effective:,.0f} equal ones, {weights.tail_effective:,.0f} in the worst "
        f"{100.0 * weights.tail_probability:g} % of losses; largest "
        f"{100.0 * weights.largest_share:.2g} % of their sum"
    )


def _oracle(oracle: Oracle) -> str:
    """Say how far simulated lifetime flows are from those expected given the same factors."""
    return f"at most {oracle.largest_z:.1f} standard errors, {oracle.paths:,} paths"


def _variance(variance: pl.DataFrame) -> Table:
    """Return what the variance of lifetime loss comes from."""
    twins = int(variance["twins"][0])
    rows = [
        Row((
            row["source"], _MEANING[row["source"]], f"{row['variance']:.3g}",
            f"{100.0 * row['share']:.0f} ± {100.0 * row['share_standard_error']:.0f}",
        ))
        for row in variance.iter_rows(named=True)
    ]  # fmt: skip
    caption = f"Variance of lifetime loss by source, from {twins:,} twins of paths"
    return Table(caption, ("source", "what differs", "(% of pool)²", "share, %"), rows, texts=(1,))


def _errors(run: RunFiles) -> Table:
    """Return the headline figures with their standard errors relative to them."""
    rows = [
        Row((headline_label(row), estimate(row, run.independent), _relative(row)))
        for row in run.headlines
    ]
    columns = ("", "estimate ± standard error", "relative error, %")
    return Table(f"Standard errors; {_UNITS[run.manifest.sampling.method]}", columns, rows)


def _relative(row: dict[str, Any]) -> str:
    """Return the standard error in per cent of the value."""
    error, value = row["standard_error"], row["value"]
    return DASH if error is None or not value else f"{100.0 * error / abs(value):.1f}"


def _convergence(paths: pl.DataFrame, unit_paths: int, curve: _Curve) -> Chart:
    """Return how a statistic of loss settles with the number of paths."""
    loss, weight = (paths[name].to_numpy() for name in ("pool_loss_pct", "weight"))
    rows = convergence_rows(loss, weight, curve.level, curve.fewest, unit_paths)
    note = "Estimate ± 1.96 standard errors from the first n paths"
    if curve.level is not None:
        note += "; no error is stated below 10 paths in the tail"
    return Chart(curve.title, charts.convergence(rows, "% of current pool"), note=f"{note}.")


def convergence_rows(
    loss: Floats, weight: Floats, level: float | None, fewest: int, unit_paths: int = 1
) -> list[dict[str, Any]]:
    """Return n, value, low, high of the mean, or the expected shortfall, of the first n values.

    `n` runs from `fewest` to all, evenly in its logarithm, in whole units.
    """
    sizes = np.geomspace(fewest, len(loss), _POINTS) / unit_paths
    rows = []
    for n in (np.unique(sizes.round().astype(int).clip(1)) * unit_paths).tolist():
        value, error = _estimate(loss[:n], level, design_of(weight[:n], unit_paths))
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


def _estimate(loss: Floats, level: float | None, design: Design) -> Estimate:
    """Return mean or expected shortfall."""
    if level is None:
        return mean(loss, design)
    return expected_shortfall(take_sample(loss, design), level)
