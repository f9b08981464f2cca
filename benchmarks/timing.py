"""Pieces of work in, their best times out, and the lines and exponents fitted through them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hemc.kernels.jit import kernel
from hemc.kernels.rng import philox4x32

#: Name under which `best_of` reports the calibration loop.
CALIBRATION = "calibration"

_CALIBRATION_BLOCKS = 1_000_000

Work = Callable[[], object]


class Line(NamedTuple):
    """Time = fixed + slope × size, through the smallest and the largest size."""

    fixed: float
    slope: float


@kernel
def philox_blocks(n: int) -> int:
    """Return the xor of `n` consecutive Philox blocks: work that depends on the core alone."""
    mixed = np.uint64(0)
    for i in range(n):
        mixed ^= philox4x32(i, 0, 0, 0, np.uint64(1))[0]
    return int(mixed)


def best_of(rounds: int, works: Mapping[str, Work]) -> dict[str, float]:
    """Return the shortest time of each piece of work, seconds, after one round that does not count.

    The pieces take turns, so that a slow minute of the machine meets all of them, and a million
    Philox blocks take their turn with them: a figure of another day compares by that one.
    """
    all_works = {**works, CALIBRATION: calibrate}
    for work in all_works.values():
        work()
    best = dict.fromkeys(all_works, float("inf"))
    for _ in range(rounds):
        for name, work in all_works.items():
            best[name] = min(best[name], seconds_of(work))
    return best


def calibrate() -> None:
    """Run the calibration loop."""
    philox_blocks(_CALIBRATION_BLOCKS)


def seconds_of(work: Work) -> float:
    """Return the wall time of one call, seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def line_through(sizes: Sequence[float], seconds: Sequence[float]) -> Line:
    """Return the line through the first and the last point."""
    slope = (seconds[-1] - seconds[0]) / (sizes[-1] - sizes[0])
    return Line(seconds[0] - slope * sizes[0], slope)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return e of seconds ∝ size^e by least squares on logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
