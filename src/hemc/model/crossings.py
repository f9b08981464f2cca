"""Responses on a lattice, evaluated where asked → every place at which they cross their targets.

A scan looks at every so-many-th point of the lattice; each bracket whose ends lie on different
sides of a target is narrowed to two neighbours. So a crossing between two scanned points is found
unless the response crosses an even number of times between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats


class Crossing(NamedTuple):
    """Where a response reaches its target: between two neighbours of the lattice, on a line."""

    value: float
    low: float
    high: float
    is_rising: bool


class Responses(NamedTuple):
    """Responses at rising places of the lattice."""

    x: Floats  # [n]
    y: Floats  # [n, series]


def lattice(low: float, high: float, step: float) -> Floats:
    """Return multiples from `low` to `high` at most, each 1 + step times the one before it."""
    n = int(np.floor(np.log(high / low) / np.log1p(step) + 1e-9))
    return np.asarray(low * (1.0 + step) ** np.arange(n + 1))


def scan_and_narrow(
    evaluate: Callable[[float], Sequence[float] | Floats],
    places: Floats,
    every: int,
    targets: Sequence[float],
) -> Responses:
    """Evaluate the responses wherever it takes to find all crossings.

    `evaluate` returns the response of every series, float64[series]; `places` are the lattice,
    float64[n] rising, of which the scan takes every `every`-th point and the last.
    """
    found = {j: np.asarray(evaluate(float(places[j]))) for j in scanned(len(places), every)}
    halve = False
    while wanted := _next_points(found, targets, halve):
        for j in sorted(wanted):
            found[j] = np.asarray(evaluate(float(places[j])))
        halve = not halve  # the secant alone may come nearer from one side only, a step at a time
    order = sorted(found)
    return Responses(places[order], np.stack([found[j] for j in order]))


def scanned(n: int, every: int) -> list[int]:
    """Return the points of the first scan of a lattice of `n`."""
    return [*range(0, n - 1, every), n - 1]


def crossings(x: Floats, y: Floats, target: float) -> list[Crossing]:
    """Return every crossing of one response y[n] at rising places x[n], in their order."""
    return [
        Crossing(_reach(x, y, i, target), float(x[i]), float(x[i + 1]), bool(y[i + 1] >= target))
        for i in np.flatnonzero(_changes(y, target))
    ]


def slope_at(crossing: Crossing, x: Floats, y: Floats, target: float, error: float) -> float:
    """Return the slope of a response about a crossing, over a width that its noise does not blur.

    Taken from the nearest points beyond `target` ± `error` on either side of the crossing, or the
    outermost ones.
    """
    sign = 1.0 if crossing.is_rising else -1.0
    below = np.flatnonzero((x <= crossing.low) & (sign * (y - target) <= -error))
    above = np.flatnonzero((x >= crossing.high) & (sign * (y - target) >= error))
    i = int(below[-1]) if below.size else 0
    k = int(above[0]) if above.size else x.size - 1
    return float((y[k] - y[i]) / (x[k] - x[i]))


def _changes(y: Floats, target: float) -> NDArray[np.bool_]:
    """Tell between which neighbours a response changes its side of the target."""
    return np.asarray(np.diff(y >= target))


def _reach(x: Floats, y: Floats, i: np.signedinteger, target: float) -> float:
    """Return where the straight line from point i to the next one reaches the target."""
    return float(x[i] + (target - y[i]) / (y[i + 1] - y[i]) * (x[i + 1] - x[i]))


def _next_points(found: dict[int, Floats], targets: Sequence[float], halve: bool) -> set[int]:
    """Return a point within every bracket that has one: its middle, or where the secant points."""
    order = np.array(sorted(found))
    values = np.stack([found[j] for j in order])
    wanted = set()
    for y in values.T:
        for target in targets:
            for i in np.flatnonzero(_changes(y, target)):
                a, b = int(order[i]), int(order[i + 1])
                if b - a > 1:
                    at = 0.5 * (a + b) if halve else _reach(order.astype(float), y, i, target)
                    wanted.add(min(max(round(at), a + 1), b - 1))
    return wanted
