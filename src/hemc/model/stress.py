"""A scenario's settings and macroeconomic path → its deterministic stress by month.

Changes count from the jump-off quarter, never levels, so that a path of any year can be laid on a
pool of any other: the jump-off is the pool's cut-off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.inputs.index_path import IndexPath
from hemc.inputs.quarters import MacroPath
from hemc.kernels.flows import Floats
from hemc.settings.mapping import MappingSettings
from hemc.settings.scenario import ScenarioSettings

MONTHS_PER_QUARTER = 3

#: Figures of a quarter that are interpolated to months.
FIGURES = ("unemployment_pct", "house_price_index", "mortgage_pct", "treasury_3m_pct")


class StressPaths(NamedTuple):
    """Deterministic stress by month of the projection."""

    shift: Floats  # [t] of all credit thresholds, probit units
    prepayment_multiplier: Floats | None  # [t] on payoff hazards; None: the credit factor's own
    index_rate: Floats  # [t] index of floating classes, per year

    def after(self, elapsed: int) -> StressPaths:
        """Return the stress of the months that follow the first `elapsed`."""
        multiplier = self.prepayment_multiplier
        return StressPaths(
            self.shift[elapsed:],
            None if multiplier is None else multiplier[elapsed:],
            self.index_rate[elapsed:],
        )


class MacroMonths(NamedTuple):
    """A macroeconomic path by month, as far as the file goes, and its values at the jump-off."""

    figures: dict[str, Floats]  # of FIGURES, [month of the file]
    jump_off: dict[str, float]
    index_rate: Floats | None  # [month of the file] per year, where the file states it


def stress_paths(
    settings: ScenarioSettings,
    macro: MacroPath | None,
    n_months: int,
    own_index: IndexPath | None = None,
) -> StressPaths:
    """Return the stress of every month; `macro` is None without a macroeconomic path.

    `stress_shift` and a numeric `prepayment_multiplier` of the settings act in every month beside
    a path. After the last quarter shift, multiplier and index go back linearly. `own_index`, the
    configuration's, stands in place of any other index.
    """
    stress = _stress_of_scenario(settings, macro, n_months)
    return stress if own_index is None else stress._replace(index_rate=own_index.by_month(n_months))


def _stress_of_scenario(
    settings: ScenarioSettings, macro: MacroPath | None, n_months: int
) -> StressPaths:
    """Return the stress with the index of the settings or of the macroeconomic path."""
    number = settings.prepayment_multiplier
    flat = None if number == "credit" else np.full(n_months, number)
    shift, index = np.full(n_months, settings.stress_shift), np.full(n_months, settings.index_rate)
    if macro is None:
        return StressPaths(shift, flat, index)
    mapping = settings.mapping
    months = macro_months(macro, mapping.interpolation, settings.index_rate)
    own = prepayment_multiplier(months, mapping, settings.refinancing_floor)
    back = mapping.return_months
    multiplier = continued(own, 1.0, back, n_months)
    return StressPaths(
        shift + continued(credit_shift(months, mapping), 0.0, back, n_months),
        multiplier if flat is None else multiplier * flat,
        continued(index_path(months, settings.index_rate), settings.index_rate, back, n_months),
    )


def macro_months(macro: MacroPath, interpolation: str, index_rate: float) -> MacroMonths:
    """Lay quarters out by month.

    linear: a quarter's figure is reached at its end, from the jump-off's or from `index_rate` at
    cut-off. step: a quarter's figure holds in its three months.
    """
    quarters = macro.quarters
    jump_off = {name: float(getattr(macro.jump_off, name)) for name in FIGURES}
    figures = {
        name: _by_month(jump_off[name], [getattr(q, name) for q in quarters], interpolation)
        for name in FIGURES
    }
    stated = [q.index_rate for q in quarters if q.index_rate is not None]
    index = _by_month(index_rate, stated, interpolation) if stated else None
    return MacroMonths(figures, jump_off, index)


def credit_shift(months: MacroMonths, mapping: MappingSettings) -> Floats:
    """Return the shift by month of the file, probit units.

    A rise of house prices helps nobody pay: only falls count. So mapped, US history 1976–2024 has
    the deviations that the credit factor's own settings come from.
    """
    unemployment = months.figures["unemployment_pct"] - months.jump_off["unemployment_pct"]
    fall_pct = 100.0 * house_price_fall(months)
    return mapping.unemployment_weight * unemployment + mapping.house_price_weight * fall_pct


def house_price_fall(months: MacroMonths) -> Floats:
    """Return by how much house prices lie below the jump-off, a fraction; 0 where above."""
    index = months.figures["house_price_index"]
    return np.maximum(1.0 - index / months.jump_off["house_price_index"], 0.0)


def prepayment_multiplier(
    months: MacroMonths, mapping: MappingSettings, refinancing_floor: float
) -> Floats:
    """Return the multiplier on payoff hazards by month of the file."""
    incentive = months.jump_off["mortgage_pct"] - months.figures["mortgage_pct"]
    fall = house_price_fall(months)
    still_open = np.clip(1.0 - fall / mapping.refinancing_shut_at_fall, 0.0, 1.0)
    share = refinancing_floor + (1.0 - refinancing_floor) * still_open
    return np.asarray(np.exp(mapping.rate_incentive_weight * incentive) * share)


def index_path(months: MacroMonths, index_rate: float) -> Floats:
    """Return the index by month of the file: as stated, or moved by the Treasury rate, not below 0.

    The 3-month Treasury rate's change from the jump-off is added to `index_rate`, per year.
    """
    if months.index_rate is not None:
        return months.index_rate
    change_pct = months.figures["treasury_3m_pct"] - months.jump_off["treasury_3m_pct"]
    return np.maximum(index_rate + change_pct / 100.0, 0.0)


def continued(path: Floats, rest: float, return_months: int, n_months: int) -> Floats:
    """Return `path` over the projection, after its end back to `rest` in `return_months`."""
    beyond = np.arange(1, max(n_months - path.size, 0) + 1)
    left = np.maximum(1.0 - beyond / max(return_months, 1), 0.0) * (return_months > 0)
    return np.concatenate([path, rest + (path[-1] - rest) * left])[:n_months]


def _by_month(start: float, quarters: list[float], interpolation: str) -> Floats:
    """Return quarterly figures by month from the first month after `start`."""
    if interpolation == "step":
        return np.repeat(np.asarray(quarters, dtype=np.float64), MONTHS_PER_QUARTER)
    ends = MONTHS_PER_QUARTER * np.arange(len(quarters) + 1)
    month = np.arange(1, ends[-1] + 1)
    return np.interp(month, ends, [start, *quarters])
