"""Speed of the valuation: one block of the base run, to maturity and to call.

`pytest benchmarks/test_valuation_speed.py --benchmark-enable` prints the time of a block; the extra
information holds µs a path. Compilation happens in the warm-up round.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from hemc import engine
from hemc.config import load_config
from hemc.kernels.flows import NoteFlows, PoolFlows
from hemc.model.insurer import absent
from hemc.model.valuation import value_notes
from hemc.model.waterfall import pay_paths
from hemc.scale.block import RunModel, pool_flows

BASE = Path(__file__).parent.parent / "configs" / "base.toml"
N_PATHS = 64

Block = tuple[RunModel, NoteFlows, PoolFlows]


@pytest.fixture(scope="module")
def block() -> Block:
    """Return the base model and flows of its first paths without an insurer."""
    loaded = load_config(BASE)
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    cash = pool_flows(model, model.factors.draw(0, N_PATHS), 0).cash
    return model, pay_paths(model.deal, cash, absent(N_PATHS), 0), cash


def test_value_notes(benchmark: BenchmarkFixture, block: Block) -> None:
    """One pass: all classes, prices to yields and back, durations, lives."""
    model, notes, cash = block
    values = benchmark(value_notes, model.quotes, notes, cash)
    if benchmark.stats is not None:
        per_path = benchmark.stats.stats.median / N_PATHS
        benchmark.extra_info["us a path"] = round(1e6 * per_path, 1)
    assert values.call.max() > 0
