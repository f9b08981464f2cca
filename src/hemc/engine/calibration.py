"""Documents go in; the pool at cut-off and the roll rates inferred for it come out."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from hemc.config import Config, LoadedConfig
from hemc.engine.documents import Documents
from hemc.inputs.pool import build_pool
from hemc.inputs.published_totals import totals_from_certificate
from hemc.inputs.synthetic_tape import synthesise_tape
from hemc.inputs.tape import read_tape
from hemc.inputs.tape_totals import TapeTotals, check_tape
from hemc.model.evidence import gather_evidence
from hemc.model.latent_classes import LatentClasses, split_classes
from hemc.model.roll_rates import Evidence, RollRates, fit_roll_rates
from hemc.model.simulation import loss_rules


class Calibration(NamedTuple):
    """The pool at cut-off and the roll rates inferred for it."""

    totals: TapeTotals
    tape: pl.DataFrame
    roll_rates: RollRates
    classes: LatentClasses
    warnings: list[str]


def calibrate(loaded: LoadedConfig, documents: Documents) -> Calibration:
    """Read or synthesise the tape and infer the roll rates."""
    config = loaded.config
    totals, tape, warnings = read_pool(loaded, documents)
    evidence = read_evidence(config, documents, totals, tape)
    rates = fit_roll_rates(documents.product, evidence, config.roll_rates, config.simulation.seed)
    classes = split_classes(rates.mean, documents.product.order, config.roll_rates)
    return Calibration(totals, tape, rates, classes, warnings + rates.warnings)


def read_pool(
    loaded: LoadedConfig, documents: Documents
) -> tuple[TapeTotals, pl.DataFrame, list[str]]:
    """Return the pool's totals and loans, and warnings of what does not tie out."""
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
    return totals, tape, warnings


def read_evidence(
    config: Config, documents: Documents, totals: TapeTotals, tape: pl.DataFrame
) -> Evidence:
    """Return what the one certificate says about the month's moves."""
    pool = build_pool(tape, config.tape.servicing_fee)
    severity = float(loss_rules(config.loss).severity[0].mean())
    return gather_evidence(documents.certificate, totals, pool, config, severity)
