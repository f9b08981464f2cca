"""A run's paths → what they are worth in independent ones, and whether they reach a target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from hemc.errors import InputError
from hemc.outputs.estimates import Estimate, design_of, effective_sample_size, kish_sample_size
from hemc.settings.simulation import SimulationSettings, TargetSettings

_FIRST_STOP = 1_024
#: Fewer independent units than this do not tell their own error well enough to stop on it.
_FEWEST_UNITS = 16


class SampleSize(NamedTuple):
    """What the paths of a run are worth.

    `effective` is the number of plain paths with the same standard error of the mean loss;
    `of_weights` is Kish's; `independent_paths` is the n that bounds a probability without a hit
    by 3/n, None where paths have weights.
    """

    units: int
    effective: float
    of_weights: float
    independent_paths: int | None


def sample_size(
    paths: pl.LazyFrame, simulation: SimulationSettings, mean_loss: Estimate | None = None
) -> SampleSize:
    """Return the sample size of paths.parquet; `mean_loss`, USD, where not made of them alone.

    Strata are drawn independently of each other: the probability (1 − p₁)(1 − p₂)… that none of
    them has a hit is at most exp(−Σ pₛ), so that 3/n holds there as it does for plain paths.
    """
    table = paths.select("weight", "pool_loss").collect()
    weight, loss = table["weight"].to_numpy(), table["pool_loss"].to_numpy()
    design = design_of(weight, simulation.unit_paths)
    units = len(loss) // simulation.unit_paths
    independent = len(loss) if simulation.sampling == "strata" else units
    return SampleSize(
        units,
        effective_sample_size(loss, design, mean_loss),
        kish_sample_size(weight),
        independent if design.weight is None else None,
    )


def round_ends(simulation: SimulationSettings) -> Iterator[int]:
    """Yield the path counts at which a run looks at its target: 1,024 · 2ʲ, and at last `paths`.

    Without a target the run has one round. Stops that do not depend on what came out, and few of
    them, keep the stated error honest (Glynn and Whitt 1992).
    """
    n_paths = _FIRST_STOP
    while simulation.target is not None and n_paths < simulation.paths:
        if n_paths >= _FEWEST_UNITS * simulation.unit_paths:
            yield n_paths
        n_paths *= 2
    yield simulation.paths


def relative_error(measures: pl.DataFrame, target: TargetSettings, file: Path) -> float:
    """Return the standard error of the target's figure relative to it, infinite where unknown.

    Of a measure with rows by class the one of all classes together counts. Raises InputError
    where the run has no such figure.
    """
    whole = measures.filter(pl.col("note").is_null())
    rows = whole.filter(measure=target.measure, statistic=target.statistic)
    if rows.is_empty():
        known = whole.filter(measure=target.measure)
        place, column = ("statistic", "statistic") if len(known) else ("measure", "measure")
        names = (known if len(known) else whole)[column].unique(maintain_order=True)
        raise InputError(
            file, f"simulation.target.{place}", f"'{getattr(target, place)}'",
            f"one of {', '.join(names)}",
        )  # fmt: skip
    row = rows.row(0, named=True)
    if row["standard_error"] is None or not row["value"]:
        return float("inf")
    return float(row["standard_error"] / abs(row["value"]))
