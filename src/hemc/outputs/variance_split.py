"""Lifetime losses of paths and of their twins → variance by source, with standard errors."""

from __future__ import annotations

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats

SCHEMA = {
    "source": pl.String, "variance": pl.Float64, "share": pl.Float64,
    "share_standard_error": pl.Float64, "twins": pl.Int64,
}  # fmt: skip

#: Sources of chance: the loans' own, the roll rates, what moves all loans together.
SOURCES = ("idiosyncratic", "parameter", "systematic")


def split_variance(
    loss: Floats, other_loans: Floats, same_rates: Floats, balance: float
) -> pl.DataFrame:
    """Split the variance of lifetime loss, in (% of `balance`)².

    `loss` float64[twin] are paths, `other_loans` twins that differ in the draws of loans alone,
    `same_rates` twins that share the roll rates alone. Idiosyncratic is half the mean square of
    the first difference, parameter the covariance with the last, systematic the rest; an
    estimate can fall below zero. Errors of shares are the jackknife's.
    """
    losses = 100.0 * np.stack([loss, other_loans, same_rates]) / balance
    n = losses.shape[1]
    parts = _parts(losses)
    shares = np.array([_parts(np.delete(losses, i, axis=1)) for i in range(n)])
    shares /= shares.sum(axis=1, keepdims=True)
    error = np.sqrt((n - 1.0) * shares.var(axis=0))
    total = float(parts.sum())
    rows = [
        (source, float(part), float(part) / total, float(se), n)
        for source, part, se in zip(SOURCES, parts, error, strict=True)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def no_split() -> pl.DataFrame:
    """Return the table of a run without draws of the roll rates: no row."""
    return pl.DataFrame(schema=SCHEMA)


def _parts(losses: Floats) -> Floats:
    """Return the variance by source, float64[3]."""
    total = losses.var(axis=1, ddof=1).mean()
    idiosyncratic = 0.5 * np.mean((losses[0] - losses[1]) ** 2)
    parameter = np.cov(losses[0], losses[2])[0, 1]
    return np.array([idiosyncratic, parameter, total - idiosyncratic - parameter])
