"""Certificates of one deal or several × prior → draws of roll rates and of what stood unseen.

The prior is a product's; each deal has its own current → 30, bankruptcy and payoff rates (payoff
for each interval between certificates), all share the rows of delinquent states.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from hemc.config import Config
from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_series import DealSeries, gather_series
from hemc.inputs.deal import Deal
from hemc.inputs.product import Product
from hemc.kernels.calibration import Chain, Effort, Record, run_chain
from hemc.kernels.dice import throw
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.loan_paths import Way
from hemc.kernels.row_rates import Prior, fill_weights
from hemc.model.chain_diagnostics import (
    FEWEST_EFFECTIVE,
    HIGHEST_R_HAT,
    ChainDiagnostics,
    diagnose_chains,
)
from hemc.model.move_cycles import move_cycles
from hemc.model.series_months import LossSize, SeriesMonths, series_months
from hemc.model.series_prior import draw_prior_rows, first_rates, series_prior
from hemc.model.series_start import first_tables
from hemc.model.simulation import loss_rules
from hemc.settings.calibration import CalibrationSettings
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    FORECLOSURE,
    N_LIVE,
    N_STATES,
    PAID_OFF,
)

#: Proposals in one sweep: exchanges in each month's table, loans redrawn in each window of dates.
_EXCHANGES, _REDRAWS = 160, 12
#: Draws of the prior behind its moments.
_PRIOR_DRAWS = 20_000
#: Draws after which a chain looks whether it should stop.
_CHUNK = 25


@dataclass(frozen=True)
class SeriesPosterior:
    """Draws of roll rates given certificates, chain after chain, and how far to trust them."""

    deals: tuple[str, ...]
    rows: Floats  # [draw, deal, live state, state] mean monthly moves at each deal's last date
    last_count: Ints  # [draw, deal, live state] stocks at each deal's last date
    payoff: Floats  # [draw, interval] payoff rate of current loans, a month
    intervals: tuple[tuple[str, str], ...]  # the months after which and up to which it held
    chains: int
    prior_rows: Floats  # [draw, live state, state] draws of the prior
    diagnostics: ChainDiagnostics  # [deal × live state × state]
    remarks: tuple[str, ...]

    @property
    def warnings(self) -> list[str]:
        """Say where chains disagree or too few draws are worth anything."""
        found = [f"certificate series: {remark}" for remark in self.remarks]
        r_hat = np.nanmax(self.diagnostics.r_hat)
        effective = np.nanmin(self.diagnostics.effective)
        if r_hat > HIGHEST_R_HAT or effective < FEWEST_EFFECTIVE:
            found.append(
                f"chains have not converged: split-R̂ up to {r_hat:.3f} (at most "
                f"{HIGHEST_R_HAT}), effective draws down to {effective:.0f} (at least "
                f"{FEWEST_EFFECTIVE:.0f}); raise calibration.draws or sweeps_per_draw"
            )
        return found


def fit_series(
    certificates: Sequence[Certificate],
    deals: Mapping[str, Deal],
    product: Product,
    settings: Config,
    seed: int,
    threads: int = 1,
) -> SeriesPosterior:
    """Sample roll rates given certificates of one deal or several.

    `deals` maps a series to its terms. Raises InputError for certificates that cannot be used: of
    a deal without terms, two of one month, counts that do not add up or that no moves explain.
    """
    series = gather_series(certificates)
    alone = [one for one in series if len(one.reports) < 2]
    if len(alone) == len(series):
        raise InputError(
            series[0].reports[0].path, "", "the only certificate of its deal",
            "certificates of two months of one deal at least",
        )  # fmt: skip
    used = [one for one in series if len(one.reports) > 1]
    multipliers = [_multipliers(one, deals, settings) for one in used]
    months = series_months(used, multipliers, settings.calibration, loss_size(settings))
    remarks = tuple(f"{one.reports[0].path.name}: the only one of {one.series}; left out"
                    for one in alone)  # fmt: skip
    months = months._replace(remarks=months.remarks + remarks)
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
) -> SeriesPosterior:
    """Run the chains on months laid out for the kernels and collect what they draw."""
    n_warm = int(np.ceil(settings.draws * settings.warm_up / (1.0 - settings.warm_up)))
    records = _run_chains(months, prior, settings, n_warm + settings.draws, seed, threads)
    rows = np.stack([record.rows[n_warm:] for record in records])
    generator = np.random.Generator(np.random.Philox(key=seed))
    figures = rows.reshape(settings.chains, settings.draws, -1)
    return SeriesPosterior(
        deals=months.names,
        rows=rows.reshape(-1, *rows.shape[2:]),
        last_count=np.concatenate([record.last_count[n_warm:] for record in records]),
        payoff=np.concatenate([record.payoff_current[n_warm:] for record in records]),
        intervals=months.intervals,
        chains=settings.chains,
        prior_rows=draw_prior_rows(prior, _PRIOR_DRAWS, generator),
        diagnostics=diagnose_chains(figures),
        remarks=months.remarks,
    )


def _run_chains(
    months: SeriesMonths,
    prior: Prior,
    settings: CalibrationSettings,
    n_draws: int,
    seed: int,
    threads: int,
) -> list[Record]:
    """Run all chains on threads; each is the same whatever their number."""
    chains = [_first_chain(months, prior, seed, c) for c in range(settings.chains)]
    cycles = move_cycles(_typical_table(months, chains))
    effort = Effort(_EXCHANGES, _REDRAWS, settings.sweeps_per_draw)
    stop = threading.Event()

    def follow(chain: Chain) -> Record:
        record = _empty_record(months, n_draws)
        for draw in range(0, n_draws, _CHUNK):
            if stop.is_set():
                break
            draws = (draw, min(draw + _CHUNK, n_draws))
            run_chain(months.series, cycles, prior, effort, chain, record, draws)
        return record

    with ThreadPoolExecutor(threads, thread_name_prefix="hemc-chain") as pool:
        try:
            return list(pool.map(follow, chains))
        finally:
            stop.set()


def _typical_table(months: SeriesMonths, chains: Sequence[Chain]) -> Floats:
    """Return the moves to be expected in a month of these deals, float64[live state, state]."""
    later = ~months.series.is_first
    weight = chains[0].rates.weight[later].mean(axis=0)
    count = np.mean([chain.tables.count.mean(axis=0) for chain in chains], axis=0)
    return np.asarray((count[:, None] + 0.1) * weight)


def _first_chain(months: SeriesMonths, prior: Prior, seed: int, c: int) -> Chain:
    """Return a chain before its first sweep; chains start from different tables."""
    generator = np.random.Generator(np.random.Philox(key=[seed, c + 1]))
    rates = first_rates(prior, months, generator)
    fill_weights(months.series, prior, rates)
    mean = rates.weight[~months.series.is_first].mean(axis=0)
    tables = first_tables(months, mean, generator)
    longest = int((months.series.windows[:, 1] - months.series.windows[:, 0]).max(initial=0)) + 1
    way = Way(
        np.zeros(longest, dtype=np.int64), np.zeros(longest, dtype=np.int64),
        np.zeros((longest, N_STATES)),
    )  # fmt: skip
    return Chain(tables, rates, way, throw(seed, c))


def _empty_record(months: SeriesMonths, n_draws: int) -> Record:
    """Return a record with room for all draws."""
    n_deals = len(months.names)
    return Record(
        np.zeros((n_draws, n_deals, N_LIVE, N_STATES)),
        np.zeros((n_draws, max(len(months.intervals), 1))),
        np.zeros((n_draws, n_deals, N_LIVE), dtype=np.int64),
    )
