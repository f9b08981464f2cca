"""What one certificate reports → a naive forecast: its own ratios carried on as a chain.

The pool pays down, loses and earns each month the shares that it did in the month reported. A
bucket's stock next month is the stock of the bucket before times the ratio of the two stocks
reported, which the field calls a roll rate; bankruptcy, foreclosure and REO keep their ratio to
the pool.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, PoolFlows
from hemc.model.simulation import BlockFlows
from hemc.states import BANKRUPTCY, CURRENT, D30, N_LIVE


class ReportedMonth(NamedTuple):
    """Flows of a month, USD, and the stocks after it."""

    pool_open: float
    principal: float
    loss: float
    interest: float
    net_rate: float  # per year
    loans: Floats  # [live state]
    balance: Floats  # [live state] USD


def chain_reported(month: ReportedMonth, n_months: int) -> BlockFlows:
    """Return one path of `n_months` in which the month's ratios repeat."""
    paid, lost = month.principal / month.pool_open, month.loss / month.pool_open
    kept = 1.0 - paid - lost
    total = month.balance.sum() * kept ** np.arange(n_months + 1)
    state_balance = chain_stocks(month.balance, kept, n_months)[None]
    nothing = np.zeros((1, n_months))
    cash = PoolFlows(
        interest=total[None, :-1] * month.interest / month.pool_open,
        recoveries=nothing, scheduled=nothing, proceeds=nothing,
        prepaid=paid * total[None, :-1],
        loss=lost * total[None, :-1],
        balance=total[None],
        net_rate_balance=month.net_rate * total[None, :-1],
        state_balance=state_balance,
    )  # fmt: skip
    loans = chain_stocks(month.loans, kept, n_months)[None]
    return BlockFlows(cash, loans, np.zeros((1, N_LIVE, 1)), np.zeros(1))


def chain_stocks(stock: Floats, kept: float, n_months: int) -> Floats:
    """Return stocks after each month, float64[t, live state]; all together shrink by `kept`.

    A bucket whose ratio has no denominator stays as it is.
    """
    ratio = np.divide(stock[1:], stock[:-1], out=np.zeros(N_LIVE - 1), where=stock[:-1] > 0.0)
    found = np.zeros((n_months + 1, N_LIVE))
    found[0] = stock
    for t in range(1, n_months + 1):
        for s in range(D30, BANKRUPTCY):
            rolled = ratio[s - 1] * found[t - 1, s - 1]
            found[t, s] = rolled if stock[s - 1] > 0.0 else stock[s]
        found[t, BANKRUPTCY:] = stock[BANKRUPTCY:] * kept**t
        found[t, CURRENT] = stock.sum() * kept**t - found[t, D30:].sum()
    return found[1:]
