"""Speed of the monthly moves: base's matrices of one path, one thread.

`pytest benchmarks/test_transitions_speed.py --benchmark-enable`.
"""

from __future__ import annotations

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from hemc.kernels.transitions import PathFactors, cumulate_path
from hemc.model.simulation import PoolModel


def test_cumulate_path(
    benchmark: BenchmarkFixture, pool_and_factors: tuple[PoolModel, PathFactors]
) -> None:
    """Factors of a path to its cumulative moves; the extra information holds ns per row."""
    model, factors = pool_and_factors
    n_months, n_classes, n_states, width = model.moves.threshold.shape
    out = np.empty((n_classes, n_states, n_months, width + 1))
    path = (factors.credit[0], factors.prepayment[0], factors.charge_off[0])
    benchmark(cumulate_path, model.moves, *path, out)
    if benchmark.stats is not None:
        per_row = benchmark.stats.stats.min / (n_months * n_classes * n_states)
        benchmark.extra_info["ns per row"] = round(1e9 * per_row, 1)
    last = np.take_along_axis(out, model.moves.n_destinations[None, :, None, None], axis=3)
    assert (last == 1.0).all()
