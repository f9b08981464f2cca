"""A certificate and deal terms go in, its month paid by the waterfall's own kernel comes out.

The certificate's opening balances, collections and loss are fed to the kernel that pays simulated
paths, with the trustee's rounding to the cent, and what the kernel pays is compared with what is
printed. A deal file that reproduces its certificates is proved on that part of its terms.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.deal import Deal, NoteClass
from hemc.inputs.figures import Field
from hemc.inputs.identities import (
    TieOutLine,
    combine,
    compare,
    known,
    missing,
    sum_of,
    to_cents,
)
from hemc.inputs.tieout_cash import cash_left_for_premium
from hemc.inputs.tieout_notes import Notes, gather_notes, row_name
from hemc.kernels.flows import Floats, NoteFlows, PoolFlows
from hemc.model.deal_terms import MonthlyDeal, compile_deal
from hemc.model.insurer import performing
from hemc.model.waterfall import pay_paths
from hemc.states import BANKRUPTCY, FORECLOSURE, N_LIVE, NAMES, REO

# The certificate's month, and one in which the pool is repaid: in the last month notes are due.
_N_MONTHS = 2

_STATES = {name: s for s, name in enumerate(NAMES[:N_LIVE])} | {
    "BK": BANKRUPTCY, "FC": FORECLOSURE, "REO": REO,
}  # fmt: skip

_NOT_PRINTED = "no line of a certificate prints it"


class Replay(NamedTuple):
    """A certificate's month as the kernel pays it; USD, each amount to the cent."""

    certificate: Certificate
    payment_number: int
    lines: tuple[TieOutLine, ...]  # printed against paid: steps, classes, OC and excess cash

    @property
    def is_exact(self) -> bool:
        """Whether everything that can be compared is the certificate's to the cent."""
        return all(line.status != "fail" for line in self.lines)


def replay(certificate: Certificate, deal: Deal) -> Replay:
    """Pay a certificate's month by the deal's terms and compare it with what is printed.

    A floating class has its printed coupon. Raises InputError for a figure without which the month
    cannot be paid, and for the deal's first payment.
    """
    notes = gather_notes(certificate, deal)
    date = certificate.payment_date
    if date is None:
        reason = certificate.places["payment_date"].reason or "none"
        raise InputError(certificate.path, "payment date", reason, "the date of the payment")
    notes = gather_notes(certificate, deal)
    terms = _terms(certificate, deal, notes, date)
    paid = pay_paths(terms, _flows(certificate, notes), performing(1))
    lines = tuple(_lines(certificate, deal, notes, paid))
    return Replay(certificate, deal.payment_number(date), lines)


def _terms(certificate: Certificate, deal: Deal, notes: Notes, date: dt.date) -> MonthlyDeal:
    """Return the deal from the certificate's month on, rounding as its trustee does."""
    balances = {
        c.name: _figure(certificate, f"{c.name} beginning balance", notes.rows[c.name]["beginning"])
        for c in deal.term_classes
    }
    printed = tuple(_with_printed_coupon(certificate, note, notes) for note in deal.classes)
    deal = deal.model_copy(update={"classes": printed})
    lost = float(certificate.losses["beginning"].value or 0)
    monthly = compile_deal(deal, date, balances, _N_MONTHS, 0.0, lost)
    return monthly._replace(terms=monthly.terms._replace(round_to_cents=True))


def _with_printed_coupon(certificate: Certificate, note: NoteClass, notes: Notes) -> NoteClass:
    """Return a class whose margin, over an index of zero, is its printed coupon where it floats."""
    if note.kind != "floating":
        return note
    coupon = _figure(certificate, f"{note.name} coupon", notes.rows[note.name]["coupon_pct"])
    return note.model_copy(update={"margin": coupon / 100.0})


def _flows(certificate: Certificate, notes: Notes) -> PoolFlows:
    """Return the certificate's collections and loss, and a month in which the pool is repaid.

    Prefunding counts as pool, and draws of the loans' lines come off principal collections, as
    in the certificate's own roll.
    """
    pool = certificate.pool
    named = {
        key: _figure(certificate, key.replace("_", " "), pool[key])
        for key in (
            "beginning_pool", "beginning_pfa", "ending_pool", "ending_pfa",
            "principal_collections", "principal_draws", "interest_collections",
            "net_loan_rate_pct",
        )
    }  # fmt: skip
    pool_open = named["beginning_pool"] + named["beginning_pfa"]
    pool_close = named["ending_pool"] + named["ending_pfa"]
    collected = named["principal_collections"] - named["principal_draws"]
    loss = _figure(certificate, "current month loss", notes.loss)
    nothing = _row(0.0, 0.0)
    return PoolFlows(
        interest=_row(named["interest_collections"], 0.0),
        recoveries=nothing,
        scheduled=nothing,
        prepaid=_row(collected, pool_close),
        proceeds=nothing,
        loss=_row(loss, 0.0),
        balance=_row(pool_open, pool_close, 0.0),
        net_rate_balance=_row(named["net_loan_rate_pct"] / 100.0 * pool_open, 0.0),
        state_balance=_state_balance(certificate),
    )


def _state_balance(certificate: Certificate) -> Floats:
    """Return the delinquent balances that are printed, float64[1, t, s]; zero where none is."""
    balance = np.zeros((1, _N_MONTHS, N_LIVE))
    for name, row in certificate.delinquencies.items():
        balance[0, 0, _STATES[name]] = float(row["balance"].value or 0)
    return balance


def _lines(
    certificate: Certificate, deal: Deal, notes: Notes, paid: NoteFlows
) -> Iterator[TieOutLine]:
    """Yield printed against paid: the steps in their order, each class, OC and excess cash."""
    oc = certificate.oc
    for j, step in enumerate(deal.steps):
        yield _line(step.label, _printed_step(certificate, deal, notes, j), paid.step_paid[0, 0, j])
    for k, note in enumerate(deal.classes):
        row = notes.rows[row_name(note)]
        yield _line(f"{note.name} interest", row["interest"], paid.interest[0, 0, k])
        if note.kind != "notional":
            yield _line(f"{note.name} principal", row["principal"], paid.principal[0, 0, k])
            yield _line(f"{note.name} ending balance", row["ending"], paid.balance[0, 1, k])
    before, after = paid.oc[0, 0], paid.oc[0, 1]
    yield _line("OC at beginning", oc["beginning"], before)
    yield _line("OC change", oc["change"], after - before)
    yield _line("OC at end", oc["outstanding"], after)
    yield _line("OC target", oc["target"], paid.oc_target[0, 0])
    residual = _paid_by(deal, paid, "residual")
    excess = residual + max(after - before, 0.0)
    yield _line("excess cash", certificate.pool["excess_cash"], excess)


def _printed_step(certificate: Certificate, deal: Deal, notes: Notes, j: int) -> Field:
    """Return what a certificate says of a step, on a line or as what its other lines leave."""
    step = deal.steps[j]
    if step.pay == "residual":
        return certificate.oc["certificates_paid"]
    if step.pay == "premium":
        return cash_left_for_premium(certificate, notes)
    if step.pay == "interest":
        names = step.classes or [c.name for c in deal.classes]
        classes = [c for c in deal.classes if c.name in names]
        return combine(sum_of, **{c.name: notes.rows[row_name(c)]["interest"] for c in classes})
    return missing(_NOT_PRINTED)


def _paid_by(deal: Deal, paid: NoteFlows, kind: str) -> float:
    """Return what all steps of a kind paid in the certificate's month."""
    steps = [j for j, step in enumerate(deal.steps) if step.pay == kind]
    return float(paid.step_paid[0, 0, steps].sum())


def _line(name: str, printed: Field, paid: float) -> TieOutLine:
    """Compare a printed figure with what the kernel paid."""
    return compare(name, printed, known(_cents(paid)))


def _cents(amount: float) -> Decimal:
    """Return an amount that was computed from cents in cents again."""
    return to_cents(Decimal(repr(float(amount))))


def _figure(certificate: Certificate, name: str, field: Field) -> float:
    """Return a figure without which the month cannot be paid."""
    if field.value is None:
        raise InputError(certificate.path, name, f"none: {field.reason}", "a figure to replay")
    return float(field.value)


def _row(*amounts: float) -> Floats:
    """Return the amounts of one path, float64[1, t]."""
    return np.array([amounts])
