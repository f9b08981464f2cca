"""Quotes of the classes and a pass of the waterfall go in; what each class is worth comes out."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from hemc.errors import InputError, InternalError
from hemc.inputs.calendar import days_30_360, previous_payment_date
from hemc.inputs.deal import Deal, NoteClass
from hemc.kernels.flows import Floats, Ints, NoteFlows, PoolFlows
from hemc.kernels.records import column
from hemc.kernels.valuation import N_FIGURES, YIELD, ClassFlows, Legs, Quotes, value_paths
from hemc.model.deal_terms import MonthlyDeal
from hemc.settings.valuation import ValuationSettings

_CONFIGURATION = "the configuration"


class Values(NamedTuple):
    """What classes are worth on the paths of a block.

    `figures` is [p, k, to maturity | to call, column of kernels/valuation]; nan where a figure does
    not exist. `call` is the month of the clean-up call, 0 for never.
    """

    call: Ints  # [p]
    figures: Floats


class Settlement(NamedTuple):
    """Days from the last payment to settlement, by both day counts, and interest accrued by it."""

    days_actual: int
    days_30_360: int  # from the nominal payment day
    delay: int  # of classes that accrue 30/360

    def accrued_days(self, note_class: NoteClass) -> int:
        """Return the days of interest that a buyer of the class pays for."""
        if note_class.day_count == "actual/360":
            return self.days_actual
        return self.days_30_360 + self.delay

    def elapsed_days(self, note_class: NoteClass) -> int:
        """Return the days of the first month that are over, by the day count of the class."""
        is_actual = note_class.day_count == "actual/360"
        return self.days_actual if is_actual else self.days_30_360


def compile_quotes(
    settings: ValuationSettings,
    deal: Deal,
    next_payment: dt.date,
    monthly: MonthlyDeal,
    index: Floats,
) -> Quotes:
    """Lay out at what the classes are valued; `index` is per year, float64[t].

    `next_payment` lies in the month of the projection's first payment, as for the terms. Raises
    InputError for a quote of a class that the deal does not have or that cannot have it, and for a
    settlement after the interest period of the next payment.
    """
    _require_classes(settings, deal)
    settlement = _settle(settings, deal, next_payment)
    terms = monthly.terms
    is_notional = column(terms.classes, "is_notional")
    notional = column(terms.class_months, "notional")[0]
    balance = np.where(is_notional, notional, column(terms.classes, "balance_open"))
    coupon = np.array([_coupon(c, float(index[0])) for c in deal.classes])
    days = np.array([settlement.accrued_days(c) for c in deal.classes])
    accrued = balance * coupon * days / 360.0
    period = monthly.year_fraction.copy()
    period[0] -= np.array([settlement.elapsed_days(c) for c in deal.classes]) / 360.0
    price = np.array([_price(settings, c) for c in deal.classes])
    return Quotes(
        balance=balance,
        full_price=balance * price / 100.0 + accrued,
        accrued=accrued,
        rate=np.array([_rate(settings, c) for c in deal.classes]),
        by_margin=np.array([_is_by_margin(settings, c) for c in deal.classes]),
        is_floating=np.array([c.kind == "floating" for c in deal.classes]),
        is_notional=np.array([c.kind == "notional" for c in deal.classes]),
        period=period,
        year_fraction=monthly.year_fraction,
        index_rate=np.ascontiguousarray(index, dtype=np.float64),
        lag=settlement.days_30_360 / 30.0,
        shift=settings.duration_shift,
        call_balance=_call_balance(deal),
    )


def value_notes(quotes: Quotes, notes: NoteFlows, cash: PoolFlows, first_path: int = 0) -> Values:
    """Value every class on every path of a block, to maturity and to call.

    Raises InternalError where the rate at a price is not found, naming the path, counted from
    `first_path` at the block's beginning.
    """
    flows = ClassFlows(
        notes.balance, notes.principal, notes.interest, notes.shortfall, cash.balance,
        notes.unreimbursed,
    )  # fmt: skip
    n_paths, n_months, n_classes = notes.principal.shape
    figures = np.full((n_paths, n_classes, 2, N_FIGURES), np.nan)
    values = Values(np.empty(n_paths, np.int64), figures)
    legs = Legs(np.empty(n_months), np.empty(n_months))
    value_paths(flows, quotes, legs, values.call, values.figures)
    quoted = (quotes.balance > 0.0) & ~np.isnan(quotes.full_price)
    lost = np.isnan(values.figures[..., YIELD][:, quoted]).any(axis=(1, 2))
    if lost.any():
        raise InternalError(f"valuation: no yield found on path {first_path + int(lost.argmax())}")
    return values


def bond_equivalent(rate: float) -> float:
    """Return the yield compounded twice a year of a rate compounded monthly, both per year."""
    return float(2.0 * ((1.0 + rate / 12.0) ** 6 - 1.0))


def _settle(settings: ValuationSettings, deal: Deal, next_payment: dt.date) -> Settlement:
    """Return how far settlement is from the last payment."""
    paid = previous_payment_date(next_payment, deal.payment_day)
    date = paid + dt.timedelta(days=settings.settlement_days)
    days = days_30_360(paid.replace(day=deal.payment_day), date)
    if days + settings.delay_days >= 30:
        raise InputError(
            _CONFIGURATION, "valuation.settlement_days",
            f"{settings.settlement_days}, settlement on {date}",
            f"with delay_days = {settings.delay_days} a day within the interest period that the "
            f"next payment covers",
        )  # fmt: skip
    return Settlement(settings.settlement_days, days, settings.delay_days)


def _require_classes(settings: ValuationSettings, deal: Deal) -> None:
    """Refuse quotes of classes that the deal does not have, or that cannot have them."""
    every = [c.name for c in deal.classes]
    floating = [c.name for c in deal.classes if c.kind == "floating"]
    allowed = {"prices": every, "yields": every, "discount_margins": floating}
    for key, names in allowed.items():
        kind = "floating class" if key == "discount_margins" else "class"
        for name in getattr(settings, key):
            if name not in names:
                expected = f"a {kind} of deal {deal.series}: {', '.join(names) or 'it has none'}"
                raise InputError(_CONFIGURATION, f"valuation.{key}", f"class {name}", expected)
    for name in settings.discount_margins:
        if name in settings.yields:
            place = f"valuation.discount_margins.{name}"
            raise InputError(_CONFIGURATION, place, "a yield as well", "one of the two")


def _price(settings: ValuationSettings, note_class: NoteClass) -> float:
    """Return the clean price of a class in %, nan where there is none."""
    default = float("nan") if note_class.kind == "notional" else settings.default_price
    return settings.prices.get(note_class.name, default)


def _is_by_margin(settings: ValuationSettings, note_class: NoteClass) -> bool:
    """Tell whether a class is priced at a discount margin rather than a yield."""
    return note_class.kind == "floating" and note_class.name not in settings.yields


def _rate(settings: ValuationSettings, note_class: NoteClass) -> float:
    """Return the yield or discount margin at which a class is priced, per year."""
    if _is_by_margin(settings, note_class):
        return settings.discount_margins.get(note_class.name, note_class.margin or 0.0)
    return settings.yields.get(note_class.name, bond_equivalent(note_class.coupon or 0.0))


def _coupon(note_class: NoteClass, index: float) -> float:
    """Return the annual coupon of a class in the first month."""
    return index + note_class.margin if note_class.margin is not None else note_class.coupon or 0.0


def _call_balance(deal: Deal) -> float:
    """Return the pool at which the clean-up call may be exercised, USD; 0 for a deal without."""
    call = deal.clean_up_call
    return 0.0 if call is None else call.share * float(deal.closing_pool)
