"""A path's factors and some loans go in, what each loan did month by month comes out.

Every draw is a function of seed, path and loan, so a pool of one loan does on a path what that
loan did in the whole pool: the histories come from the kernels of the run themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, Ints
from hemc.kernels.pool import Pool
from hemc.kernels.transitions import PathFactors
from hemc.model.simulation import BlockFlows, Method, PoolModel, simulate_block
from hemc.states import CHARGED_OFF, PAID_OFF

#: A balance of less is none, USD.
_HALF_CENT = 0.005


class LoanHistory(NamedTuple):
    """One loan on one path; month 0 is cut-off, and the months end with the one in which it left.

    `i` is the loan's place in the pool. `state` is an index in hemc.states. Amounts are USD.
    """

    i: int
    state: Ints  # [months + 1]
    balance: Floats  # [months + 1]
    principal: Floats  # [months] proceeds of a charge-off included
    interest: Floats  # [months] net of the servicing fee
    loss: Floats  # [months]


class PathDraws(NamedTuple):
    """What fixes the loans' draws: the pool, one path's factors, its number and the kernel."""

    model: PoolModel
    factors: PathFactors  # of one path
    path: int
    method: Method


def loan_histories(draws: PathDraws, n_loans: int) -> list[LoanHistory]:
    """Return the histories of `n_loans` loans: the largest losses first, then by place."""
    losses = loan_losses(draws)
    order = np.argsort(-losses, kind="stable")
    return [loan_history(draws, int(i)) for i in order[:n_loans]]


def loan_losses(draws: PathDraws) -> Floats:
    """Return what each loan loses on the path, float64[i] USD.

    Groups of loans are simulated and halved while they lose anything: few loans do.
    """
    losses = np.zeros(draws.model.pool.balance.size)
    groups = [np.arange(losses.size)]
    while groups:
        loans = groups.pop()
        loss = float(_simulate_loans(draws, loans).cash.loss.sum())
        if loss > 0.0 and loans.size > 1:
            groups += np.array_split(loans, 2)
        else:
            losses[loans] = loss
    return losses


def loan_history(draws: PathDraws, i: int) -> LoanHistory:
    """Return what the loan at place `i` of the pool does on the path."""
    flows = _simulate_loans(draws, np.array([i]))
    cash, pool = flows.cash, draws.model.pool
    is_live = flows.state_loans[0].sum(axis=1) > 0.0
    n_live = int(is_live.sum())  # a loan that has left does not come back
    months = slice(0, min(n_live + 1, is_live.size))
    state = np.append(pool.state[i], flows.state_loans[0, months].argmax(axis=1))
    if n_live < is_live.size:
        proceeds = cash.loss[0, n_live] + cash.proceeds[0, n_live]
        state[-1] = CHARGED_OFF if proceeds > _HALF_CENT else PAID_OFF
    return LoanHistory(
        i,
        state,
        cash.balance[0, : state.size],
        (cash.scheduled + cash.prepaid + cash.proceeds)[0, months],
        cash.interest[0, months],
        cash.loss[0, months],
    )


def _simulate_loans(draws: PathDraws, loans: Ints) -> BlockFlows:
    """Simulate a pool of some loans, which keep their numbers and so their draws."""
    fields = draws.model.pool._asdict()
    cut = {name: x if name == "group_growth" else x[loans] for name, x in fields.items()}
    model = draws.model._replace(pool=Pool(**cut))
    return simulate_block(model, draws.factors, draws.path, draws.method)
