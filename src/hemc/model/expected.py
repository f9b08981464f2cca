"""Pool × moves × factors → expected cash flows given the factors: the oracle, nothing drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels import expected
from hemc.kernels.expected import Cells
from hemc.kernels.flows import Floats, PoolFlows
from hemc.kernels.transitions import PathFactors
from hemc.model.linear_ledger import linear_ledger, loss_ledger, repaid_at_maturity
from hemc.model.pool_cells import add_up, interpolate_rates, loans_of, split_maturities
from hemc.model.simulation import BlockFlows, PoolModel, require_finite
from hemc.states import FORECLOSURE, N_LIVE, N_STATES, REO

#: Rates that the oracle interpolates between, and rates and months of the large-pool mode: the
#: errors of both stand in docs/large-pool.md.
ORACLE_RATES = 5
LARGE_POOL_RATES, LARGE_POOL_MONTHS = 3, 6


class ExpectedPool(NamedTuple):
    """A pool as cells, with the rules of their months; the same on every path."""

    model: PoolModel
    cells: Cells
    ledgers: tuple[expected.Ledger, expected.Ledger]  # of flows, and of loss


class Expectation(NamedTuple):
    """Expected flows of a block of paths, and how many events they are made of."""

    flows: BlockFlows
    payoffs: Floats  # [p, t] expected number, cures after maturity included
    charge_offs: Floats  # [p, t] expected number


def exact_pool(model: PoolModel) -> ExpectedPool:
    """Add up the loans by rate and maturity, which loses nothing."""
    return in_cells(model, add_up(loans_of(model.pool)))


def oracle_pool(model: PoolModel) -> ExpectedPool:
    """Add up the loans with rates interpolated to well below any sampling error."""
    return in_cells(model, add_up(interpolate_rates(loans_of(model.pool), ORACLE_RATES)))


def large_pool(model: PoolModel) -> ExpectedPool:
    """Add up the loans into the few cells of the large-pool mode."""
    loans = split_maturities(loans_of(model.pool), LARGE_POOL_MONTHS)
    return in_cells(model, add_up(interpolate_rates(loans, LARGE_POOL_RATES)))


def in_cells(model: PoolModel, cells: Cells) -> ExpectedPool:
    """Write the rules for cells."""
    support = np.zeros((N_LIVE, N_STATES), dtype=bool)
    for s, row in enumerate(model.moves.destination):
        support[s, row[row >= 0]] = True
    direct, foreclosed = model.rules.severity.mean(axis=1)
    severity = np.full(N_LIVE, direct)
    severity[[FORECLOSURE, REO]] = foreclosed
    ledger = linear_ledger(cells, support, severity, model.rules.bankruptcy_paying_share)
    return ExpectedPool(model, cells, (ledger, loss_ledger(ledger)))


def expected_block(pool: ExpectedPool, factors: PathFactors, first_path: int = 0) -> BlockFlows:
    """Return a block's expected flows given its factors, in the form of `simulate_block`.

    Raises InternalError where a factor is not finite, with its path (from `first_path`) and month.
    """
    for name, factor in factors._asdict().items():
        require_finite(factor, first_path, f"the {name} factor")
    return expect(pool, factors, first_path).flows


def expect(pool: ExpectedPool, factors: PathFactors, first_path: int = 0) -> Expectation:
    """Return a block's expected flows and expected numbers of payoffs and charge-offs."""
    model, cells, ledgers = pool
    n_paths, n_months = factors.credit.shape
    share = np.ascontiguousarray(np.diff(model.shares.cumulative, axis=1, prepend=0.0).T)
    months = np.zeros((n_paths, n_months, expected.N_COLUMNS))
    by_origin = np.zeros((n_paths, len(share), N_LIVE))
    work = _work(model, cells)
    for rows, moves in model.parts(first_path, n_paths):
        part = PathFactors(*(factor[rows] for factor in factors))
        out = (months[rows], by_origin[rows])
        shares = (share, repaid_at_maturity())
        expected.expect_paths(cells, ledgers, moves, part, shares, work, out)
    cash = _cash(model, cells, months)
    left = cash.scheduled + cash.prepaid + cash.proceeds + cash.loss
    gap = np.abs(cash.balance[:, :-1] - cash.balance[:, 1:] - left).max(axis=1)
    flows = BlockFlows(
        cash,
        months[:, :, expected.STATE_LOANS :],
        by_origin.transpose(0, 2, 1),
        gap,
    )
    return Expectation(flows, months[:, :, expected.PAYOFFS], months[:, :, expected.CHARGE_OFFS])


def _work(model: PoolModel, cells: Cells) -> expected.Work:
    """Return working memory for a block."""
    n_months, n_classes, n_states, width = model.moves.threshold.shape
    return expected.Work(
        np.empty((n_classes, n_states, n_months, width + 1)),
        np.zeros((n_months, expected.ALWAYS + 1)),
        np.zeros((2, expected.N_ROWS, cells.maturity.size)),
    )


def _cash(model: PoolModel, cells: Cells, months: Floats) -> PoolFlows:
    """Name the columns of the kernel's output and add recoveries and the opening balance."""
    column = [np.ascontiguousarray(months[:, :, j]) for j in range(expected.PAYOFFS)]
    state_balance = months[:, :, expected.STATE_BALANCE : expected.STATE_LOANS]
    opening = np.full((len(months), 1), cells.sums[expected.BALANCE].sum())
    return PoolFlows(
        interest=column[expected.INTEREST],
        recoveries=_recoveries(model, column[expected.LOSS]),
        scheduled=column[expected.SCHEDULED],
        prepaid=column[expected.PREPAID],
        proceeds=column[expected.PROCEEDS],
        loss=column[expected.LOSS],
        balance=np.concatenate([opening, state_balance.sum(axis=2)], axis=1),
        net_rate_balance=column[expected.NET_RATE_BALANCE],
        state_balance=state_balance,
    )


def _recoveries(model: PoolModel, loss: Floats) -> Floats:
    """Return the recovering share of what was lost in the window before each month."""
    n_months, window = loss.shape[1], model.recovery_months
    lost = np.concatenate([np.zeros((len(loss), 1)), loss.cumsum(axis=1)], axis=1)
    t = np.arange(n_months)
    recent = lost[:, t] - lost[:, np.maximum(t - window, 0)]
    recovering = recent + np.where(t < window, model.recovery_stock, 0.0)
    return np.asarray(model.recovery_monthly * recovering)
