"""Pool × prepayment, default and severity vectors → pool cash flows, without sampling.

The market's deterministic mode (Bond Market Association, Standard Formulas, 1999, chapter B): each
month a share of the performing balance defaults, the rest pays its instalment, and a share of what
is left prepays. Defaulted balances bring no interest and stay in the pool until their loss falls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, PoolFlows
from hemc.kernels.pool import Pool
from hemc.states import CURRENT, D180, N_LIVE


class Vectors(NamedTuple):
    """One row a projection; rates per year of month t, from 0 to 1."""

    cpr: Floats  # [p, t]
    cdr: Floats  # [p, t]
    severity: Floats  # [p, t] of balances whose loss falls in month t
    lag_months: int


class Schedule(NamedTuple):
    """What the pool would do if every loan paid as scheduled from today's balance."""

    balance: Floats  # [t + 1] USD, column 0 at cut-off
    net_interest: Floats  # [t] USD, after the servicing fee


def pool_schedule(pool: Pool, n_months: int) -> Schedule:
    """Add up the loans' schedules; a loan that is behind goes on from its present balance."""
    balance = np.zeros(n_months + 1)
    interest = np.zeros(n_months)
    owed = pool.balance.copy()
    payment = (pool.growth - 1.0) * pool.scheduled_a
    for t in range(n_months):
        balance[t] = owed.sum()
        interest[t] = ((pool.growth - 1.0) * pool.net_share * owed).sum()
        after = np.maximum(owed * pool.growth - payment, 0.0)
        owed = np.where(t + 1 < pool.maturity, after, 0.0)
    balance[n_months] = owed.sum()
    return Schedule(balance, interest)


def vector_flows(pool: Pool, vectors: Vectors) -> PoolFlows:
    """Project the pool along each row of the vectors.

    Every loan starts as performing; what defaulted counts as 180+ until it is resolved. What
    defaulted less than the lag before the last month loses in the last one, so that the pool is
    empty at the end of a projection that outlives its loans.
    """
    n_paths, n_months = vectors.cdr.shape
    schedule = pool_schedule(pool, n_months)
    smm, mdr = (1.0 - (1.0 - rate) ** (1.0 / 12.0) for rate in (vectors.cpr, vectors.cdr))
    share = np.ones((n_paths, n_months + 1))  # of the scheduled balance that is still performing
    np.cumprod((1.0 - mdr) * (1.0 - smm), axis=1, out=share[:, 1:])
    paying = share[:, :-1] * (1.0 - mdr)
    defaulted = share[:, :-1] * mdr * schedule.balance[:-1]
    resolved = _delay(defaulted, vectors.lag_months)
    waiting = np.cumsum(defaulted - resolved, axis=1)
    balance = share * schedule.balance
    by_state = np.zeros((n_paths, n_months, N_LIVE))
    by_state[:, :, CURRENT], by_state[:, :, D180] = balance[:, 1:], waiting
    balance[:, 1:] += waiting
    zero = np.zeros((n_paths, n_months))
    net_rate = np.divide(
        12.0 * schedule.net_interest, schedule.balance[:-1],
        out=np.zeros(n_months), where=schedule.balance[:-1] > 0.0,
    )  # fmt: skip
    return PoolFlows(
        interest=paying * schedule.net_interest,
        recoveries=zero,
        scheduled=paying * -np.diff(schedule.balance),
        prepaid=paying * smm * schedule.balance[1:],
        proceeds=(1.0 - vectors.severity) * resolved,
        loss=vectors.severity * resolved,
        balance=balance,
        net_rate_balance=balance[:, :-1] * net_rate,
        state_balance=by_state,
    )


def _delay(defaulted: Floats, months: int) -> Floats:
    """Move each month's defaults back by the lag; what would fall later falls in the last month."""
    n_months = defaulted.shape[1]
    resolved = np.zeros_like(defaulted)
    if months < n_months:
        resolved[:, months:] = defaulted[:, : n_months - months]
    resolved[:, -1] += defaulted[:, max(n_months - months, 0) :].sum(axis=1)
    return resolved
