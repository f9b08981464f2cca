"""Payment dates and days of interest against the calendar of the Federal Reserve."""

from __future__ import annotations

import datetime as dt

import pytest
from certificate_writer import RECORDS

from hemc.errors import InputError
from hemc.inputs.calendar import (
    accrual_days,
    days_30_360,
    is_business_day,
    payment_date,
    payment_dates,
    previous_payment_date,
)


def test_may_2003_was_paid_on_the_27th_and_june_accrued_29_days() -> None:
    # 25 May 2003 was a Sunday, the 26th Memorial Day.
    assert payment_date(2003, 5, 25) == dt.date(2003, 5, 27)
    assert accrual_days(dt.date(2003, 6, 25), 25, "actual/360") == 29
    assert accrual_days(dt.date(2003, 6, 25), 25, "30/360") == 30


@pytest.mark.parametrize("name", RECORDS)
def test_every_certificate_was_paid_on_its_date(name: str) -> None:
    date = dt.date.fromisoformat(RECORDS[name]["payment_date"])
    assert payment_date(date.year, date.month, 25) == date


def test_january_to_february_2004_cannot_tell_the_day_count() -> None:
    assert previous_payment_date(dt.date(2004, 2, 25), 25) == dt.date(2004, 1, 26)
    assert accrual_days(dt.date(2004, 2, 25), 25, "actual/360") == 30


def test_thirty_years_of_payment_dates() -> None:
    dates = payment_dates(dt.date(2003, 4, 25), 360, 25)
    assert dates[:3] == [dt.date(2003, 4, 25), dt.date(2003, 5, 27), dt.date(2003, 6, 25)]
    assert (dates[-1].year, dates[-1].month) == (2033, 3)
    assert all(is_business_day(date) and 25 <= date.day <= 31 for date in dates)
    assert [d.year * 12 + d.month for d in dates] == list(range(24040, 24400))


def test_christmas_moves_a_payment_and_a_saturday_holiday_does_not() -> None:
    assert payment_date(2003, 12, 25) == dt.date(2003, 12, 26)
    # The Reserve Banks are open on the Friday before a holiday that falls on a Saturday.
    assert is_business_day(dt.date(2004, 12, 24))


@pytest.mark.parametrize("year", [1985, 2150])
def test_years_without_known_holidays_are_refused(year: int) -> None:
    with pytest.raises(InputError, match=f"the year {year}"):
        payment_date(year, 3, 1)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (dt.date(2004, 1, 26), dt.date(2004, 2, 25), 29),
        (dt.date(2003, 12, 31), dt.date(2004, 1, 31), 30),
        (dt.date(2004, 1, 30), dt.date(2004, 3, 31), 60),
        (dt.date(2004, 1, 15), dt.date(2004, 3, 31), 76),
        (dt.date(2003, 2, 25), dt.date(2004, 2, 25), 360),
    ],
)
def test_days_30_360(start: dt.date, end: dt.date, days: int) -> None:
    assert days_30_360(start, end) == days
