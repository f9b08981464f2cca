"""Flows of a block of paths → one row of figures a path, the rows of paths.parquet."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.kernels.flows import Floats, NoteFlows
from hemc.model.simulation import BlockFlows

#: An amount below half a cent is none.
HALF_CENT = 0.005


def path_figures(
    first_path: int,
    flows: BlockFlows,
    wrapped: NoteFlows,
    unwrapped: NoteFlows,
    names: tuple[str, ...],
    discount_rate: float,
) -> pl.DataFrame:
    """Return one row a path; `names` are the deal's classes in order.

    OC, draws, premium, residual, principal and average life are those of the wrapped pass;
    interest shortfall, writedown and the first undercollateralised month those of the unwrapped.
    Amounts USD, months counted from cut-off, null where nothing happened; `discount_rate` is per
    year.
    """
    n, n_months = flows.cash.loss.shape
    draws = wrapped.draw_interest + wrapped.draw_principal
    discount = (1.0 + discount_rate) ** (-np.arange(1, n_months + 1) / 12.0)
    loss = flows.cash.loss.sum(axis=1)
    shortfall = oc_shortfall(flows, wrapped)
    columns: dict[str, Any] = {
        "path": np.arange(first_path, first_path + n),
        "weight": np.ones(n),
        "pool_loss": loss,
        "pool_loss_pct": 100.0 * loss / flows.cash.balance[:, 0],
        "oc_min": np.where(has_notes(wrapped), wrapped.oc[:, 1:], np.inf).min(axis=1),
        "oc_shortfall_max": shortfall.max(axis=1),
        "oc_missed_after_target": missed_after_target(shortfall, wrapped),
        "oc_exhausted": (exhausted(wrapped)).any(axis=1),
        "first_undercollateralized_month": first_month(undercollateralized(unwrapped)),
        "draws": draws.sum(axis=1),
        "first_draw_month": first_month(draws > HALF_CENT),
        "draws_pv": (draws * discount).sum(axis=1),
        "peak_unreimbursed": wrapped.unreimbursed.max(axis=1),
        "reimbursement": wrapped.reimbursement.sum(axis=1),
        "premium": wrapped.premium.sum(axis=1),
        "residual": wrapped.residual.sum(axis=1),
        "next_month_loss": flows.cash.loss[:, 0],
        "next_month_cpr": annual_rate(flows.cash.prepaid, flows)[:, 0],
    }
    for k, name in enumerate(names):
        columns |= _note_figures(name, k, wrapped, unwrapped)
    return pl.DataFrame(columns).with_columns(
        pl.col("first_undercollateralized_month", "first_draw_month").replace(0, None),
        pl.col("^wal_.*$", "next_month_cpr").fill_nan(None),
        pl.col("oc_min").replace(np.inf, None),
    )


def _note_figures(name: str, k: int, wrapped: NoteFlows, unwrapped: NoteFlows) -> dict[str, Floats]:
    """Return the columns of one class; a notional class has interest only."""
    columns = {f"interest_shortfall_{name}": unwrapped.shortfall[:, -1, k]}
    opening = wrapped.balance[:, 0, k]
    # Sums of products: the last bits of a matrix product depend on the block's size and on threads.
    principal = wrapped.principal[:, :, k]
    years = np.arange(1, principal.shape[1] + 1) / 12.0
    if opening.max() <= 0.0:
        return columns
    return columns | {
        f"principal_{name}": principal.sum(axis=1),
        f"wal_{name}": (principal * years).sum(axis=1) / opening,
        f"writedown_{name}": (unwrapped.writedown - unwrapped.write_up)[:, :, k].sum(axis=1),
    }


def annual_rate(monthly: Floats, flows: BlockFlows) -> Floats:
    """Return the annual rate float64[p, t] of a flow out of the balance that is not scheduled.

    CPR for prepaid principal, CDR for charged-off balances; nan where no pool is left.
    """
    base = flows.cash.balance[:, :-1] - flows.cash.scheduled
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(base > 1.0, monthly / base, np.nan)
    return np.asarray(1.0 - (1.0 - np.minimum(share, 1.0)) ** 12)


def has_notes(notes: NoteFlows) -> NDArray[np.bool_]:
    """Tell in which months notes were outstanding at the beginning, bool[p, t]."""
    return np.asarray(notes.balance[:, :-1].sum(axis=2) > HALF_CENT)


def oc_shortfall(flows: BlockFlows, notes: NoteFlows) -> Floats:
    """Return what OC lacks of its target, or of the pool where that is less, float64[p, t] USD."""
    wanted = np.minimum(notes.oc_target, flows.cash.balance[:, 1:])
    return np.asarray(np.where(has_notes(notes), np.maximum(wanted - notes.oc[:, 1:], 0.0), 0.0))


def missed_after_target(shortfall: Floats, notes: NoteFlows) -> NDArray[np.bool_]:
    """Tell on which paths OC fell below its target after it had reached it."""
    reached = np.logical_or.accumulate((shortfall <= HALF_CENT) & has_notes(notes), axis=1)
    return np.asarray((reached & (shortfall > HALF_CENT)).any(axis=1))


def exhausted(notes: NoteFlows) -> NDArray[np.bool_]:
    """Tell in which months no OC was left under outstanding notes, bool[p, t]."""
    left = notes.balance[:, 1:].sum(axis=2) > HALF_CENT
    return np.asarray((left & (notes.oc[:, 1:] <= HALF_CENT)) | (notes.draw_principal > HALF_CENT))


def undercollateralized(notes: NoteFlows) -> NDArray[np.bool_]:
    """Tell in which months notes exceeded the pool or were written down for it, bool[p, t]."""
    return np.asarray((notes.oc[:, 1:] < -HALF_CENT) | (notes.writedown.sum(axis=2) > HALF_CENT))


def first_month(happened: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the first month (from 1) in which something happened on each path, 0 for never."""
    return np.where(happened.any(axis=1), happened.argmax(axis=1) + 1, 0)
