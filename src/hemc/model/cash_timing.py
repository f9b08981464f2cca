"""Certificates up to a date → factors on the interest and recoveries of the certificates to come.

When cash comes in is the business of certificates: the lifetime run has none of these factors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv, ndtri

from hemc.config import Config
from hemc.inputs.certificate import Certificate
from hemc.inputs.interest_collected import interest_ratio
from hemc.kernels import rng
from hemc.kernels.flows import Floats
from hemc.settings.scenario import ScenarioSettings


class CashFactors(NamedTuple):
    """Factors on a month's flows, float64[p, t]."""

    interest: Floats
    recoveries: Floats


class InterestLaw(NamedTuple):
    """Law of months' interest factors: normal about a deal's level, both parameters unknown.

    The variance of a month is inverse gamma of shape freedom/2 and scale freedom/2 ×
    `deviation`²; given it the level is normal about `level` with a `months`th of that variance.
    """

    level: float
    months: float
    deviation: float
    freedom: float

    def given(self, ratios: Floats) -> InterestLaw:
        """Return the law given factors of months, float64[t] (Gelman et al. 2013, section 3.3)."""
        n = ratios.size
        if n == 0 or self.deviation == 0.0:
            return self
        mean, months, freedom = float(ratios.mean()), self.months + n, self.freedom + n
        squares = self.freedom * self.deviation**2 + float(((ratios - mean) ** 2).sum())
        squares += self.months * n / months * (mean - self.level) ** 2
        level = (self.months * self.level + n * mean) / months
        return InterestLaw(level, months, float(np.sqrt(squares / freedom)), freedom)


class CashTiming(NamedTuple):
    """Law of the factors; recoveries are gamma of shape `recovery_shape`, 0 for their mean."""

    interest: InterestLaw
    recovery_shape: float
    seed: int

    def draw(self, first_path: int, n_paths: int, n_months: int) -> CashFactors:
        """Draw the factors of consecutive paths; a path keeps its level and deviation."""
        u = np.empty((n_paths, 2 + 2 * n_months))
        rng.draw_uniforms_paths(np.uint64(self.seed), rng.TIMING, first_path, u)
        law = self.interest
        half = law.freedom / 2.0
        deviation = law.deviation * np.sqrt(half / gammaincinv(half, u[:, :1]))
        level = law.level + deviation / np.sqrt(law.months) * ndtri(u[:, 1:2])
        interest = level + deviation * ndtri(u[:, 2::2])
        if self.recovery_shape == 0.0:
            return CashFactors(interest, np.ones_like(interest))
        shape = self.recovery_shape
        return CashFactors(interest, np.asarray(gammaincinv(shape, u[:, 3::2]) / shape))


def interest_law(settings: ScenarioSettings) -> InterestLaw:
    """Return the law before any certificate: a factor has mean 1 and deviation `timing_sd`."""
    share, freedom = settings.timing_level_share, settings.timing_months
    variance = (1.0 - share) * settings.timing_sd**2
    return InterestLaw(
        1.0, (1.0 - share) / share, float(np.sqrt(variance * (freedom - 2.0) / freedom)), freedom
    )


def cash_timing(config: Config, certificates: Iterable[Certificate]) -> CashTiming:
    """Return the law of the factors given a deal's certificates."""
    found = [interest_ratio(c, config.calibration.scheduled_share) for c in certificates]
    ratios = np.array([ratio for ratio in found if ratio is not None])
    law = interest_law(config.scenario).given(ratios)
    return CashTiming(law, config.loss.recovery_lumpiness, config.simulation.seed)
