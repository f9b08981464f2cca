"""A product's prior and the settings → the sampler's prior, and draws from it."""

from __future__ import annotations

import math

import numpy as np

from hemc.inputs.product import Product
from hemc.kernels.flows import Floats
from hemc.kernels.row_rates import Prior, Rates
from hemc.model.series_months import SeriesMonths
from hemc.settings.calibration import CalibrationSettings
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    FORECLOSURE,
    KEYS,
    N_LIVE,
    N_STATES,
    PAID_OFF,
    REO,
)

#: Draws of the prior behind its moments.
PRIOR_DRAWS = 20_000

_MONTHS_TO_STATIONARY = 12


def series_prior(
    product: Product, months: SeriesMonths, settings: CalibrationSettings, lumpiness: float
) -> Prior:
    """Lay out the product's prior for the sampler."""
    prior = product_prior(product, settings, lumpiness)
    return prior._replace(start=_start_prior(months, prior, settings))


def product_prior(product: Product, settings: CalibrationSettings, lumpiness: float) -> Prior:
    """Lay out a product's prior of the rates, with nothing on stocks."""
    row = product.row_means()
    for key, one in product.rows.items():
        row[KEYS.index(key)] *= one.pseudo_count
    current = product.current
    a = settings.payoff_mean * settings.payoff_pseudo_count
    return Prior(
        row=row,
        log_rate=np.array([[math.log(rate.median), rate.log_sd]
                           for rate in (current.to_30, current.to_bankruptcy)]),
        to_foreclosure=current.to_foreclosure,
        to_charged_off=current.to_charged_off,
        payoff=np.array([a, settings.payoff_pseudo_count - a]),
        start=np.zeros((0, N_LIVE)),
        lumpiness=lumpiness,
    )  # fmt: skip


def _start_prior(months: SeriesMonths, prior: Prior, settings: CalibrationSettings) -> Floats:
    """Return Dirichlet parameters of stocks that first dates do not show, else 0.

    A hidden stock is worth one loan, so that its share is all but exponential about its mean; one
    in foreclosure or REO, which a young pool seldom has, is worth less in proportion. Where no
    stock is known, the month before a deal's only certificate, shares are those that the prior's
    mean moves lead to.
    """
    start = np.zeros((len(months.names), N_LIVE))
    worth = np.ones(N_LIVE)
    worth[[FORECLOSURE, REO]] = settings.missing_foreclosure_share / settings.missing_stock_share
    for deal, known in enumerate(months.known[months.series.is_first]):
        hidden = np.flatnonzero(known < 0)
        start[deal, hidden] = worth[hidden]
        if hidden.size == N_LIVE:
            start[deal] = settings.opening_pseudo_count * stationary_shares(prior)
        elif hidden.size:
            others = worth[hidden].sum() - worth[CURRENT]
            start[deal, CURRENT] = max(1.0 / settings.missing_stock_share - others, 1.0)
    return start


def stationary_shares(prior: Prior) -> Floats:
    """Return the shares of live states after a year of the prior's mean moves from current.

    Buckets are stationary by then; bankruptcy and foreclosure are what a young pool has of them.
    """
    mean = mean_rows(prior)[:, :N_LIVE]
    shares = np.eye(N_LIVE)[CURRENT]
    for _ in range(_MONTHS_TO_STATIONARY):
        shares = shares @ mean
        shares /= shares.sum()
    return np.asarray(shares)


def mean_rows(prior: Prior) -> Floats:
    """Return a matrix of the prior's means (of logs for a current loan), [live state, state]."""
    rows = prior.row / np.maximum(prior.row.sum(axis=1, keepdims=True), 1e-300)
    payoff = prior.payoff[0] / prior.payoff.sum()
    current = np.zeros(N_STATES)
    current[[D30, BANKRUPTCY]] = np.exp(prior.log_rate[:, 0])
    current[FORECLOSURE] = prior.to_foreclosure
    current[CURRENT] = 1.0 - current.sum()
    current *= (1.0 - payoff) * (1.0 - prior.to_charged_off)
    current[PAID_OFF], current[CHARGED_OFF] = payoff, (1.0 - payoff) * prior.to_charged_off
    rows[CURRENT] = current
    return np.asarray(rows)


def draw_prior_rows(prior: Prior, n: int, generator: np.random.Generator) -> Floats:
    """Draw matrices of moves from the prior, float64[draw, live state, state].

    The current row is that of a month whose payoff rate is drawn from its prior too.
    """
    rows = np.zeros((n, N_LIVE, N_STATES))
    for s in range(CURRENT + 1, N_LIVE):
        gamma = generator.standard_gamma(prior.row[s], size=(n, N_STATES))
        rows[:, s] = gamma / gamma.sum(axis=1, keepdims=True)
    rest = np.zeros((n, N_STATES))
    for k, to in enumerate((D30, BANKRUPTCY)):
        mean, sd = prior.log_rate[k]
        rest[:, to] = np.exp(mean + sd * generator.standard_normal(n))
    rest[:, FORECLOSURE] = prior.to_foreclosure
    rest[:, CURRENT] = 1.0 - rest.sum(axis=1)
    payoff = generator.beta(prior.payoff[0], prior.payoff[1], size=n)
    rows[:, CURRENT] = rest * ((1.0 - payoff) * (1.0 - prior.to_charged_off))[:, None]
    rows[:, CURRENT, PAID_OFF] = payoff
    rows[:, CURRENT, CHARGED_OFF] = (1.0 - payoff) * prior.to_charged_off
    return rows


def first_rates(prior: Prior, months: SeriesMonths, generator: np.random.Generator) -> Rates:
    """Return rates from which a chain can start, drawn near the prior's means."""
    n_deals = len(months.names)
    total = prior.row.sum(axis=1)
    total[CURRENT] = 1.0
    mean = prior.row / total[:, None]
    payoff = mean[:, PAID_OFF]
    loss = mean[:, CHARGED_OFF] / (1.0 - payoff)
    loss[CURRENT] = prior.to_charged_off
    rest = mean.copy()
    rest[:, [PAID_OFF, CHARGED_OFF]] = 0.0
    rest[1:] /= rest[1:].sum(axis=1, keepdims=True)
    disturbed = np.exp(prior.log_rate[:, 0] + 0.5 * prior.log_rate[:, 1]
                       * generator.standard_normal((n_deals, 2)))  # fmt: skip
    n_dates = months.series.is_first.size
    n_intervals = max(len(months.intervals), 1)
    return Rates(
        payoff=payoff, loss=loss, hazard=np.zeros(N_LIVE), rest=rest,
        evidence=np.zeros_like(rest), current=disturbed,
        payoff_current=np.full(n_intervals, prior.payoff[0] / prior.payoff.sum()),
        gamma=np.ones(n_dates), weight=np.zeros((n_dates, N_LIVE, N_STATES)),
    )  # fmt: skip
