"""What is known of the months → tables of moves that explain it, from which a chain can start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.errors import InputError
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.move_tables import Series, Tables
from hemc.model.series_months import SeriesMonths
from hemc.states import CHARGED_OFF, CURRENT, N_LIVE, N_STATES, NAMES, PAID_OFF

#: Of a first stock that no certificate shows, as −log of its share: less likely than any payoff.
_COST_OF_HIDDEN_LOAN = 8.0
#: Additions of the first tables lie within this share of their mean; the sampler is free.
_ADDITIONS_BAND = 0.3


class _Variables(NamedTuple):
    """Places of the unknown counts in one vector, −1 where there is none."""

    moves: Ints  # [e, live state, state]
    first: Ints  # [e, live state] stocks at first dates
    added: Ints  # [e]
    n: int


Term = tuple[int, float]
Equation = tuple[list[Term], float, float]  # left side, lowest and highest right side


def first_tables(months: SeriesMonths, mean: Floats, generator: np.random.Generator) -> Tables:
    """Find tables within the support of `mean` float64[live state, state] that explain all counts.

    Each call finds other ones: the likeliest under disturbed rates. Raises InputError that names
    the first date whose counts no moves of the support can explain.
    """
    series = months.series
    variables = _variables(series, mean > 0.0)
    found = _solve(months, variables, mean, generator, series.is_first.size)
    if found is None:
        raise _unexplained(months, variables, mean, generator)
    return _tables(series, variables, found)


def _variables(series: Series, support: NDArray[np.bool_]) -> _Variables:
    """Number the unknown counts."""
    n_dates = series.is_first.size
    moves = np.full((n_dates, N_LIVE, N_STATES), -1)
    first = np.full((n_dates, N_LIVE), -1)
    added = np.full(n_dates, -1)
    n = 0
    for e in range(n_dates):
        cells = int(support.sum())
        if series.is_first[e]:
            first[e] = np.arange(n, n + N_LIVE)
            n += N_LIVE
            continue
        moves[e][support] = np.arange(n, n + cells)
        added[e] = n + cells
        n += cells + 1
    return _Variables(moves, first, added, n)


def _solve(
    months: SeriesMonths,
    variables: _Variables,
    mean: Floats,
    generator: np.random.Generator,
    n_dates: int,
) -> Floats | None:
    """Return the counts of the first `n_dates` dates, None where there are none that fit."""
    # A third of a second to load: only where tables are wanted.
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    equations = list(_equations(months, variables, n_dates))
    rows = np.repeat(np.arange(len(equations)), [len(left) for left, *_ in equations])
    terms = [term for left, *_ in equations for term in left]
    matrix = csr_array(
        ([c for _, c in terms], (rows, [v for v, _ in terms])), (len(equations), variables.n)
    )
    cost = np.zeros(variables.n)
    used = variables.moves >= 0
    log_mean = np.log(np.where(mean > 0.0, mean, 1.0))
    disturbed = log_mean * generator.uniform(0.5, 1.5, (len(used), *log_mean.shape))
    cost[variables.moves[used]] = -disturbed[used]
    others = variables.first[months.series.is_first, CURRENT + 1 :]
    cost[others] = _COST_OF_HIDDEN_LOAN
    low, high = np.zeros(variables.n), np.full(variables.n, np.inf)
    place = variables.added[variables.added >= 0]
    wanted = months.series.additions[variables.added >= 0]
    low[place] = np.floor(wanted * (1.0 - _ADDITIONS_BAND))
    high[place] = np.ceil(wanted * (1.0 + _ADDITIONS_BAND))
    solved = milp(
        cost,
        constraints=LinearConstraint(matrix, [e[1] for e in equations], [e[2] for e in equations]),
        bounds=Bounds(low, high),
        integrality=np.ones(variables.n, dtype=np.int64),
        options={"mip_rel_gap": 0.05},
    )
    return None if solved.x is None else np.round(solved.x)


def _equations(months: SeriesMonths, v: _Variables, n_dates: int) -> Iterator[Equation]:
    """Yield what the counts of the first dates must satisfy."""
    series = months.series
    for e in range(n_dates):
        for s in range(N_LIVE):
            if months.known[e, s] >= 0:
                yield _stock(series, v, e, s), months.known[e, s], months.known[e, s]
            if not series.is_first[e]:
                yield _row(series, v, e, s)
        if months.total[e] >= 0:
            everyone = [term for s in range(N_LIVE) for term in _stock(series, v, e, s)]
            yield everyone, months.total[e], months.total[e]
    for w, fit in enumerate(series.loss_fit):
        inside = np.flatnonzero(series.loss_window == w)
        if inside[-1] < n_dates:
            cells = v.moves[inside, :, CHARGED_OFF]
            terms = [(int(place), 1.0) for place in cells[cells >= 0]]
            # Any number of charge-offs but none will do for a start where there was a loss.
            yield terms, *((0.0, 0.0) if fit[0] == 0.0 else (1.0, float(fit.argmax()) + 1.0))


def _stock(series: Series, v: _Variables, e: int, s: int) -> list[Term]:
    """Return the loans in a state at a date as a sum of unknown counts."""
    if series.is_first[e]:
        return [(int(v.first[e, s]), 1.0)]
    into = v.moves[e, :, s]
    terms = [(int(place), 1.0) for place in into[into >= 0]]
    return [*terms, (int(v.added[e]), 1.0)] if s == CURRENT else terms


def _row(series: Series, v: _Variables, e: int, s: int) -> Equation:
    """Return that the moves of a month start from the stocks before it."""
    out = v.moves[e, s]
    moves = [(int(place), -1.0) for place in out[out >= 0]]
    gone = float(series.repurchased[e]) if s == CURRENT else 0.0
    return _stock(series, v, e - 1, s) + moves, gone, gone


def _tables(series: Series, v: _Variables, found: Floats) -> Tables:
    """Arrange the counts found."""
    counts = np.append(found, 0.0).astype(np.int64)  # −1 points at the zero
    moves, added = counts[v.moves], counts[v.added]
    stock = moves[:, :, :N_LIVE].sum(axis=1)
    stock[:, CURRENT] += added
    stock[series.is_first] = counts[v.first[series.is_first]]

    def exits(window: Ints, n: int, to: int) -> Ints:
        inside = window >= 0
        return np.bincount(window[inside], moves[inside, :, to].sum(axis=1), minlength=n).astype(
            np.int64
        )

    return Tables(
        moves,
        stock,
        added,
        charged_off=exits(series.loss_window, len(series.loss_fit), CHARGED_OFF),
        paid_off=exits(series.payoff_window, len(series.payoff_mean), PAID_OFF),
    )  # fmt: skip


def _unexplained(
    months: SeriesMonths,
    variables: _Variables,
    mean: Floats,
    generator: np.random.Generator,
) -> InputError:
    """Return the error that names the first date up to which counts cannot be explained."""
    n_dates = 1
    while _solve(months, variables, mean, generator, n_dates) is not None:
        n_dates += 1
    e = n_dates - 1
    counts = ", ".join(f"{NAMES[s]} {k}" for s, k in enumerate(months.known[e]) if k >= 0)
    name = months.names[months.series.deal[e]]
    return InputError(
        f"certificates of {name}", months.dates[e], f"counts ({counts})",
        "counts that the product's moves, payoffs and additions can make of those before",
    )  # fmt: skip
