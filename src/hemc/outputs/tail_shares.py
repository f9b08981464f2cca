"""A total by path → the weights of its mean and tails, by which what it is made of contributes.

The contribution of a part is the mean of the part over the total's tail (Tasche 1999); those of all
parts add up to the figure of the total, with the same weights of paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, Ints
from hemc.outputs.estimates import (
    SHORTFALLS,
    Design,
    Sample,
    expected_shortfall,
    mean,
    take_sample,
    value_at,
)


class Part(NamedTuple):
    """What a part contributes; nan where paths do not tell its error, or the total is zero."""

    value: float
    standard_error: float
    share: float  # of the total


class Tail(NamedTuple):
    """How a statistic of a total weighs paths, and what tells the errors of its parts."""

    statistic: str
    weights: Floats  # [p] of a contribution, adding up to 1
    total: float
    beyond: Floats | None  # [p] 1 beyond the quantile / (1 − level); None: the mean of all
    near: Ints | None  # paths about the quantile
    design: Design
    knows_error: bool

    def part(self, y: Floats) -> Part:
        """Return what a part float64[p] of the total contributes."""
        value = float((self.weights * y).sum())
        share = value / self.total if self.total > 0.0 else float("nan")
        return Part(value, self._error(y), share)

    def _error(self, y: Floats) -> float:
        """Return the standard error of a contribution.

        That of ψ = m + (y − m)·1{x > q}/(1 − level), m being the mean of y where x is at the
        quantile: over all parts it adds up to the influence of the expected shortfall itself.
        """
        if not self.knows_error:
            return float("nan")
        if self.beyond is None or self.near is None:
            return mean(y, self.design).standard_error
        middle = float(y[self.near].mean())
        return mean(middle + (y - middle) * self.beyond, self.design).standard_error


def tails(x: Floats, design: Design) -> Iterator[Tail]:
    """Yield the mean and the expected shortfalls of a total float64[p]."""
    weights = design.weights(x.size)
    weights = weights / weights.sum()
    yield Tail("mean", weights, float((weights * x).sum()), None, None, design, True)
    sample = take_sample(x, design)
    for name, level in SHORTFALLS.items():
        q = value_at(sample, level)
        in_tail = _tail_weights(x, q, weights, level)
        error = expected_shortfall(sample, level).standard_error
        yield Tail(
            name, in_tail, float((in_tail * x).sum()), (x > q) / (1.0 - level),
            _near(sample, level), design, not np.isnan(error),
        )  # fmt: skip


def _tail_weights(x: Floats, q: float, weights: Floats, level: float) -> Floats:
    """Return the weights with which paths make the expected shortfall: Σ weight × x is it.

    Beyond the quantile each path weighs weight / (1 − level); what is missing to one is shared by
    those that stand exactly at it.
    """
    tail = np.where(x > q, weights / (1.0 - level), 0.0)
    at = np.where(x == q, weights, 0.0)
    return np.asarray(tail + at * ((1.0 - tail.sum()) / at.sum()))


def _near(sample: Sample, level: float) -> Ints:
    """Return the paths about a quantile, √n of them."""
    order = np.argsort(sample.values, kind="stable")
    n = sample.values.size
    middle = int(np.searchsorted(sample.values[order], value_at(sample, level)))
    reach = max(int(n**0.5) // 2, 1)
    return order[max(middle - reach, 0) : middle + reach]
