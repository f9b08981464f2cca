"""Certificates of one deal → what each carries over from the month before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.figures import Field
from hemc.inputs.identities import TieOutLine, combine, compare, missing, not_testable
from hemc.inputs.tieout_notes import Notes, month_loss

#: Opening figure, closing figure of the month before; each a table and its key.
_CARRIED = {
    "carry-over pool": ("pool", "beginning_pool", "ending_pool"),
    "carry-over prefunding": ("pool", "beginning_pfa", "ending_pfa"),
    "carry-over OC": ("oc", "beginning", "outstanding"),
}


def require_one_series(certificates: Sequence[Certificate]) -> None:
    """Refuse certificates of several series or groups, and a payment date that occurs twice."""
    seen: dict[dt.date, Certificate] = {}
    for certificate in certificates:
        first, date = certificates[0], certificate.payment_date
        for found, expected, what in (
            (certificate.series, first.series, "series"),
            (certificate.group, first.group, "group"),
        ):
            if found and expected and found != expected:
                place = f"line {certificate.places[what].line}"
                wanted = f"{what} {expected}, as in {first.path}"
                raise InputError(certificate.path, place, f"{what} {found}", wanted)
        if date is not None and date in seen:
            place = f"line {certificate.places['payment_date'].line}"
            found = f"payment date {date}, that of {seen[date].path}"
            raise InputError(certificate.path, place, found, "each payment date once")
        if date is not None:
            seen[date] = certificate


def carry_over_lines(
    certificate: Certificate, notes: Notes, others: Sequence[Certificate]
) -> list[TieOutLine]:
    """Opening pool, prefunding, OC, notes and loss to date against the month before.

    Nothing for the earliest certificate; one line with the reason where the month before is not
    among the `others`.
    """
    name, date = "carry-over", certificate.payment_date
    earlier = [o for o in others if date and o.payment_date and o.payment_date < date]
    if date is None:
        reason = f"payment date: {certificate.places['payment_date'].reason}"
        return [not_testable(name, reason)] if others else []
    if not earlier:
        return []
    previous = max(earlier, key=lambda o: o.payment_date or dt.date.min)
    if _month(date) - _month(previous.payment_date) != 1:
        reason = f"the last certificate before {date} given is that of {previous.payment_date}"
        return [not_testable(name, reason)]
    return [
        *_pool_lines(certificate, previous),
        *_note_lines(notes, previous),
        _loss_line(certificate, previous),
    ]


def _month(date: dt.date | None) -> int:
    return date.year * 12 + date.month if date else 0


def _pool_lines(certificate: Certificate, previous: Certificate) -> list[TieOutLine]:
    lines = []
    for name, (table, opening, closing) in _CARRIED.items():
        now, before = getattr(certificate, table), getattr(previous, table)
        lines.append(compare(name, now[opening], _dated(before[closing], previous)))
    return lines


def _note_lines(notes: Notes, previous: Certificate) -> list[TieOutLine]:
    absent = {"ending": missing("its row is not in the document")}
    return [
        compare(
            f"carry-over {name}",
            notes.rows[name]["beginning"],
            _dated(previous.notes.get(name, absent)["ending"], previous),
        )
        for name in notes.term
    ]


def _loss_line(certificate: Certificate, previous: Certificate) -> TieOutLine:
    """Loss to date; where the closing one is cut off, the two openings give the recoveries."""
    name, opening = "carry-over loss to date", certificate.losses["beginning"]
    before = previous.losses
    if before["ending"].value is not None:
        return compare(name, opening, before["ending"])
    recoveries = implied_recoveries(certificate, previous)
    if recoveries is None or opening.value is None:
        return compare(name, opening, _dated(before["ending"], previous))
    if recoveries < 0:
        highest = opening.value + recoveries
        note = f"above {previous.payment_date}'s opening and month's loss"
        return TieOutLine(name, opening.value, highest, -recoveries, "fail", note)
    note = f"recoveries of {recoveries:,.2f} on {previous.payment_date} follow from it"
    return not_testable(name, note, opening.value)


def implied_recoveries(certificate: Certificate, previous: Certificate) -> Decimal | None:
    """Return the recoveries of the month before: its opening loss and loss less today's opening.

    USD; None where a figure is missing.
    """
    return combine(
        lambda before, loss, now: before + loss - now,
        before=previous.losses["beginning"],
        loss=month_loss(previous)[0],
        now=certificate.losses["beginning"],
    ).value


def _dated(field: Field, certificate: Certificate) -> Field:
    """Say in a missing field's reason which certificate lacks it."""
    if field.value is not None:
        return field
    return missing(f"on {certificate.payment_date}: {field.reason}")
