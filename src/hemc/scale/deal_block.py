"""One block of paths of a portfolio's deal → its figures by path, and its claims by month."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.deal_terms import PREMIUM, REIMBURSEMENT
from hemc.kernels.flows import Floats, Ints, NoteFlows
from hemc.model.insurer import absent, performing
from hemc.model.waterfall import pay_paths
from hemc.outputs.path_figures import weighted_sum
from hemc.scale.block import RunModel, pool_flows, require_finite_figures
from hemc.scale.losses import net_writedown


class Position(NamedTuple):
    """How a deal stands in a portfolio."""

    copies: int  # that amounts count for
    held: Floats  # [k] share of each class
    discount_rate: float  # per year
    premium_share: float  # of the premium that adds to the insurer's means


class DealBlock(NamedTuple):
    """A block of paths of a deal whose insurer does not fail."""

    rows: pl.DataFrame
    net_claims: Floats  # [p, t] draws less reimbursement and premium, USD
    largest_gap: float


def claim_block(model: RunModel, position: Position, first_path: int, n_paths: int) -> DealBlock:
    """Run consecutive paths with an insurer that never fails, and with none.

    The columns of the insured pass are those of an insurer that never fails; `settle_block` has
    them for one that does.
    """
    cash = pool_flows(model, model.factors.draw(first_path, n_paths), first_path).cash
    insured = pay_paths(model.deal, cash, performing(n_paths), first_path)
    bare = pay_paths(model.deal, cash, absent(n_paths), first_path)
    paid = _insurer_figures(insured, position)
    columns = {
        "path": np.arange(first_path, first_path + n_paths),
        "pool_loss": position.copies * cash.loss.sum(axis=1),
        "claims": paid["draws"],
        "claims_pv": paid["draws_pv"],
        **paid,
        **_note_figures(insured, position, "_wrapped"),
        **_note_figures(bare, position, ""),
    }
    rows = pl.DataFrame(columns)
    require_finite_figures(rows)
    gaps = (insured.largest_gap, bare.largest_gap)
    net = position.copies * _net_claims(insured, position.premium_share)
    return DealBlock(rows, net, float(max(gap.max() for gap in gaps)))


def settle_block(
    model: RunModel, position: Position, default_month: Ints, first_path: int, n_paths: int
) -> pl.DataFrame:
    """Run consecutive paths again with the insurer's month of default on each path.

    `default_month` int64[path], from 0, is that of all paths of the portfolio.
    """
    cash = pool_flows(model, model.factors.draw(first_path, n_paths), first_path).cash
    months = default_month[first_path : first_path + n_paths]
    notes = pay_paths(model.deal, cash, months, first_path)
    columns = {
        "path": np.arange(first_path, first_path + n_paths),
        **_insurer_figures(notes, position),
        **_note_figures(notes, position, "_wrapped"),
    }
    rows = pl.DataFrame(columns)
    require_finite_figures(rows)
    return rows


def _net_claims(notes: NoteFlows, premium_share: float) -> Floats:
    """Return what the insurer pays less what it gets, float64[p, t] USD."""
    draws = notes.draw_interest + notes.draw_principal
    return np.asarray(draws - notes.paid(REIMBURSEMENT) - premium_share * notes.paid(PREMIUM))


def _insurer_figures(notes: NoteFlows, position: Position) -> dict[str, Floats]:
    """Return what the insurer pays and gets, float64[p] USD each."""
    draws, premium = notes.draw_interest + notes.draw_principal, notes.paid(PREMIUM)
    n_months = draws.shape[1]
    discount = (1.0 + position.discount_rate) ** (-np.arange(1, n_months + 1) / 12.0)
    net = draws - notes.paid(REIMBURSEMENT) - premium
    return {
        "draws": position.copies * draws.sum(axis=1),
        "draws_pv": position.copies * weighted_sum(draws, discount),
        "premium": position.copies * premium.sum(axis=1),
        "insurer_net": position.copies * weighted_sum(net, discount),
    }


def _note_figures(notes: NoteFlows, position: Position, suffix: str) -> dict[str, Floats]:
    """Return what all classes lose, and the holder of the deal's holdings, float64[p] USD each."""
    lost = {"writedown": net_writedown(notes), "interest_shortfall": notes.shortfall[:, -1]}
    return {
        f"{of}{name}{suffix}": position.copies * (amounts * shares).sum(axis=1)
        for name, amounts in lost.items()
        for of, shares in (("", np.ones_like(position.held)), ("held_", position.held))
    }
