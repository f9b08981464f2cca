"""Year, month and the deal's payment day → payment dates and the days on which interest accrues."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Literal

from holidays import financial_holidays
from holidays.financial.federal_reserve import FED

from hemc.errors import InputError

DayCount = Literal["30/360", "actual/360"]


def payment_date(year: int, month: int, day: int) -> dt.date:
    """Return the `day` of a month or, where the Federal Reserve is closed, its next business day.

    An InputError if the year is outside the years of which the holidays are known.
    """
    date = dt.date(year, month, day)
    while not is_business_day(date):
        date += dt.timedelta(days=1)
    return date


def payment_dates(first: dt.date, n: int, day: int) -> list[dt.date]:
    """Return the `n` monthly payment dates from the month of `first` on."""
    months = (first.year * 12 + first.month - 1 + i for i in range(n))
    return [payment_date(m // 12, m % 12 + 1, day) for m in months]


def previous_payment_date(date: dt.date, day: int) -> dt.date:
    """Return the payment date in the month before that of `date`."""
    month = date.year * 12 + date.month - 2
    return payment_date(month // 12, month % 12 + 1, day)


def is_business_day(date: dt.date) -> bool:
    """Tell whether the Federal Reserve is open."""
    return date.weekday() < 5 and date not in _holidays(date.year)


def days_30_360(start: dt.date, end: dt.date) -> int:
    """Return the days from `start` to `end` on the 30/360 bond basis: a 31st counts as the 30th."""
    first = min(start.day, 30)
    last = 30 if end.day == 31 and first == 30 else end.day
    return (end.year - start.year) * 360 + (end.month - start.month) * 30 + last - first


def accrual_days(date: dt.date, day: int, day_count: DayCount) -> int:
    """Return the days of interest paid on the payment date of the month of `date`.

    A 30/360 class always accrues 30; an actual/360 class from one payment date to the next.
    """
    if day_count == "30/360":
        return 30
    end = payment_date(date.year, date.month, day)
    return (end - previous_payment_date(date, day)).days


@lru_cache(maxsize=512)
def _holidays(year: int) -> frozenset[dt.date]:
    """Return the days of a year on which the Federal Reserve is closed."""
    # Outside its years the library returns no holiday at all, which would pass for a fact.
    if not FED.start_year <= year <= FED.end_year:
        known = f"a year from {FED.start_year} to {FED.end_year}"
        raise InputError("the Federal Reserve calendar", "", f"the year {year}", known)
    return frozenset(financial_holidays("FED", years=year))
