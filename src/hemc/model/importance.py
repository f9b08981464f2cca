"""Importance sampling of the main direction: where it is shifted to, its draws and their weights.

A share of the paths stays unshifted, so that no weight exceeds the reciprocal of that share: the
defensive mixture of Hesterberg (1995).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from hemc.kernels import rng
from hemc.kernels.flows import Floats


class Tilt(NamedTuple):
    """The law that the coordinate along the main direction is drawn from.

    N(0, 1) with probability `unshifted`, else N(`shift`, 1).
    """

    shift: float
    unshifted: float


class Tilted(NamedTuple):
    """Coordinates of a block of paths and their likelihood ratios, whose mean is 1."""

    coordinate: Floats  # [p]
    weight: Floats  # [p]


def draw_tilted(tilt: Tilt, seed: int, first_path: int, n_paths: int) -> Tilted:
    """Draw the coordinates of consecutive paths; the same for any horizon."""
    u = np.empty((n_paths, 2))
    rng.draw_uniforms_paths(np.uint64(seed), rng.IMPORTANCE, first_path, u)
    shifted = u[:, 0] >= tilt.unshifted
    coordinate = np.asarray(ndtri(u[:, 1]) + tilt.shift * shifted)
    return Tilted(coordinate, likelihood_ratio(coordinate, tilt))


def likelihood_ratio(coordinate: Floats, tilt: Tilt) -> Floats:
    """Return the density of N(0, 1) over that of the tilt, at most 1 / `unshifted`."""
    shifted = np.exp(tilt.shift * coordinate - tilt.shift**2 / 2.0)
    return np.asarray(1.0 / (tilt.unshifted + (1.0 - tilt.unshifted) * shifted))


def choose_tilt(
    coordinate: Floats, log_loss: Floats, tail_probability: float, unshifted: float
) -> Tilt:
    """Return the tilt for the tail of losses that has `tail_probability`.

    The shift is the mean coordinate of paths in that tail, the best of its kind by cross entropy
    (Rubinstein 1999): correlation × φ(z) / `tail_probability`, were both normal. `coordinate` and
    `log_loss`, float64[p] each, come from a plain pilot. No shift where losses do not vary.
    """
    if np.ptp(log_loss) == 0.0:
        return Tilt(0.0, unshifted)
    correlation = float(np.corrcoef(coordinate, log_loss)[0, 1])
    z = float(ndtri(tail_probability))
    density = float(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))
    return Tilt(max(correlation, 0.0) * density / tail_probability, unshifted)
