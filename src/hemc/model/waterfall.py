"""A deal by month and pool flows go in, reconciled note flows come out.

The order of payments itself is run by `hemc.kernels.waterfall`, its identities by
`hemc.kernels.reconciliation`; here flows are summed, outputs allocated, gaps judged.
"""

from __future__ import annotations

import numpy as np

from hemc.errors import InternalError
from hemc.kernels.deal_terms import Collections, DealTerms
from hemc.kernels.flows import Floats, Ints, NoteFlows, PoolFlows
from hemc.kernels.reconciliation import IDENTITIES, reconcile_paths
from hemc.kernels.waterfall import pay_paths as pay_paths_compiled
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.oc_target import oc_targets

#: Largest gap that an identity may show on any path and month, USD.
LARGEST_GAP = 0.01


def collect(flows: PoolFlows, oc_target: Floats, default_month: Ints) -> Collections:
    """Sum pool flows to what the order of payments is fed with."""
    return Collections(
        flows.interest + flows.recoveries,
        flows.scheduled + flows.prepaid + flows.proceeds,
        flows.loss,
        flows.balance,
        flows.net_rate_balance,
        oc_target,
        default_month,
    )


def pay_paths(
    deal: MonthlyDeal, flows: PoolFlows, default_month: Ints, first_path: int = 0
) -> NoteFlows:
    """Pay the notes on every path of a block of pool flows.

    `default_month` is the month, from 0, from which on the insurer pays nothing on a path, as
    `hemc.model.insurer` gives it. The last month of the flows is final
    maturity: what is unpaid then is drawn, or written down under every convention, `implied`
    included, so that each class ends at zero. Raises InternalError when an identity is broken by
    a cent or more, naming it and the path, counted from `first_path` at the block's beginning.
    """
    collections = collect(flows, oc_targets(deal.oc, flows), default_month)
    notes = allocate(deal.terms, collections)
    pay_paths_compiled(deal.terms, collections, notes)
    gaps = np.empty((notes.largest_gap.size, len(IDENTITIES)))
    reconcile_paths(deal.terms, collections, notes, gaps)
    _require_closed(gaps, first_path)
    return notes


def allocate(terms: DealTerms, flows: Collections) -> NoteFlows:
    """Return note flows of the right shapes, zero but for the OC target."""
    n_paths, n_months = flows.loss.shape
    n_classes, n_steps = terms.balance_open.size, terms.step_kind.size - 1
    by_class = (n_paths, n_months, n_classes)
    carried = by_class if terms.is_carried.any() else (n_paths, 0, n_classes)
    return NoteFlows(
        balance=np.zeros((n_paths, n_months + 1, n_classes)),
        principal=np.zeros(by_class),
        interest=np.zeros(by_class),
        shortfall=np.zeros(by_class),
        carryover=np.zeros(carried),
        carryover_paid=np.zeros(carried),
        writedown=np.zeros(by_class),
        write_up=np.zeros(by_class),
        step_paid=np.zeros((n_paths, n_months, n_steps)),
        step_kind=terms.step_kind[:-1],
        draw_interest=np.zeros((n_paths, n_months)),
        draw_principal=np.zeros((n_paths, n_months)),
        unreimbursed=np.zeros((n_paths, n_months)),
        oc=np.zeros((n_paths, n_months + 1)),
        oc_target=flows.oc_target,
        largest_gap=np.zeros(n_paths),
    )


def _require_closed(gaps: Floats, first_path: int) -> None:
    """Raise InternalError for the largest gap of a cent or more."""
    if (gaps < LARGEST_GAP).all():
        return
    p, identity = np.unravel_index(int(gaps.argmax()), gaps.shape)
    what = f"waterfall: '{IDENTITIES[identity]}' off by {gaps[p, identity]:,.2f} USD"
    raise InternalError(f"{what} on path {first_path + p}")
