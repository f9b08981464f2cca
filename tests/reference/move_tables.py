"""All ways in which a few loans can have moved, one by one, with the probability of each.

The plain twin of the sampler of kernels/calibration.py: it follows labelled loans and integrates
rows out, where the sampler holds tables of counts and draws the rows.
"""

from __future__ import annotations

from collections import defaultdict
from math import exp, lgamma, log

import numpy as np

from hemc.states import CHARGED_OFF, CURRENT, N_LIVE, N_STATES


def enumerate_tables(months, prior, current):
    """Return {tables as bytes: probability}; tables are int8[e, live state, state].

    One deal, no additions. Rows of delinquent states are integrated over their Dirichlet prior,
    as are the shares of first stocks that are not known; the current row is `current`
    float64[state]. The first table holds the first stocks on its diagonal.
    """
    series, known, total = months.series, months.known, months.total
    start = [[s] for s in range(N_LIVE) for _ in range(max(known[0, s], 0))]
    start += [np.flatnonzero(known[0] < 0).tolist()] * (int(total[0]) - len(start))
    support = prior.row > 0.0
    support[CURRENT] = current > 0.0
    shape = (len(total), N_LIVE, N_STATES)
    ways = {np.zeros(shape, dtype=np.int8).tobytes(): 1}
    for states in start:
        longer = defaultdict(int)
        paths = [((s, s), *rest) for s in states for rest in _paths(s, support, known, total)]
        for key, n in ways.items():
            for path in paths:
                table = np.frombuffer(key, dtype=np.int8).reshape(shape).copy()
                for e, (a, b) in enumerate(path):
                    if a < N_LIVE:
                        table[e, a, b] += 1
                longer[table.tobytes()] += n
        ways = longer
    weights = {}
    for key, n in ways.items():
        table = np.frombuffer(key, dtype=np.int8).reshape(shape)
        if explains(table, known, total):
            rates = _log_rows(table[1:], prior.row, current)
            weights[key] = log(n) + rates + _losses(series, table) + _log_start(table, prior)
    largest = max(weights.values())
    probability = {key: exp(w - largest) for key, w in weights.items()}
    sum_of_all = sum(probability.values())
    return {key: p / sum_of_all for key, p in probability.items()}


def explains(table, known, total):
    """Tell whether tables lead to the stocks reported after each month."""
    for e in range(1, len(total)):
        stock = table[e].sum(axis=0)[:N_LIVE]
        if any(known[e, s] not in (-1, stock[s]) for s in range(N_LIVE)):
            return False
        if total[e] not in (-1, stock.sum()):
            return False
    return True


def _paths(s, support, known, total):
    """Yield the ways of one loan as moves from month to month, none into what is reported empty."""
    n_dates = len(total)
    places = [np.flatnonzero(row).tolist() for row in support] + [[10], [11]]

    def is_empty(e, b):
        return known[e, b] == 0 if b < N_LIVE else total[e] == total[0]

    def go(a, e):
        if e == n_dates:
            yield ()
            return
        for b in places[a]:
            if not is_empty(e, b):
                for rest in go(b, e + 1):
                    yield ((a, b), *rest)

    yield from go(s, 1)


def _log_rows(table, row, current):
    """Return the log probability of the moves, rows integrated out, without coefficients."""
    moved = table.sum(axis=0)
    out = float((moved[CURRENT] * np.log(np.where(current > 0, current, 1.0))).sum())
    for s in range(1, N_LIVE):
        out += lgamma(row[s].sum()) - lgamma(row[s].sum() + moved[s].sum())
        cells = [(a, n) for a, n in zip(row[s], moved[s], strict=True) if a > 0.0]
        out += sum(lgamma(a + n) - lgamma(a) for a, n in cells)
    return out


def _log_start(table, prior):
    """Return the log probability of the first stocks, hidden shares integrated out."""
    stock, start = np.diag(table[0]), prior.start[0]
    return sum(lgamma(a + n) - lgamma(a) for a, n in zip(start, stock, strict=False) if a > 0.0)


def _losses(series, table):
    """Return the log likelihood of the reported losses."""
    by_month = table[:, :, CHARGED_OFF].sum(axis=1)
    return sum(
        float(series.loss_fit[w, int(by_month[series.loss_window == w].sum())])
        for w in range(len(series.loss_fit))
    )


def row_means(probability, row, shape):
    """Return the posterior means of the delinquent rows, float64[live state, state]."""
    mean = np.zeros((N_LIVE, N_STATES))
    for key, p in probability.items():
        moved = np.frombuffer(key, dtype=np.int8).reshape(shape)[1:].sum(axis=0)
        concentration = row + moved
        with np.errstate(invalid="ignore"):
            mean += p * np.nan_to_num(concentration / concentration.sum(axis=1, keepdims=True))
    return mean
