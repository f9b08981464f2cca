"""What the pytest-benchmark files share: base's pool and its factors on one block of paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.workloads import prepare
from hemc.kernels import loans
from hemc.kernels.flows import Floats
from hemc.kernels.transitions import PathFactors
from hemc.model.simulation import PoolModel

N_PATHS = 64

PathsKernel = Callable[..., None]


@pytest.fixture(scope="session", params=[1, 2], ids=["one class", "two classes"])
def pool_and_factors(request: pytest.FixtureRequest) -> tuple[PoolModel, PathFactors]:
    """Return base's pool, by number of latent classes, and the factors of its first block."""
    model = prepare((("roll_rates.classes", str(request.param)),)).model
    return model.pool, model.factors.draw(0, N_PATHS)


def time_paths(
    benchmark: BenchmarkFixture, kernel: PathsKernel, block: tuple[PoolModel, PathFactors]
) -> Floats:
    """Time a kernel that simulates a block of paths; return its months [p, t, column]."""
    model, factors = block
    months = np.empty((*factors.credit.shape, loans.N_COLUMNS))
    by_origin = np.empty((N_PATHS, *model.shares.cumulative.shape))

    def zeroed() -> tuple[tuple[Any, ...], dict[str, Any]]:
        months[:], by_origin[:] = 0.0, 0.0
        draws = (np.uint64(model.seed), 0)
        out = (months, by_origin)
        given = (model.pool, model.moves, factors, model.rules, model.shares, draws, out)
        return given, {}

    untyped = cast(Any, benchmark)  # the package states no types for pedantic
    untyped.pedantic(kernel, setup=zeroed, rounds=7, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["ms per path"] = round(1e3 * benchmark.stats.stats.min / N_PATHS, 4)
    return months
