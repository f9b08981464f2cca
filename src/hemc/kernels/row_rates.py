"""Tables of moves and prior → rates drawn given the tables, and each month's probabilities.

A row is drawn in the order in which it acts: payoff first; of what stays in the pool, charge-off,
made lumpy by a gamma common to a deal's loans in a month; of the rest, the other moves. So each
part of a row's Dirichlet prior is a beta or a Dirichlet of its own (Connor and Mosimann 1969).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from hemc.kernels.dice import Dice, roll, roll_beta, roll_gamma, roll_normal
from hemc.kernels.jit import kernel
from hemc.kernels.move_tables import Series, Tables, gather_evidence
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    FORECLOSURE,
    N_LIVE,
    N_STATES,
    PAID_OFF,
)

#: Random-walk proposals of a current row's rates in one pass.
_PROPOSALS = 2


class Prior(NamedTuple):
    """What is believed before the tables; rows of delinquent states are Dirichlet."""

    row: Floats  # [live state, state] mean × pseudo-count; 0 for current
    log_rate: Floats  # [2, 2] mean and sd of the log of current → 30 and → bankruptcy
    to_foreclosure: float  # of current loans that neither pay off nor are charged off
    to_charged_off: float  # of current loans that do not pay off
    payoff: Floats  # [2] beta parameters of an interval's payoff rate of current loans
    start: Floats  # [deal, live state] Dirichlet parameters of stocks not shown at first dates
    lumpiness: float  # shape of the gamma common to charge-offs; 0 for none


class Rates(NamedTuple):
    """One draw of everything unknown but the tables, given no payoff where not said otherwise."""

    payoff: Floats  # [live state] delinquent rows
    loss: Floats  # [live state] charge-off given no payoff
    hazard: Floats  # [live state] of charge-off where the gamma is 1
    rest: Floats  # [live state, state] other moves given neither
    evidence: Floats  # [live state, state] prior and moves that delinquent rows were drawn from
    current: Floats  # [deal, 2] current → 30 at multiplier 1, → bankruptcy; given neither
    payoff_current: Floats  # [interval]
    gamma: Floats  # [e] on the hazard of charge-off
    weight: Floats  # [e, live state, state] probabilities of the month's moves


@step
def charge_off_hazard(loss: float, lumpiness: float) -> float:
    """Return h such that 1 − exp(−h·g) has mean `loss` over g, a gamma of mean 1."""
    kept = 1.0 - loss
    if lumpiness <= 0.0:
        return -math.log(kept)
    return float(lumpiness * (kept ** (-1.0 / lumpiness) - 1.0))


@step
def exits_log_likelihood(charged_off: float, stayed: float, dose: float) -> float:
    """Return the log likelihood of charge-offs with probability 1 − exp(−dose), less constants."""
    if charged_off == 0.0:
        return -dose * stayed
    return charged_off * math.log(-math.expm1(-dose)) - dose * stayed


@step
def stayed_in(tables: Tables, e: int, s: int) -> float:
    """Return how many loans of a row neither paid off nor were charged off in month e."""
    n = 0
    for j in range(N_STATES):
        n += tables.moves[e, s, j]
    return float(n - tables.moves[e, s, PAID_OFF] - tables.moves[e, s, CHARGED_OFF])


@step
def loss_log_likelihood(
    series: Series, tables: Tables, rates: Rates, s: int, loss: float, lumpiness: float
) -> float:
    """Return the log likelihood of a row's charge-offs in all months."""
    h = charge_off_hazard(loss, lumpiness)
    total = 0.0
    for e in range(series.is_first.size):
        if not series.is_first[e]:
            n = float(tables.moves[e, s, CHARGED_OFF])
            total += exits_log_likelihood(n, stayed_in(tables, e, s), h * rates.gamma[e])
    return total


@step
def draw_loss(
    series: Series, tables: Tables, prior: Prior, rates: Rates, s: int, dice: Dice
) -> None:
    """Propose a row's charge-off rate from the beta that would be exact without lumpiness."""
    a, b = prior.row[s, CHARGED_OFF], 0.0
    for j in range(PAID_OFF):
        b += prior.row[s, j]
    if a == 0.0:
        return
    n, stayed = 0.0, 0.0
    for e in range(series.is_first.size):
        if not series.is_first[e]:
            n += tables.moves[e, s, CHARGED_OFF]
            stayed += stayed_in(tables, e, s) * rates.gamma[e]
    new, u = roll_beta(dice, a + n, b + stayed), roll(dice)
    old = rates.loss[s]
    if (n > 0.0 and new <= 0.0) or new >= 1.0:
        return
    change = loss_log_likelihood(series, tables, rates, s, new, prior.lumpiness)
    change -= loss_log_likelihood(series, tables, rates, s, old, prior.lumpiness)
    change -= stayed * (math.log1p(-new) - math.log1p(-old))
    if n > 0.0:
        change -= n * (math.log(new) - math.log(old))
    if u < math.exp(min(change, 600.0)):
        rates.loss[s] = new


@step
def draw_row(rates: Rates, s: int, dice: Dice) -> None:
    """Draw a delinquent row's payoff rate and its other moves, both conjugate."""
    evidence, total = rates.evidence[s], 0.0
    kept = evidence[CHARGED_OFF]
    for j in range(PAID_OFF):
        kept += evidence[j]
        rates.rest[s, j] = roll_gamma(dice, evidence[j])
        total += rates.rest[s, j]
    rates.payoff[s] = roll_beta(dice, evidence[PAID_OFF], kept)
    for j in range(PAID_OFF):
        rates.rest[s, j] /= total


@step
def draw_gammas(series: Series, tables: Tables, prior: Prior, rates: Rates, dice: Dice) -> None:
    """Propose each month's gamma from the one that would be exact for small hazards."""
    for e in range(series.is_first.size):
        if series.is_first[e] or prior.lumpiness <= 0.0:
            continue
        n, dose, change = 0.0, 0.0, 0.0
        for s in range(N_LIVE):
            out = tables.moves[e, s, CHARGED_OFF]
            n += out
            dose += rates.hazard[s] * (stayed_in(tables, e, s) + 0.5 * out)
        old = rates.gamma[e]
        new = roll_gamma(dice, prior.lumpiness + n) / (prior.lumpiness + dose)
        for s in range(N_LIVE):
            out = tables.moves[e, s, CHARGED_OFF]
            if out > 0:
                h = rates.hazard[s]
                # (1 − exp(−h·g)) = h·g·exp(−h·g/2) × sinh(h·g/2)/(h·g/2): the last is left over.
                change += out * (log_bulge(h * new) - log_bulge(h * old))
        if roll(dice) < math.exp(min(change, 600.0)):
            rates.gamma[e] = new


@step
def log_bulge(dose: float) -> float:
    """Return the log of sinh(dose/2) / (dose/2)."""
    return math.log(-math.expm1(-dose) / dose) + 0.5 * dose


@step
def current_log_density(
    series: Series, tables: Tables, prior: Prior, deal: int, rate_30: float, rate_bk: float
) -> float:
    """Return the log density of a deal's current → 30 and → bankruptcy, given its tables."""
    total = 0.0
    for k in range(2):
        log_rate = math.log(rate_30 if k == 0 else rate_bk)
        z = (log_rate - prior.log_rate[k, 0]) / prior.log_rate[k, 1]
        total -= 0.5 * z * z
        to = D30 if k == 0 else BANKRUPTCY
        for e in range(series.is_first.size):
            if series.deal[e] == deal and not series.is_first[e]:
                total += tables.moves[e, CURRENT, to] * log_rate
    for e in range(series.is_first.size):
        if series.deal[e] == deal and not series.is_first[e]:
            stays = 1.0 - rate_30 * series.multiplier[e] - rate_bk - prior.to_foreclosure
            if stays <= 0.0:
                return -math.inf
            total += tables.moves[e, CURRENT, CURRENT] * math.log(stays)
    return total


@step
def draw_current(
    series: Series, tables: Tables, prior: Prior, rates: Rates, deal: int, dice: Dice
) -> None:
    """Move a deal's current → 30 and → bankruptcy by random walks of their logs."""
    for k in range(2):
        to, n = (D30 if k == 0 else BANKRUPTCY), 0
        for e in range(series.is_first.size):
            if series.deal[e] == deal and not series.is_first[e]:
                n += tables.moves[e, CURRENT, to]
        width = 2.4 / math.sqrt(n + prior.log_rate[k, 1] ** -2)
        for _ in range(_PROPOSALS):
            old_30, old_bk = rates.current[deal, 0], rates.current[deal, 1]
            new = rates.current[deal, k] * math.exp(width * roll_normal(dice))
            new_30, new_bk = (new, old_bk) if k == 0 else (old_30, new)
            change = current_log_density(series, tables, prior, deal, new_30, new_bk)
            change -= current_log_density(series, tables, prior, deal, old_30, old_bk)
            if roll(dice) < math.exp(min(change, 600.0)):
                rates.current[deal, k] = new


@step
def draw_payoff_current(
    series: Series, tables: Tables, prior: Prior, rates: Rates, dice: Dice
) -> None:
    """Draw each interval's payoff rate of current loans."""
    for i in range(rates.payoff_current.size):
        out, kept = prior.payoff[0], prior.payoff[1]
        for e in range(series.is_first.size):
            if series.interval[e] == i and not series.is_first[e]:
                out += tables.moves[e, CURRENT, PAID_OFF]
                for j in range(N_STATES):
                    kept += tables.moves[e, CURRENT, j] if j != PAID_OFF else 0
        rates.payoff_current[i] = roll_beta(dice, out, kept)


@step
def fill_row(payoff: float, dose: float, rest: Floats, weight: Floats) -> None:
    """Fill a row's probabilities: payoff, charge-off with the month's dose, the other moves."""
    loss = -math.expm1(-dose)
    left = (1.0 - payoff) * (1.0 - loss)
    for j in range(PAID_OFF):
        weight[j] = left * rest[j]
    weight[PAID_OFF] = payoff
    weight[CHARGED_OFF] = (1.0 - payoff) * loss


@step
def fill_current(rates: Rates, prior: Prior, deal: int, multiplier: float) -> None:
    """Fill the current row's other moves of a deal in a month."""
    rest = rates.rest[CURRENT]
    rest[D30] = rates.current[deal, 0] * multiplier
    rest[BANKRUPTCY] = rates.current[deal, 1]
    rest[FORECLOSURE] = prior.to_foreclosure
    rest[CURRENT] = 1.0 - rest[D30] - rest[BANKRUPTCY] - rest[FORECLOSURE]


@step
def fill_hazards(prior: Prior, rates: Rates) -> None:
    """Fill the hazards of charge-off."""
    for s in range(N_LIVE):
        rates.hazard[s] = charge_off_hazard(rates.loss[s], prior.lumpiness)


@kernel
def fill_weights(series: Series, prior: Prior, rates: Rates) -> None:
    """Fill the hazards of charge-off and the probabilities of each month's moves."""
    fill_hazards(prior, rates)
    for e in range(series.is_first.size):
        if series.is_first[e]:
            continue
        fill_current(rates, prior, series.deal[e], series.multiplier[e])
        for s in range(N_LIVE):
            payoff = rates.payoff_current[series.interval[e]] if s == CURRENT else rates.payoff[s]
            fill_row(payoff, rates.hazard[s] * rates.gamma[e], rates.rest[s], rates.weight[e, s])


@kernel
def draw_rates(series: Series, tables: Tables, prior: Prior, rates: Rates, dice: Dice) -> None:
    """Draw all rates given the tables, part by part, and fill the months' probabilities.

    No part needs the other moves of a delinquent row before these are drawn, so that the step
    before may leave them behind its tables.
    """
    gather_evidence(series, tables, prior.row, rates.evidence)
    for s in range(CURRENT + 1, N_LIVE):
        draw_loss(series, tables, prior, rates, s, dice)
        draw_row(rates, s, dice)
    fill_hazards(prior, rates)
    draw_gammas(series, tables, prior, rates, dice)
    for deal in range(rates.current.shape[0]):
        draw_current(series, tables, prior, rates, deal, dice)
    draw_payoff_current(series, tables, prior, rates, dice)
    fill_weights(series, prior, rates)
