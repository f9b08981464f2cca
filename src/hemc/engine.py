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
from hemc.model.evidence import gather_evidence
from hemc.model.latent_classes import LatentClasses, split_classes
from hemc.model.moves import compile_moves
from hemc.model.roll_rates import RollRates, fit_roll_rates
from hemc.model.scenario import factor_model
from hemc.model.simulation import PoolModel, class_shares, loss_rules
from hemc.model.waterfall import compile_terms
from hemc.outputs.measures import measure_paths
from hemc.outputs.months import MonthTables
from hemc.outputs.sensitivities import sensitivity_rows
from hemc.scale.block import BlockResult, RunModel, run_block
from hemc.scale.threads import block_ranges, map_blocks, thread_count

#: Called with the number of paths done; a run reports after each block.
Progress = Callable[[int], None]

_LONGEST_HORIZON = 360
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
    """Tables of a finished run and what it took."""

    loaded: LoadedConfig
    documents: Documents
    calibration: Calibration
    n_months: int
    first_payment: dt.date
    paths: pl.DataFrame
    next_month: pl.DataFrame
    months: pl.DataFrame
    measures: pl.DataFrame
    sensitivities: pl.DataFrame
    largest_gap: float
    threads: int
    was_cold: bool
    seconds: dict[str, float]


def run(loaded: LoadedConfig, progress: Progress, strict: bool = False) -> RunResult:
    """Run a configuration from documents to measures.

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
        blocks = simulate(loaded.config, model, loaded.config.simulation.paths, progress)
    with _timed(seconds, "sensitivities"):
        sensitivities = vary(loaded, documents, blocks.paths)
    with _timed(seconds, "measure"):
        measures = measure_paths(blocks.paths, float(documents.deal.original_notes))
        months = blocks.months.frame()
    return RunResult(
        loaded, documents, calibration, model.n_months, next_payment(documents),
        blocks.paths, blocks.next_month, months, measures, sensitivities,
        blocks.largest_gap, thread_count(loaded.config.simulation.threads), was_cold, seconds,
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
    return RunModel(
        pool_model,
        factor_model(config.scenario, config.loss.lumpiness, n_months, config.simulation.seed),
        terms, next_terms, performing, tuple(c.name for c in deal.classes),
        config.insurer.discount_rate, None if loss_to_date is None else float(loss_to_date),
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


class Blocks(NamedTuple):
    """All blocks of a run put together, in path order."""

    paths: pl.DataFrame
    next_month: pl.DataFrame
    months: MonthTables
    largest_gap: float


def simulate(config: Config, model: RunModel, n_paths: int, progress: Progress) -> Blocks:
    """Run the first paths of a model on threads and put the blocks together."""
    months = MonthTables(model.n_months, min(n_paths, config.outputs.band_paths))
    blocks = block_ranges(n_paths, config.simulation.block_paths)
    threads = thread_count(config.simulation.threads)
    done: list[BlockResult] = []
    for block in map_blocks(partial(run_block, model, months), blocks, threads):
        months.add(block.months)
        done.append(block)
        progress(len(block.paths))
    return Blocks(
        pl.concat([block.paths for block in done]),
        pl.concat([block.next_month for block in done]),
        months,
        max(block.largest_gap for block in done),
    )


def vary(loaded: LoadedConfig, documents: Documents, base: pl.DataFrame) -> pl.DataFrame:
    """Run the first paths again under other assumptions, on the same random numbers."""
    n_paths = min(loaded.config.outputs.sensitivity_paths, len(base))
    rows = []
    for name, setting, config, terms in variations(loaded.config, documents):
        if n_paths == 0:
            break
        varied = loaded._replace(config=config)
        calibration = calibrate(varied, terms)
        blocks = simulate(config, build_model(config, terms, calibration), n_paths, _silent)
        rows.append(sensitivity_rows(name, setting, base.head(n_paths), blocks.paths))
    return pl.concat(rows) if rows else sensitivity_rows("", "", base.head(1), base.head(1)).clear()


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
