"""A configuration goes in; certificates forecast from those before them and scored come out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from hemc.config import LoadedConfig
from hemc.engine.backtest_start import (
    BacktestStart,
    chain_figures,
    forecast_figures,
    prepare_start,
)
from hemc.engine.calibration import require_one_class
from hemc.engine.documents import earlier_certificates
from hemc.engine.posterior_inputs import read_deals
from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.certificate_series import DealSeries, Report, gather_series
from hemc.inputs.deal import Deal
from hemc.inputs.printed_figures import inferred_figures, printed_figures
from hemc.inputs.product import Product, read_product
from hemc.model.cash_timing import cash_timing
from hemc.model.posterior import RatePosterior
from hemc.model.series_fit import fit_series
from hemc.outputs.backtest_table import ScoredCertificate, backtest_table
from hemc.scale.threads import Threads

#: Called with what is being fitted or forecast.
Telling = Callable[[str], None]


@dataclass(frozen=True)
class BacktestResult:
    """Scored figures, and what the reader should know."""

    table: pl.DataFrame
    n_paths: int
    remarks: tuple[str, ...]  # what was not done, and why
    warnings: tuple[str, ...]  # of the fits


@dataclass(frozen=True)
class _Documents:
    """What a backtest reads; certificates by deal and date."""

    certificates: Mapping[tuple[str, dt.date], Certificate]
    series: tuple[DealSeries, ...]
    deals: Mapping[str, Deal]
    product: Product


def run_backtest(loaded: LoadedConfig, tell: Telling) -> BacktestResult:
    """Fit up to each date, forecast every later certificate of the deal, and score.

    Raises InputError for certificates that cannot be used, and where none has a later one.
    """
    documents = _read(loaded)
    remarks: list[str] = []
    starts = _starts(loaded, documents, remarks)
    warnings: list[str] = []
    scored: list[ScoredCertificate] = []
    for date in sorted({report.date for _, report in starts}):
        tell(f"fit to certificates up to {date}")
        posterior = _fit(loaded, documents, date)
        warnings += [f"up to {date}: {warning}" for warning in posterior.warnings]
        for one, report in starts:
            if report.date == date:
                tell(f"forecast {one.series} from {date}")
                scored += _score(loaded, documents, one, report, posterior)
    table = backtest_table(scored, loaded.config.simulation.seed)
    return BacktestResult(table, loaded.config.backtest.paths, tuple(remarks), tuple(warnings))


def _read(loaded: LoadedConfig) -> _Documents:
    """Read certificates, deals and product; refuse what a forecast from draws cannot follow."""
    config = loaded.config
    require_one_class(loaded)
    if config.scenario.file is not None:
        raise InputError(
            loaded.file, "scenario.file", str(config.scenario.file),
            "none in a backtest: what came later was not known",
        )  # fmt: skip
    if not config.roll_rates.certificates:
        raise InputError(
            loaded.file, "roll_rates.certificates", "none",
            "certificates of several dates, the earlier to fit, the later to score",
        )  # fmt: skip
    certificates = [
        read_document_or_record(loaded.path(path)) for path in config.roll_rates.certificates
    ]
    series = gather_series(certificates)
    by_date = {(c.series, c.payment_date): c for c in certificates if c.series and c.payment_date}
    names = [one.series for one in series]
    product = read_product(loaded.path(config.inputs.product))
    if seen := sorted(set(names) & set(product.has_seen)):
        raise InputError(
            loaded.path(config.inputs.product), "has_seen", ", ".join(seen),
            "a prior that has seen no certificate it is scored on",
        )  # fmt: skip
    return _Documents(by_date, series, read_deals(loaded, names), product)


def _starts(
    loaded: LoadedConfig, documents: _Documents, remarks: list[str]
) -> list[tuple[DealSeries, Report]]:
    """Return every certificate that forecasts can start from and that a later one follows."""
    found = []
    for one in documents.series:
        if len(one.reports) < 2:
            remarks.append(f"{one.series}: one certificate, none later to score")
        for report in one.reports[:-1]:
            if report.prefunding > 0:
                remarks.append(
                    f"{one.series} {report.date}: no forecast from here, {report.prefunding:,} USD "
                    "of prefunding would still buy loans"
                )
            else:
                found.append((one, report))
    if not found:
        raise InputError(
            loaded.file, "roll_rates.certificates",
            f"none that a later one of its deal follows ({'; '.join(remarks)})",
            "two certificates of one deal at least, prefunding spent at the first",
        )  # fmt: skip
    return found


def _fit(loaded: LoadedConfig, documents: _Documents, date: dt.date) -> RatePosterior:
    """Sample roll rates from all certificates up to a date."""
    config = loaded.config
    known = [c for (_, day), c in documents.certificates.items() if day <= date]
    return fit_series(
        known, documents.deals, documents.product, config, config.simulation.seed,
        Threads(config.simulation.threads).n_threads,
    )  # fmt: skip


def _score(
    loaded: LoadedConfig,
    documents: _Documents,
    one: DealSeries,
    report: Report,
    posterior: RatePosterior,
) -> Iterator[ScoredCertificate]:
    """Forecast every later certificate of a deal from one date."""
    config, certificate = loaded.config, documents.certificates[one.series, report.date]
    later = {r.month - report.month: r for r in one.reports if r.month > report.month}
    earlier = earlier_certificates(certificate, documents.certificates.values())
    start = prepare_start(
        config, certificate, report, documents.deals[one.series], documents.product, posterior,
        cash_timing(config, (*earlier, certificate)), max(later),
    )  # fmt: skip
    workers = Threads(config.simulation.threads)
    draws = forecast_figures(start, list(later), config.backtest.paths, workers)
    now = printed_figures(certificate, report)
    chain = chain_figures(start, report, now.get("pool.interest_collections"), list(later))
    for months, after in later.items():
        yield _held_against(documents, one, (report, after), start, draws[months], now, chain)


def _held_against(
    documents: _Documents,
    one: DealSeries,
    reports: tuple[Report, Report],
    start: BacktestStart,
    draws: pl.DataFrame,
    now: Mapping[str, float],
    chain: Mapping[int, Mapping[str, float]],
) -> ScoredCertificate:
    """Put a forecast beside the certificate that came."""
    before, after = reports
    came = documents.certificates[one.series, after.date]
    months = after.month - before.month
    return ScoredCertificate(
        one.series, before.date, after.date, months, draws,
        printed_figures(came, after), inferred_figures(came), start.drawn_figures,
        {name: value for name, value in now.items() if name not in start.drawn_figures},
        chain[months],
    )  # fmt: skip
