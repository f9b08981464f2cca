"""Flows of a block of paths → what interest leaves after the notes' own, and where it goes."""

from __future__ import annotations

import numpy as np

from hemc.kernels.deal_terms import CAP_CARRYOVER, COLLECTIONS, FEE, INTEREST, PREMIUM
from hemc.kernels.flows import Floats, NoteFlows, PoolFlows

#: Steps that are paid before interest is in excess.
_BEFORE = (FEE, PREMIUM, INTEREST, CAP_CARRYOVER)


def excess_interest(cash: PoolFlows, notes: NoteFlows) -> dict[str, Floats]:
    """Return excess interest over the deal's life and what becomes of it, float64[p] USD each.

    Excess interest is interest and recoveries less fees, premium and the interest that notes are
    paid from collections. In a month in which notes are paid more principal than is collected, it
    is used: it covers losses or builds OC. Where they are paid less, OC is released. Cash in = cash
    out makes excess interest + OC released = used + reimbursement + residual.
    """
    collected = cash.scheduled + cash.prepaid + cash.proceeds
    beyond = -collected
    for j in np.flatnonzero(notes.step_kind >= COLLECTIONS):
        beyond += notes.step_paid[:, :, j]
    interest = cash.interest + cash.recoveries
    for j in np.flatnonzero(np.isin(notes.step_kind, _BEFORE)):
        interest -= notes.step_paid[:, :, j]
    return {
        "excess_interest": interest.sum(axis=1),
        "excess_interest_used": np.maximum(beyond, 0.0).sum(axis=1),
        "oc_released": np.maximum(-beyond, 0.0).sum(axis=1),
    }
