"""Move counts over one and more months → two latent classes that explain all of them at once.

A first-order chain that meets the moves of one month misses those of six: loans differ. Here each
loan is a mover or chronic for life. The one-month table is met exactly (class_moves); the
fractions of its moves that chronic loans make maximise the likelihood of the tables over more
months, taken as independent multinomial rows (a composite likelihood: Varin, Reid and Firth 2011;
mover-stayer chains: Blumen, Kogan and McCarthy 1955, Frydman 1984).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, minimize
from scipy.special import expit

from hemc.inputs.class_fractions import ClassFractions
from hemc.kernels.flows import Floats, Ints
from hemc.model.class_moves import (
    KINDS,
    STAYING,
    WORSENING,
    LatentClasses,
    kinds_of_moves,
    split_by_fractions,
)
from hemc.states import CURRENT, D30, KEYS, N_LIVE, N_STATES, PAID_OFF

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]

#: Fractions stay within e-9 of 0 and 1 in the logit, where they no longer move any rate.
_LOGIT_BOUND = 9.0

_STEP = 1e-5  # of central differences, in logits

#: Logits that searches start from: improving, staying and worsening moves of delinquent loans,
#: staying and worsening of current ones. The likelihood has several tops: chronic loans may be few
#: of the current ones, which fall behind often, or most of them, which seldom do.
_STARTS = (
    (-2.5, 2.0, 0.0, -4.0, -1.0),
    (0.0, 0.0, 0.5, -6.0, -1.0),
    (-2.0, 1.0, -2.0, 4.0, -2.0),
    (-1.0, 1.0, -1.0, 3.0, -1.0),
)


class TwoClassFit(NamedTuple):
    """Fitted classes, and how well they and one class explain the counts.

    `fractions` is float64[live state, kind], nan in a state that tells nothing. Log likelihoods
    are of the tables over more than one month, less that of the tables' own rates.
    """

    one_month: Floats  # [live state, state]
    kinds: Ints  # [live state, state]
    fractions: Floats
    classes: LatentClasses
    log_likelihood_one_class: float
    log_likelihood: float
    tops: tuple[float, ...]  # the log likelihood that each search reached, the best first


def fit_two_classes(counts: Mapping[int, Ints], order: Ints) -> TwoClassFit:
    """Fit movers and chronic loans to move counts, int64[live state, state] by months.

    `counts` holds one month and at least one longer horizon; `order` lists destinations other
    than payoff, worst first, and says which moves improve.
    """
    one_month = observed_rates(counts[1])
    tables = {months: table for months, table in counts.items() if months > 1}
    free = _free_fractions(counts[1], order)

    def misfit(logits: Floats) -> Floats:
        classes = split_by_fractions(one_month, order, _fractions(logits, free))
        return -_log_likelihood(classes, tables)

    tops = [_climb(misfit, _start(free, start)) for start in _STARTS]
    best, logits = min(tops, key=lambda top: top[0])
    fractions = _chronic_stays_longer(one_month, order, _fractions(logits, free))
    alike = split_by_fractions(one_month, order, np.full((N_LIVE, 3), 0.5))
    return TwoClassFit(
        one_month=one_month,
        kinds=kinds_of_moves(order),
        fractions=np.where(free.any(axis=1, keepdims=True), fractions, np.nan),
        classes=split_by_fractions(one_month, order, fractions),
        log_likelihood_one_class=float(_log_likelihood(alike, tables)),
        log_likelihood=-best,
        tops=tuple(sorted((-top for top, _ in tops), reverse=True)),
    )


def fractions_by_state(fit: TwoClassFit, name: str) -> ClassFractions:
    """Return the fitted fractions as a run reads them, with how well they explain the counts."""
    gain = 1.0 - fit.log_likelihood / fit.log_likelihood_one_class
    chronic = {
        KEYS[s]: dict(zip(KINDS, map(float, row), strict=True))
        for s, row in enumerate(fit.fractions)
        if not np.isnan(row).any()
    }
    source = f"two-class fit to {name}, {gain:.1%} of one class's misfit explained"
    return ClassFractions.model_validate({"name": name, "source": source, "chronic": chronic})


def observed_rates(counts: Ints) -> Floats:
    """Return each row's rates, float64[live state, state]; a state without moves stays."""
    rates = np.eye(N_LIVE, N_STATES)
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), rates)


def rates_ahead(classes: LatentClasses, months: int) -> Floats:
    """Return the classes' mix of moves over several months, float64[..., live state, state]."""
    ahead = rates_of_one_class(classes.rates, months)
    share = np.moveaxis(classes.share, -1, 0)
    return np.asarray((share[..., None] * ahead).sum(axis=0))


def rates_of_one_class(rates: Floats, months: int) -> Floats:
    """Return the moves of chains over several months, float64[..., live state, state]."""
    step = np.broadcast_to(np.eye(N_STATES), (*rates.shape[:-2], N_STATES, N_STATES)).copy()
    step[..., :N_LIVE, :] = rates
    return np.asarray(np.linalg.matrix_power(step, months)[..., :N_LIVE, :])


def _log_likelihood(classes: LatentClasses, tables: Mapping[int, Ints]) -> Floats:
    """Return the log likelihood of the tables less that of their own rates, float64[...]."""
    total = np.zeros(classes.share.shape[:-2])
    for months, table in tables.items():
        seen = table > 0
        ratio = rates_ahead(classes, months)[..., seen] / observed_rates(table)[seen]
        total += (table[seen] * np.log(np.maximum(ratio, 1e-12))).sum(axis=-1)
    return total


def _free_fractions(counts: Ints, order: Ints) -> Floats:
    """Return 1 for each kind of move that occurs in a state with several kinds, else 0."""
    moves = counts.copy()
    moves[:, PAID_OFF] = 0
    kinds = kinds_of_moves(order)
    occurs = np.stack([((kinds == k) & (moves > 0)).any(axis=1) for k in range(3)], axis=1)
    return np.where(occurs.sum(axis=1, keepdims=True) > 1, occurs, False).astype(np.float64)


def _fractions(logits: Floats, free: Floats) -> Floats:
    """Return fractions of all states and kinds; where nothing tells classes apart, one half."""
    fractions = np.full((*logits.shape[:-1], *free.shape), 0.5)
    fractions[..., free > 0] = expit(logits)
    return fractions


def _start(free: Floats, start: tuple[float, ...]) -> Vector:
    """Return the logits of a start."""
    logits = np.tile(start[:3], (N_LIVE, 1))
    logits[CURRENT, [STAYING, WORSENING]] = start[3:]
    return logits[free > 0].ravel()


def _climb(misfit: Callable[[Floats], Floats], start: Vector) -> tuple[float, Vector]:
    """Return the least misfit that a search reaches from a start, and where.

    `misfit` takes many points at once, so that the slopes by central differences come cheaply.
    """
    scale = float(abs(misfit(start)))
    step = _STEP * np.eye(start.size)
    moved = np.concatenate([np.zeros((1, start.size)), step, -step])

    def value_and_slope(logits: Vector) -> tuple[float, Vector]:
        values = misfit(logits + moved) / scale
        up, down = values[1:].reshape(2, -1)
        return float(values[0]), (up - down) / (2.0 * _STEP)

    bounds = Bounds(-_LOGIT_BOUND, _LOGIT_BOUND)
    found = minimize(
        value_and_slope, start, method="L-BFGS-B", jac=True, bounds=bounds,
        options={"maxiter": 300, "ftol": 1e-10},
    )  # fmt: skip
    return float(found.fun) * scale, found.x


def _chronic_stays_longer(one_month: Floats, order: Ints, fractions: Floats) -> Floats:
    """Call that class chronic whose loans stay 30 days behind more often."""
    movers, chronic = split_by_fractions(one_month, order, fractions).rates
    return fractions if chronic[D30, D30] >= movers[D30, D30] else 1.0 - fractions
