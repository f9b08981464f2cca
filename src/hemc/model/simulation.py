"""Pool × moves × factors → pool cash flows, a block of paths at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import betaincinv

from hemc.errors import InternalError
from hemc.kernels import events, loans
from hemc.kernels.flows import Floats, PoolFlows
from hemc.kernels.loans import ClassShares, LossRules
from hemc.kernels.pool import Pool
from hemc.kernels.transitions import MoveRates, PathFactors
from hemc.model.class_moves import LatentClasses
from hemc.model.moves import MoveDraws
from hemc.settings.pool import LossSettings
from hemc.states import N_LIVE

#: Kernels that simulate loan by loan; equal in law, each with its own draws.
Method = Literal["event-driven", "month-stepping"]
_KERNELS = {"event-driven": events.simulate_paths, "month-stepping": loans.simulate_paths}

_SEVERITY_GRID = 4_000


class PoolModel(NamedTuple):
    """Everything about the pool that is the same on every path."""

    pool: Pool
    moves: MoveRates
    rules: LossRules
    shares: ClassShares
    recovery_stock: float  # USD charged off by cut-off that still recovers
    recovery_monthly: float
    recovery_months: int
    seed: int
    draws: MoveDraws | None = None  # of the roll rates, in place of `moves`, which are their mean

    def parts(self, first_path: int, n_paths: int) -> Iterator[tuple[slice, MoveRates]]:
        """Yield runs of consecutive paths with the same moves, as rows of a block, and these."""
        if self.draws is None:
            yield slice(0, n_paths), self.moves
            return
        for p in range(n_paths):
            yield slice(p, p + 1), self.draws.of_path(first_path + p)


class BlockFlows(NamedTuple):
    """Cash flows of a block of paths, and the pool behind them by state."""

    cash: PoolFlows
    state_loans: Floats  # [p, t, live state] loans after the month
    loss_by_origin: Floats  # [p, live state at cut-off, latent class] lifetime loss, USD
    largest_gap: Floats  # [p] USD, principal + loss against the fall of balances

    @property
    def state_balance(self) -> Floats:
        """Balance by live state after the month, float64[p, t, s] USD."""
        return self.cash.state_balance


def loss_rules(settings: LossSettings, multiple: float = 1.0) -> LossRules:
    """Tabulate equally likely severities for both routes to a charge-off, times a multiple."""
    u = (np.arange(_SEVERITY_GRID) + 0.5) / _SEVERITY_GRID
    share = settings.settled_share
    settled = betaincinv(*settings.settled_beta, np.minimum(u / max(share, 1e-12), 1.0))
    direct = np.where(u < share, settled, 1.0)
    foreclosed = betaincinv(*settings.foreclosure_beta, u)
    severity = np.minimum(multiple * np.stack([direct, foreclosed]), 1.0)
    return LossRules(severity, settings.bankruptcy_paying_share)


def class_shares(classes: LatentClasses) -> ClassShares:
    """Cumulate the shares of the classes; the last column is exactly 1."""
    cumulative = classes.share.cumsum(axis=1)
    cumulative[:, -1] = 1.0
    return ClassShares(cumulative)


def simulate_block(
    model: PoolModel, factors: PathFactors, first_path: int, method: Method = "event-driven"
) -> BlockFlows:
    """Simulate consecutive paths from `first_path`, one for each row of `factors`.

    Raises InternalError where a factor or a flow is not finite, with its path and month.
    """
    for name, factor in factors._asdict().items():  # a nan would draw the best move in silence
        require_finite(factor, first_path, f"the {name} factor")
    n_paths, n_months = factors.credit.shape
    n_classes = model.moves.threshold.shape[1]
    months = np.zeros((n_paths, n_months, loans.N_COLUMNS))
    by_origin = np.zeros((n_paths, N_LIVE, n_classes))
    simulate_paths = _KERNELS[method]
    for rows, moves in model.parts(first_path, n_paths):
        part = PathFactors(*(factor[rows] for factor in factors))
        draws = (np.uint64(model.seed), first_path + rows.start)
        flows = (months[rows], by_origin[rows])
        simulate_paths(model.pool, moves, part, model.rules, model.shares, draws, flows)
    require_finite(months, first_path, "a flow")
    cash = _cash(model, months)
    out = cash.scheduled + cash.prepaid + cash.proceeds + cash.loss
    gap = np.abs(cash.balance[:, :-1] - cash.balance[:, 1:] - out).max(axis=1)
    return BlockFlows(cash, months[:, :, loans.COUNT :], by_origin, gap)


def _cash(model: PoolModel, months: Floats) -> PoolFlows:
    """Name the columns of the kernel's output and add recoveries and the opening balance."""
    n_paths, n_months, _ = months.shape
    column = [np.ascontiguousarray(months[:, :, j]) for j in range(loans.BALANCE)]
    recoveries = np.empty((n_paths, n_months))
    loans.recover_paths(
        column[loans.LOSS],
        model.recovery_stock,
        model.recovery_monthly,
        model.recovery_months,
        recoveries,
    )
    balance = np.empty((n_paths, n_months + 1))
    balance[:, 0] = model.pool.balance.sum()
    state_balance = months[:, :, loans.BALANCE : loans.COUNT]
    balance[:, 1:] = state_balance.sum(axis=2)
    return PoolFlows(
        interest=column[loans.INTEREST],
        recoveries=recoveries,
        scheduled=column[loans.SCHEDULED],
        prepaid=column[loans.PREPAID],
        proceeds=column[loans.PROCEEDS],
        loss=column[loans.LOSS],
        balance=balance,
        net_rate_balance=column[loans.NET_RATE_BALANCE],
        state_balance=state_balance,
    )


def require_finite(values: Floats, first_path: int, what: str, first_month: int = 1) -> None:
    """Stop at the first path and month at which `values[p, t, …]` are not finite.

    `first_month` is that of the first column: 0 for balances, which begin at cut-off.
    """
    if np.isfinite(values.sum()):
        return
    p, t = np.argwhere(~np.isfinite(values))[0][:2]
    where = f"path {first_path + p}, month {first_month + t}"
    raise InternalError(f"{what} is not finite on {where}")
