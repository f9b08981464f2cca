"""Flows of a block of paths → one row of figures a path, the rows of paths.parquet."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.kernels.deal_terms import PREMIUM, REIMBURSEMENT, RESIDUAL
from hemc.kernels.flows import Floats, Ints, NoteFlows
from hemc.model.simulation import BlockFlows
from hemc.outputs.collateral import Collateral, Flags, undercollateralized_classes
from hemc.outputs.contributions import origin_columns
from hemc.outputs.estimates import HALF_CENT
from hemc.outputs.excess_interest import excess_interest

#: Months of the supervisory horizon.
NINE_QUARTERS = 27


def path_figures(
    first_path: int,
    weight: Floats,
    flows: BlockFlows,
    wrapped: NoteFlows,
    unwrapped: NoteFlows,
    collateral: Collateral,
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
    shortfall, cpr = collateral.shortfall, annual_rate(flows.cash.prepaid, flows, 1)[:, 0]
    columns: dict[str, Any] = {
        "path": np.arange(first_path, first_path + n),
        "weight": weight,
        "pool_loss": loss,
        "pool_loss_pct": 100.0 * loss / flows.cash.balance[:, 0],
        "oc_min": np.where(collateral.has_notes, wrapped.oc[:, 1:], np.inf).min(axis=1),
        "oc_shortfall_max": shortfall.max(axis=1),
        **_oc_failures(wrapped, collateral),
        "first_undercollateralized_month": first_month(collateral.undercollateralized),
        **_insurer_figures(wrapped, discount_rate, default_month),
        "residual": wrapped.paid(RESIDUAL).sum(axis=1),
        **excess_interest(flows.cash, wrapped),
        **_nine_quarters(flows, wrapped, unwrapped),
        "next_month_loss": flows.cash.loss[:, 0],
        "next_month_draws": wrapped.draw_interest[:, 0] + wrapped.draw_principal[:, 0],
        "next_month_cpr": cpr,
    }
    columns |= origin_columns(flows.loss_by_origin)
    columns |= _note_figures(names, wrapped, unwrapped)
    columns |= _first_months_by_class(names, flows, unwrapped, collateral)
    months = [name for name in columns if name.startswith("first_")]
    return pl.DataFrame(columns).with_columns(
        pl.col(*months, "insurer_default_month").replace(0, None),
        pl.col("reimbursed_share", "next_month_cpr").fill_nan(None),
        pl.col("oc_min").replace(np.inf, None),
    )


def _oc_failures(wrapped: NoteFlows, collateral: Collateral) -> dict[str, Any]:
    """Return whether and when OC fails, and whether its target ever falls below its first level."""
    missed, target = missed_after_target(collateral), wrapped.oc_target
    stepped_down = (target < target[:, :1] - HALF_CENT) & collateral.has_notes
    return {
        "oc_missed_after_target": missed.any(axis=1),
        "first_oc_below_target_month": first_month(missed),
        "oc_exhausted": collateral.exhausted.any(axis=1),
        "first_oc_exhausted_month": first_month(collateral.exhausted),
        "oc_target_stepped_down": stepped_down.any(axis=1),
    }


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


def _note_figures(
    names: tuple[str, ...], wrapped: NoteFlows, unwrapped: NoteFlows
) -> dict[str, Floats]:
    """Return the columns of every class; a notional class has interest only."""
    columns: dict[str, Floats] = {}
    lost = {"": _written_down(unwrapped), "wrapped_": _written_down(wrapped)}
    for k, name in enumerate(names):
        columns[f"interest_shortfall_{name}"] = unwrapped.shortfall[:, -1, k]
        columns[f"wrapped_interest_shortfall_{name}"] = wrapped.shortfall[:, -1, k]
        if wrapped.balance[:, 0, k].max() > 0.0:
            columns[f"principal_{name}"] = wrapped.principal[:, :, k].sum(axis=1)
            columns |= {f"{of}writedown_{name}": amounts[:, k] for of, amounts in lost.items()}
    return columns


def _written_down(notes: NoteFlows) -> Floats:
    """Return each class's writedowns less write-ups over life, float64[p, k]; 0 where none is."""
    if not notes.writedown.any():
        return np.zeros((len(notes.writedown), notes.writedown.shape[2]))
    return np.asarray((notes.writedown - notes.write_up).sum(axis=1))


def _first_months_by_class(
    names: tuple[str, ...], flows: BlockFlows, unwrapped: NoteFlows, collateral: Collateral
) -> dict[str, NDArray[np.int64]]:
    """Return when each class first lacks collateral, 0 for never; not of notional classes."""
    # On most paths nothing ever does: the others are a small part of the block.
    paths = np.flatnonzero(collateral.undercollateralized.any(axis=1))
    columns: dict[str, NDArray[np.int64]] = {}
    found = undercollateralized_classes(flows.cash, unwrapped, paths)
    for k, (name, lacks) in enumerate(zip(names, found, strict=True)):
        if unwrapped.balance[:, 0, k].max() > 0.0:
            column = np.zeros(len(unwrapped.balance), dtype=np.int64)
            column[paths] = first_month(lacks)
            columns[f"first_undercollateralized_month_{name}"] = column
    return columns


def present_value(amounts: Floats, rate: float) -> Floats:
    """Return the value at cut-off of amounts[p, t] at a rate per year, float64[p]."""
    months = np.arange(1, amounts.shape[1] + 1)
    return weighted_sum(amounts, (1.0 + rate) ** (-months / 12.0))


def weighted_sum(amounts: Floats, weights: Floats) -> Floats:
    """Return Σ amounts[p, t] × weights[t], float64[p].

    Not a matrix product: its last bits depend on how many paths stand in the block.
    """
    return np.asarray((amounts * weights).sum(axis=1))


def annual_rate(monthly: Floats, flows: BlockFlows, n_months: int | None = None) -> Floats:
    """Return the annual rate float64[p, t] of a flow out of the balance that is not scheduled.

    CPR for prepaid principal, CDR for charged-off balances; nan where no pool is left. Of the first
    `n_months` months, or of all.
    """
    months = slice(n_months)
    base = flows.cash.balance[:, :-1][:, months] - flows.cash.scheduled[:, months]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(base > 1.0, monthly[:, months] / base, np.nan)
    return np.asarray(1.0 - (1.0 - np.minimum(share, 1.0)) ** 12)


def missed_after_target(collateral: Collateral) -> Flags:
    """Tell in which months OC is below its target after it had reached it, bool[p, t]."""
    lacks = collateral.shortfall > HALF_CENT
    reached = np.logical_or.accumulate(~lacks & collateral.has_notes, axis=1)
    return np.asarray(reached & lacks)


def first_month(happened: Flags) -> NDArray[np.int64]:
    """Return the first month (from 1) in which something happened on each path, 0 for never."""
    return np.where(happened.any(axis=1), happened.argmax(axis=1) + 1, 0)
