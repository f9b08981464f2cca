"""Note rows, day counts and the payment date → the identities of interest."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from hemc.inputs.certificate import Certificate, Table
from hemc.inputs.figures import Field
from hemc.inputs.identities import (
    NEEDS_TERMS,
    TieOutLine,
    combine,
    compare,
    known,
    missing,
    not_testable,
    to_cents,
)
from hemc.inputs.tieout_notes import Notes, row_name

if TYPE_CHECKING:
    from hemc.inputs.calendar import DayCount
    from hemc.inputs.deal import Deal, NoteClass


def interest_lines(certificate: Certificate, notes: Notes, deal: Deal | None) -> list[TieOutLine]:
    """Interest of each class by its own day count, and what the date says about day counts."""
    if deal is None:
        return [
            compare(f"interest {name}", row["interest"], NEEDS_TERMS)
            for name, row in notes.rows.items()
        ]
    days = _days(certificate, deal)
    lines = []
    for note_class in deal.classes:
        name = row_name(note_class)
        row = notes.rows[name]
        due = interest_due(row, days[note_class.day_count])
        note = _day_count_note(note_class, row, days)
        lines.append(compare(f"interest {name}", row["interest"], due, note))
    return [*lines, _day_count_line(days)]


def interest_due(row: Table, days: Field) -> Field:
    """Return balance × coupon × days / 360 to the cent, less the shortfall printed."""
    return combine(
        lambda balance, coupon, days, shortfall: (
            to_cents(balance * coupon / 100 * days / 360) - shortfall
        ),
        beginning=row["beginning"], coupon=row["coupon_pct"], days=days,
        shortfall=row["shortfall"],
    )  # fmt: skip


def _days(certificate: Certificate, deal: Deal) -> dict[DayCount, Field]:
    """Return the days of interest by either day count."""
    from hemc.inputs.calendar import accrual_days

    date = certificate.payment_date
    if date is None:
        actual = missing(f"payment date: {certificate.places['payment_date'].reason}")
    elif deal.payment_number(date) <= 1:
        actual = missing("interest of the first payment runs from the closing date")
    else:
        actual = known(Decimal(accrual_days(date, deal.payment_day, "actual/360")))
    return {"30/360": known(Decimal(30)), "actual/360": actual}


def _day_count_note(note_class: NoteClass, row: Table, days: Mapping[DayCount, Field]) -> str:
    """Say so where only the other day count gives the printed interest; it is never chosen."""
    printed = row["interest"].value
    other: DayCount = "actual/360" if note_class.day_count == "30/360" else "30/360"
    due, due_other = (interest_due(row, days[d]).value for d in (note_class.day_count, other))
    if printed is None or due == printed or due_other != printed:
        return note_class.day_count
    return f"{note_class.day_count} by the deal's terms; {other} would give it"


def _day_count_line(days: Mapping[DayCount, Field]) -> TieOutLine:
    """Say whether this date can tell one day count from the other."""
    actual = days["actual/360"]
    name = "day count"
    if actual.value is None:
        return not_testable(name, actual.reason or "")
    if actual.value == 30:
        return not_testable(name, "30 days by either count: taken from the deal's terms")
    return TieOutLine(name, None, None, None, "pass", f"{actual.value} actual days")
