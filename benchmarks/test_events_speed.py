"""Speed of the event-driven kernel: base's loans on one block of paths, one thread.

`pytest benchmarks/test_events_speed.py --benchmark-enable`; extra information: ms per path.
"""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import time_paths
from hemc.kernels import events, loans
from hemc.kernels.transitions import PathFactors
from hemc.model.simulation import PoolModel


def test_paths(
    benchmark: BenchmarkFixture, pool_and_factors: tuple[PoolModel, PathFactors]
) -> None:
    """Every output of every path."""
    months = time_paths(benchmark, events.simulate_paths, pool_and_factors)
    assert (months[:, :, loans.LOSS].sum(axis=1) > 0.0).all()
