"""Simulated deals with known roll rates → whether posteriors are calibrated: docs/calibration.md.

Simulation-based calibration (Talts et al. 2018, "Validating Bayesian inference algorithms with
simulation-based calibration"): over deals drawn from the prior, the rank of the true value among
posterior draws is uniform. Bands are simultaneous over the ranks (Säilynoja, Bürkner and Vehtari
2022, "Graphical test for discrete uniformity").
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.calibration_long_run import long_run_text
from benchmarks.calibration_page import LONG_RUN, STUDY, Family, study_text, write_between_marks
from benchmarks.simulated_deals import simulate_deal, support_of
from hemc.config import Config, Inputs
from hemc.inputs.product import read_product
from hemc.inputs.shipped import configs_dir
from hemc.kernels.flows import Floats
from hemc.model.series_fit import loss_size, sample_months
from hemc.model.series_months import series_months
from hemc.model.series_prior import product_prior, series_prior
from hemc.settings.calibration import CalibrationSettings
from hemc.states import (
    CHARGED_OFF,
    CURRENT,
    D180,
    PAID_OFF,
    move_name,
)

ROOT = Path(__file__).parents[1]
LENGTHS = (1, 3, 6)
#: Draws among which the true value has its rank.
RANKS = 99
SEED = 20261123
#: Pooled coverage of 90 % intervals that passes.
LEAST, MOST = 0.86, 0.94


class Fit(NamedTuple):
    """Where the true rates of one simulated deal lie in their posterior."""

    n_certificates: int
    number: int
    rank: list[int]  # [move] posterior draws below the true value, 0 … RANKS
    inside: list[bool]  # [move] whether the 90 % interval holds it
    r_hat: float
    effective: float
    seconds: float  # of this processor


def settings_of(draws: int, sweeps: int) -> Config:
    """Return the settings of every fit: the defaults but for the length of the chains."""
    calibration = CalibrationSettings(chains=2, draws=draws, sweeps_per_draw=sweeps)
    inputs = Inputs(certificate=Path("-"), deal=Path("-"), product=Path("-"))
    return Config(name="study", inputs=inputs, calibration=calibration)


def fit_deal(config: Config, seed: int, task: tuple[int, int]) -> Fit:
    """Simulate one deal and fit it; `task` are the number of certificates and of the deal."""
    n_certificates, number = task
    start = time.process_time()
    product = read_product(configs_dir() / "products" / "closed-end-second-before.toml")
    size, settings = loss_size(config), config.calibration
    prior = product_prior(product, settings, config.loss.lumpiness)
    generator = np.random.Generator(np.random.Philox(key=[seed, 1000 * n_certificates + number]))
    truth = simulate_deal(prior, settings, size, n_certificates, number, generator)
    months = series_months([truth.reports], [truth.multipliers], settings, size)
    prior = series_prior(product, months, settings, config.loss.lumpiness)
    posterior = sample_months(months, prior, settings, seed + number)
    moves = tuple(np.array(support_of(prior)).T)
    draws, true = posterior.rows[:, 0][:, *moves], truth.rows[moves]
    chosen = draws[np.linspace(0, len(draws) - 1, RANKS).astype(np.int64)]
    low, high = np.quantile(draws, (0.05, 0.95), axis=0)
    effective = posterior.diagnostics.effective
    return Fit(
        n_certificates, number,
        (chosen < true).sum(axis=0).tolist(), ((low <= true) & (true <= high)).tolist(),
        float(np.nanmax(posterior.diagnostics.r_hat)), float(np.nanmin(effective)),
        time.process_time() - start,
    )  # fmt: skip


def groups(moves: list[tuple[int, int]]) -> dict[str, list[int]]:
    """Return the places of moves by group of rows."""
    found: dict[str, list[int]] = {}
    for place, (s, to) in enumerate(moves):
        found.setdefault(_group(s, to), []).append(place)
    return found


def _group(s: int, to: int) -> str:
    """Return the group that a move belongs to."""
    if s == CURRENT:
        return "current"
    if s > D180:
        return "bankruptcy, foreclosure, REO"
    if to == s + 1:
        return "forward rolls"
    if to in (PAID_OFF, CHARGED_OFF):
        return "payoffs and charge-offs"
    return "cures, stays and other moves"


def study(deals: int, processes: int, config: Config, seed: int, kept: Path | None) -> list[Fit]:
    """Fit all simulated deals of all lengths on processes.

    `kept` is a file to which each fit adds a line; what stands there already is not fitted again.
    """
    tasks = [(length, number) for number in range(deals) for length in LENGTHS]
    found = {} if kept is None or not kept.exists() else read_fits(kept)
    left = [task for task in tasks if task not in found]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for task, fit in zip(left, pool.map(partial(fit_deal, config, seed), left), strict=True):
            found[task] = fit
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(fit._asdict()) + "\n")
    return [found[task] for task in tasks]


def read_fits(kept: Path) -> dict[tuple[int, int], Fit]:
    """Return the fits of an earlier study of the same code and settings."""
    lines = kept.read_text(encoding="utf-8").splitlines()
    fits = [Fit(**json.loads(line)) for line in lines]
    return {(fit.n_certificates, fit.number): fit for fit in fits}


def judge(fits: list[Fit], moves: list[tuple[int, int]]) -> Iterator[Family]:
    """Yield the verdict on every family; a move's ranks must lie within their band."""
    for length in LENGTHS:
        chosen = [fit for fit in fits if fit.n_certificates == length]
        rank = np.array([fit.rank for fit in chosen])
        inside = np.array([fit.inside for fit in chosen])
        null = null_extremes(len(chosen))
        for group, places in groups(moves).items():
            p = [rank_p_value(rank[:, place], null) for place in places]
            worst = int(np.argmin(p))
            yield Family(
                length, group, len(places), move_name(*moves[places[worst]]), float(p[worst]),
                bool(p[worst] >= 0.05 / len(places)), float(inside[:, places].mean()),
            )  # fmt: skip


def extremeness(rank: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
    """Return the smallest pointwise tail probability of the ranks' ECDF under uniformity."""
    from scipy.stats import binom

    n = len(rank)
    z = np.arange(1, RANKS + 1) / (RANKS + 1)
    count = (rank[:, None] < np.arange(1, RANKS + 1)).sum(axis=0)
    below, above = binom.cdf(count, n, z), binom.sf(count - 1, n, z)
    return float(2.0 * np.minimum(below, above).min())


def null_extremes(n: int, simulations: int = 20_000) -> Floats:
    """Return the extremeness of uniform ranks of n deals, sorted: what the band is made from."""
    from scipy.stats import binom

    generator = np.random.Generator(np.random.Philox(key=n))
    z = np.arange(1, RANKS + 1) / (RANKS + 1)
    counts = np.arange(n + 1)
    below = binom.cdf(counts[:, None], n, z)
    above = binom.sf(counts[:, None] - 1, n, z)
    tail = 2.0 * np.minimum(below, above)
    found = np.empty(simulations)
    for k in range(simulations):
        of_rank = np.bincount(generator.integers(0, RANKS + 1, n), minlength=RANKS + 1)
        found[k] = tail[of_rank.cumsum()[:-1], np.arange(RANKS)].min()
    return np.sort(found)


def rank_p_value(rank: np.ndarray[tuple[int, ...], np.dtype[np.int64]], null: Floats) -> float:
    """Return the p-value of ranks being uniform: 0.05 is the edge of the 95 % simultaneous band."""
    at_most = np.searchsorted(null, extremeness(rank) * (1.0 + 1e-9), side="right")
    return float((at_most + 1) / (len(null) + 1))


def main() -> None:
    """Run the study and write its page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deals", type=int, default=200, help="simulated deals of each length")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED, help="the first one counts")
    parser.add_argument("--draws", type=int, default=1000, help="kept draws of each of two chains")
    parser.add_argument("--sweeps", type=int, default=30, help="sweeps between draws")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "calibration.md")
    parser.add_argument("--fits", type=Path, help="file that keeps fits, also of a study cut short")
    parser.add_argument("--part", choices=("both", STUDY, LONG_RUN), default="both")
    options = parser.parse_args()
    if options.part != STUDY:
        write_between_marks(options.page, LONG_RUN, long_run_text(options.processes))
    if options.part == LONG_RUN:
        return
    config = settings_of(options.draws, options.sweeps)
    fits = study(options.deals, options.processes, config, options.seed, options.fits)
    product = read_product(configs_dir() / "products" / "closed-end-second-before.toml")
    moves = support_of(product_prior(product, config.calibration, config.loss.lumpiness))
    families = list(judge(fits, moves))
    write_between_marks(options.page, STUDY, study_text(fits, families, options.processes))
    failed = [f for f in families if not f.passes or not LEAST <= f.coverage <= MOST]
    print(f"{len(families)} families, {len(failed)} fail; {options.page}")


if __name__ == "__main__":
    main()
