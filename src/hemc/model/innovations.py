"""Path numbers → standard normal innovations of the credit and prepayment factors, by method.

Whatever the method, each path's innovations are standard normal and independent by month, and a
pure function of seed and path. The methods differ in how the paths of a *unit*, UNIT_PATHS
consecutive ones, depend on each other; units are independent and identically distributed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from hemc.kernels import rng
from hemc.kernels.flows import Floats
from hemc.model.importance import Tilt, draw_tilted
from hemc.settings.simulation import UNIT_PATHS

#: Direction rows that scrambled Sobol points steer: credit (the first is the main one), prepayment.
SOBOL_CREDIT, SOBOL_PREPAYMENT = 3, 2

_SOBOL_BITS = 30


class Innovations(NamedTuple):
    """Standard normal innovations of a block of paths, before any correlation of the two."""

    credit: Floats  # [p, t]
    prepayment: Floats  # [p, t]


class Directions(NamedTuple):
    """Orthonormal directions over months; row 0 of `credit` is the main factor direction."""

    credit: Floats  # [direction, t]
    prepayment: Floats  # [direction, t]


class Sampling(NamedTuple):
    """How innovations are drawn; all but plain and antithetic need directions to act on."""

    method: str = "plain"
    directions: Directions | None = None
    tilt: Tilt | None = None  # of importance sampling

    def for_horizon(self, n_months: int) -> Sampling:
        """Return the same for another horizon: directions cut, or continued by zeros."""
        if self.directions is None:
            return self
        rows = (orthonormal(_resized(rows, n_months)) for rows in self.directions)
        return self._replace(directions=Directions(*rows))


PLAIN = Sampling()


def draw_innovations(
    sampling: Sampling, seed: int, first_path: int, n_paths: int, n_months: int
) -> Innovations:
    """Draw the innovations of consecutive paths, float64[n_paths, n_months] each.

    plain: independent paths. antithetic: path 2i + 1 mirrors path 2i. strata: within 64 paths the
    main direction falls into each of 64 equally likely strata once. sobol: within 128 paths the
    leading directions are a scrambled Sobol net of their own (Owen 1997). importance: the main
    direction follows the tilt.
    """
    if sampling.method == "antithetic":
        return _antithetic(seed, first_path, n_paths, n_months)
    plain = _plain(seed, first_path, n_paths, n_months)
    rows = sampling.directions
    if rows is None:
        return plain
    main = rows.credit[:1]
    if sampling.tilt is not None:
        coordinate = draw_tilted(sampling.tilt, seed, first_path, n_paths).coordinate
        return plain._replace(credit=_steer(plain.credit, main, coordinate[:, None]))
    if sampling.method == "strata":
        coordinate = _stratify(coordinates(plain.credit, main[0]), first_path)
        return plain._replace(credit=_steer(plain.credit, main, coordinate[:, None]))
    if sampling.method != "sobol":
        return plain
    points = _sobol_points(seed, first_path, n_paths)
    return Innovations(
        _steer(plain.credit, rows.credit, points[:, :SOBOL_CREDIT]),
        _steer(plain.prepayment, rows.prepayment, points[:, SOBOL_CREDIT:]),
    )


def draw_weights(sampling: Sampling, seed: int, first_path: int, n_paths: int) -> Floats:
    """Return the likelihood ratios of consecutive paths, float64[n_paths]; 1 without a tilt."""
    if sampling.tilt is None:
        return np.ones(n_paths)
    return draw_tilted(sampling.tilt, seed, first_path, n_paths).weight


def orthonormal(rows: Floats) -> Floats:
    """Orthonormalise rows [direction, t] in their order, keeping the sense of each."""
    q, r = np.linalg.qr(rows.T)
    return np.ascontiguousarray((q * np.where(np.diag(r) < 0.0, -1.0, 1.0)).T)


def coordinates(innovation: Floats, direction: Floats) -> Floats:
    """Return the coordinate of innovations along a direction, float64[p].

    Not a matrix product: its last bits depend on how many paths stand in the block.
    """
    return np.asarray((innovation * direction).sum(axis=1))


def _resized(rows: Floats, n_months: int) -> Floats:
    """Cut rows to `n_months` or continue them by zeros."""
    out = np.zeros((len(rows), n_months))
    kept = min(rows.shape[1], n_months)
    out[:, :kept] = rows[:, :kept]
    return out


def _plain(seed: int, first_path: int, n_paths: int, n_months: int) -> Innovations:
    """Draw independent paths."""
    u = np.empty((2, n_paths, n_months))
    for stream, out in zip((rng.CREDIT, rng.PREPAYMENT), u, strict=True):
        rng.draw_uniforms_paths(np.uint64(seed), stream, first_path, out)
    return Innovations(*ndtri(u))


def _antithetic(seed: int, first_path: int, n_paths: int, n_months: int) -> Innovations:
    """Draw the even paths and mirror each into the odd one after it."""
    path = np.arange(first_path, first_path + n_paths)
    even = first_path - first_path % 2
    drawn = _plain(seed, even, path[-1] + 1 - even, n_months)
    sign = np.where(path % 2 == 0, 1.0, -1.0)[:, None]
    return Innovations(*(sign * x[path - path % 2 - even] for x in drawn))


def _stratify(own: Floats, first_path: int) -> Floats:
    """Squeeze standard normals, one a path, into the path's stratum.

    Strata follow in bit-reversed order, so that the first paths of a unit are spread out too.
    """
    n_strata = UNIT_PATHS["strata"]
    stratum = _BIT_REVERSED[(first_path + np.arange(own.size)) % n_strata]
    return np.asarray(ndtri((stratum + ndtr(own)) / n_strata))


def _steer(innovation: Floats, directions: Floats, aims: Floats) -> Floats:
    """Replace the coordinates of innovations along orthonormal directions, float64[p, t].

    A horizon shorter than the directions asked for has fewer; their coordinates are not used.
    """
    for direction, wanted in zip(directions, aims.T, strict=False):
        change = wanted - coordinates(innovation, direction)
        innovation = innovation + change[:, None] * direction
    return innovation


def _sobol_points(seed: int, first_path: int, n_paths: int) -> Floats:
    """Return normal coordinates of consecutive paths, float64[p, direction]."""
    unit = UNIT_PATHS["sobol"]
    last = first_path + n_paths - 1
    nets = [_sobol_net(seed, k) for k in range(first_path // unit, last // unit + 1)]
    start = first_path % unit
    return np.concatenate(nets)[start : start + n_paths]


@lru_cache(maxsize=64)
def _sobol_net(seed: int, replicate: int) -> Floats:
    """Return one independent scrambling of the first Sobol points as normals."""
    from scipy.stats import qmc  # half a second to load: only where it is used

    generator = np.random.default_rng([seed, replicate])
    sobol = qmc.Sobol(SOBOL_CREDIT + SOBOL_PREPAYMENT, bits=_SOBOL_BITS, rng=generator)
    u = sobol.random(UNIT_PATHS["sobol"]) + 0.5 * 2.0**-_SOBOL_BITS  # midpoints: never 0
    return np.asarray(ndtri(u))


def _bit_reversed(n: int) -> NDArray[np.int64]:
    """Return 0 … n − 1, n a power of two, in the order of their reversed binary digits."""
    digits = n.bit_length() - 1
    return np.array([int(f"{k:0{digits}b}"[::-1], 2) for k in range(n)])


_BIT_REVERSED = _bit_reversed(UNIT_PATHS["strata"])
