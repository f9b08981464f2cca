"""Innovations → autoregressive factors along each path."""

from __future__ import annotations

from hemc.kernels.jit import kernel
from hemc.kernels.transitions import Floats


@kernel
def autoregress_paths(innovation: Floats, persistence: float, sd: float, out: Floats) -> None:
    """Fill `out[p, t]` with an AR(1) that starts at 0 before month 1 and has stationary sd `sd`.

    `innovation[p, t]` is standard normal.
    """
    step = sd * (1.0 - persistence * persistence) ** 0.5
    for p in range(innovation.shape[0]):
        x = 0.0
        for t in range(innovation.shape[1]):
            x = persistence * x + step * innovation[p, t]
            out[p, t] = x
