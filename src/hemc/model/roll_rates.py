"""Prior × what one certificate shows → roll rates, with how much the data said about each.

A certificate shows stocks and two flows. The principal flow pins prepayment, the loss flow bounds
charge-offs, and stocks inform the rest only as far as the pool is stationary; so they count with
a stated weight. Draws of the prior are weighted by that likelihood (importance sampling).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from hemc.inputs.product import LogNormal, Product
from hemc.kernels.flows import Floats
from hemc.settings.roll_rates import RollRateSettings
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    FORECLOSURE,
    KEYS,
    N_LIVE,
    N_STATES,
    NAMES,
    PAID_OFF,
)

#: A rate whose posterior sd is above this share of its prior sd is called prior-driven.
PRIOR_DRIVEN = 0.8

_FEW_EFFECTIVE_DRAWS = 400


class Evidence(NamedTuple):
    """What the certificate says about a month's moves.

    `months_of_pool` is the pool at the beginning of the month divided by the pool at its end;
    with stationary shares every stock was larger by it. `loss` is None where it is not visible.
    """

    loans: Floats  # [live state]
    balance: Floats  # [live state] USD
    months_of_pool: float
    smm_current: float  # payoffs of current loans in the month, fraction of their balance
    loss: float | None  # USD
    mean_severity: float


@dataclass(frozen=True)
class RollRates:
    """Monthly moves as fractions, each float64[live state, state]; sd and quantiles of each."""

    prior_mean: Floats
    prior_sd: Floats
    mean: Floats
    sd: Floats
    p5: Floats
    p95: Floats
    reported_ratio: Floats  # nan where no ratio of stocks is a reported roll rate
    effective_draws: float

    @property
    def sd_ratio(self) -> Floats:
        """Posterior sd / prior sd; nan where there is no prior."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.prior_sd > 0, self.sd / self.prior_sd, np.nan)

    @property
    def warnings(self) -> list[str]:
        """Say so where too few draws carry the weight."""
        if self.effective_draws >= _FEW_EFFECTIVE_DRAWS:
            return []
        return [
            f"roll rates rest on {self.effective_draws:.0f} effective draws; raise roll_rates.draws"
        ]


def fit_roll_rates(
    product: Product, evidence: Evidence, settings: RollRateSettings, seed: int
) -> RollRates:
    """Update the prior by one certificate."""
    draws = _draw_prior(product, evidence, settings.draws, seed)
    log_weight = _stock_likelihood(draws, evidence) * settings.stock_weight
    if evidence.loss is not None:
        log_weight = log_weight + _loss_likelihood(draws, evidence, evidence.loss)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean = np.tensordot(weight, draws, axes=1)
    variance = np.tensordot(weight, (draws - mean) ** 2, axes=1)
    p5, p95 = _weighted_quantiles(draws, weight, (0.05, 0.95))
    prior_mean, prior_sd = _prior_moments(product)
    return RollRates(
        prior_mean=prior_mean,
        prior_sd=prior_sd,
        mean=mean,
        sd=np.sqrt(variance),
        p5=p5,
        p95=p95,
        reported_ratio=reported_ratios(evidence.loans),
        effective_draws=float(1.0 / np.sum(weight**2)),
    )


def moments(rows: Floats, prior_rows: Floats, last_count: Floats) -> RollRates:
    """Return moments of draws float64[draw, live state, state] beside those of the prior's.

    `last_count` holds the stocks last reported, nan where not shown.
    """
    p5, p95 = np.quantile(rows, (0.05, 0.95), axis=0)
    return RollRates(
        prior_mean=prior_rows.mean(axis=0),
        prior_sd=prior_rows.std(axis=0),
        mean=rows.mean(axis=0),
        sd=rows.std(axis=0),
        p5=p5,
        p95=p95,
        reported_ratio=reported_ratios(last_count),
        effective_draws=float(len(rows)),
    )


def _draw_prior(product: Product, evidence: Evidence, n: int, seed: int) -> Floats:
    """Draw matrices from the prior, float64[draw, live state, state]."""
    means = product.row_means()
    states = {NAMES.index(_name(key)): row for key, row in product.rows.items()}
    shapes = tuple((s, *(means[s] * row.pseudo_count).tolist()) for s, row in states.items())
    rows, generator = _draw_rows(shapes, n, seed)
    draws, generator = rows.copy(), deepcopy(generator)
    current = product.current
    draws[:, CURRENT, D30] = _draw_log_normal(current.to_30, generator, n)
    draws[:, CURRENT, BANKRUPTCY] = _draw_log_normal(current.to_bankruptcy, generator, n)
    draws[:, CURRENT, FORECLOSURE] = current.to_foreclosure
    draws[:, CURRENT, CHARGED_OFF] = current.to_charged_off
    draws[:, CURRENT, PAID_OFF] = _draw_payoff(evidence, generator, n)
    draws[:, CURRENT, CURRENT] = 1.0 - draws[:, CURRENT, 1:].sum(axis=1)
    return draws


@lru_cache(maxsize=1)  # sensitivities draw what the run has drawn, half of a fit's time
def _draw_rows(
    shapes: tuple[tuple[float, ...], ...], n: int, seed: int
) -> tuple[Floats, np.random.Generator]:
    """Draw rows, each of a state and the shapes of its Dirichlet; return the generator after it."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    draws = np.zeros((n, N_LIVE, N_STATES))
    for s, *row in shapes:
        gamma = generator.standard_gamma(row, size=(n, N_STATES))
        draws[:, int(s)] = gamma / gamma.sum(axis=1, keepdims=True)
    return draws, generator


def _draw_log_normal(prior: LogNormal, generator: np.random.Generator, n: int) -> Floats:
    return np.asarray(prior.median * np.exp(prior.log_sd * generator.standard_normal(n)))


def _draw_payoff(evidence: Evidence, generator: np.random.Generator, n: int) -> Floats:
    """Draw the current loans' payoff rate: the month's own, with the noise of finitely many loans.

    There is no prior; the noise is binomial, beta distributed about the observed rate.
    """
    smm = evidence.smm_current
    loans = evidence.loans[CURRENT] * evidence.months_of_pool
    if smm <= 0.0:
        return np.zeros(n)
    return np.asarray(generator.beta(smm * loans, (1.0 - smm) * loans, size=n))


def _stock_likelihood(draws: Floats, evidence: Evidence) -> Floats:
    """Return the log likelihood of the delinquent stocks, Poisson about one month's inflow."""
    before = evidence.loans * evidence.months_of_pool
    expected = np.einsum("s,dsj->dj", before, draws[:, :, D30:N_LIVE])
    observed = evidence.loans[D30:N_LIVE]
    floor = np.finfo(float).tiny
    return np.asarray((observed * np.log(np.maximum(expected, floor)) - expected).sum(axis=1))


def _loss_likelihood(draws: Floats, evidence: Evidence, loss: float) -> Floats:
    """Return the log likelihood of the month's loss: gamma about its mean, over-dispersed.

    The number of charge-offs has the variance of a Poisson under a common gamma of shape 4; a
    loss has the size of a mean loan of its state. No loss at all is the gamma-Poisson's zero.
    """
    shape = 4.0
    size = np.divide(
        evidence.balance, evidence.loans, out=np.zeros(N_LIVE), where=evidence.loans > 0
    )
    expected = evidence.loans * evidence.months_of_pool * draws[:, :, CHARGED_OFF]
    number = np.maximum(expected.sum(axis=1), 1e-12)
    if loss <= 0.0:
        return np.asarray(-shape * np.log1p(number / shape))
    mean = (expected * size).sum(axis=1) * evidence.mean_severity
    one = mean / number
    variance = mean * one * 1.5 + mean**2 / shape
    k = mean**2 / variance
    scale = variance / mean
    return np.asarray((k - 1) * np.log(loss) - loss / scale - gammaln(k) - k * np.log(scale))


def _weighted_quantiles(draws: Floats, weight: Floats, levels: tuple[float, ...]) -> Floats:
    """Return weighted quantiles of every cell that varies, float64[level][live state, state]."""
    found = np.repeat(draws[0][None], len(levels), axis=0)
    for s, to in np.argwhere(draws[0] != draws[1]):
        order = np.argsort(draws[:, s, to])
        rank = np.searchsorted(np.cumsum(weight[order]), levels)
        found[:, s, to] = draws[order[np.minimum(rank, len(draws) - 1)], s, to]
    return found


def _prior_moments(product: Product) -> tuple[Floats, Floats]:
    """Return prior means and sds; nan for payoff and staying of current loans, which have none."""
    mean = product.row_means()
    sd = np.zeros_like(mean)
    for key, row in product.rows.items():
        s = NAMES.index(_name(key))
        sd[s] = np.sqrt(mean[s] * (1 - mean[s]) / (row.pseudo_count + 1))
    for to, prior in ((D30, product.current.to_30), (BANKRUPTCY, product.current.to_bankruptcy)):
        mean[CURRENT, to] = prior.median * np.exp(prior.log_sd**2 / 2)
        sd[CURRENT, to] = mean[CURRENT, to] * np.sqrt(np.expm1(prior.log_sd**2))
    mean[CURRENT, FORECLOSURE] = product.current.to_foreclosure
    mean[CURRENT, CHARGED_OFF] = product.current.to_charged_off
    for to in (PAID_OFF, CURRENT):
        mean[CURRENT, to] = sd[CURRENT, to] = np.nan
    return mean, sd


def reported_ratios(count: Floats) -> Floats:
    """Return stock of a bucket / stock of the bucket before, where a roll rate is meant by it."""
    ratio = np.full((N_LIVE, N_STATES), np.nan)
    for s in range(CURRENT, BANKRUPTCY - 1):
        if count[s] > 0:
            ratio[s, s + 1] = count[s + 1] / count[s]
    return ratio


def _name(key: str) -> str:
    """Return a state's name for its key in product files."""
    return NAMES[KEYS.index(key)]
