"""Settings and sizes in, ready models and timed pieces of simulation out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks import numpy_twin
from hemc import engine
from hemc.config import LoadedConfig, load_config
from hemc.inputs.synthetic_tape import synthesise_tape
from hemc.inputs.tape_totals import TapeTotals
from hemc.kernels import loans
from hemc.kernels.flows import Floats
from hemc.model.simulation import BlockFlows, Method, simulate_block
from hemc.scale.block import RunModel
from hemc.scale.threads import Threads, block_ranges

BASE = Path(__file__).parent.parent / "configs" / "base.toml"

METHODS: tuple[Method, ...] = ("event-driven", "month-stepping")

Overrides = tuple[tuple[str, str], ...]

_BLOCK_PATHS = 64


class Workload(NamedTuple):
    """A model with the configuration and the loans that it was built from."""

    loaded: LoadedConfig
    tape: pl.DataFrame
    model: RunModel


def flat_cpr(cpr: float) -> Overrides:
    """Return the settings of one prepayment speed for all months, per year."""
    return (("prepayment.cpr", str(cpr)), ("prepayment.long_run_cpr", str(cpr)))


@cache
def prepare(overrides: Overrides = (), n_loans: int | None = None) -> Workload:
    """Build base with some settings changed; `n_loans` scales the tape, at base's roll rates."""
    loaded = load_config(BASE, dict(overrides))
    documents = engine.read_documents(loaded)
    calibration = engine.calibrate(loaded, documents)
    if n_loans is not None:
        totals = scale_totals(calibration.totals, n_loans)
        tape = synthesise_tape(totals, loaded.config.tape, loaded.config.tape.seed)
        calibration = calibration._replace(totals=totals, tape=tape)
    model = engine.build_model(loaded.config, documents, calibration)
    return Workload(loaded, calibration.tape, model)


def scale_totals(totals: TapeTotals, n_loans: int) -> TapeTotals:
    """Return totals of a pool with about `n_loans` loans of the same states, sizes and rate."""
    count = tuple(round(n * n_loans / totals.n_loans) for n in totals.count)
    balance = tuple(
        (money * new / max(old, 1)).quantize(Decimal("0.01"))
        for money, old, new in zip(totals.balance, totals.count, count, strict=True)
    )
    return TapeTotals(count, balance, totals.net_rate, totals.net_rate_digits)


def shorten(model: RunModel, n_months: int) -> RunModel:
    """Return the pool side of a model with its first months only (notes are left as they are)."""
    moves = model.pool.moves
    moves = moves._replace(
        threshold=moves.threshold[:n_months], payoff_hazard=moves.payoff_hazard[:n_months]
    )
    factors = replace(model.factors, n_months=n_months)
    return model._replace(pool=model.pool._replace(moves=moves), factors=factors)


def simulate(model: RunModel, method: Method, n_paths: int, threads: int = 1) -> Floats:
    """Draw factors and simulate the pool; return lifetime losses float64[n_paths], USD."""
    work = partial(_lifetime_loss, model, method)
    blocks = block_ranges(n_paths, _BLOCK_PATHS)
    return np.concatenate(list(Threads(threads).map_blocks(work, blocks)))


def simulate_twin(model: RunModel, n_paths: int) -> Floats:
    """Do the same in NumPy, on the same factors."""
    months, _ = numpy_twin.simulate(model.pool, model.factors.draw(0, n_paths), seed=1)
    return np.asarray(months[:, :, loans.LOSS].sum(axis=1))


def loan_months(model: RunModel, n_paths: int) -> float:
    """Return how many loans a path opens a month with, summed over its months; a mean."""
    counts = simulate_flows(model, "month-stepping", 0, n_paths).state_loans.sum(axis=(0, 2))
    return float(model.pool.pool.balance.size + counts[:-1].sum() / n_paths)


def simulate_flows(model: RunModel, method: Method, first_path: int, n_paths: int) -> BlockFlows:
    """Draw the factors of a block of paths and simulate the pool."""
    factors = model.factors.draw(first_path, n_paths)
    return simulate_block(model.pool, factors, first_path, method)


def _lifetime_loss(model: RunModel, method: Method, first_path: int, n_paths: int) -> Floats:
    """Return the lifetime losses of one block."""
    return np.asarray(simulate_flows(model, method, first_path, n_paths).cash.loss.sum(axis=1))
