"""Certificates of one deal or several → stocks and flows by date, and what was left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.published_totals import DELINQUENT_KEYS, MOST_LOANS
from hemc.states import BANKRUPTCY, CURRENT, D30, FORECLOSURE, N_LIVE, NAMES, REO

_BUCKETS = range(D30, BANKRUPTCY)
_OVERLAPPING = {"BK": BANKRUPTCY, "FC": FORECLOSURE, "REO": REO}

#: What is left of the pool roll is the month's gross loss.
_POOL_ROLL = {
    "beginning_pool": 1, "beginning_pfa": 1, "principal_draws": 1,
    "principal_collections": -1, "ending_pool": -1, "ending_pfa": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What one certificate says about the loans; None is what it does not show.

    `count` has one entry per live state, current among them where all others are shown. Balances
    and flows are USD, flows those of the month that ends at the date.
    """

    path: Path
    date: dt.date
    n_loans: int | None
    count: tuple[int | None, ...]
    pool_open: Decimal | None
    pool: Decimal | None
    prefunding: Decimal
    principal: Decimal | None
    loss: Decimal | None
    loss_to_date_open: Decimal | None
    loss_to_date_close: Decimal | None
    repurchased: int

    @property
    def month(self) -> int:
        """The date's month, counted from year 0."""
        return self.date.year * 12 + self.date.month - 1


@dataclass(frozen=True)
class DealSeries:
    """The reports of one deal, oldest first, and remarks on what was left out of them."""

    series: str
    reports: tuple[Report, ...]
    remarks: tuple[str, ...]

    def with_opening(self, scheduled_share: float) -> DealSeries:
        """Return a series of one report with what is known of its pool a month before.

        The number of loans then follows from the fall of the pool, `scheduled_share` a month of
        which is no loan's exit; no stock of a state is known.
        """
        (report,) = self.reports
        if report.n_loans is None or not report.pool or not report.pool_open:
            raise InputError(
                report.path, "loan count and pool balances", "not all of them",
                "those of one certificate at least, or certificates of several months",
            )  # fmt: skip
        held = float(report.pool_open) * (1.0 - scheduled_share) / float(report.pool)
        year, month = divmod(report.month - 1, 12)
        before = Report(
            path=report.path, date=dt.date(year, month + 1, 1),
            n_loans=max(round(report.n_loans * held), report.n_loans),
            count=(None,) * N_LIVE, pool_open=None, pool=report.pool_open,
            prefunding=report.prefunding, principal=None, loss=None, loss_to_date_open=None,
            loss_to_date_close=report.loss_to_date_open, repurchased=0,
        )  # fmt: skip
        return DealSeries(self.series, (before, report), self.remarks)


def gather_series(certificates: Sequence[Certificate]) -> tuple[DealSeries, ...]:
    """Sort certificates into deals and dates.

    Raises InputError where a certificate has no series or date, where a deal has two of one
    month, or where counts do not add up; what a date cannot tell is left out with a remark.
    """
    by_deal: dict[str, list[Certificate]] = {}
    for certificate in certificates:
        by_deal.setdefault(_series_of(certificate), []).append(certificate)
    return tuple(_deal_series(name, found) for name, found in by_deal.items())


def _series_of(certificate: Certificate) -> str:
    """Return the deal that a certificate belongs to."""
    if certificate.series is None:
        raise InputError(
            certificate.path, "series", certificate.places["series"].reason or "none",
            "the name of the deal, to tell the certificates of several apart",
        )  # fmt: skip
    return certificate.series


def _deal_series(name: str, certificates: Sequence[Certificate]) -> DealSeries:
    """Order one deal's certificates and refuse two of one month."""
    remarks: list[str] = []
    reports = sorted((read_report(c, remarks) for c in certificates), key=lambda r: r.date)
    for before, after in pairwise(reports):
        if before.month == after.month:
            raise InputError(
                after.path, "payment date", f"{after.date}, the month of {before.path}",
                f"one certificate of {name} a month",
            )  # fmt: skip
    known = [r for r in reports if r.n_loans is not None]
    if not known:
        raise InputError(
            reports[0].path, "active loan count", f"none on any certificate of {name}",
            "the number of loans on one of them at least",
        )  # fmt: skip
    first = reports.index(known[0])
    remarks += [f"{r.path.name}: before the first date with a loan count; left out"
                for r in reports[:first]]  # fmt: skip
    return DealSeries(name, tuple(reports[first:]), tuple(remarks))


def read_report(certificate: Certificate, remarks: list[str]) -> Report:
    """Read one certificate's stocks and flows; `remarks` get what is left out of them.

    Raises InputError without a payment date, and for counts that do not add up.
    """
    if certificate.payment_date is None:
        raise InputError(
            certificate.path, "payment date",
            certificate.places["payment_date"].reason or "none", "the date of the payment",
        )  # fmt: skip
    n_loans = _whole(certificate, certificate.pool["active_loan_count"].value, "active loan count")
    loss = _loss(certificate)
    return Report(
        path=certificate.path,
        date=certificate.payment_date,
        n_loans=n_loans,
        count=_counts(certificate, n_loans, remarks),
        pool_open=certificate.pool["beginning_pool"].value,
        pool=certificate.pool["ending_pool"].value,
        prefunding=certificate.pool["ending_pfa"].value or Decimal(0),
        principal=certificate.pool["principal_collections"].value,
        loss=loss,
        loss_to_date_open=certificate.losses["beginning"].value,
        loss_to_date_close=_closing_loss(certificate, loss),
        repurchased=_whole(
            certificate, certificate.others["repurchases"]["units"].value, "repurchases"
        ) or 0,
    )  # fmt: skip


def _counts(
    certificate: Certificate, n_loans: int | None, remarks: list[str]
) -> tuple[int | None, ...]:
    """Return the number of loans in each live state; current is the rest where it is known."""
    count: list[int | None] = [None]
    for s, key in zip(range(D30, N_LIVE), DELINQUENT_KEYS, strict=True):
        row = certificate.delinquencies[key]
        number = _whole(certificate, row["number"].value, f"loans {NAMES[s]}")
        if number and row["balance"].value == 0:
            remarks.append(f"{certificate.path.name}: {number} loans {NAMES[s]} without a balance; "
                           "count left out")  # fmt: skip
            number = None
        count.append(number)
    _leave_out_overlaps(certificate, count, remarks)
    known = [n for n in count[D30:] if n is not None]
    if n_loans is not None and sum(known) > n_loans:
        raise InputError(
            certificate.path, "delinquent loans", f"{sum(known)} of {n_loans} active loans",
            "counts that add up to the active loan count at most",
        )  # fmt: skip
    if n_loans is not None and len(known) == N_LIVE - 1:
        count[CURRENT] = n_loans - sum(known)
    return tuple(count)


def _leave_out_overlaps(
    certificate: Certificate, count: list[int | None], remarks: list[str]
) -> None:
    """Leave out bucket counts that hold the loans of another row as well, by the footnote."""
    included = certificate.footnote.includes
    overlapping = [key for key, s in _OVERLAPPING.items() if included.get(key) and count[s] != 0]
    if overlapping:
        for s in _BUCKETS:
            count[s] = None
        remarks.append(
            f"{certificate.path.name}: by the footnote the buckets include "
            f"{', '.join(NAMES[_OVERLAPPING[key]] for key in overlapping)}; "
            f"{len(_BUCKETS)} bucket counts left out"
        )


def _whole(certificate: Certificate, value: Decimal | None, place: str) -> int | None:
    """Return a count; an InputError where it is no whole number of loans."""
    if value is None:
        return None
    if value != value.to_integral_value() or not 0 <= value <= MOST_LOANS:
        raise InputError(certificate.path, place, str(value), f"a whole number to {MOST_LOANS:,}")
    return int(value)


def _loss(certificate: Certificate) -> Decimal | None:
    """Return the month's gross loss: printed, else what is left of the pool roll, else None."""
    printed = certificate.losses["current_month"].value
    if printed is not None:
        return printed
    rest = Decimal(0)
    for name, sign in _POOL_ROLL.items():
        value = certificate.pool[name].value
        if value is None:
            return None
        rest += sign * value
    return rest if rest >= 0 else None


def _closing_loss(certificate: Certificate, loss: Decimal | None) -> Decimal | None:
    """Return the loss to date at the end of the month; recoveries not shown are taken for none."""
    losses: Mapping[str, Decimal | None] = {k: f.value for k, f in certificate.losses.items()}
    if losses["ending"] is not None:
        return losses["ending"]
    if losses["beginning"] is None or loss is None:
        return None
    return losses["beginning"] + loss - (losses["recoveries"] or Decimal(0))
