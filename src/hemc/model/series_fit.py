"""Certificates of one deal or several × prior → draws of roll rates and of what stood unseen.

The prior is a product's; each deal has its own current → 30, bankruptcy and payoff rates (payoff
for each interval between certificates), all share the rows of delinquent states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hemc.config import Config
from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_series import DealSeries, gather_series
from hemc.inputs.deal import Deal
from hemc.inputs.product import Product
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.row_rates import Prior
from hemc.model.chain_diagnostics import diagnose_chains
from hemc.model.posterior import RatePosterior
from hemc.model.series_chains import first_chain, run_chains
from hemc.model.series_months import LossSize, SeriesMonths, series_months
from hemc.model.series_prior import PRIOR_DRAWS, draw_prior_rows, series_prior
from hemc.model.simulation import loss_rules
from hemc.settings.calibration import CalibrationSettings


def fit_series(
    certificates: Sequence[Certificate],
    deals: Mapping[str, Deal],
    product: Product,
    settings: Config,
    seed: int,
    threads: int = 1,
) -> RatePosterior:
    """Sample roll rates given certificates of one deal or several.

    `deals` maps a series to its terms. Raises InputError for certificates that cannot be used: of
    a deal without terms, two of one month, counts that do not add up or that no moves explain.
    """
    series = gather_series(certificates)
    share = settings.calibration.scheduled_share
    used = [one if len(one.reports) > 1 else one.with_opening(share) for one in series]
    multipliers = [_multipliers(one, deals, settings) for one in used]
    months = series_months(used, multipliers, settings.calibration, loss_size(settings))
    prior = series_prior(product, months, settings.calibration, settings.loss.lumpiness)
    return sample_months(months, prior, settings.calibration, seed, threads)


def loss_size(settings: Config) -> LossSize:
    """Return mean and coefficient of variation of a charge-off's loss over a mean balance."""
    severity = loss_rules(settings.loss).severity[0]
    mean = float(severity.mean())
    spread = (1.0 + settings.tape.size_cv**2) * float((severity**2).mean()) / mean**2
    return LossSize(mean, float(np.sqrt(spread - 1.0)))


def _multipliers(one: DealSeries, deals: Mapping[str, Deal], settings: Config) -> Floats:
    """Return the seasoning multiplier of each month by the deal's age, 1 at the last date."""
    if one.series not in deals:
        raise InputError(
            one.reports[0].path, "series", f"'{one.series}'",
            f"a deal whose terms are given ({', '.join(sorted(deals)) or 'none'})",
        )  # fmt: skip
    n = one.reports[-1].month - one.reports[0].month + 1
    age = deals[one.series].payment_number(one.reports[0].date) + np.arange(n)
    return seasoning(age, settings) / seasoning(age[-1:], settings)


def seasoning(age: Ints, settings: Config) -> Floats:
    """Return the multiplier on current → 30 by months since the deal's first payment."""
    ramp = np.clip(age / settings.roll_rates.seasoning_months, 0.0, 1.0)
    return np.asarray(1.0 + (settings.roll_rates.seasoning_peak - 1.0) * ramp)


def sample_months(
    months: SeriesMonths,
    prior: Prior,
    settings: CalibrationSettings,
    seed: int,
    threads: int = 1,
) -> RatePosterior:
    """Run the chains on months laid out for the kernels and collect what they draw."""
    n_warm = int(np.ceil(settings.draws * settings.warm_up / (1.0 - settings.warm_up)))
    chains = [first_chain(months, prior, seed, c) for c in range(settings.chains)]
    n_draws, thin = n_warm + settings.draws, settings.sweeps_per_draw
    records = run_chains(months, prior, thin, n_draws, n_warm, chains, threads)
    rows = np.stack([record.rows[n_warm:] for record in records])
    n_sweeps = settings.chains * settings.draws * thin
    mean, square = np.sum([record.sums for record in records], axis=0) / n_sweeps
    generator = np.random.Generator(np.random.Philox(key=seed))
    return RatePosterior(
        deals=months.names,
        rows=rows.reshape(-1, *rows.shape[2:]),
        mean=mean,
        sd=np.sqrt(np.maximum(square - mean**2, 0.0)),
        last_stock=np.concatenate([record.last_stock[n_warm:] for record in records]),
        payoff=np.concatenate([record.payoff_current[n_warm:] for record in records]),
        intervals=months.intervals,
        chains=settings.chains,
        prior_rows=draw_prior_rows(prior, PRIOR_DRAWS, generator),
        diagnostics=diagnose_chains(rows.reshape(settings.chains, settings.draws, -1)),
        remarks=months.remarks,
    )
