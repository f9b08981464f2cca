"""A plan of sizes in; times of the pool simulation and of its parts, taken in this process, out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.plan import Plan
from benchmarks.timing import best_of, exponent, line_through
from benchmarks.workloads import (
    METHODS,
    Overrides,
    flat_cpr,
    loan_months,
    prepare,
    shorten,
    simulate,
    simulate_flows,
    simulate_twin,
)
from hemc.kernels.flows import Floats
from hemc.model.insurer import absent, performing
from hemc.model.simulation import Method
from hemc.model.waterfall import pay_paths

Record = dict[str, Any]

#: Prepayment of the comparison of methods: base's own path, and one where loans live long.
SPEEDS: dict[str, Overrides] = {"base": (), "8 %": flat_cpr(0.08)}
_FLAT_SPEEDS = (0.02, 0.08, 0.20, 0.36)
_NOTE_PATHS = 64
_PRODUCTION: Method = "event-driven"


def compare_methods(plan: Plan) -> list[Record]:
    """Time both kernels and the NumPy twin on one thread; each row with its answer."""
    return [row for speed in SPEEDS for row in _compare_at(plan, speed)]


def _compare_at(plan: Plan, speed: str) -> list[Record]:
    """Time the methods at one prepayment speed."""
    model = prepare(SPEEDS[speed]).model
    works: dict[str, Callable[[], Floats]] = {
        method: partial(simulate, model, method, plan.paths) for method in METHODS
    }
    works["NumPy twin"] = partial(simulate_twin, model, plan.twin_paths)
    best = best_of(plan.rounds, works)
    months = loan_months(model, plan.twin_paths)
    loss_pct = {
        method: 100.0 * work() / model.pool.pool.balance.sum() for method, work in works.items()
    }
    rows = []
    for method, loss in loss_pct.items():
        seconds = best[method] / loss.size
        rows.append({
            "cpr": speed, "method": method, "paths": loss.size, "ms_per_path": 1e3 * seconds,
            "loan_months_per_second": months / seconds, "calibration_ms": 1e3 * best["calibration"],
            "mean_loss_pct": _mean(loss),
            "difference_pct": _mean(loss - loss_pct[_PRODUCTION][: loss.size]),
        })  # fmt: skip
    return rows


def _mean(x: Floats) -> Record:
    """Return the mean over paths with its standard error."""
    return {"value": float(x.mean()), "standard_error": float(x.std(ddof=1) / x.size**0.5)}


def scale_threads(plan: Plan) -> list[Record]:
    """Time the simulation on one and two threads, with one and two latent classes."""
    models = {n: prepare((("roll_rates.classes", str(n)),)).model for n in (1, 2)}
    cases = [(classes, threads) for classes in models for threads in (1, 2)]
    works = {
        str(case): partial(simulate, models[case[0]], _PRODUCTION, plan.threaded_paths, case[1])
        for case in cases
    }
    best = best_of(plan.rounds, works)
    return [
        {"classes": case[0], "threads": case[1], "paths": plan.threaded_paths,
         "ms_per_path": 1e3 * best[str(case)] / plan.threaded_paths,
         "calibration_ms": 1e3 * best["calibration"]}
        for case in cases
    ]  # fmt: skip


def grow_loans(plan: Plan) -> Record:
    """Time a path of pools of three sizes on one thread, and the slopes between them."""
    pools = {n: prepare(n_loans=n) for n, _ in plan.loans_and_paths}
    works = {
        str(n): partial(simulate, pools[n].model, _PRODUCTION, n_paths)
        for n, n_paths in plan.loans_and_paths
    }
    best = best_of(plan.rounds, works)
    loans = [len(pools[n].tape) for n, _ in plan.loans_and_paths]
    seconds = [best[str(n)] / n_paths for n, n_paths in plan.loans_and_paths]
    low, high = (line_through(loans[k : k + 2], seconds[k : k + 2]) for k in (0, 1))
    fixed, slope = line_through(loans, seconds)
    return {
        "rows": [
            {"loans": n, "months": pools[key[0]].model.n_months, "ms_per_path": 1e3 * s}
            for n, key, s in zip(loans, plan.loans_and_paths, seconds, strict=True)
        ],
        "fixed_ms": 1e3 * fixed, "ns_per_loan": 1e9 * slope,
        "ns_per_loan_low": 1e9 * low.slope, "ns_per_loan_high": 1e9 * high.slope,
    }  # fmt: skip


def grow_paths(plan: Plan) -> Record:
    """Time growing numbers of paths on two threads, and fit the exponent."""
    model = prepare().model
    works = {str(n): partial(simulate, model, _PRODUCTION, n, 2) for n in plan.path_counts}
    best = best_of(plan.rounds, works)
    seconds = [best[str(n)] for n in plan.path_counts]
    return {
        "rows": [
            {"paths": n, "seconds": s} for n, s in zip(plan.path_counts, seconds, strict=True)
        ],
        "exponent": exponent(plan.path_counts, seconds),
    }


def grow_horizon(plan: Plan) -> list[Record]:
    """Time a path of growing length on one thread."""
    model = prepare().model
    horizons = [n for n in plan.horizons if n < model.n_months] + [model.n_months]
    works = {
        str(n): partial(simulate, shorten(model, n), _PRODUCTION, plan.paths) for n in horizons
    }
    best = best_of(plan.rounds, works)
    return [{"months": n, "ms_per_path": 1e3 * best[str(n)] / plan.paths} for n in horizons]


def grow_cpr(plan: Plan) -> list[Record]:
    """Time a path at flat prepayment speeds on one thread, both kernels."""
    works = {
        f"{method} {cpr}": partial(simulate, prepare(flat_cpr(cpr)).model, method, plan.paths)
        for cpr in _FLAT_SPEEDS
        for method in METHODS
    }
    best = best_of(plan.rounds, works)
    return [
        {"cpr": cpr} | {m: 1e3 * best[f"{m} {cpr}"] / plan.paths for m in METHODS}
        for cpr in _FLAT_SPEEDS
    ]


def share_of_notes(plan: Plan) -> list[Record]:
    """Time factors, pool and both passes of the notes of one block on one thread."""
    model = prepare().model
    flows = simulate_flows(model, _PRODUCTION, 0, _NOTE_PATHS)
    works: dict[str, Callable[[], object]] = {
        "factors": partial(model.factors.draw, 0, _NOTE_PATHS),
        "factors and pool": partial(simulate_flows, model, _PRODUCTION, 0, _NOTE_PATHS),
        "notes, wrapped": partial(pay_paths, model.deal, flows.cash, performing(_NOTE_PATHS)),
        "notes, unwrapped": partial(pay_paths, model.deal, flows.cash, absent(_NOTE_PATHS)),
    }
    best = best_of(plan.rounds, works)
    return [{"part": part, "ms_per_path": 1e3 * best[part] / _NOTE_PATHS} for part in works]
