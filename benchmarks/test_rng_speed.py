"""Speed of the random numbers: Philox blocks one by one, and uniforms of paths and months.

`pytest benchmarks/test_rng_speed.py --benchmark-enable`; the extra information holds ns each.
"""

from __future__ import annotations

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.timing import philox_blocks
from hemc.kernels import rng

_N_BLOCKS = 1_000_000
_N_PATHS, _N_MONTHS = 1_000, 292


def record(benchmark: BenchmarkFixture, n: int) -> None:
    """Store ns for each of `n` beside the timing; nothing where benchmarks are disabled."""
    if benchmark.stats is not None:
        benchmark.extra_info["ns each"] = round(1e9 * benchmark.stats.stats.min / n, 2)


def test_philox_blocks(benchmark: BenchmarkFixture) -> None:
    """The calibration loop of scripts/bench."""
    assert benchmark(philox_blocks, _N_BLOCKS) != 0
    record(benchmark, _N_BLOCKS)


def test_uniforms_of_paths(benchmark: BenchmarkFixture) -> None:
    """Two words for each path and month."""
    out = np.empty((_N_PATHS, _N_MONTHS))
    benchmark(rng.draw_uniforms_paths, np.uint64(1), rng.CREDIT, 0, out)
    record(benchmark, out.size)
    assert abs(out.mean() - 0.5) < 0.01
