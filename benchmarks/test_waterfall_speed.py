"""Speed of the priority of payments: 500 paths × 180 months of 2003-HE2's six classes.

`pytest benchmarks/test_waterfall_speed.py --benchmark-enable` prints the time of a block; the extra
information holds ns per path-month. Compilation happens in the warm-up round.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from hemc.inputs.deal import read_deal
from hemc.kernels.flows import Ints, PoolFlows
from hemc.model.deal_terms import MonthlyDeal, compile_deal
from hemc.model.insurer import absent, performing
from hemc.model.oc_target import oc_targets
from hemc.model.waterfall import active_months, collect, pay_months, pay_paths, reconcile
from hemc.states import N_LIVE

DEAL = Path(__file__).parent.parent / "configs" / "deals" / "gmacm-2003-he2.toml"
BALANCES = {
    "A-1": 116_261_895.61, "A-2": 161_627_000.0, "A-3": 20_875_000.0,
    "A-4": 22_233_000.0, "A-5": 63_464_000.0,
}  # fmt: skip
POOL = 390_719_522.22
N_PATHS, N_MONTHS = 500, 180

Block = tuple[MonthlyDeal, PoolFlows]


@pytest.fixture(scope="module")
def block() -> Block:
    """Return terms and pool flows whose loss rates run from mild to ruinous over the paths."""
    deal = compile_deal(read_deal(DEAL), dt.date(2004, 3, 25), BALANCES, N_MONTHS, 0.011)
    rng = np.random.default_rng(20040325)
    paid = np.full((N_PATHS, N_MONTHS), 0.025)
    lost = rng.gamma(0.5, 0.004, (N_PATHS, 1)) * rng.gamma(4.0, 0.25, (N_PATHS, N_MONTHS))
    survival = np.cumprod(1.0 - paid - lost, axis=1)
    balance = POOL * np.concatenate([np.ones((N_PATHS, 1)), survival], axis=1)
    balance[:, -1] = 0.0
    opening, fall = balance[:, :-1], -np.diff(balance, axis=1)
    loss = fall * lost / (paid + lost)
    nothing = np.zeros_like(loss)
    flows = PoolFlows(
        interest=opening * 0.0777 / 12, recoveries=nothing, scheduled=fall - loss, prepaid=nothing,
        proceeds=nothing, loss=loss, balance=balance, net_rate_balance=opening * 0.0777,
        state_balance=np.zeros((N_PATHS, N_MONTHS, N_LIVE)),
    )  # fmt: skip
    return deal, flows


def record(benchmark: BenchmarkFixture) -> None:
    """Store ns per path-month beside the timing; nothing where benchmarks are disabled."""
    if benchmark.stats is not None:
        per_path_month = benchmark.stats.stats.median / (N_PATHS * N_MONTHS)
        benchmark.extra_info["ns per path-month"] = round(1e9 * per_path_month, 1)


@pytest.mark.parametrize("insurer", [performing, absent], ids=["wrapped", "unwrapped"])
def test_pay_and_reconcile(
    benchmark: BenchmarkFixture, block: Block, insurer: Callable[[int], Ints]
) -> None:
    """The whole pass as a run makes it: collect, allocate, pay, reconcile."""
    notes = benchmark(pay_paths, *block, insurer(N_PATHS))
    record(benchmark)
    assert notes.largest_gap.max() < 0.01


def test_pay_alone(benchmark: BenchmarkFixture, block: Block) -> None:
    """The steps with allocation, without identities."""
    deal, flows = block
    months = collect(flows, oc_targets(deal.oc, flows), performing(N_PATHS))
    benchmark(pay_months, deal.terms, months, active_months(flows))
    record(benchmark)


def test_reconcile_alone(benchmark: BenchmarkFixture, block: Block) -> None:
    """The identities of finished flows."""
    deal, flows = block
    months = collect(flows, oc_targets(deal.oc, flows), performing(N_PATHS))
    notes = pay_months(deal.terms, months, active_months(flows))
    gaps = benchmark(reconcile, deal.terms, months, notes)
    record(benchmark)
    assert gaps.max() < 0.01
