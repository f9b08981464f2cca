"""Scenario → what moves all loans together: credit, prepayment and charge-off factors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaincinv

from hemc.inputs.quarters import MacroPath
from hemc.kernels import rng
from hemc.kernels.factors import autoregress_paths
from hemc.kernels.flows import Floats
from hemc.kernels.transitions import PathFactors
from hemc.model.crisis import credit_sd, crisis_laws, draw_crises, thresholds_with_crises
from hemc.model.innovations import PLAIN, Sampling, draw_innovations, draw_weights
from hemc.model.stress import stress_paths
from hemc.settings.scenario import ScenarioSettings

_GAMMA_GRID = 65_536


@dataclass(frozen=True)
class FactorModel:
    """Everything needed to draw the factors of any path; the same draws in every scenario."""

    settings: ScenarioSettings
    n_months: int
    seed: int
    gamma_quantiles: Floats  # [grid] equally likely values of the common gamma, mean 1
    sampling: Sampling = PLAIN
    macro: MacroPath | None = None  # of the scenario file
    elapsed: int = 0  # months that had passed at cut-off since the factors stood at zero

    @property
    def n_drawn(self) -> int:
        """Months drawn, of which the first `elapsed` are not shown."""
        return self.n_months + self.elapsed

    def sampled(self, sampling: Sampling) -> FactorModel:
        """Return the same model with innovations drawn by another method."""
        return replace(self, sampling=sampling.for_horizon(self.n_drawn))

    def draw(self, first_path: int, n_paths: int) -> PathFactors:
        """Draw the factors of consecutive paths, each float64[n_paths, n_months]."""
        drawn = self._draw(first_path, n_paths)
        return PathFactors(*(np.ascontiguousarray(x[:, self.elapsed :]) for x in drawn))

    def _draw(self, first_path: int, n_paths: int) -> PathFactors:
        """Draw the factors from the month on in which they stood at zero."""
        if self.settings.factors == "off":
            level = np.zeros((n_paths, self.n_drawn))
            return PathFactors(
                level, self._payoff_multiplier(level, level), self._gamma(first_path, n_paths)
            )
        s = self.settings
        credit_innovation, own = draw_innovations(
            self.sampling, self.seed, first_path, n_paths, self.n_drawn
        )
        r = s.factor_correlation
        credit, prepayment = np.empty_like(own), np.empty_like(own)
        autoregress_paths(credit_innovation, s.credit_persistence, credit_sd(s), credit)
        if s.crisis.component == "on":
            credit += draw_crises(s.crisis, self.seed, first_path, n_paths, self.n_drawn)
        innovation = r * credit_innovation + np.sqrt(1.0 - r * r) * own
        autoregress_paths(innovation, s.prepayment_persistence, s.prepayment_sd, prepayment)
        multiplier = self._payoff_multiplier(credit, prepayment)
        return PathFactors(credit, multiplier, self._gamma(first_path, n_paths))

    def standing(self, levels: Floats) -> PathFactors:
        """Return paths on which nothing is random and credit stands at a level, float64[p].

        Without factors in the settings a level is a shift of all thresholds in all months.
        """
        credit = np.repeat(levels[:, None], self.n_drawn, axis=1)
        none = np.zeros_like(credit)
        standing = (credit, self._payoff_multiplier(credit, none), none + 1.0)
        return PathFactors(*(x[:, self.elapsed :] for x in standing))

    def draw_weights(self, first_path: int, n_paths: int) -> Floats:
        """Return the likelihood ratios of consecutive paths, float64[n_paths], mean 1."""
        return draw_weights(self.sampling, self.seed, first_path, n_paths)

    def _uniforms(self, stream: int, first_path: int, n_paths: int) -> Floats:
        u = np.empty((n_paths, self.n_drawn))
        rng.draw_uniforms_paths(np.uint64(self.seed), stream, first_path, u)
        return u

    def _gamma(self, first_path: int, n_paths: int) -> Floats:
        u = self._uniforms(rng.LUMPINESS, first_path, n_paths)
        return self.gamma_quantiles[(u * self.gamma_quantiles.size).astype(np.int64)]

    def _payoff_multiplier(self, credit: Floats, prepayment: Floats) -> Floats:
        """Return the multiplier on payoff hazards, float64[p, t]."""
        s = self.settings
        on = s.factors == "on"
        variance = _variance(s.prepayment_sd, s.prepayment_persistence, self.n_drawn) * on
        own = s.multiples.prepayment * np.exp(prepayment - variance / 2.0)
        stress = stress_paths(s, self.macro, self.n_drawn)
        if stress.prepayment_multiplier is not None:
            return own * stress.prepayment_multiplier
        worse = np.maximum(credit + stress.shift, 0.0)
        still_open = np.clip(1.0 - worse / s.refinancing_shut_at, 0.0, 1.0)
        return own * (s.refinancing_floor + (1.0 - s.refinancing_floor) * still_open)


def factor_model(
    settings: ScenarioSettings,
    lumpiness: float,
    n_months: int,
    seed: int,
    macro: MacroPath | None = None,
    elapsed: int = 0,
) -> FactorModel:
    """Prepare the factors of a run; `lumpiness` is the shape of the common gamma, 0 for none.

    `macro` is the scenario's macroeconomic path, where it has one; `elapsed` months of the
    scenario had passed at cut-off.
    """
    quantiles: Floats = np.ones(1)
    if lumpiness > 0.0:
        u = (np.arange(_GAMMA_GRID) + 0.5) / _GAMMA_GRID
        drawn = np.asarray(gammaincinv(lumpiness, u), dtype=np.float64)
        quantiles = drawn / drawn.mean()
    return FactorModel(settings, n_months, seed, quantiles, macro=macro, elapsed=elapsed)


def credit_thresholds(settings: ScenarioSettings, wanted: Floats, elapsed: int = 0) -> Floats:
    """Return thresholds float64[t, …] that the credit factor is added to.

    `wanted` are the stressed thresholds without a factor, in probit units: the mean of
    Φ(threshold + credit factor) is Φ(`wanted`) in every month, with crises as without. In the
    first month the factor is `elapsed` months older than that after it stood at zero.
    """
    scale = credit_scale(settings, len(wanted) + elapsed)[elapsed:]
    if settings.factors == "off" or settings.crisis.component == "off":
        return wanted * scale.reshape(-1, *[1] * (wanted.ndim - 1))
    laws = crisis_laws(settings.crisis, len(wanted) + elapsed)[elapsed:]
    return thresholds_with_crises(wanted, laws, scale)


def credit_scale(settings: ScenarioSettings, n_months: int) -> Floats:
    """Return √(1 + variance of the credit factor's Gaussian part) by month, float64[t]."""
    if settings.factors == "off":
        return np.ones(n_months)
    variance = _variance(credit_sd(settings), settings.credit_persistence, n_months)
    return np.asarray(np.sqrt(1.0 + variance))


def _variance(sd: float, persistence: float, n_months: int) -> Floats:
    """Return the variance by month of an AR(1) that starts at 0 before month 1."""
    month = np.arange(1, n_months + 1)
    return np.asarray(sd**2 * (1.0 - persistence ** (2.0 * month)))
