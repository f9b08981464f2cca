"""Pool → cells of loans with equal rate and maturity, exact or merged into few."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.expected import N_SUMS, Cells
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.pool import Pool
from hemc.states import N_LIVE


class Loans(NamedTuple):
    """Level-pay loans, or parts of loans, on their way into cells."""

    weight: Floats  # [i] part of a loan; negative parts are possible
    state: Ints  # [i]
    behind: Ints  # [i] instalments
    balance: Floats  # [i] USD at cut-off
    growth: Floats  # [i] 1 + monthly rate
    net_share: Floats  # [i] of interest, after the servicing fee
    maturity: Ints  # [i] months from cut-off
    amortization: Floats  # [i] months from cut-off to the last level payment


def loans_of(pool: Pool) -> Loans:
    """Return a pool's loans; the amortisation term is where its schedule a − c·growth^m is 0."""
    rate = np.log1p(pool.growth - 1.0)
    return Loans(
        np.ones_like(pool.balance), pool.state, pool.behind, pool.balance, pool.growth,
        pool.net_share, pool.maturity, np.log(pool.scheduled_a / pool.scheduled_c) / rate,
    )  # fmt: skip


def add_up(loans: Loans) -> Cells:
    """Add up loans of each rate, share left after the fee and maturity: nothing is lost."""
    key = np.column_stack([-loans.maturity, loans.growth, loans.net_share])
    _, first, cell = np.unique(key, axis=0, return_index=True, return_inverse=True)
    left = loans.amortization + loans.behind
    annuity = -np.expm1(-left * np.log1p(loans.growth - 1.0))  # 1 − growth ** −left
    payment = (loans.growth - 1.0) * loans.balance / annuity
    amounts = (
        np.ones_like(payment), payment, loans.balance,
        loans.balance * loans.behind, payment * loans.behind,
    )  # fmt: skip
    sums = np.zeros((N_SUMS, N_LIVE, first.size))
    for q, amount in enumerate(amounts):
        np.add.at(sums[q], (loans.state, cell), loans.weight * amount)
    return Cells(loans.growth[first], loans.net_share[first], loans.maturity[first], sums)


def interpolate_rates(loans: Loans, n_rates: int) -> Loans:
    """Split every loan into loans of the same balance and term at `n_rates` rates.

    What a level-pay loan brings is analytic in its rate, so it is taken from the polynomial through
    the Chebyshev nodes of the range of rates (Trefethen 2013, ch. 5): a part's weight is the node's
    Lagrange weight. The error falls by a factor of ten and more a node. Rates of different
    servicing fees are not mixed, and those of a fee with no more rates than nodes stay.
    """
    fee = 12.0 * (loans.growth - 1.0) * (1.0 - loans.net_share)
    group = np.where(loans.net_share > 0.0, fee.round(9), -1.0)
    return _joined([_at_nodes(_chosen(loans, group == g), n_rates) for g in np.unique(group)])


def split_maturities(loans: Loans, months: int) -> Loans:
    """Keep maturities about `months` apart and split loans of another between its neighbours.

    Loans and mean maturity are kept; the amortisation term moves along, so that a loan that pays
    itself down still does. Maturities further apart than `months` have none put between them.
    """
    kept = _kept_maturities(np.unique(loans.maturity), months)
    right = np.searchsorted(kept, loans.maturity)
    left = np.maximum(right - 1, 0)
    earlier = (kept[right] - loans.maturity) / np.maximum(kept[right] - kept[left], 1)
    parts = [
        loans._replace(
            weight=loans.weight * share,
            maturity=maturity,
            amortization=loans.amortization + maturity - loans.maturity,
        )
        for share, maturity in ((earlier, kept[left]), (1.0 - earlier, kept[right]))
    ]
    return _joined([_chosen(part, part.weight != 0.0) for part in parts])


def _kept_maturities(distinct: Ints, months: int) -> Ints:
    """Return the ends of each run of neighbouring maturities and evenly spaced ones inside."""
    kept: list[Floats] = []
    for run in np.split(distinct, np.flatnonzero(np.diff(distinct) > months) + 1):
        n = -(-(run[-1] - run[0]) // months) + 1
        kept.append(np.linspace(run[0], run[-1], n).round())
    return np.concatenate(kept).astype(np.int64)


def _at_nodes(loans: Loans, n_rates: int) -> Loans:
    """Split loans of one fee into loans at the nodes of their rates."""
    if np.unique(loans.growth).size <= n_rates:
        return loans
    nodes = _chebyshev(loans.growth.min(), loans.growth.max(), n_rates)
    fee = ((loans.growth - 1.0) * (1.0 - loans.net_share))[0]  # a month
    earns = loans.net_share[0] > 0.0
    weights = _lagrange(loans.growth, nodes)
    return _joined(
        [
            loans._replace(
                weight=loans.weight * weight,
                growth=np.full_like(loans.growth, node),
                net_share=np.full_like(loans.growth, 1.0 - fee / (node - 1.0) if earns else 0.0),
            )
            for node, weight in zip(nodes, weights, strict=True)
        ]
    )


def _chebyshev(low: float, high: float, n: int) -> Floats:
    """Return the n Chebyshev nodes of an interval."""
    angle = np.pi * (np.arange(n) + 0.5) / n
    return np.asarray(0.5 * (low + high) + 0.5 * (high - low) * np.cos(angle))


def _lagrange(x: Floats, nodes: Floats) -> Floats:
    """Return each node's weight in the polynomial through them at `x`, float64[node, x]."""
    weights = np.empty((nodes.size, x.size))
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        weights[j] = np.prod((x[:, None] - others) / (node - others), axis=1)
    return weights


def _chosen(loans: Loans, chosen: NDArray[np.bool_]) -> Loans:
    """Return some of the loans."""
    return Loans._make(column[chosen] for column in loans)


def _joined(parts: list[Loans]) -> Loans:
    """Put loans one after the other."""
    return Loans._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
