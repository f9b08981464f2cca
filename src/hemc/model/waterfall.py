"""Deal terms and pool flows go in, reconciled note flows come out.

The order of payments itself is in `hemc.kernels.waterfall`, its identities in
`hemc.kernels.reconciliation`; here terms are laid out by month and outputs allocated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import numpy as np

from hemc.errors import InputError, InternalError
from hemc.inputs.calendar import payment_dates, previous_payment_date
from hemc.inputs.deal import Deal, NoteClass
from hemc.kernels.flows import DealTerms, Floats, NoteFlows, PoolFlows
from hemc.kernels.reconciliation import IDENTITIES, reconcile_paths
from hemc.kernels.waterfall import IMPLIED, PRO_RATA, REVERSE_ORDER
from hemc.kernels.waterfall import pay_paths as pay_paths_compiled

CONVENTIONS = {"implied": IMPLIED, "pro_rata": PRO_RATA, "reverse_order": REVERSE_ORDER}

#: Largest gap that an identity may show on any path and month, USD.
LARGEST_GAP = 0.01


def compile_terms(
    deal: Deal,
    next_payment: dt.date,
    balances: Mapping[str, float],
    n_months: int,
    index_rate: float | Floats,
    insurer: Literal["performing", "absent"] = "performing",
) -> DealTerms:
    """Lay out the terms of a deal by month of the projection.

    `next_payment` lies in the month of the projection's first payment; `balances` holds the
    class balances at cut-off, USD (a notional class may be named, its balance is its schedule);
    `index_rate` is the index per year, flat or by month float64[n_months]. With the insurer
    absent there is no premium and nobody to draw on. Fees are zero: the pool's interest is net of
    servicing. Raises InputError for a missing, unknown or negative balance and for a payment
    before the deal's second, whose accrual would start at closing, a date that no certificate
    states.
    """
    if deal.payment_number(next_payment) < 2:
        expected = f"a payment after the first, {deal.first_payment_date}"
        raise InputError(f"deal {deal.series}", "next payment", str(next_payment), expected)
    first = deal.payment_number(next_payment)
    numbers = range(first, first + n_months)
    names = [c.name for c in deal.classes]
    fractions = _year_fractions(deal, next_payment, n_months)
    oc, insurer_terms = deal.overcollateralization, deal.insurer
    index = np.broadcast_to(np.asarray(index_rate, dtype=np.float64), n_months)
    reimbursement_rate = index + insurer_terms.reimbursement_margin
    terms = DealTerms(
        accrual=fractions * np.stack([_coupons(c, index) for c in deal.classes], axis=1),
        year_fraction=fractions,
        notional=np.array([[_notional(c, n) for c in deal.classes] for n in numbers]),
        is_notional=np.array([c.kind == "notional" for c in deal.classes]),
        is_insured=np.ones(len(names), dtype=np.bool_),
        balance_open=_balances_open(deal, balances),
        lockout_class=names.index(deal.lockout.class_name) if deal.lockout else -1,
        lockout_share=np.array([_lockout_share(deal, n) for n in numbers]),
        target=np.full(n_months, float(oc.target)),
        step_down_share=np.array([_step_down_share(deal, n) for n in numbers]),
        target_floor=oc.floor_share * float(deal.original_notes),
        may_build=np.array([n >= oc.build_from_payment for n in numbers]),
        has_net_wac_cap=deal.net_wac_cap,
        premium_monthly=insurer_terms.premium_rate / 12,
        fee_monthly=0.0,
        reimbursement_monthly=reimbursement_rate / 12,
        undercollateralization=CONVENTIONS[deal.undercollateralization],
    )
    return terms if insurer == "performing" else without_insurer(terms)


def without_insurer(terms: DealTerms) -> DealTerms:
    """Return the terms with no premium and nobody to draw on."""
    nobody = np.zeros_like(terms.is_insured)
    return terms._replace(is_insured=nobody, premium_monthly=0.0)


def pay_paths(
    terms: DealTerms, flows: PoolFlows, performing: bool, first_path: int = 0
) -> NoteFlows:
    """Pay the notes on every path of a block of pool flows.

    `performing` tells whether the insurer pays (the wrapped pass) or not (the unwrapped one).
    The last month of the flows is final maturity: what is unpaid then is drawn, or written down
    under every convention, `implied` included, so that each class ends at zero. Raises
    InternalError when an identity is broken by a cent or more, naming it and the path, counted
    from `first_path` at the block's beginning.
    """
    terms = terms if performing else without_insurer(terms)
    notes = _allocate(terms, flows)
    pay_paths_compiled(terms, flows, notes)
    gaps = np.empty((notes.largest_gap.size, len(IDENTITIES)))
    reconcile_paths(terms, flows, notes, gaps)
    _require_closed(gaps, first_path)
    return notes


def _require_closed(gaps: Floats, first_path: int) -> None:
    """Raise InternalError for the largest gap of a cent or more."""
    if (gaps < LARGEST_GAP).all():
        return
    p, identity = np.unravel_index(int(gaps.argmax()), gaps.shape)
    what = f"waterfall: '{IDENTITIES[identity]}' off by {gaps[p, identity]:,.2f} USD"
    raise InternalError(f"{what} on path {first_path + p}")


def _allocate(terms: DealTerms, flows: PoolFlows) -> NoteFlows:
    """Return note flows of the right shapes, not yet filled."""
    n_paths, n_months = flows.interest.shape
    n_classes = terms.balance_open.size
    by_class = ("principal", "interest", "shortfall", "writedown", "write_up")
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(NoteFlows._fields, (n_paths, n_months))
    shapes |= dict.fromkeys(by_class, (n_paths, n_months, n_classes))
    shapes["balance"] = (n_paths, n_months + 1, n_classes)
    shapes["oc"] = (n_paths, n_months + 1)
    shapes["largest_gap"] = (n_paths,)
    return NoteFlows(**{name: np.empty(shape) for name, shape in shapes.items()})


def _year_fractions(deal: Deal, next_payment: dt.date, n_months: int) -> Floats:
    """Return the day-count fraction of each month and class, [n_months, n_classes]."""
    dates = [previous_payment_date(next_payment, deal.payment_day)]
    dates += payment_dates(next_payment, n_months, deal.payment_day)
    days = np.diff(np.array(dates, dtype="datetime64[D]")).astype(np.float64)
    by_count = {"30/360": np.full(n_months, 1 / 12), "actual/360": days / 360}
    return np.stack([by_count[c.day_count] for c in deal.classes], axis=1)


def _coupons(note_class: NoteClass, index: Floats) -> Floats:
    """Return the annual rate of a class by month: its coupon, or index [t] + margin."""
    if note_class.coupon is not None:
        return np.full(index.size, note_class.coupon)
    return index + (note_class.margin or 0.0)


def _notional(note_class: NoteClass, number: int) -> float:
    """Return the scheduled balance at a payment; zero after the schedule and without one."""
    steps = [s.balance for s in note_class.schedule if number <= s.until_payment]
    return float(steps[0]) if steps else 0.0


def _lockout_share(deal: Deal, number: int) -> float:
    """Return the share of its pro rata principal that the lockout class gets at a payment."""
    if deal.lockout is None:
        return 0.0
    shares = [s.share for s in deal.lockout.shares if number <= s.until_payment]
    return float(shares[0] if shares else deal.lockout.share_after)


def _step_down_share(deal: Deal, number: int) -> float:
    """Return the share of the pool that is the OC target at a payment; zero before step-down."""
    oc = deal.overcollateralization
    if oc.step_down_payment is None or number < oc.step_down_payment:
        return 0.0
    return oc.step_down_share


def _balances_open(deal: Deal, balances: Mapping[str, float]) -> Floats:
    """Return the balance of each class at cut-off, zero for a notional class."""
    document = f"deal {deal.series}"
    names = [c.name for c in deal.term_classes]
    unknown = sorted(set(balances) - {c.name for c in deal.classes})
    if unknown:
        expected = "a class of the deal: " + ", ".join(names)
        raise InputError(document, "balances at cut-off", f"class {unknown[0]}", expected)
    for name in names:
        found = balances.get(name)
        if found is None or not 0 <= found < np.inf:
            place = f"balance of class {name} at cut-off"
            raise InputError(document, place, str(found).lower(), "USD, 0 or more")
    held = [balances[c.name] if c.name in names else 0.0 for c in deal.classes]
    return np.array(held, dtype=np.float64)
