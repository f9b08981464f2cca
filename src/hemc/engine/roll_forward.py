"""A finished run and the certificate that came go in; what changed expected losses comes out.

Each run of the chain has the random numbers of the first and one thing more that is new.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from hemc.config import LoadedConfig
from hemc.engine.calibration import (
    Calibration,
    calibrate,
    calibrate_draws,
    posterior_draws,
    read_pool,
)
from hemc.engine.documents import Documents, read_documents
from hemc.engine.paths import Progress, choose_sampling
from hemc.engine.posterior import fitted_draws
from hemc.engine.run_model import build_model
from hemc.engine.stored_run import StoredRun, reload, require_same_figures
from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.published_totals import totals_from_certificate
from hemc.model.moves import Elapsed
from hemc.outputs.estimates import design_of
from hemc.outputs.roll_forward import (
    ACCRETION,
    DISCOUNT,
    OPENING,
    Chain,
    Months,
    roll_forward_table,
)
from hemc.scale.block import RunModel, play_block, story_figures
from hemc.scale.claims import Claims, claim_block, join_claims
from hemc.scale.threads import Threads, block_ranges

#: Columns of paths.parquet that are rolled forward.
_OPENING_COLUMNS = (
    "weight", "pool_loss", "next_month_loss", "draws", "draws_pv", "next_month_draws",
)  # fmt: skip

#: Roll rates and scenario a month on; a new calibration begins at the new date.
_A_MONTH_ON = Elapsed(rates=1, scenario=1)
_NEW_RATES = Elapsed(rates=0, scenario=1)


class LaterRun(NamedTuple):
    """The configuration of the run that is to follow, and its documents."""

    loaded: LoadedConfig
    documents: Documents


class NewMonth(NamedTuple):
    """What came, and the run that is to follow, if one is named."""

    certificate: Certificate
    date: dt.date
    realised: dict[str, float | None]  # by measure, USD in the month
    later: LaterRun | None


def why_not(run: StoredRun, month: NewMonth) -> str | None:
    """Say why the new pool is not known well enough to run, None where it is."""
    if run.loaded.config.tape.file is not None and month.later is None:
        return (
            f"the loans of {run.documents.paths['tape'].name} are those of "
            f"{run.documents.certificate.payment_date}: name the new tape in --config"
        )
    try:
        totals_from_certificate(month.certificate)
    except InputError as error:
        return str(error)
    return None


def read_later(run: StoredRun, certificate: Certificate, loaded: LoadedConfig) -> LaterRun:
    """Read a later configuration's documents.

    Raises InputError where they are not of the run's deal and the certificate's date, or where
    its paths would have other random numbers than the run's.
    """
    later = LaterRun(loaded, read_documents(loaded))
    its = later.documents
    expected = (run.documents.deal.series, certificate.payment_date)
    if (its.deal.series, its.certificate.payment_date) != expected:
        raise InputError(
            loaded.file, "inputs.certificate",
            f"that of {its.deal.series}, {its.certificate.payment_date}",
            f"that of {expected[0]}, {expected[1]}, which is scored",
        )  # fmt: skip
    own, wanted = loaded.config.simulation, run.loaded.config.simulation
    for key in ("seed", "loan_seed", "sampling"):
        if getattr(own, key) != getattr(wanted, key):
            raise InputError(
                loaded.file, f"simulation.{key}", str(getattr(own, key)),
                f"{getattr(wanted, key)}, the run's: steps are taken on the same random numbers",
            )  # fmt: skip
    return later


def roll_forward(run: StoredRun, month: NewMonth, progress: Progress) -> pl.DataFrame:
    """Return roll_forward.parquet.

    Raises InputError for a run made by other kernels, and for input that cannot be used.
    """
    rates = [run.loaded.config.insurer.discount_rate]
    if month.later is not None:
        rates.append(month.later.loaded.config.insurer.discount_rate)
    table = run.files.scan("paths", *_OPENING_COLUMNS)
    paths = table.select(_OPENING_COLUMNS).collect()
    claims = [
        _play(run, model, tuple(rates), progress) for model in _chain_of_models(run, month, table)
    ]
    before = run.documents.certificate
    opened = before.payment_date
    assert opened is not None  # nothing is forecast from a certificate without a date
    pools = (float(x.pool["ending_pool"].value or 0) for x in (before, month.certificate))
    months = Months(run.documents.deal.series, opened, month.date, *pools)
    design = design_of(paths["weight"].to_numpy(), run.loaded.config.simulation.unit_paths)
    return roll_forward_table(_chains(paths, claims, rates, month.realised), months, design)


def _chain_of_models(run: StoredRun, month: NewMonth, table: pl.LazyFrame) -> Iterator[RunModel]:
    """Yield the new pool as it was to go on, with new roll rates, and as a run of its own."""
    config, documents = run.loaded.config, run.documents
    calibration = calibrate(run.loaded, documents)
    model = build_model(config, documents, calibration)
    sampling = choose_sampling(config, model, Threads(config.simulation.threads))
    _require_same_run(run, model.sampled(sampling), table)
    loaded, documents = _a_month_on(run, month)
    totals, tape, _ = read_pool(loaded, documents)
    state = calibration._replace(totals=totals, tape=tape)
    yield build_model(loaded.config, documents, state, _A_MONTH_ON).sampled(sampling)
    renewed = _recalibrated(run, month, loaded, documents)
    yield build_model(loaded.config, documents, renewed, _NEW_RATES).sampled(sampling)
    if month.later is not None:
        later, documents = month.later
        yield build_model(later.config, documents, calibrate(later, documents)).sampled(sampling)


def _require_same_run(run: StoredRun, model: RunModel, table: pl.LazyFrame) -> None:
    """Refuse a run whose first path does not come out again."""
    made = story_figures(model, play_block(model, 0, 1), 0).row(0, named=True)
    require_same_figures(run.files, made, table.head(1).collect().row(0, named=True))


def _a_month_on(run: StoredRun, month: NewMonth) -> tuple[LoadedConfig, Documents]:
    """Return the run's configuration and documents with the new certificate.

    Synthetic loans are a month older; loans of a file come from the later configuration.
    """
    certificate, tape = month.certificate, run.loaded.config.tape
    changed: dict[str, Any] = {
        "lowest_age": tape.lowest_age + 1,
        "highest_age": tape.highest_age + 1,
    }
    files = run.documents.paths | {"certificate": certificate.path}
    if tape.file is not None:
        files["tape"] = _later_tape(month)
        changed = {"file": str(files["tape"].resolve())}
    inputs = {"certificate": str(certificate.path.resolve())}
    folder = run.loaded.file.parent
    loaded = reload(run.files, folder, {"inputs": inputs, "tape": changed})
    return loaded, run.documents._replace(certificate=certificate, tie_out=[], paths=files)


def _later_tape(month: NewMonth) -> Path:
    """Return the tape of the later configuration; raises InputError where it names none."""
    assert month.later is not None  # asked for by `why_not`
    later = month.later.loaded
    if later.config.tape.file is None:
        expected = "the loan rows of the new date, as the run had those of the old"
        raise InputError(later.file, "tape.file", "none", expected)
    return later.path(later.config.tape.file)


def _recalibrated(
    run: StoredRun, month: NewMonth, loaded: LoadedConfig, documents: Documents
) -> Calibration:
    """Infer roll rates with the new certificate, from one or from a series as the run did."""
    settings = run.loaded.config.roll_rates
    if settings.posterior is None:
        return calibrate(loaded, documents)
    later = month.later
    if later is not None and later.loaded.config.roll_rates.posterior is not None:
        draws = posterior_draws(later.loaded, later.documents)
    else:
        series = settings.certificates or (run.loaded.config.inputs.certificate,)
        draws = fitted_draws(loaded, (*series, month.certificate.path.resolve()))
    return calibrate_draws(loaded, documents, draws)


def _play(
    run: StoredRun, model: RunModel, discount_rates: tuple[float, ...], progress: Progress
) -> Claims:
    """Run all paths under a model."""
    simulation = run.loaded.config.simulation
    blocks = []
    work = partial(claim_block, model, discount_rates)
    ranges = block_ranges(run.files.n_paths, simulation.block_paths)
    for block in Threads(simulation.threads).map_blocks(work, ranges):
        blocks.append(block)
        progress(len(block.pool_loss))
    return join_claims(blocks)


def _chains(
    paths: pl.DataFrame, claims: list[Claims], rates: list[float], realised: dict[str, float | None]
) -> list[Chain]:
    """Lay out each measure: opening, a month on by the run's own paths, then run by run."""
    old = {name: paths[name].to_numpy() for name in _OPENING_COLUMNS}
    state, renewed, last = claims[0], claims[1], claims[-1]  # the last is the second without later
    renewed_pv = renewed.draws_pv[:, 0]
    last_pv = renewed_pv if last is renewed else last.draws_pv[:, 0]
    accreted = old["draws_pv"] * (1.0 + rates[0]) ** (1.0 / 12.0)
    loss = {
        OPENING: old["pool_loss"], "time": old["pool_loss"] - old["next_month_loss"],
        "pool_state": state.pool_loss, "roll_rates": renewed.pool_loss, "scenario": last.pool_loss,
    }  # fmt: skip
    draws = {
        OPENING: old["draws"], "time": old["draws"] - old["next_month_draws"],
        "pool_state": state.draws, "roll_rates": renewed.draws, "scenario": last.draws,
    }  # fmt: skip
    values = {
        OPENING: old["draws_pv"], ACCRETION: accreted, "time": accreted - old["next_month_draws"],
        "pool_state": state.draws_pv[:, 0], "roll_rates": renewed_pv,
        "scenario": last_pv, DISCOUNT: last.draws_pv[:, -1],
    }  # fmt: skip
    return [
        Chain("pool_loss", loss, realised["pool_loss"]),
        Chain("draws", draws, realised["draws"]),
        Chain("draws_pv", values, realised["draws"]),
    ]
