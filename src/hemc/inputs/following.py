"""A certificate and that of the month before → refused where one does not follow the other."""

from __future__ import annotations

import datetime as dt

from hemc.errors import InputError
from hemc.inputs.calendar import payment_date
from hemc.inputs.certificate import Certificate
from hemc.inputs.deal import Deal
from hemc.inputs.identities import TieOutLine
from hemc.inputs.tieout_notes import gather_notes
from hemc.inputs.tieout_series import carry_over_lines

#: Carried over, and no balance: recoveries may be restated.
_NO_BALANCE = "carry-over loss to date"


def require_following(certificate: Certificate, before: Certificate, deal: Deal) -> None:
    """Raise InputError unless a certificate is the deal's next one after `before`.

    Series, group and month of payment, then opening pool, prefunding, OC and notes against the
    closing ones, to the cent. What the certificate does not show is not held against it.
    """
    for what, found, wanted in (
        ("series", certificate.series, deal.series), ("group", certificate.group, deal.group),
    ):  # fmt: skip
        if found not in (None, wanted):
            expected = f"{what} {wanted}, the deal of the run"
            raise InputError(
                certificate.path, _line(certificate, what), f"{what} {found}", expected
            )
    _require_next_month(certificate, before, deal)
    lines = carry_over_lines(certificate, gather_notes(certificate, deal), [before])
    failed = [line for line in lines if line.status == "fail" and line.name != _NO_BALANCE]
    if failed:
        raise _not_carried_over(certificate, before, failed)


def next_payment_date(date: dt.date, deal: Deal) -> dt.date:
    """Return the payment date in the month after a date."""
    month = date.year * 12 + date.month
    return payment_date(month // 12, month % 12 + 1, deal.payment_day)


def _require_next_month(certificate: Certificate, before: Certificate, deal: Deal) -> None:
    """Raise InputError for a payment in another month than the next."""
    assert before.payment_date is not None  # nothing is forecast from a certificate without
    due = next_payment_date(before.payment_date, deal)
    date = certificate.payment_date
    if date is None or (date.year, date.month) != (due.year, due.month):
        found = certificate.places["payment_date"].reason if date is None else str(date)
        raise InputError(
            certificate.path, _line(certificate, "payment_date"), f"payment date {found or 'none'}",
            f"{due}, the payment after {before.payment_date}, which the run forecast",
        )  # fmt: skip


def _not_carried_over(
    certificate: Certificate, before: Certificate, failed: list[TieOutLine]
) -> InputError:
    """Return the error of the first opening balance that is not the closing one before."""
    line = failed[0]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    what = line.name.removeprefix("carry-over ")
    return InputError(
        certificate.path, f"opening {what}", f"{line.printed:,}",
        f"{line.recomputed:,}, the closing {what} of {before.payment_date} in the run{more}",
    )  # fmt: skip


def _line(certificate: Certificate, place: str) -> str:
    """Return the line of a part of the title, nothing where it is not known."""
    line = certificate.places[place].line
    return f"line {line}" if line else ""
