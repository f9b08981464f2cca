"""Weights of a run's paths → what they are worth, in the whole and in the tail aimed at."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from hemc.outputs.estimates import design_of, kish_sample_size, mean, quantile, take_sample

#: Worth less than this share of the paths, or this many in the tail, weights have collapsed.
_FEWEST_SHARE = 0.05
_FEWEST_IN_TAIL = 100.0
#: Standard errors by which the mean weight may differ from 1, which it is in law.
_FARTHEST_MEAN = 4.0


class WeightCheck(NamedTuple):
    """Diagnostics of weighted paths; `effective` sizes are Kish's (1965)."""

    paths: int
    mean: float
    mean_standard_error: float
    largest: float
    largest_share: float  # of the sum of all weights
    effective: float
    tail_probability: float
    tail_effective: float  # of the paths in the tail of lifetime loss


def check_weights(paths: pl.LazyFrame, tail_probability: float) -> WeightCheck | None:
    """Return the diagnostics of paths.parquet, None where all paths weigh the same."""
    table = paths.select("weight", "pool_loss").collect()
    weight, loss = table["weight"].to_numpy(), table["pool_loss"].to_numpy()
    if (weight == weight[0]).all():
        return None
    own = mean(weight)
    level = quantile(take_sample(loss, design_of(weight, 1)), 1.0 - tail_probability).value
    return WeightCheck(
        weight.size, own.value, own.standard_error, float(weight.max()),
        float(weight.max() / weight.sum()), kish_sample_size(weight),
        tail_probability, kish_sample_size(weight[loss >= level]),
    )  # fmt: skip


def weight_warnings(check: WeightCheck | None) -> list[str]:
    """Say where weights have collapsed or cannot be right."""
    if check is None:
        return []
    found = []
    if check.effective < _FEWEST_SHARE * check.paths:
        found.append(
            f"weights are worth {check.effective:,.0f} of {check.paths:,} paths (largest "
            f"{100.0 * check.largest_share:.2g} % of all): raise simulation.unshifted_share"
        )
    if check.tail_effective < _FEWEST_IN_TAIL:
        found.append(
            f"the worst {100.0 * check.tail_probability:g} % of losses rest on "
            f"{check.tail_effective:,.0f} effective paths: raise simulation.paths"
        )
    if abs(check.mean - 1.0) > _FARTHEST_MEAN * check.mean_standard_error:
        found.append(f"mean weight {check.mean:.4f} is not 1: no figure of this run can be trusted")
    return found
