"""A study goes in; the stress at which each class begins to lose comes out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.engine.paths import Progress
from hemc.engine.study import Study
from hemc.errors import InputError
from hemc.kernels.flows import Floats
from hemc.model.crossings import lattice, scan_and_narrow, scanned
from hemc.model.insurer import absent
from hemc.model.vector_run import Desk, flat_vectors, pay_and_value, play_vectors, triggers_failing
from hemc.outputs.breakeven_scan import held_classes, projected_rows, simulated_rows
from hemc.outputs.breakeven_text import Conventions
from hemc.outputs.breakevens import breakeven_table
from hemc.outputs.estimates import Estimate, design_of
from hemc.outputs.run_files import RunFiles
from hemc.scale.block import pool_flows
from hemc.scale.threads import block_ranges
from hemc.settings.breakeven import BreakevenSettings

#: Projections of one block: what bounds memory.
_BLOCK = 128

#: Without randomness, expected flows: the shift alone acts.
_EXPECTED_FLOWS = {
    "simulation.method": "large-pool", "simulation.sampling": "plain", "simulation.target": None,
    "scenario.factors": "off", "loss.lumpiness": 0.0,
}  # fmt: skip


class Breakevens(NamedTuple):
    """Rows of breakevens.parquet and of breakeven_scan.parquet."""

    table: pl.DataFrame
    scan: pl.DataFrame


def find_breakevens(study: Study, expected: Estimate, progress: Progress) -> Breakevens:
    """Search CDRs, shifts and multiples of roll rates and severities, all without insurer.

    `expected` is the run's lifetime loss in % of the current pool; `progress` counts paths.
    """
    settings = study.loaded.config.breakeven
    scans = [
        *(scan_cdr(study, speed) for speed in settings.speeds),
        scan_shift(study),
        scan_multiple(study, "roll_rate", settings.highest_roll_rate, progress),
        scan_multiple(study, "severity", settings.highest_severity, progress),
    ]
    scan = pl.concat(scans)
    return Breakevens(breakeven_table(scan, settings.probabilities, expected), scan)


def expected_loss(folder: Path) -> Estimate:
    """Return the expected lifetime loss of a stored run, % of the current pool."""
    row = RunFiles(folder).measure("pool_loss_pct", "mean")
    if row is None:
        raise InputError(folder, "measures.parquet", "no expected loss", "that of a finished run")
    error = row["standard_error"]
    return Estimate(row["value"], float("nan") if error is None else error)


def conventions(study: Study) -> Conventions:
    """Return what the break-evens of a study rest on."""
    config, index = study.loaded.config, study.model.quotes.index_rate
    ends = dict.fromkeys(f"{100.0 * rate:.2f} %" for rate in (index[0], index[-1]))
    cells = config.scenario.multiples.roll_rate_cells
    return Conventions(
        paths=study.whole_units(config.breakeven.paths),
        cdr_step=config.breakeven.cdr_step,
        pricing_curve=config.vector.cpr,
        severity=config.vector.severity,
        lag_months=config.vector.lag_months,
        index_path=" to ".join(ends),
        undercollateralization=study.documents.deal.undercollateralization,
        roll_rate_cells=cells if isinstance(cells, str) else ", ".join(cells),
        roll_rate_form=config.scenario.multiples.roll_rate_form,
    )


def searched_paths(settings: BreakevenSettings) -> int:
    """Return the number of paths of the two first scans, before any bracket is narrowed."""
    points = sum(
        len(
            scanned(len(lattice(settings.lowest_multiple, top, settings.step)), settings.scan_steps)
        )
        for top in (settings.highest_roll_rate, settings.highest_severity)
    )
    return points * settings.paths


def scan_cdr(study: Study, speed: float) -> pl.DataFrame:
    """Project the pool at every CDR of the grid, as the desk table's conventions say."""
    model, config = study.model, study.loaded.config
    step = config.breakeven.cdr_step
    rates = np.minimum(np.arange(round(1.0 / step) + 1) * step, 1.0)
    desk = Desk(model.pool.pool, triggers_failing(model.deal), model.quotes)

    def work(first: int, n: int) -> pl.DataFrame:
        some = rates[first : first + n]
        vectors = flat_vectors(config.vector, model.n_months, some, speed)
        played = play_vectors(desk, vectors, absent(n), first)
        return projected_rows("cdr", speed, some, played, held_classes(model.deal))

    return pl.concat(study.workers.map_blocks(work, block_ranges(len(rates), _BLOCK)))


def scan_shift(study: Study) -> pl.DataFrame:
    """Follow expected flows, without factors, at every shift of the grid."""
    settings = study.loaded.config.breakeven
    # Where each path has a draw of the roll rates, all shifts are to have the same, their mean.
    held = study._replace(calibration=study.calibration._replace(draws=None))
    model = held.under(_EXPECTED_FLOWS)
    n = round(settings.highest_shift / settings.shift_step)
    shifts = np.linspace(0.0, n * settings.shift_step, n + 1)
    desk = Desk(model.pool.pool, model.deal, model.quotes)

    def work(first: int, n: int) -> pl.DataFrame:
        some = shifts[first : first + n]
        cash = pool_flows(model, model.factors.standing(some), first).cash
        played = pay_and_value(desk, cash, absent(n), first)
        return projected_rows("shift", 1.0, some, played, held_classes(model.deal))

    return pl.concat(study.workers.map_blocks(work, block_ranges(len(shifts), _BLOCK)))


def scan_multiple(study: Study, kind: str, highest: float, progress: Progress) -> pl.DataFrame:
    """Simulate the same paths at multiples until every probability sought is bracketed."""
    settings = study.loaded.config.breakeven
    rows: list[pl.DataFrame] = []

    def evaluate(multiple: float) -> Floats:
        found = simulate_multiple(study, kind, multiple, progress)
        rows.append(found)
        return found["probability"].to_numpy()

    places = lattice(settings.lowest_multiple, highest, settings.step)
    scan_and_narrow(evaluate, places, settings.scan_steps, settings.probabilities)
    return pl.concat(rows).sort("place", maintain_order=True)


def simulate_multiple(
    study: Study, kind: str, multiple: float, progress: Progress = lambda n_paths: None
) -> pl.DataFrame:
    """Simulate the study's paths at one multiple: rows of breakeven_scan.parquet."""
    model = study.under({f"scenario.multiples.{kind}": multiple})
    n_paths = study.whole_units(study.loaded.config.breakeven.paths)
    losses = study.lose(model, n_paths, progress)
    design = design_of(losses.weight, study.unit_paths)
    loss_pct = 100.0 * losses.pool / model.pool.pool.balance.sum()
    return simulated_rows(kind, multiple, loss_pct, losses.notes, held_classes(model.deal), design)
