"""Vectors, pool and deal go in; the notes' deterministic flows and what they are worth come out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, Ints, NoteFlows, PoolFlows
from hemc.kernels.pool import Pool
from hemc.kernels.valuation import Quotes
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.oc_target import OcTerms
from hemc.model.valuation import value_notes
from hemc.model.vectors import Vectors, vector_flows
from hemc.model.waterfall import pay_paths
from hemc.settings.curve import curve_values
from hemc.settings.vector import VectorSettings


class Projection(NamedTuple):
    """What projections pay and what that is worth; a row is a projection."""

    cash: PoolFlows
    notes: NoteFlows
    figures: Floats  # [p, k, to maturity | to call, column of kernels/valuation]


class Desk(NamedTuple):
    """A pool and a deal as a desk projects them."""

    pool: Pool
    deal: MonthlyDeal
    quotes: Quotes


def flat_vectors(
    settings: VectorSettings, n_months: int, cdr: Floats | None = None, speed: float = 1.0
) -> Vectors:
    """Lay out `[vector]` by month, with one row for each flat CDR, float64[p], in place of its own.

    `speed` multiplies the CPR, which stays at one at most.
    """
    cpr = np.minimum(speed * curve_values(settings.cpr, n_months), 1.0)
    rows = curve_values(settings.cdr, n_months)[None] if cdr is None else cdr[:, None]
    shape = (len(rows), n_months)
    return Vectors(
        np.broadcast_to(cpr, shape), np.broadcast_to(rows, shape),
        np.broadcast_to(curve_values(settings.severity, n_months), shape), settings.lag_months,
    )  # fmt: skip


def play_vectors(desk: Desk, vectors: Vectors, default_month: Ints, first: int = 0) -> Projection:
    """Project the pool along vectors, pay the notes and value them."""
    return pay_and_value(desk, vector_flows(desk.pool, vectors), default_month, first)


def pay_and_value(desk: Desk, cash: PoolFlows, default_month: Ints, first: int = 0) -> Projection:
    """Pay the notes from pool flows and value them; `first` numbers the rows in errors."""
    notes = pay_paths(desk.deal, cash, default_month, first)
    return Projection(cash, notes, value_notes(desk.quotes, notes, cash, first).figures)


def triggers_failing(deal: MonthlyDeal) -> MonthlyDeal:
    """Return the deal with every trigger tripped from the first month on."""
    oc: OcTerms = deal.oc
    always = tuple(t._replace(threshold=np.full_like(t.threshold, -np.inf)) for t in oc.triggers)
    return deal._replace(oc=oc._replace(triggers=always))
