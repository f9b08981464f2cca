"""Projections and paths under rising stress → rows of breakeven_scan.parquet.

A row is what happens to one class, or to the deal, at one place of a search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.kernels.records import column
from hemc.kernels.valuation import (
    AVERAGE_LIFE,
    DURATION,
    TO_MATURITY,
    WINDOW_FIRST,
    WINDOW_LAST,
    YIELD,
)
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.vector_run import Projection
from hemc.outputs.estimates import HALF_CENT, Design, Estimate, mean, probability

#: Kinds of stress, with what a place of the search is.
KINDS = {
    "cdr": "CDR, per year",
    "shift": "shift of all thresholds, probit units",
    "roll_rate": "multiple of roll rates",
    "severity": "multiple of severities",
}

#: A projection's figures of a class at maturity.
FIGURES = {
    "yield": YIELD, "average_life": AVERAGE_LIFE, "duration": DURATION,
    "window_first": WINDOW_FIRST, "window_last": WINDOW_LAST,
}  # fmt: skip

SCAN_SCHEMA = {
    "kind": pl.String, "speed": pl.Float64, "note": pl.String, "place": pl.Float64,
    "probability": pl.Float64, "standard_error": pl.Float64, "writedown_pct": pl.Float64,
    "pool_loss_pct": pl.Float64, **dict.fromkeys(FIGURES, pl.Float64),
}  # fmt: skip


class Classes(NamedTuple):
    """The classes with a balance at cut-off: place in the deal, name, balance in USD."""

    places: list[int]
    names: list[str]
    balance: Floats


def held_classes(deal: MonthlyDeal) -> Classes:
    """Return the classes with a balance at cut-off."""
    balance = column(deal.terms.classes, "balance_open")
    places = [int(k) for k in np.flatnonzero(balance > 0.0)]
    return Classes(places, [deal.class_names[k] for k in places], balance[places])


def projected_rows(
    kind: str, speed: float, places: Floats, played: Projection, classes: Classes
) -> pl.DataFrame:
    """Return a row a place and class, and one a place for all classes; places float64[p].

    `probability` is 1 where principal is lost and 0 where none is.
    """
    lost = (played.notes.writedown - played.notes.write_up).sum(axis=1)
    loss_pct = 100.0 * played.cash.loss.sum(axis=1) / played.cash.balance[:, 0]
    common = {"kind": kind, "speed": speed, "place": places, "pool_loss_pct": loss_pct}
    total = lost[:, classes.places].sum(axis=1)
    tables = [_rows(common, None, total, float(classes.balance.sum()))]
    for k, name, balance in zip(*classes, strict=True):
        at_maturity = played.figures[:, k, TO_MATURITY]
        figures = {column: at_maturity[:, j] for column, j in FIGURES.items()}
        tables.append(_rows(common | figures, name, lost[:, k], float(balance)))
    return pl.concat(tables)


def _rows(
    columns: dict[str, object], note: str | None, lost: Floats, balance: float
) -> pl.DataFrame:
    """Return the rows of one class at every place."""
    figures = {
        "note": note, "probability": (lost > HALF_CENT).astype(np.float64),
        "writedown_pct": 100.0 * lost / balance,
    }  # fmt: skip
    return _complete(pl.DataFrame(columns | figures))


def simulated_rows(
    kind: str, place: float, pool_loss_pct: Floats, lost: Floats, classes: Classes, design: Design
) -> pl.DataFrame:
    """Return a row for all classes and one a class at one place, from paths.

    `pool_loss_pct` is float64[p], `lost` float64[p, k] USD of every class of the deal.
    """
    losses: Sequence[tuple[str | None, Floats, float]] = [
        (None, lost[:, classes.places].sum(axis=1), float(classes.balance.sum())),
        *((n, lost[:, k], float(b)) for k, n, b in zip(*classes, strict=True)),
    ]
    loss = mean(pool_loss_pct, design).value
    rows = []
    for note, amount, balance in losses:
        hit: Estimate = probability((amount > HALF_CENT).astype(np.float64), design)
        rows.append(
            {
                "kind": kind, "speed": 1.0, "note": note, "place": place,
                "probability": hit.value, "standard_error": hit.standard_error,
                "writedown_pct": 100.0 * mean(amount, design).value / balance,
                "pool_loss_pct": loss,
            }
        )  # fmt: skip
    return _complete(pl.DataFrame(rows))


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with every column of the table, nan turned into null."""
    absent = [pl.lit(None).alias(name) for name in SCAN_SCHEMA if name not in rows.columns]
    return (
        rows.with_columns(absent)
        .select(pl.col(name).cast(kind) for name, kind in SCAN_SCHEMA.items())
        .with_columns(pl.col(pl.Float64).fill_nan(None))
    )
