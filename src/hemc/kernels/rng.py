"""Counter-based random numbers: (seed, stream, path, loan, month) → uniforms, in any order.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as
1, 2, 3". A draw is a pure function of its counter, so that threads, blocks, restarts and
scenarios change no draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.jit import kernel

#: Streams keep draws for different purposes apart: the fourth word of the counter.
MOVE, SEVERITY, CLASS, BANKRUPTCY_PAYS, CREDIT, PREPAYMENT, LUMPINESS, TIMING = range(8)
#: Streams of sojourns: of one draw, and month by month.
STAY, LONG_STAY = 8, 9
#: Streams of crises in the credit factor, and of importance sampling.
CRISIS, IMPORTANCE = 10, 11
#: Stream of the insurer's default.
INSURER = 12
#: Stream of the chains that calibrate: a running number and the chain in place of loan and path.
CALIBRATION = 13

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@kernel
def philox4x32(
    c0: int, c1: int, c2: int, c3: int, seed: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return four words of 32 random bits for a counter; `seed` is the 64-bit key."""
    x0, x1 = np.uint64(c0) & _LOW, np.uint64(c1) & _LOW
    x2, x3 = np.uint64(c2) & _LOW, np.uint64(c3) & _LOW
    k0, k1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _32
    for _ in range(10):
        product_0, product_1 = _MULTIPLIER_0 * x0, _MULTIPLIER_1 * x2
        x0 = (product_1 >> _32) ^ x1 ^ k0
        x1 = product_1 & _LOW
        x2 = (product_0 >> _32) ^ x3 ^ k1
        x3 = product_0 & _LOW
        k0 = (k0 + _WEYL_0) & _LOW
        k1 = (k1 + _WEYL_1) & _LOW
    return x0, x1, x2, x3


@kernel
def uniform(word: np.uint64) -> float:
    """Return a word's midpoint on the grid of 2⁻³² in (0, 1)."""
    return (np.float64(word) + 0.5) * 2.0**-32


@kernel
def draw_loan(seed: np.uint64, stream: int, path: int, loan: int, month: int) -> float:
    """Return one uniform of a loan on a path in a month."""
    return uniform(philox4x32(loan, month, path, stream, seed)[0])


@kernel
def draw_uniforms_paths(
    seed: np.uint64, stream: int, first_path: int, out: NDArray[np.float64]
) -> None:
    """Fill `out[p, t]` with uniforms that belong to a path and a month, not to a loan.

    Two words each, so that a normal made from one reaches far into its tails.
    """
    for p in range(out.shape[0]):
        for t in range(out.shape[1]):
            high, low, _, _ = philox4x32(0, t + 1, first_path + p, stream, seed)
            u = (np.float64(high) + uniform(low)) * 2.0**-32
            out[p, t] = min(u, 1.0 - 2.0**-53)
