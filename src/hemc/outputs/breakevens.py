"""breakeven_scan.parquet → breakevens.parquet: where each class begins, and ends, to lose.

A break-even of a projection is the first place of the grid on the other side: the lowest CDR at
which a class loses principal, the mildest shift. That of a probability is where the straight line
between two neighbours of the lattice reaches it, with the error of the probability there divided by
the response's slope.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.model.crossings import Crossing, crossings, slope_at
from hemc.outputs.breakeven_scan import FIGURES
from hemc.outputs.estimates import Estimate

SCHEMA = {
    "kind": pl.String,  # of breakeven_scan.KINDS, or cdr_zero_yield
    "speed": pl.Float64,
    "note": pl.String,  # null: any class
    "target": pl.Float64,  # probability, null for projections
    "crossing": pl.Int64,  # from 1 where there are several, 0 where there is none
    "direction": pl.String,  # rising, falling, from the start; null: none
    "value": pl.Float64,
    "standard_error": pl.Float64,
    "low": pl.Float64,  # neighbours of the lattice on either side
    "high": pl.Float64,
    "pool_loss_pct": pl.Float64,
    "coverage": pl.Float64,  # pool loss there / the run's expected lifetime loss
    "coverage_standard_error": pl.Float64,
    "writedown_pct": pl.Float64,
    **dict.fromkeys(FIGURES, pl.Float64),
    "searched_from": pl.Float64,
    "searched_to": pl.Float64,
}

#: Sides of a response that is 0 or 1.
_EITHER = 0.5


def breakeven_table(
    scan: pl.DataFrame, probabilities: Sequence[float], expected: Estimate
) -> pl.DataFrame:
    """Return every break-even; `expected` is the run's lifetime loss in % of the pool."""
    rows: list[dict[str, Any]] = []
    for (kind, _, note), part in scan.group_by("kind", "speed", "note", maintain_order=True):
        part = part.sort("place")
        if part["standard_error"].is_null().all() and kind in ("cdr", "shift"):
            rows += _projected(part, kind, part["probability"].to_numpy())
            if kind == "cdr" and note is not None and part["yield"].is_not_null().any():
                lost = part.select(pl.col("yield") <= 0.0).to_series().cast(pl.Float64)
                rows += _projected(part, "cdr_zero_yield", lost.fill_null(0.0).to_numpy())
        else:
            for target in probabilities:
                rows += _simulated(part, target)
    table = pl.DataFrame([_with_coverage(row, expected) for row in rows], schema=SCHEMA)
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def _projected(part: pl.DataFrame, kind: Any, hit: Floats) -> Iterator[dict[str, Any]]:
    """Yield the places of a grid at which a response of 0 or 1 changes."""
    place = part["place"].to_numpy()
    found = crossings(place, hit, _EITHER)
    base = _base(part, place) | {"kind": kind}
    if hit[0] >= _EITHER:
        yield base | _figures(part, 0) | {
            "crossing": 1, "direction": "from the start", "value": float(place[0])
        }  # fmt: skip
    elif not found:
        yield base
    for number, crossing in enumerate(found, 1 + int(hit[0] >= _EITHER)):
        i = int(np.searchsorted(place, crossing.high))
        yield base | _place(crossing, number) | _figures(part, i) | {"value": crossing.high}


def _simulated(part: pl.DataFrame, target: float) -> Iterator[dict[str, Any]]:
    """Yield the multiples at which a probability is reached."""
    place, hit = part["place"].to_numpy(), part["probability"].to_numpy()
    base = _base(part, place) | {"target": target}
    found = crossings(place, hit, target)
    if not found:
        yield base
    for number, crossing in enumerate(found, 1):
        error = _error(part, crossing)
        slope = abs(slope_at(crossing, place, hit, target, error or 0.0))
        wide = error / slope if error is not None and slope > 0.0 else None
        loss = part["pool_loss_pct"].to_numpy()
        steep = abs(slope_at(crossing, place, loss, _at(crossing, place, loss), 0.0))
        yield base | _place(crossing, number) | {
            "value": crossing.value, "standard_error": wide,
            "pool_loss_pct": _at(crossing, place, loss),
            "loss_error": None if wide is None else steep * wide,
            "writedown_pct": _at(crossing, place, part["writedown_pct"].to_numpy()),
        }  # fmt: skip


def _base(part: pl.DataFrame, place: Floats) -> dict[str, Any]:
    """Return what all break-evens of a search have in common; as such, that there is none."""
    shared = {name: part[name][0] for name in ("kind", "speed", "note")}
    return shared | {
        "crossing": 0, "searched_from": float(place[0]), "searched_to": float(place[-1])
    }  # fmt: skip


def _place(crossing: Crossing, number: int) -> dict[str, Any]:
    direction = "rising" if crossing.is_rising else "falling"
    low, high = crossing.low, crossing.high
    return {"crossing": number, "direction": direction, "low": low, "high": high}


def _figures(part: pl.DataFrame, i: int) -> dict[str, Any]:
    """Return what happens at a place of the grid."""
    return {name: part[name][i] for name in ("pool_loss_pct", "writedown_pct", *FIGURES)}


def _error(part: pl.DataFrame, crossing: Crossing) -> float | None:
    """Return the larger error of the probability at the neighbours of a crossing."""
    ends = part.filter(pl.col("place").is_in([crossing.low, crossing.high]))
    largest = ends["standard_error"].max()
    return largest if isinstance(largest, float) else None


def _at(crossing: Crossing, place: Floats, values: Floats) -> float:
    """Return a figure at a crossing, on a line between its neighbours."""
    return float(np.interp(crossing.value, place, values))


def _with_coverage(row: dict[str, Any], expected: Estimate) -> dict[str, Any]:
    """Add the coverage multiple with its error."""
    loss_error = row.pop("loss_error", 0.0)
    if row.get("pool_loss_pct") is None or not expected.value > 0.0:
        return row
    coverage = row["pool_loss_pct"] / expected.value
    relative = coverage * expected.standard_error / expected.value
    error = None if loss_error is None else float(np.hypot(loss_error / expected.value, relative))
    return row | {"coverage": coverage, "coverage_standard_error": error}
