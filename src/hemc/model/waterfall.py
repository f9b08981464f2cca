"""A deal by month and pool flows go in, reconciled note flows come out.

The order of payments itself is run by `hemc.kernels.waterfall`, its identities by
`hemc.kernels.reconciliation`; here flows are summed, outputs allocated, gaps judged.
"""

from __future__ import annotations

import numpy as np

from hemc.errors import InternalError
from hemc.kernels.deal_terms import DealTerms, Month
from hemc.kernels.dues import Row
from hemc.kernels.flows import Floats, Ints, NoteFlows, PoolFlows
from hemc.kernels.note_interest import Book
from hemc.kernels.reconciliation import IDENTITIES, Rank, Totals, reconcile_paths
from hemc.kernels.records import Records, column, records
from hemc.kernels.waterfall import PathState
from hemc.kernels.waterfall import pay_paths as pay_paths_compiled
from hemc.model.deal_terms import MonthlyDeal
from hemc.model.oc_target import oc_targets
from hemc.model.simulation import require_finite

#: Largest gap that an identity may show on any path and month, USD.
LARGEST_GAP = 0.01


def collect(flows: PoolFlows, oc_target: Floats, default_month: Ints) -> Records[Month]:
    """Sum pool flows to what the order of payments is fed with, [p, t]."""
    n_months = flows.loss.shape[1]
    month = np.arange(n_months)
    return records(
        flows.loss.shape, Month,
        interest=flows.interest + flows.recoveries,
        principal=flows.scheduled + flows.prepaid + flows.proceeds,
        loss=flows.loss,
        pool_open=flows.balance[:, :-1],
        pool_close=flows.balance[:, 1:],
        net_rate_balance=flows.net_rate_balance,
        oc_target=oc_target,
        is_final=month == n_months - 1,
        pays=month < default_month[:, None],
    )  # fmt: skip


def active_months(flows: PoolFlows) -> Ints:
    """Return after how many months pool and collections are gone for good, int64[p]."""
    left = flows.balance[:, 1:] + flows.loss + flows.interest + flows.recoveries
    left += flows.scheduled + flows.prepaid + flows.proceeds
    last = (left[:, ::-1] != 0.0).argmax(axis=1)
    return np.where((left != 0.0).any(axis=1), left.shape[1] - last, 0)


def pay_paths(
    deal: MonthlyDeal, flows: PoolFlows, default_month: Ints, first_path: int = 0
) -> NoteFlows:
    """Pay the notes on every path of a block of pool flows.

    `default_month` is the month, from 0, from which on the insurer pays nothing on a path, as
    `hemc.model.insurer` gives it. The last month of the flows is final
    maturity: what is unpaid then is drawn, or written down under every convention, `implied`
    included, so that each class ends at zero. Raises InternalError when an identity is broken by
    a cent or more, naming it and the path, counted from `first_path` at the block's beginning,
    or where an amount is not finite, with its month too.
    """
    months = collect(flows, oc_targets(deal.oc, flows), default_month)
    notes = pay_months(deal.terms, months, active_months(flows))
    _require_finite(notes, first_path)
    _require_closed(reconcile(deal.terms, months, notes), first_path)
    return notes


def pay_months(terms: DealTerms, months: Records[Month], n_active: Ints) -> NoteFlows:
    """Run the order of payments; `n_active` as from `active_months`."""
    notes = allocate(terms, months)
    books, state = records(terms.classes.size, Book), records(1, PathState)
    paid = np.zeros(terms.steps.size)
    pay_paths_compiled(terms, months, n_active, notes, books, state, paid)
    return notes


def reconcile(terms: DealTerms, months: Records[Month], notes: NoteFlows) -> Floats:
    """Return the largest gap of each identity on each path, float64[p, identity] USD."""
    gaps = np.empty((notes.largest_gap.size, len(IDENTITIES)))
    rows = records(terms.classes.size, Row)
    ranks, totals = records(terms.steps.size - 1, Rank), records(1, Totals)
    reconcile_paths(terms, months, notes, gaps, rows, ranks, totals)
    return gaps


def allocate(terms: DealTerms, months: Records[Month]) -> NoteFlows:
    """Return note flows of the right shapes, zero but for the OC target."""
    n_paths, n_months = months.shape
    n_classes, n_steps = terms.classes.size, terms.steps.size - 1
    by_class = (n_paths, n_months, n_classes)
    carried = by_class if column(terms.classes, "is_carried").any() else (n_paths, 0, n_classes)
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
        step_kind=np.ascontiguousarray(column(terms.steps, "kind")[:-1]),
        draw_interest=np.zeros((n_paths, n_months)),
        draw_principal=np.zeros((n_paths, n_months)),
        unreimbursed=np.zeros((n_paths, n_months)),
        oc=np.zeros((n_paths, n_months + 1)),
        oc_target=np.ascontiguousarray(column(months, "oc_target")),
        largest_gap=np.zeros(n_paths),
    )


def _require_finite(notes: NoteFlows, first_path: int) -> None:
    """Raise InternalError for the first amount that is not finite, with its path and month."""
    for name, amounts in notes._asdict().items():
        if name not in ("step_kind", "largest_gap"):  # no flows
            first_month = 0 if name in ("balance", "oc") else 1
            require_finite(amounts, first_path, f"the notes' {name}", first_month)


def _require_closed(gaps: Floats, first_path: int) -> None:
    """Raise InternalError for the largest gap of a cent or more."""
    if (gaps < LARGEST_GAP).all():
        return
    p, identity = np.unravel_index(int(gaps.argmax()), gaps.shape)
    what = f"waterfall: '{IDENTITIES[identity]}' off by {gaps[p, identity]:,.2f} USD"
    raise InternalError(f"{what} on path {first_path + p}")
