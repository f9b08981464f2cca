"""Documents go in; the pool at cut-off and the roll rates inferred for it come out."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from hemc.config import LoadedConfig
from hemc.engine.documents import Documents
from hemc.inputs.pool import build_pool
from hemc.inputs.published_totals import totals_from_certificate
from hemc.inputs.synthetic_tape import synthesise_tape
from hemc.inputs.tape import read_tape
from hemc.inputs.tape_totals import TapeTotals, check_tape
from hemc.model.class_moves import LatentClasses
from hemc.model.evidence import gather_evidence
from hemc.model.latent_classes import split_classes
from hemc.model.roll_rates import RollRates, fit_roll_rates
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
    classes = split_classes(
        rates.mean, documents.product.order, config.roll_rates, documents.latent_classes
    )
    return Calibration(totals, tape, rates, classes, warnings + rates.warnings)
