"""Random deals and pool flows that reach every branch of the priority of payments."""

from __future__ import annotations

import numpy as np

from hemc.kernels.flows import DealTerms, PoolFlows


def random_terms(rng: np.random.Generator, n_months: int, **fixed: object) -> DealTerms:
    """Return terms of a deal of four classes with a balance and one or two notional ones."""
    is_notional = rng.permutation([False] * 4 + [True] * int(rng.integers(1, 3)))
    n_classes = is_notional.size
    fractions = np.where(rng.random(n_classes) < 0.5, 1 / 12, 31 / 360)
    rows = np.ones((n_months, 1))
    target = float(rng.choice([0.0, 1e6, 4e6]))
    terms = DealTerms(
        accrual=rows * fractions * rng.uniform(0.01, 0.09, n_classes),
        year_fraction=rows * fractions,
        notional=rng.uniform(0.0, 60e6, (n_months, n_classes)) * is_notional,
        is_notional=is_notional,
        is_insured=np.full(n_classes, rng.random() < 0.5),
        balance_open=np.where(is_notional, 0.0, rng.uniform(5e6, 40e6, n_classes)),
        lockout_class=int(rng.choice([-1, *np.flatnonzero(~is_notional)])),
        lockout_share=rng.choice([0.0, 0.45, 1.0, 3.0], n_months),
        target=np.full(n_months, target),
        step_down_share=np.where(np.arange(n_months) < n_months // 2, 0.0, 0.03 * rng.integers(2)),
        target_floor=0.3 * target,
        may_build=np.arange(n_months) >= rng.integers(0, 6),
        has_net_wac_cap=bool(rng.random() < 0.5),
        premium_monthly=0.0001,
        fee_monthly=float(rng.choice([0.0, 0.0003])),
        reimbursement_monthly=np.full(n_months, 0.003),
        undercollateralization=int(rng.integers(3)),
    )
    return terms._replace(**fixed)


def random_flows(
    rng: np.random.Generator, terms: DealTerms, n_paths: int, severity: float | None = None
) -> PoolFlows:
    """Return flows of pools around the size of the notes, some ruinous, all exhausted early.

    Collections and losses are drawn; balances follow from them, rounded on the way as sums over
    loans would be.
    """
    n_months, notes = terms.target.size, terms.balance_open.sum()
    shape = (n_paths, n_months)
    paid = rng.uniform(0.0, 0.15, shape) * (rng.random(shape) < 0.9)
    lost = rng.gamma(0.5, 0.02 if severity is None else severity, (n_paths, 1))
    lost = np.minimum(lost * rng.gamma(0.2, 5.0, shape), 0.5)
    balance = np.empty((n_paths, n_months + 1))
    balance[:, :1] = notes * rng.uniform(0.95, 1.1, (n_paths, 1))
    balance[:, 1:] = balance[:, :1] * np.cumprod(1.0 - paid - lost, axis=1)
    balance[:, n_months - 2 :] = 0.0
    opening, fall = balance[:, :-1], -np.diff(balance, axis=1)
    loss = fall * lost / (paid + lost)
    collected = fall - loss
    parts = rng.dirichlet([1.0, 5.0, 1.0], shape) * collected[..., None]
    rate = rng.uniform(0.0, 0.09, (n_paths, 1))
    return PoolFlows(
        interest=opening * rate / 12 * (rng.random(shape) < 0.9),
        recoveries=rng.uniform(0.0, 2e-4, shape) * notes,
        scheduled=parts[..., 0].copy(),
        prepaid=parts[..., 1].copy(),
        proceeds=parts[..., 2].copy(),
        loss=loss,
        balance=balance,
        net_rate_balance=opening * rate,
    )


def scale_flows(flows: PoolFlows, factor: float) -> PoolFlows:
    """Return flows in another unit of money."""
    return PoolFlows(*(amounts * factor for amounts in flows))


def scale_terms(terms: DealTerms, factor: float) -> DealTerms:
    """Return terms in another unit of money."""
    return terms._replace(
        notional=terms.notional * factor,
        balance_open=terms.balance_open * factor,
        target=terms.target * factor,
        target_floor=terms.target_floor * factor,
    )


def cut_flows(flows: PoolFlows, paths: object, n_months: int | None = None) -> PoolFlows:
    """Return some paths, and the first months, of pool flows."""
    months = flows.loss.shape[1] if n_months is None else n_months
    cut = {name: getattr(flows, name)[paths, :months].copy() for name in flows._fields}
    cut["balance"] = flows.balance[paths, : months + 1].copy()
    return PoolFlows(**cut)
