"""Month 1 of every path, or a later one → the figures that its certificate will print."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.deal_terms import RESIDUAL, DealTerms
from hemc.kernels.flows import Floats, Ints, NoteFlows, PoolFlows
from hemc.model.cash_timing import CashFactors
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


class PrintedMonths(NamedTuple):
    """The first months of some paths as certificates print them.

    `loss_to_date` is that of the last certificate, USD, None where it did not show it.
    """

    flows: BlockFlows
    cash: PoolFlows
    notes: NoteFlows
    deal: MonthlyDeal
    loss_to_date: float | None


def pay_printed_months(
    flows: BlockFlows,
    timing: CashFactors,
    deal: MonthlyDeal,
    default_month: Ints,
    loss_to_date: float | None,
) -> PrintedMonths:
    """Pay the notes in the months of `deal`, of which all but the last may be shown.

    The last is final maturity. `timing` multiplies flows for the timing of cash.
    """
    cash = first_months(flows.cash, deal.n_months)
    cash = cash._replace(
        interest=cash.interest * timing.interest, recoveries=cash.recoveries * timing.recoveries
    )
    return PrintedMonths(flows, cash, pay_paths(deal, cash, default_month), deal, loss_to_date)


def certificate_figures(printed: PrintedMonths, t: int) -> pl.DataFrame:
    """Return one row a path and one column a figure of month `t` from 0, named as in a record."""
    flows, cash, notes, deal, loss_to_date = printed
    columns = _pool_figures(flows, cash, notes, t) | _oc_figures(notes, t)
    columns |= _delinquency_figures(flows, t) | _loss_figures(cash, loss_to_date, t)
    for k, name in enumerate(deal.class_names):
        columns |= _note_figures(name, k, deal.terms, notes, cash, t)
    return pl.DataFrame(columns)


def next_month_figures(
    flows: BlockFlows,
    timing: CashFactors,
    deal: MonthlyDeal,
    default_month: Ints,
    loss_to_date: float | None,
) -> pl.DataFrame:
    """Return the figures of the next certificate; arguments as of `pay_printed_months`."""
    return certificate_figures(
        pay_printed_months(flows, timing, deal, default_month, loss_to_date), 0
    )


def _pool_figures(
    flows: BlockFlows, cash: PoolFlows, notes: NoteFlows, t: int
) -> dict[str, Floats]:
    """Return the pool's lines."""
    principal = cash.scheduled[:, t] + cash.prepaid[:, t] + cash.proceeds[:, t]
    change = notes.oc[:, t + 1] - notes.oc[:, t]
    return {
        "pool.beginning_pool": cash.balance[:, t],
        "pool.ending_pool": cash.balance[:, t + 1],
        "pool.principal_collections": principal,
        "pool.active_loan_count": flows.state_loans[:, t].sum(axis=1),
        "pool.interest_collections": cash.interest[:, t] + cash.recoveries[:, t],
        "pool.excess_cash": notes.paid(RESIDUAL)[:, t] + np.maximum(change, 0.0),
    }


def _oc_figures(notes: NoteFlows, t: int) -> dict[str, Floats]:
    """Return the lines of overcollateralisation and credit enhancement."""
    return {
        "oc.beginning": notes.oc[:, t],
        "oc.change": notes.oc[:, t + 1] - notes.oc[:, t],
        "oc.outstanding": notes.oc[:, t + 1],
        "oc.target": notes.oc_target[:, t],
        "oc.certificates_paid": notes.paid(RESIDUAL)[:, t],
        "credit_enhancement.draw": notes.draw_interest[:, t] + notes.draw_principal[:, t],
    }


def _delinquency_figures(flows: BlockFlows, t: int) -> dict[str, Floats]:
    """Return balance, number and per cent of balance of every delinquent state."""
    columns = {}
    pool = flows.cash.balance[:, t + 1]
    for s in range(CURRENT + 1, N_LIVE):
        key = f"delinq.{BUCKETS[s - 1]}"
        balance = flows.state_balance[:, t, s]
        columns[f"{key}.balance"] = balance
        columns[f"{key}.number"] = flows.state_loans[:, t, s]
        columns[f"{key}.pct"] = 100.0 * np.divide(
            balance, pool, out=np.zeros_like(pool), where=pool > 0.0
        )
    return columns


def _loss_figures(cash: PoolFlows, loss_to_date: float | None, t: int) -> dict[str, Floats]:
    """Return the loss lines; to-date lines only where the last certificate showed its own."""
    loss, recoveries = cash.loss[:, t], cash.recoveries[:, t]
    columns = {"losses.current_month": loss, "losses.recoveries": recoveries}
    if loss_to_date is None:
        return columns
    beginning = loss_to_date + (cash.loss - cash.recoveries)[:, :t].sum(axis=1)
    return (
        {"losses.beginning": beginning} | columns | {"losses.ending": beginning + loss - recoveries}
    )


def _note_figures(
    name: str, k: int, terms: DealTerms, notes: NoteFlows, cash: PoolFlows, t: int
) -> dict[str, Floats]:
    """Return one class's row; a notional class shows its notional balance."""
    opening, closing = notes.balance[:, t, k], notes.balance[:, t + 1, k]
    if terms.classes[k].is_notional:
        opening = np.minimum(terms.class_months[t, k].notional, cash.balance[:, t])
        closing = opening
    return {
        f"notes.{name}.beginning": opening,
        f"notes.{name}.ending": closing,
        f"notes.{name}.principal": notes.principal[:, t, k],
        f"notes.{name}.interest": notes.interest[:, t, k],
        f"notes.{name}.shortfall": notes.shortfall[:, t, k],
    }
