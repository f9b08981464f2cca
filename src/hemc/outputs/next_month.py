"""Month 1 of every path → the figures that the next certificate will print."""

from __future__ import annotations

import numpy as np
import polars as pl

from hemc.kernels.deal_terms import RESIDUAL, DealTerms
from hemc.kernels.flows import Floats, Ints, NoteFlows, PoolFlows
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.simulation import BlockFlows
from hemc.model.waterfall import pay_paths
from hemc.states import CURRENT, N_LIVE

#: The certificate's names of the delinquent states, in the order of hemc.states from 30 on.
BUCKETS = ("30", "60", "90", "120", "150", "180+", "BK", "FC", "REO")


def first_months(flows: PoolFlows, n_months: int) -> PoolFlows:
    """Return the first months of the flows."""
    cut = {name: np.ascontiguousarray(x[:, :n_months]) for name, x in flows._asdict().items()}
    return PoolFlows(**cut | {"balance": np.ascontiguousarray(flows.balance[:, : n_months + 1])})


def next_month_figures(
    flows: BlockFlows,
    timing: Floats,
    deal: MonthlyDeal,
    default_month: Ints,
    loss_to_date: float | None,
) -> pl.DataFrame:
    """Return one row a path and one column a printed figure, named as in a certificate's record.

    `timing` float64[p] multiplies the month's interest for the timing of cash; `deal` has two
    months, so that the month shown is not final maturity.
    """
    cash = first_months(flows.cash, deal.n_months)
    cash = cash._replace(interest=cash.interest * timing[:, None])
    notes = pay_paths(deal, cash, default_month)
    columns = _pool_figures(flows, cash, notes) | _oc_figures(notes)
    columns |= _delinquency_figures(flows) | _loss_figures(cash, loss_to_date)
    for k, name in enumerate(deal.class_names):
        columns |= _note_figures(name, k, deal.terms, notes, cash)
    return pl.DataFrame(columns)


def _pool_figures(flows: BlockFlows, cash: PoolFlows, notes: NoteFlows) -> dict[str, Floats]:
    """Return the pool's lines."""
    principal = cash.scheduled[:, 0] + cash.prepaid[:, 0] + cash.proceeds[:, 0]
    change = notes.oc[:, 1] - notes.oc[:, 0]
    return {
        "pool.beginning_pool": cash.balance[:, 0],
        "pool.ending_pool": cash.balance[:, 1],
        "pool.principal_collections": principal,
        "pool.active_loan_count": flows.state_loans[:, 0].sum(axis=1),
        "pool.interest_collections": cash.interest[:, 0] + cash.recoveries[:, 0],
        "pool.excess_cash": notes.paid(RESIDUAL)[:, 0] + np.maximum(change, 0.0),
    }


def _oc_figures(notes: NoteFlows) -> dict[str, Floats]:
    """Return the lines of overcollateralisation and credit enhancement."""
    return {
        "oc.beginning": notes.oc[:, 0],
        "oc.change": notes.oc[:, 1] - notes.oc[:, 0],
        "oc.outstanding": notes.oc[:, 1],
        "oc.target": notes.oc_target[:, 0],
        "oc.certificates_paid": notes.paid(RESIDUAL)[:, 0],
        "credit_enhancement.draw": notes.draw_interest[:, 0] + notes.draw_principal[:, 0],
    }


def _delinquency_figures(flows: BlockFlows) -> dict[str, Floats]:
    """Return balance, number and per cent of balance of every delinquent state."""
    columns = {}
    pool = flows.cash.balance[:, 1]
    for s in range(CURRENT + 1, N_LIVE):
        key = f"delinq.{BUCKETS[s - 1]}"
        balance = flows.state_balance[:, 0, s]
        columns[f"{key}.balance"] = balance
        columns[f"{key}.number"] = flows.state_loans[:, 0, s]
        columns[f"{key}.pct"] = 100.0 * np.divide(
            balance, pool, out=np.zeros_like(pool), where=pool > 0.0
        )
    return columns


def _loss_figures(cash: PoolFlows, loss_to_date: float | None) -> dict[str, Floats]:
    """Return the loss lines; to-date lines only where the last certificate showed its own."""
    loss, recoveries = cash.loss[:, 0], cash.recoveries[:, 0]
    columns = {"losses.current_month": loss, "losses.recoveries": recoveries}
    if loss_to_date is None:
        return columns
    beginning = np.full_like(loss, loss_to_date)
    return (
        {"losses.beginning": beginning} | columns | {"losses.ending": beginning + loss - recoveries}
    )


def _note_figures(
    name: str, k: int, terms: DealTerms, notes: NoteFlows, cash: PoolFlows
) -> dict[str, Floats]:
    """Return one class's row; a notional class shows its notional balance."""
    opening, closing = notes.balance[:, 0, k], notes.balance[:, 1, k]
    if terms.classes[k].is_notional:
        opening = np.minimum(terms.class_months[0, k].notional, cash.balance[:, 0])
        closing = opening
    return {
        f"notes.{name}.beginning": opening,
        f"notes.{name}.ending": closing,
        f"notes.{name}.principal": notes.principal[:, 0, k],
        f"notes.{name}.interest": notes.interest[:, 0, k],
        f"notes.{name}.shortfall": notes.shortfall[:, 0, k],
    }
