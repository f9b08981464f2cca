"""The prior of a product → deals whose roll rates are known, and the reports they would make."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hemc.inputs.certificate_series import DealSeries, Report
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.row_rates import Prior
from hemc.model.series_months import LossSize
from hemc.model.series_prior import stationary_shares
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
    REO,
)

_BALANCE = 30_000
_FEWEST_LOANS, _MOST_LOANS = 4_000, 16_000
#: Every so many deals of several certificates a stock is hidden, or a month has no certificate.
_HIDDEN_EVERY, _GAP_EVERY = 4, 3
#: Months for which stocks of a deal's first date grow under rates that are not its own.
_GROWN = 10


class Truth(NamedTuple):
    """What a simulated deal was made with; rows are as the sampler records them."""

    rows: Floats  # [live state, state] mean moves in the last month
    multipliers: Floats  # [month] on current → 30, the first date's included, 1 at the last
    reports: DealSeries


class _Rates(NamedTuple):
    """One draw of the prior, part by part."""

    payoff: Floats  # [live state]
    loss: Floats  # [live state] given no payoff
    rest: Floats  # [live state, state] given neither


def simulate_deal(
    prior: Prior,
    settings: CalibrationSettings,
    size: LossSize,
    n_certificates: int,
    number: int,
    generator: np.random.Generator,
) -> Truth:
    """Draw roll rates, move loans month by month, and report them on some dates.

    First stocks come from other rates than the deal's, so that they say nothing about those; a
    deal of one certificate starts the month before it, from the shares that the model supposes.
    """
    rates = _draw_rates(prior, generator)
    months = _report_months(n_certificates, number)
    multipliers = _multipliers(int(generator.integers(1, 20)) + np.arange(months[-1] + 1))
    n_loans = int(generator.integers(_FEWEST_LOANS, _MOST_LOANS))
    if n_certificates == 1:
        shares = generator.dirichlet(settings.opening_pseudo_count * stationary_shares(prior))
        stock = generator.multinomial(n_loans, shares)
    else:
        stock = _other_stocks(prior, n_loans, generator)
    stocks, losses = [stock], [0.0]
    for month in range(1, months[-1] + 1):
        if month - 1 in months:
            payoff = generator.beta(prior.payoff[0], prior.payoff[1])
        matrix = _month_matrix(rates, prior, payoff, multipliers[month], generator)
        moves = np.stack([generator.multinomial(stock[s], matrix[s]) for s in range(N_LIVE)])
        stock = moves[:, :N_LIVE].sum(axis=0)
        stocks.append(stock)
        balance = _balance(max(m for m in months if m < month), settings.scheduled_share)
        charged_off = int(moves[:, CHARGED_OFF].sum())
        losses.append(_draw_loss(charged_off, size.mean * balance, size.cv, generator))
    hides = number % _HIDDEN_EVERY == 0 and n_certificates > 1
    reports = _reports(months, stocks, losses, hides, settings.scheduled_share)
    rows = _assemble(rates._replace(payoff=np.append(payoff, rates.payoff[1:])))
    return Truth(rows, multipliers, DealSeries(f"simulated {number}", reports, ()))


def _report_months(n_certificates: int, number: int) -> list[int]:
    """Return the months of certificates from the first date on; one certificate has no first."""
    if n_certificates == 1:
        return [0, 1]
    months = list(range(n_certificates))
    if number % _GAP_EVERY == 0:
        months[1:] = [month + 1 for month in months[1:]]
    return months


def _multipliers(age: Ints) -> Floats:
    """Return the default seasoning ramp by age, 1 at the last date."""
    ramp = 1.0 + 0.5 * np.clip(age / 18.0, 0.0, 1.0)
    return np.asarray(ramp / ramp[-1])


def _draw_rates(prior: Prior, generator: np.random.Generator) -> _Rates:
    """Draw all rates but the payoff of current loans."""
    row = generator.standard_gamma(prior.row)
    payoff = row[:, PAID_OFF] / np.maximum(row.sum(axis=1), 1e-300)
    kept = row.copy()
    kept[:, PAID_OFF] = 0.0
    loss = row[:, CHARGED_OFF] / np.maximum(kept.sum(axis=1), 1e-300)
    loss[CURRENT] = prior.to_charged_off
    rest = kept
    rest[:, CHARGED_OFF] = 0.0
    rest[1:] /= rest[1:].sum(axis=1, keepdims=True)
    mean, sd = prior.log_rate.T
    rest[CURRENT, [D30, BANKRUPTCY]] = np.exp(mean + sd * generator.standard_normal(2))
    rest[CURRENT, FORECLOSURE] = prior.to_foreclosure
    rest[CURRENT, CURRENT] = 1.0 - rest[CURRENT].sum()
    return _Rates(payoff, loss, rest)


def _assemble(rates: _Rates) -> Floats:
    """Return the matrix of rates."""
    rows = rates.rest * ((1.0 - rates.payoff) * (1.0 - rates.loss))[:, None]
    rows[:, PAID_OFF] = rates.payoff
    rows[:, CHARGED_OFF] = (1.0 - rates.payoff) * rates.loss
    return np.asarray(rows)


def _month_matrix(
    rates: _Rates, prior: Prior, payoff: float, multiplier: float, generator: np.random.Generator
) -> Floats:
    """Return a month's matrix: its own payoff rate, seasoning and common gamma of charge-offs."""
    rest = rates.rest.copy()
    more = rest[CURRENT, D30] * (multiplier - 1.0)
    rest[CURRENT, D30] += more
    rest[CURRENT, CURRENT] -= more
    loss = rates.loss
    if prior.lumpiness > 0.0:
        gamma = generator.gamma(prior.lumpiness) / prior.lumpiness
        hazard = prior.lumpiness * ((1.0 - loss) ** (-1.0 / prior.lumpiness) - 1.0)
        loss = -np.expm1(-hazard * gamma)
    out = rates.payoff.copy()
    out[CURRENT] = payoff
    return _assemble(_Rates(out, loss, rest))


def _other_stocks(prior: Prior, n_loans: int, generator: np.random.Generator) -> Ints:
    """Return the stocks of a pool that grew under other rates of the same prior."""
    rates = _draw_rates(prior, generator)
    payoff = generator.beta(prior.payoff[0], prior.payoff[1])
    stock = n_loans * np.eye(N_LIVE, dtype=np.int64)[CURRENT]
    for _ in range(_GROWN):
        matrix = _month_matrix(rates, prior, payoff, 1.0, generator)
        moves = [generator.multinomial(stock[s], matrix[s]) for s in range(N_LIVE)]
        stock = np.sum(moves, axis=0)[:N_LIVE]
    return np.asarray(stock)


def _draw_loss(n: int, mean: float, cv: float, generator: np.random.Generator) -> float:
    """Return the loss of n charge-offs in whole cents, not so small that it passes for none."""
    shape = 1.0 / cv**2
    loss = generator.gamma(n * shape) * mean / shape if n else 0.0
    return float(max(round(loss, 2), 1.0)) if n else 0.0


def _reports(
    months: list[int], stocks: list[Ints], losses: list[float], hides: bool, scheduled_share: float
) -> tuple[Report, ...]:
    """Return the reports of some months; balances fall by scheduled principal alone."""
    reports = []
    for i, month in enumerate(months):
        count: list[int | None] = stocks[month].tolist()
        if len(months) == 2 and i == 0:
            count = [None] * N_LIVE
        elif hides and i == 1:
            for s in (CURRENT, BANKRUPTCY, FORECLOSURE, REO):
                count[s] = None
        to_date = Decimal(f"{sum(losses[: month + 1]):.2f}")
        loss = Decimal(f"{losses[month]:.2f}")
        total = int(stocks[month].sum())
        reports.append(Report(
            path=Path(f"simulated-{month}"),
            date=dt.date(2003 + month // 12, month % 12 + 1, 25),
            n_loans=total, count=tuple(count), pool_open=None,
            pool=Decimal(f"{_balance(month, scheduled_share) * total:.2f}"),
            prefunding=Decimal(0), principal=None, loss=loss if i else None,
            loss_to_date_open=to_date - loss, loss_to_date_close=to_date, repurchased=0,
        ))  # fmt: skip
    return tuple(reports)


def _balance(month: int, scheduled_share: float) -> float:
    """Return the balance of each loan, USD."""
    return float(_BALANCE * (1.0 - scheduled_share) ** month)


def support_of(prior: Prior) -> list[tuple[int, int]]:
    """Return the moves that are not fixed by the prior."""
    moves = [(CURRENT, to) for to in (CURRENT, D30, BANKRUPTCY, PAID_OFF)]
    moves += [(s, to) for s in range(1, N_LIVE) for to in range(N_STATES) if prior.row[s, to] > 0.0]
    return moves
