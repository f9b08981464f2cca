"""Flows of a block of paths → one row of figures a path, the rows of paths.parquet."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.kernels.deal_terms import PREMIUM, REIMBURSEMENT, RESIDUAL
from hemc.kernels.flows import Floats, Ints, NoteFlows
from hemc.model.simulation import BlockFlows
from hemc.outputs.contributions import origin_columns

#: An amount below half a cent is none.
HALF_CENT = 0.005

#: Months of the supervisory horizon.
NINE_QUARTERS = 27


def path_figures(
    first_path: int,
    weight: Floats,
    flows: BlockFlows,
    wrapped: NoteFlows,
    unwrapped: NoteFlows,
    names: tuple[str, ...],
    discount_rate: float,
    default_month: Ints,
) -> pl.DataFrame:
    """Return one row a path; `names` are the deal's classes in order, `weight` float64[p] its own.

    OC, draws, premium, residual and principal are those of the wrapped pass;
    interest shortfall, writedown and the first undercollateralised month those of the unwrapped.
    Amounts USD, months counted from cut-off, null where nothing happened; `discount_rate` is per
    year, `default_month` the insurer's in the wrapped pass, from 0.
    """
    n = len(flows.cash.loss)
    loss = flows.cash.loss.sum(axis=1)
    shortfall = oc_shortfall(flows, wrapped)
    columns: dict[str, Any] = {
        "path": np.arange(first_path, first_path + n),
        "weight": weight,
        "pool_loss": loss,
        "pool_loss_pct": 100.0 * loss / flows.cash.balance[:, 0],
        "oc_min": np.where(has_notes(wrapped), wrapped.oc[:, 1:], np.inf).min(axis=1),
        "oc_shortfall_max": shortfall.max(axis=1),
        "oc_missed_after_target": missed_after_target(shortfall, wrapped),
        "oc_exhausted": (exhausted(wrapped)).any(axis=1),
        "first_undercollateralized_month": first_month(undercollateralized(unwrapped)),
        **_insurer_figures(wrapped, discount_rate, default_month),
        "residual": wrapped.paid(RESIDUAL).sum(axis=1),
        **_nine_quarters(flows, wrapped, unwrapped),
        "next_month_loss": flows.cash.loss[:, 0],
        "next_month_draws": wrapped.draw_interest[:, 0] + wrapped.draw_principal[:, 0],
        "next_month_cpr": annual_rate(flows.cash.prepaid, flows)[:, 0],
    }
    columns |= origin_columns(flows.loss_by_origin)
    for k, name in enumerate(names):
        columns |= _note_figures(name, k, wrapped, unwrapped)
    return pl.DataFrame(columns).with_columns(
        pl.col(
            "first_undercollateralized_month", "first_draw_month", "insurer_default_month"
        ).replace(0, None),
        pl.col("reimbursed_share", "next_month_cpr").fill_nan(None),
        pl.col("oc_min").replace(np.inf, None),
    )


def _nine_quarters(
    flows: BlockFlows, wrapped: NoteFlows, unwrapped: NoteFlows
) -> dict[str, Floats]:
    """Return what supervisory scenarios ask for: sums over nine quarters, and what stands then."""
    n = min(NINE_QUARTERS, flows.cash.loss.shape[1])
    draws = wrapped.draw_interest + wrapped.draw_principal
    return {
        "pool_loss_nine_quarters": flows.cash.loss[:, :n].sum(axis=1),
        "draws_nine_quarters": draws[:, :n].sum(axis=1),
        "oc_nine_quarters": wrapped.oc[:, n],
        "undercollateralization_nine_quarters": np.maximum(-unwrapped.oc[:, n], 0.0),
    }


def _insurer_figures(notes: NoteFlows, discount_rate: float, default_month: Ints) -> dict[str, Any]:
    """Return what the insurer pays, gets back and earns.

    `insurer_net` is what it costs: the present value of draws less reimbursement and premium. The
    reimbursed share is of draws with their interest: without draws nan.
    """
    draws = notes.draw_interest + notes.draw_principal
    reimbursement, premium = notes.paid(REIMBURSEMENT), notes.paid(PREMIUM)
    n_months = draws.shape[1]
    repaid, unpaid = reimbursement.sum(axis=1), notes.unreimbursed[:, -1]
    claimed = repaid + unpaid
    return {
        "draws": draws.sum(axis=1),
        "first_draw_month": first_month(draws > HALF_CENT),
        "draws_pv": present_value(draws, discount_rate),
        "peak_unreimbursed": notes.unreimbursed.max(axis=1),
        "reimbursement": repaid,
        "reimbursed_share": np.divide(
            repaid, claimed, out=np.full(len(draws), np.nan), where=claimed > HALF_CENT
        ),
        "premium": premium.sum(axis=1),
        "premium_pv": present_value(premium, discount_rate),
        "insurer_net": present_value(draws - reimbursement - premium, discount_rate),
        "insurer_default_month": np.where(default_month < n_months, default_month + 1, 0),
    }


def _note_figures(name: str, k: int, wrapped: NoteFlows, unwrapped: NoteFlows) -> dict[str, Floats]:
    """Return the columns of one class; a notional class has interest only."""
    columns = {f"interest_shortfall_{name}": unwrapped.shortfall[:, -1, k]}
    opening = wrapped.balance[:, 0, k]
    principal = wrapped.principal[:, :, k]
    if opening.max() <= 0.0:
        return columns
    return columns | {
        f"principal_{name}": principal.sum(axis=1),
        f"writedown_{name}": (unwrapped.writedown - unwrapped.write_up)[:, :, k].sum(axis=1),
    }


def present_value(amounts: Floats, rate: float) -> Floats:
    """Return the value at cut-off of amounts[p, t] at a rate per year, float64[p]."""
    months = np.arange(1, amounts.shape[1] + 1)
    return weighted_sum(amounts, (1.0 + rate) ** (-months / 12.0))


def weighted_sum(amounts: Floats, weights: Floats) -> Floats:
    """Return Σ amounts[p, t] × weights[t], float64[p].

    Not a matrix product: its last bits depend on how many paths stand in the block.
    """
    return np.asarray((amounts * weights).sum(axis=1))


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
