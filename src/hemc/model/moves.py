"""Roll rates × seasoning × prepayment curve × stress → the monthly moves that kernels read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from hemc.config import Config
from hemc.inputs.quarters import MacroPath
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.transitions import NORMAL_REACH, NORMAL_STEPS, MoveRates
from hemc.model.roll_rate_multiple import multiply_roll_rates
from hemc.model.scenario import credit_thresholds
from hemc.model.stress import stress_paths
from hemc.states import CHARGED_OFF, CURRENT, D30, N_LIVE, PAID_OFF


class Elapsed(NamedTuple):
    """Months that had passed at cut-off since what is carried on with had begun."""

    rates: int = 0  # the calibration: seasoning ramp and prepayment curve
    scenario: int = 0  # stress and factors


#: Everything begins at cut-off.
NOW = Elapsed()


def compile_moves(
    rates: Floats,
    order: Ints,
    config: Config,
    n_months: int,
    macro: MacroPath | None = None,
    elapsed: Elapsed = NOW,
) -> MoveRates:
    """Prepare calibrated rates float64[class, live state, state] for the kernels.

    `order` lists the destinations other than payoff, worst first. Payoff cells must be the same
    in all classes. `macro` is the scenario's macroeconomic path, where it has one.
    """
    support = rates.max(axis=0) > 0
    worst_first = [[d for d in order.tolist() if support[s, d]] for s in range(N_LIVE)]
    n_destinations = np.array([len(row) for row in worst_first])
    width = int(n_destinations.max())
    destination = np.full((N_LIVE, width + 1), -1)
    for s, row in enumerate(worst_first):
        destination[s, : len(row) + 1] = [PAID_OFF, *reversed(row)]
    current = season(rates[:, CURRENT], config, n_months + elapsed.rates)[elapsed.rates :]
    if config.scenario.multiples.roll_rate != 1.0:
        by_month = np.repeat(rates[None], n_months, axis=0)
        by_month[:, :, CURRENT] = current
        by_month = multiply_roll_rates(by_month, order, config.scenario.multiples)
        rates, current = by_month[0], by_month[:, :, CURRENT]
    threshold = np.zeros((n_months, len(rates), N_LIVE, width))
    for s, row in enumerate(worst_first):
        cells = current if s == CURRENT else rates[None, :, s]  # the others are alike all months
        stays = 1.0 - cells[:, :, PAID_OFF]
        share = np.cumsum(cells[:, :, row], axis=2) / stays[:, :, None]
        threshold[:, :, s, : len(row)] = ndtri(np.clip(share, 0.0, 1.0))
    shift = stress_paths(config.scenario, macro, n_months + elapsed.scenario).shift
    threshold += shift[elapsed.scenario :, None, None, None]
    hazard = -np.log1p(-rates[0, :, PAID_OFF])
    curve = prepayment_curve(rates, config, n_months + elapsed.rates)[elapsed.rates :]
    return MoveRates(
        threshold=credit_thresholds(config.scenario, threshold, elapsed.scenario),
        destination=destination,
        n_destinations=n_destinations,
        payoff_hazard=curve[:, None] * hazard,
        has_charge_off=np.array([row[0] == CHARGED_OFF for row in worst_first]),
        lumpiness=config.loss.lumpiness,
        normal=normal_table(),
    )


class MoveDraws(NamedTuple):
    """Draws of roll rates of which each path has one: path k has draw k modulo their number."""

    rates: Floats  # [draw, class, live state, state] as `compile_moves` reads them
    order: Ints
    config: Config
    n_months: int
    macro: MacroPath | None = None
    elapsed: Elapsed = NOW

    def of_path(self, path: int) -> MoveRates:
        """Compile the draw of a path."""
        rates = self.rates[path % len(self.rates)]
        return compile_moves(
            rates, self.order, self.config, self.n_months, self.macro, self.elapsed
        )


def season(current: Floats, config: Config, n_months: int) -> Floats:
    """Return current rows by month float64[t, class, state], current → 30 rising with age.

    `current` float64[class, state] are the rows at cut-off.
    """
    month = np.arange(1, n_months + 1)
    ramp = np.minimum(month / config.roll_rates.seasoning_months, 1.0)
    multiplier = 1.0 + (config.roll_rates.seasoning_peak - 1.0) * ramp
    seasoned = np.repeat(current[None], n_months, axis=0)
    more = current[None, :, D30] * (multiplier[:, None] - 1.0)
    seasoned[:, :, D30] += more
    seasoned[:, :, CURRENT] -= more
    return seasoned


def prepayment_curve(rates: Floats, config: Config, n_months: int) -> Floats:
    """Return the payoff hazard of each month relative to now's, float64[t]."""
    now = 1.0 - (1.0 - rates[0, CURRENT, PAID_OFF]) ** 12
    if now <= 0.0:
        return np.ones(n_months)
    month = np.arange(1, n_months + 1)
    gap = (now - config.prepayment.long_run_cpr) * 0.5 ** (
        month / config.prepayment.half_life_months
    )
    cpr = config.prepayment.long_run_cpr + gap
    return np.asarray(np.log1p(-cpr) / np.log1p(-now))


def normal_table() -> Floats:
    """Return Φ as cubics for `normal_cdf`, float64[grid, 4]: values and slopes fit at both ends.

    It is exactly 0 at its lower end, for thresholds of −∞, which make a move impossible.
    """
    n = 2 * NORMAL_REACH * NORMAL_STEPS
    x: NDArray[np.float64] = np.arange(n + 1) / NORMAL_STEPS - NORMAL_REACH
    slope = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi) / NORMAL_STEPS
    here = np.where(x > -NORMAL_REACH, ndtr(x), 0.0)
    rise, bend = np.diff(here), slope[:-1] + slope[1:] - 2.0 * np.diff(here)
    cubics = np.stack([here[:-1], slope[:-1], rise - slope[:-1] - bend, bend], axis=1)
    return np.ascontiguousarray(cubics)
