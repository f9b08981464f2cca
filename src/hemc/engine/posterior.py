"""A configuration goes in; draws of roll rates come out, sampled or read back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hemc.config import LoadedConfig
from hemc.engine.calibration import shuffled, with_stated_payoff
from hemc.engine.posterior_inputs import posterior_digest, read_deals
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.certificate_series import DealSeries, gather_series
from hemc.inputs.product import read_product
from hemc.kernels.flows import Floats
from hemc.model.posterior import RatePosterior
from hemc.model.roll_rates import RollRates, moments
from hemc.model.series_fit import fit_series
from hemc.scale.threads import Threads


@dataclass(frozen=True)
class PosteriorCalibration:
    """Draws of roll rates, a deal's moments of them, and what all of it was made from."""

    posterior: RatePosterior
    rates: tuple[RollRates, ...]  # [deal]
    digest: str
    title: str
    remarks: tuple[str, ...]


def calibrate_posterior(loaded: LoadedConfig) -> PosteriorCalibration:
    """Sample roll rates from the series of certificates, or from the one certificate of a run.

    Raises InputError for certificates that cannot be used.
    """
    config = loaded.config
    paths = config.roll_rates.certificates or (config.inputs.certificate,)
    certificates = [read_document_or_record(loaded.path(path)) for path in paths]
    series = gather_series(certificates)
    posterior = fit_series(
        certificates, read_deals(loaded, [one.series for one in series]),
        read_product(loaded.path(config.inputs.product)), config, config.simulation.seed,
        Threads(config.simulation.threads).n_threads,
    )  # fmt: skip
    last = {one.series: _last_count(one) for one in series}
    rates = tuple(
        replace(
            moments(posterior.rows[:, deal], posterior.prior_rows, last[name]),
            mean=posterior.mean[deal],
            sd=posterior.sd[deal],
        )
        for deal, name in enumerate(posterior.deals)
    )
    counts = ", ".join(f"{one.series} {len(one.reports)}" for one in series)
    alone = [one.series for one in series if len(one.reports) == 1]
    return PosteriorCalibration(
        posterior, rates, posterior_digest(loaded),
        f"Monthly roll rates from certificates ({counts})",
        tuple(_one_certificate(name) for name in alone),
    )  # fmt: skip


def fitted_draws(loaded: LoadedConfig, certificates: tuple[Path, ...]) -> Floats:
    """Sample the deal's roll rates from a series, as a run takes them from its posterior.

    Returns float64[draw, live state, state] in the order of a run; paths are relative to the
    configuration. Raises InputError for certificates that cannot be used.
    """
    config = loaded.config
    read = [read_document_or_record(loaded.path(path)) for path in certificates]
    deals = read_deals(loaded, [one.series for one in gather_series(read)])
    posterior = fit_series(
        read, deals, read_product(loaded.path(config.inputs.product)), config,
        config.simulation.seed, Threads(config.simulation.threads).n_threads,
    )  # fmt: skip
    place = posterior.deals.index(read[-1].series or "")
    order = shuffled(len(posterior.rows), config)
    return with_stated_payoff(posterior.rows[order, place], config)


def _one_certificate(series: str) -> str:
    """Say what one certificate of a deal can tell."""
    return (
        f"{series}: one certificate shows stocks, not moves. Only ratios of stocks inform its "
        "roll rates, as far as the pool is stationary; the rest is the prior."
    )


def _last_count(series: DealSeries) -> Floats:
    """Return the last reported stocks, nan where not shown."""
    count = series.reports[-1].count
    return np.array([np.nan if k is None else k for k in count], dtype=np.float64)
