"""Documents go in; the pool at cut-off and the roll rates inferred for it come out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.config import Config, LoadedConfig
from hemc.engine.documents import Documents
from hemc.engine.posterior_inputs import posterior_digest
from hemc.errors import InputError
from hemc.inputs.pool import build_pool
from hemc.inputs.posterior_file import read_posterior
from hemc.inputs.published_totals import totals_from_certificate
from hemc.inputs.synthetic_tape import synthesise_tape
from hemc.inputs.tape import read_tape
from hemc.inputs.tape_totals import TapeTotals, check_tape
from hemc.kernels.flows import Floats, Ints
from hemc.model.class_moves import LatentClasses
from hemc.model.evidence import gather_evidence
from hemc.model.latent_classes import split_classes
from hemc.model.roll_rates import Evidence, RollRates, fit_roll_rates, moments
from hemc.model.series_prior import PRIOR_DRAWS, draw_prior_rows, product_prior
from hemc.model.simulation import loss_rules
from hemc.states import CURRENT, PAID_OFF


class Calibration(NamedTuple):
    """The pool at cut-off and the roll rates inferred for it."""

    totals: TapeTotals
    tape: pl.DataFrame
    roll_rates: RollRates
    classes: LatentClasses
    warnings: list[str]
    draws: Floats | None = None  # [draw, live state, state] of the roll rates, one a path


def calibrate(loaded: LoadedConfig, documents: Documents) -> Calibration:
    """Read or synthesise the tape and infer the roll rates."""
    config = loaded.config
    if config.roll_rates.posterior is not None:
        return calibrate_draws(loaded, documents, posterior_draws(loaded, documents))
    totals, tape, warnings = read_pool(loaded, documents)
    if config.roll_rates.certificates:
        warnings.append(
            "roll_rates.certificates are for `hemc calibrate`; this run's roll rates "
            "come from its one certificate, with roll_rates.posterior from all"
        )
    evidence = read_evidence(config, documents, totals, tape)
    rates = fit_roll_rates(documents.product, evidence, config.roll_rates, config.simulation.seed)
    classes = _classes(config, documents, rates)
    return Calibration(totals, tape, rates, classes, warnings + rates.warnings)


def calibrate_draws(loaded: LoadedConfig, documents: Documents, draws: Floats) -> Calibration:
    """Read or synthesise the tape beside given draws of the roll rates, one a path."""
    config = loaded.config
    totals, tape, warnings = read_pool(loaded, documents)
    rates = moments_of_draws(config, documents, totals, draws)
    classes = _classes(config, documents, rates)
    return Calibration(totals, tape, rates, classes, warnings, draws)


def with_classes(calibration: Calibration, config: Config, documents: Documents) -> Calibration:
    """Return a calibration of the same pool and mean roll rates with other latent classes."""
    return calibration._replace(classes=_classes(config, documents, calibration.roll_rates))


def _classes(config: Config, documents: Documents, rates: RollRates) -> LatentClasses:
    """Split the mean roll rates into those of the latent classes."""
    order, fitted = documents.product.order, documents.latent_classes
    return split_classes(rates.mean, order, config.roll_rates, fitted)


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


def posterior_draws(loaded: LoadedConfig, documents: Documents) -> Floats:
    """Return the draws of the configuration's posterior in random order.

    A CPR that the configuration states takes the place of the payoff rate of current loans.
    Raises InputError for a posterior of other inputs, and for one beside two latent classes.
    """
    config = loaded.config
    require_one_class(loaded)
    draws = read_posterior(
        documents.paths["posterior"], posterior_digest(loaded), documents.deal.series
    )
    return with_stated_payoff(draws[shuffled(len(draws), config)], config)


def require_one_class(loaded: LoadedConfig) -> None:
    """Raise InputError where a run of posterior draws is to have two latent classes."""
    if loaded.config.roll_rates.classes != 1:
        raise InputError(
            loaded.file, "roll_rates.classes", str(loaded.config.roll_rates.classes),
            "1 with draws of a posterior, which know one class",
        )  # fmt: skip


def shuffled(n_draws: int, config: Config) -> Ints:
    """Return the draws' order in a run, which may use fewer than all, int64[draw]."""
    generator = np.random.Generator(np.random.Philox(key=[config.simulation.seed, 2]))
    return generator.permutation(n_draws)


def with_stated_payoff(draws: Floats, config: Config) -> Floats:
    """Return draws with the payoff rate of current loans that the configuration states, if any."""
    if config.prepayment.cpr == "certificate":
        return draws
    draws = draws.copy()
    payoff = 1.0 - (1.0 - config.prepayment.cpr) ** (1 / 12)
    current = draws[:, CURRENT]
    current *= ((1.0 - payoff) / (1.0 - current[:, PAID_OFF]))[:, None]
    current[:, PAID_OFF] = payoff
    return draws


def moments_of_draws(
    config: Config, documents: Documents, totals: TapeTotals, draws: Floats
) -> RollRates:
    """Return the moments of a posterior beside those of the product's prior."""
    prior = product_prior(documents.product, config.calibration, config.loss.lumpiness)
    generator = np.random.Generator(np.random.Philox(key=config.simulation.seed))
    rows = draw_prior_rows(prior, PRIOR_DRAWS, generator)
    return moments(draws, rows, np.array(totals.count, dtype=np.float64))


def read_evidence(
    config: Config, documents: Documents, totals: TapeTotals, tape: pl.DataFrame
) -> Evidence:
    """Return what the one certificate says about the month's moves."""
    pool = build_pool(tape, config.tape.servicing_fee)
    severity = float(loss_rules(config.loss).severity[0].mean())
    return gather_evidence(documents.certificate, totals, pool, config, severity)
