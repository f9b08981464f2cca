"""A configuration goes in; draws of roll rates come out, sampled or read back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemc.config import LoadedConfig
from hemc.engine.calibration import posterior_digest, read_evidence, read_pool
from hemc.engine.documents import Documents, read_documents
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.certificate_series import DealSeries, gather_series
from hemc.inputs.deal import Deal, read_deal
from hemc.inputs.shipped import shipped_deals
from hemc.kernels.flows import Floats
from hemc.model.chain_diagnostics import ChainDiagnostics
from hemc.model.posterior import RatePosterior
from hemc.model.roll_rates import RollRates, moments, resample, weigh_draws
from hemc.model.series_fit import fit_series
from hemc.scale.threads import thread_count
from hemc.states import CURRENT, PAID_OFF


@dataclass(frozen=True)
class PosteriorCalibration:
    """Draws of roll rates, a deal's moments of them, and what all of it was made from."""

    posterior: RatePosterior
    rates: tuple[RollRates, ...]  # [deal]
    digest: str
    title: str
    remarks: tuple[str, ...]


def calibrate_posterior(loaded: LoadedConfig) -> PosteriorCalibration:
    """Sample roll rates from the series of certificates, or from the one certificate.

    Raises InputError for certificates that cannot be used.
    """
    if loaded.config.roll_rates.certificates:
        return _from_series(loaded)
    return _from_one(loaded, read_documents(loaded))


def _from_series(loaded: LoadedConfig) -> PosteriorCalibration:
    """Sample roll rates from the configuration's series of certificates."""
    config = loaded.config
    paths = [loaded.path(path) for path in config.roll_rates.certificates]
    certificates = [read_document_or_record(path) for path in paths]
    series = gather_series(certificates)
    posterior = fit_series(
        certificates, read_deals(loaded, [one.series for one in series]),
        read_documents(loaded).product, config, config.simulation.seed,
        thread_count(config.simulation.threads),
    )  # fmt: skip
    last = {one.series: _last_count(one) for one in series}
    rates = tuple(
        moments(posterior.rows[:, deal], posterior.prior_rows, last[name])
        for deal, name in enumerate(posterior.deals)
    )
    counts = ", ".join(f"{one.series} {len(one.reports)}" for one in series)
    return PosteriorCalibration(
        posterior, rates, posterior_digest(loaded),
        f"Monthly roll rates from series of certificates ({counts})", (),
    )  # fmt: skip


def _from_one(loaded: LoadedConfig, documents: Documents) -> PosteriorCalibration:
    """Draw roll rates given the one certificate of a run."""
    config = loaded.config
    totals, tape, _ = read_pool(loaded, documents)
    evidence = read_evidence(config, documents, totals, tape)
    seed = config.simulation.seed
    draws, weight = weigh_draws(documents.product, evidence, config.roll_rates, seed)
    n = config.calibration.chains * config.calibration.draws
    rows = resample(draws, weight, n, seed)
    prior = draws.copy()
    prior[:, CURRENT, [CURRENT, PAID_OFF]] = np.nan  # told by the principal flow alone
    effective = float(1.0 / np.sum(weight**2))
    varies = rows.reshape(n, -1).std(axis=0) > 0.0
    counts = np.array(totals.count, dtype=np.float64)
    posterior = RatePosterior(
        deals=(documents.deal.series,),
        rows=rows[:, None],
        last_stock=np.repeat(np.array(totals.count)[None, None], n, axis=0),
        payoff=np.zeros((n, 0)),
        intervals=(),
        chains=1,
        prior_rows=prior,
        diagnostics=ChainDiagnostics(
            np.where(varies, 1.0, np.nan), np.where(varies, effective, np.nan)
        ),
        remarks=(),
    )
    return PosteriorCalibration(
        posterior, (moments(rows, prior, counts),), posterior_digest(loaded),
        f"Monthly roll rates from one certificate of {documents.deal.series}",
        (
            "One certificate shows stocks, not moves. Only ratios of stocks inform roll rates,",
            "only if the pool is stationary, and they count with weight "
            f"{config.roll_rates.stock_weight:g}; the rest is the prior.",
        ),
    )  # fmt: skip


def read_deals(loaded: LoadedConfig, names: list[str]) -> dict[str, Deal]:
    """Return the terms of deals by series: those the configuration names, else the shipped ones."""
    config = loaded.config
    files = [loaded.path(path) for path in (config.inputs.deal, *config.roll_rates.deals)]
    deals = {deal.series: deal for deal in map(read_deal, files)}
    shipped = shipped_deals()
    for name in names:
        if name not in deals and name in shipped:
            deals[name] = read_deal(shipped[name])
    return deals


def _last_count(series: DealSeries) -> Floats:
    """Return the last reported stocks, nan where not shown."""
    count = series.reports[-1].count
    return np.array([np.nan if k is None else k for k in count], dtype=np.float64)
