"""A run on one screen: certificate, deal and product in, measured distributions out.

The only module in which all stages meet; each function is one stage or a few in a row.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.config import Config, LoadedConfig
from hemc.errors import InputError, TieOutError
from hemc.inputs.certificate import Certificate, read_certificate
from hemc.inputs.deal import Deal, read_deal
from hemc.inputs.pool import build_pool
from hemc.inputs.product import Product, read_product
from hemc.inputs.published_totals import totals_from_certificate
from hemc.inputs.synthetic_tape import synthesise_tape
from hemc.inputs.tape import read_tape
from hemc.inputs.tape_totals import TapeTotals, check_tape
from hemc.inputs.tieout import TieOutLine, tie_out
from hemc.kernels.jit import is_cold
from hemc.model.direction import PILOT_PATHS, directions_from_pilot, pilot_block
from hemc.model.evidence import gather_evidence
from hemc.model.expected import large_pool, oracle_pool
from hemc.model.innovations import Sampling
from hemc.model.latent_classes import LatentClasses, split_classes
from hemc.model.moves import compile_moves
from hemc.model.oracle import oracle_check, oracle_paths
from hemc.model.roll_rates import RollRates, fit_roll_rates
from hemc.model.scenario import factor_model
from hemc.model.simulation import PoolModel, class_shares, loss_rules
from hemc.model.waterfall import compile_terms
from hemc.outputs.estimates import Estimate
from hemc.outputs.measures import measure_paths
from hemc.outputs.sample_size import SampleSize, relative_error, round_ends, sample_size
from hemc.outputs.sensitivities import sensitivity_rows
from hemc.outputs.two_level import LARGE_POOL_PATHS, two_level_mean, with_two_level_mean
from hemc.scale.block import RunModel, compare_block, large_pool_loss, run_block
from hemc.scale.store import RunStore
from hemc.scale.threads import block_ranges, map_blocks, thread_count

#: Called with the number of paths done; a run reports after each block.
Progress = Callable[[int], None]

_LONGEST_HORIZON = 360
_ORACLE_BLOCK = 64  # whatever the run's, so that memory is bounded and sums are the same
_MONTHS_SHOWN = 2  # the next certificate's month and one more, so that it is not final maturity


class Documents(NamedTuple):
    """What was read."""

    certificate: Certificate
    deal: Deal
    product: Product
    tie_out: list[TieOutLine]
    paths: dict[str, Path]


class Calibration(NamedTuple):
    """The pool at cut-off and the roll rates inferred for it."""

    totals: TapeTotals
    tape: pl.DataFrame
    roll_rates: RollRates
    classes: LatentClasses
    warnings: list[str]


@dataclass(frozen=True)
class RunResult:
    """Tables of a finished run and what it took; `store` holds those with a row a path."""

    loaded: LoadedConfig
    documents: Documents
    calibration: Calibration
    n_months: int
    first_payment: dt.date
    store: RunStore
    months: pl.DataFrame
    measures: pl.DataFrame
    sensitivities: pl.DataFrame
    threads: int
    was_cold: bool
    seconds: dict[str, float]
    sampling: Sampling
    sample_size: SampleSize
    relative_error: float | None  # of the target's figure, where there is a target
    oracle: pl.DataFrame

    @property
    def n_paths(self) -> int:
        """Number of paths simulated."""
        return len(self.store)

    @property
    def paths(self) -> pl.DataFrame:
        """All rows of paths.parquet in memory."""
        return self.store.paths.scan().collect()

    @property
    def next_month(self) -> pl.DataFrame:
        """All rows of next_month.parquet in memory."""
        return self.store.next_month.scan().collect()


def run(
    loaded: LoadedConfig, progress: Progress, strict: bool = False, scratch: Path | None = None
) -> RunResult:
    """Run a configuration from documents to measures, with temporary files in `scratch`.

    Raises InputError for input that cannot be used, TieOutError where `strict` and an identity of
    the certificate fails, InternalError for a broken cash identity.
    """
    seconds: dict[str, float] = {}
    was_cold = is_cold()
    with _timed(seconds, "read"):
        documents = read_documents(loaded, strict)
    with _timed(seconds, "calibrate"):
        calibration = calibrate(loaded, documents)
    with _timed(seconds, "simulate"):
        model = build_model(loaded.config, documents, calibration)
        sampling = choose_sampling(loaded.config, model)
        store = RunStore(scratch)
        original = float(documents.deal.original_notes)
        reached = simulate_rounds(loaded, model.sampled(sampling), store, original, progress)
    with _timed(seconds, "oracle"):
        oracle = check_flows(loaded.config, model.sampled(sampling), len(store))
    with _timed(seconds, "sensitivities"):
        sensitivities = vary(loaded, documents, calibration, store, sampling)
    with _timed(seconds, "measure"):
        simulation = loaded.config.simulation
        measures = measure_paths(store.paths.scan(), original, simulation.unit_paths)
        refined = None
        if simulation.sampling == "two-level":
            refined = refine_mean_loss(loaded.config, model, store)
            measures = with_two_level_mean(measures, refined)
        size = sample_size(store.paths.scan(), simulation, refined)
        months = store.months.frame()
    return RunResult(
        loaded, documents, calibration, model.n_months, next_payment(documents),
        store, months, measures, sensitivities,
        thread_count(simulation.threads), was_cold, seconds, sampling, size, reached,
        oracle,
    )  # fmt: skip


def read_documents(loaded: LoadedConfig, strict: bool = False) -> Documents:
    """Read certificate, deal and product, and tie the certificate out."""
    inputs = loaded.config.inputs
    files = {name: loaded.path(path) for name, path in inputs}
    certificate = read_certificate(files["certificate"])
    deal = read_deal(files["deal"])
    if certificate.series not in (None, deal.series):
        raise InputError(
            loaded.file, "inputs.deal", f"the terms of {deal.series}",
            f"those of {certificate.series}, the certificate's series",
        )  # fmt: skip
    lines = tie_out(certificate, deal)
    failed = [line.name for line in lines if line.status == "fail"]
    if strict and failed:
        raise TieOutError(f"{files['certificate']}: does not tie out: {'; '.join(failed)}")
    product = read_product(files["product"])
    if loaded.config.tape.file is not None:
        files["tape"] = loaded.path(loaded.config.tape.file)
    return Documents(certificate, deal, product, lines, files)


def calibrate(loaded: LoadedConfig, documents: Documents) -> Calibration:
    """Read or synthesise the tape and infer the roll rates."""
    config = loaded.config
    totals = totals_from_certificate(documents.certificate)
    warnings = [
        f"certificate: {line.name} does not tie out by {line.difference}"
        for line in documents.tie_out
        if line.status == "fail"
    ]
    if "tape" in documents.paths:
        tape = read_tape(documents.paths["tape"])
        differences = check_tape(tape, totals, config.tape.servicing_fee)
        warnings += [
            f"tape: {d.what} is {d.tape}, certificate {d.certificate}" for d in differences
        ]
    else:
        tape = synthesise_tape(totals, config.tape, config.tape.seed)
    pool = build_pool(tape, config.tape.servicing_fee)
    severity = float(loss_rules(config.loss).severity[0].mean())
    evidence = gather_evidence(documents.certificate, totals, pool, config, severity)
    rates = fit_roll_rates(
        documents.product, evidence, config.roll_rates, config.simulation.seed % 2**64
    )
    classes = split_classes(rates.mean, documents.product.order, config.roll_rates)
    return Calibration(totals, tape, rates, classes, warnings + rates.warnings)


def next_payment(documents: Documents) -> dt.date:
    """Return a date in the month of the projection's first payment."""
    date = documents.certificate.payment_date
    if date is None:
        raise InputError(
            documents.certificate.path, "payment date", "none that can be read",
            "the date of the payment reported, from which the projection starts",
        )  # fmt: skip
    return (date.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def build_model(config: Config, documents: Documents, calibration: Calibration) -> RunModel:
    """Compile roll rates, scenario, pool and deal into what the kernels read."""
    pool = build_pool(calibration.tape, config.tape.servicing_fee)
    n_months = min(_LONGEST_HORIZON, int(pool.maturity.max()) + config.simulation.tail_months)
    moves = compile_moves(calibration.classes.rates, documents.product.order, config, n_months)
    certificate, deal = documents.certificate, documents.deal
    loss_to_date = certificate.losses["ending"].value
    pool_model = PoolModel(
        pool, moves, loss_rules(config.loss), class_shares(calibration.classes),
        float(loss_to_date or 0), config.loss.recovery_monthly, config.loss.recovery_months,
        config.simulation.seed,
    )  # fmt: skip
    performing = config.insurer.mode == "performing"
    terms, next_terms = (
        compile_terms(
            deal, next_payment(documents), closing_balances(certificate, deal), n,
            config.scenario.index_rate, config.insurer.mode,
        )
        for n in (n_months, _MONTHS_SHOWN)
    )  # fmt: skip
    method, expected = config.simulation.method, None
    if method == "large-pool":  # what is simulated beside it is so by the form of production
        method, expected = "event-driven", large_pool(pool_model)
    return RunModel(
        pool_model,
        factor_model(config.scenario, config.loss.lumpiness, n_months, config.simulation.seed),
        terms, next_terms, method, performing, tuple(c.name for c in deal.classes),
        config.insurer.discount_rate, None if loss_to_date is None else float(loss_to_date),
        expected,
    )  # fmt: skip


def closing_balances(certificate: Certificate, deal: Deal) -> dict[str, float]:
    """Return the certificate's closing balance of every class that has one, USD."""
    balances = {}
    for note in deal.term_classes:
        row = certificate.notes.get(note.name)
        ending = row["ending"] if row else None
        if ending is None or ending.value is None:
            raise InputError(
                certificate.path, f"note row of class {note.name}",
                (ending.reason if ending else None) or "no such row", "its ending balance",
            )  # fmt: skip
        balances[note.name] = float(ending.value)
    return balances


def choose_sampling(config: Config, model: RunModel) -> Sampling:
    """Return how innovations are drawn; strata and Sobol points need a pilot to act on."""
    method = config.simulation.sampling
    if method not in ("strata", "sobol") or config.scenario.factors == "off":
        return Sampling(method)
    work = partial(pilot_block, model.pool, model.factors)
    blocks = block_ranges(PILOT_PATHS, config.simulation.block_paths)
    pilot = list(map_blocks(work, blocks, thread_count(config.simulation.threads)))
    return Sampling(method, directions_from_pilot(pilot, config.scenario))


def simulate_rounds(
    loaded: LoadedConfig, model: RunModel, store: RunStore, original: float, progress: Progress
) -> float | None:
    """Simulate until the target is met or there are `simulation.paths` paths.

    `original` is the original balance of the notes, USD. Returns the relative standard error of
    the target's figure, None without a target.
    """
    config = loaded.config
    target = config.simulation.target
    reached = None
    for n_paths in round_ends(config.simulation):
        simulate(config, model, store, n_paths, progress, config.outputs.band_paths)
        if target is not None:
            measures = measure_paths(store.paths.scan(), original, config.simulation.unit_paths)
            reached = relative_error(measures, target, loaded.file)
            if reached <= target.relative_error:
                break
    return reached


def simulate(
    config: Config,
    model: RunModel,
    store: RunStore,
    n_paths: int,
    progress: Progress,
    band_paths: int = 0,
) -> None:
    """Run a model on threads until `store` holds its first `n_paths` paths.

    `band_paths` is the number of first paths that the bands by month come from.
    """
    blocks = block_ranges(n_paths, config.simulation.block_paths, len(store))
    threads = thread_count(config.simulation.threads)
    for block in map_blocks(partial(run_block, model, band_paths), blocks, threads):
        store.add(block)
        progress(len(block.paths))


def check_flows(config: Config, model: RunModel, n_paths: int) -> pl.DataFrame:
    """Simulate a run's first paths again beside their expected flows."""
    few = 0 if model.large_pool else oracle_paths(config.simulation.oracle_paths, n_paths)
    if few == 0:
        return oracle_check([])
    work = partial(compare_block, model, oracle_pool(model.pool))
    threads = thread_count(config.simulation.threads)
    return oracle_check(list(map_blocks(work, block_ranges(few, _ORACLE_BLOCK), threads)))


def refine_mean_loss(config: Config, model: RunModel, store: RunStore) -> Estimate:
    """Run large-pool paths and return the mean of lifetime loss by two levels, USD."""
    n_paths = (1 + LARGE_POOL_PATHS) * len(store)
    work = partial(large_pool_loss, large_pool(model.pool), model.factors)
    blocks = block_ranges(n_paths, config.simulation.block_paths)
    expected = list(map_blocks(work, blocks, thread_count(config.simulation.threads)))
    simulated = store.paths.scan().select("pool_loss").collect().to_series().to_numpy()
    return two_level_mean(simulated, np.concatenate(expected))


def vary(
    loaded: LoadedConfig,
    documents: Documents,
    calibration: Calibration,
    store: RunStore,
    sampling: Sampling,
) -> pl.DataFrame:
    """Run the first paths of `store` under other assumptions, on the same random numbers."""
    unit = loaded.config.simulation.unit_paths
    n_paths = loaded.config.outputs.sensitivity_paths // unit * unit
    base = store.paths.scan().head(max(n_paths, unit)).collect()
    rows = []
    for name, setting, config, terms in variations(loaded.config, documents):
        if n_paths == 0:
            break
        varied = loaded._replace(config=config)
        same = config is loaded.config  # other terms of the deal leave the calibration alone
        model = build_model(config, terms, calibration if same else calibrate(varied, terms))
        varied_store = RunStore(store.scratch)
        simulate(config, model.sampled(sampling), varied_store, len(base), _silent)
        paths = varied_store.paths.scan().collect()
        rows.append(sensitivity_rows(name, setting, base, paths, unit))
    return pl.concat(rows) if rows else sensitivity_rows("", "", base, base, unit).clear()


def variations(
    config: Config, documents: Documents
) -> Iterator[tuple[str, str, Config, Documents]]:
    """Yield assumption, its other setting, and configuration and documents that have it."""
    classes = 3 - config.roll_rates.classes
    other = config.roll_rates.model_copy(update={"classes": classes})
    yield (
        "roll_rates.classes", str(classes),
        config.model_copy(update={"roll_rates": other}), documents,
    )  # fmt: skip
    if config.tape.file is None:
        tape = config.tape.model_copy(update={"seed": config.tape.seed + 1})
        yield "tape.seed", str(tape.seed), config.model_copy(update={"tape": tape}), documents
    for convention in ("implied", "pro_rata", "reverse_order"):
        if convention != documents.deal.undercollateralization:
            deal = documents.deal.model_copy(update={"undercollateralization": convention})
            yield (
                "deal.undercollateralization", convention, config, documents._replace(deal=deal)
            )  # fmt: skip


def _silent(_: int) -> None:
    """Report no progress."""


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Add the wall time of a stage."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = time.perf_counter() - start
