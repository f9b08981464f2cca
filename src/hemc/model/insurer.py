"""Insurer settings and credit factors go in, the month in which the insurer fails comes out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels import rng
from hemc.kernels.flows import Floats, Ints
from hemc.settings.insurer import InsurerSettings

#: Month of default of an insurer that never fails, and of one that is not there.
NEVER, ABSENT = 1 << 30, -1


class InsurerModel(NamedTuple):
    """The insurer of the wrapped pass; the same draw of a path in every scenario."""

    settings: InsurerSettings
    shift: Floats  # [t] deterministic stress, probit units
    seed: int

    def default_month(self, credit: Floats, first_path: int) -> Ints:
        """Return the month, from 0, from which the insurer pays nothing, int64[p].

        `credit` float64[p, t] is the credit factor Z. It fails in the first month whose cumulated
        hazard Σ hazard / 12 × exp(sensitivity × (Z + shift)) exceeds -log of a uniform.
        """
        n_paths, n_months = credit.shape
        if self.settings.mode != "may_default":
            always = ABSENT if self.settings.mode == "absent" else NEVER
            return np.full(n_paths, always)
        u = np.empty((n_paths, 1))
        rng.draw_uniforms_paths(np.uint64(self.seed), rng.INSURER, first_path, u)
        stress = self.settings.default_sensitivity * (credit + self.shift[:n_months])
        hazard = (self.settings.default_hazard / 12.0 * np.exp(stress)).cumsum(axis=1)
        fails = hazard > -np.log(u)
        return np.where(fails.any(axis=1), fails.argmax(axis=1), NEVER)


def absent(n_paths: int) -> Ints:
    """Return the months of default of the unwrapped pass: nobody pays from the first."""
    return np.full(n_paths, ABSENT)


def performing(n_paths: int) -> Ints:
    """Return the months of default of an insurer that never fails."""
    return np.full(n_paths, NEVER)


def failure_month(net_claims: Floats, capital: float) -> Ints:
    """Return the month, from 0, from which an insurer with this capital pays nothing, int64[p].

    `net_claims` float64[p, t], USD, are the claims on an insurer that never fails, less what it
    gets. It fails in the first month at whose beginning it has nothing left, or at whose end it
    would owe more than it has; of that month's claims it pays none. What happens before a month
    does not depend on whether it fails then, so the claims of one that never fails tell when.
    """
    used = net_claims.cumsum(axis=1)
    fails = used > capital
    fails[:, 1:] |= used[:, :-1] >= capital
    fails[:, :1] |= capital <= 0.0
    return np.where(fails.any(axis=1), fails.argmax(axis=1), NEVER)


def peak_claims(net_claims: Floats) -> Floats:
    """Return the largest sum of net claims up to any month, float64[p]: the capital they need."""
    return np.asarray(np.maximum(net_claims.cumsum(axis=1).max(axis=1), 0.0))
