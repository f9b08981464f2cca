"""The credit factor, with and without crises → how it compares with US history.

What history says is mapped by `hemc.model.stress`; the factor's own law is known, not sampled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from hemc.inputs.quarters import MacroPath
from hemc.kernels.flows import Floats
from hemc.model.crisis import MATCHED_MONTHS, credit_sd, crisis_laws, crisis_variance
from hemc.model.stress import credit_shift, macro_months
from hemc.settings.scenario import ScenarioSettings

#: Deviation of the mapped shift after MATCHED_MONTHS, from every quarter of US history 1976–2024.
HISTORY_SD = (0.124, 0.179, 0.215, 0.234, 0.234)
HISTORY_SOURCE = "Federal Reserve Board, historic data of the 2025 scenarios, 1976–2024"

_LONG_RUN_MONTHS = 600


class FactorHistory(NamedTuple):
    """One form of the credit factor beside history; months count from cut-off."""

    crises: bool
    sd: tuple[float, ...]  # at MATCHED_MONTHS, probit units
    share_below_replay: float  # P(factor < replay's highest shift) in the month of that
    asset_correlation: float  # implied by the long-run variance


class Replay(NamedTuple):
    """The highest shift of a replayed history."""

    name: str
    highest_shift: float
    month: int


def find_replay(name: str, macro: MacroPath, settings: ScenarioSettings) -> Replay:
    """Return the highest shift of a macroeconomic path and its month."""
    mapping = settings.mapping
    shift = credit_shift(macro_months(macro, mapping.interpolation, settings.index_rate), mapping)
    return Replay(name, float(shift.max()), int(shift.argmax()) + 1)


def factor_history(settings: ScenarioSettings, crises: bool, replay: Replay) -> FactorHistory:
    """Return deviations, the replay's rank and the implied correlation of one form of the factor.

    Of two loans whose probits share a factor of variance V beside a unit of their own, the
    correlation is V / (1 + V) (Vasicek 1987).
    """
    component = "on" if crises else "off"
    crisis = settings.crisis.model_copy(update={"component": component})
    form = settings.model_copy(update={"crisis": crisis})
    variance = _variances(form, _LONG_RUN_MONTHS)
    long_run = variance[-1]
    return FactorHistory(
        crises,
        tuple(float(variance[month - 1] ** 0.5) for month in MATCHED_MONTHS),
        _share_below(form, replay),
        float(long_run / (1.0 + long_run)),
    )


def _variances(settings: ScenarioSettings, n_months: int) -> Floats:
    """Return the factor's variance by month."""
    month = np.arange(1, n_months + 1)
    variance = credit_sd(settings) ** 2 * (1.0 - settings.credit_persistence ** (2.0 * month))
    if settings.crisis.component == "on":
        variance = variance + crisis_variance(settings.crisis, n_months)
    return np.asarray(variance)


def _share_below(settings: ScenarioSettings, replay: Replay) -> float:
    """Return P(factor < the replay's highest shift) in that month."""
    share = 1.0 - settings.credit_persistence ** (2.0 * replay.month)
    sd = max(credit_sd(settings) * share**0.5, 1e-12)
    if settings.crisis.component == "off":
        return float(ndtr(replay.highest_shift / sd))
    law = crisis_laws(settings.crisis, replay.month)[-1]
    return float(ndtr((replay.highest_shift - law.level) / sd) @ law.probability)
