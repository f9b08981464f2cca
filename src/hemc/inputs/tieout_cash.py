"""Collections, note payments and a premium rate → the identities of cash."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from hemc.inputs.certificate import Certificate
from hemc.inputs.figures import Field
from hemc.inputs.identities import (
    NEEDS_TERMS,
    TieOutLine,
    combine,
    compare,
    known,
    round_to,
    to_cents,
)
from hemc.inputs.tieout_notes import Notes, gather_notes

if TYPE_CHECKING:
    from hemc.inputs.deal import Deal

#: A premium rate is believed to 0.00001 %, that is, to so many decimals of a fraction.
_RATE_DIGITS = 7


def cash_lines(
    certificate: Certificate, notes: Notes, deal: Deal | None, others: Sequence[Certificate]
) -> list[TieOutLine]:
    """Premium, excess cash and cash to the certificates."""
    pool, oc = certificate.pool, certificate.oc
    cash = cash_left_for_premium(certificate, notes)
    rate, source = _expected_rate(deal, others)
    premium = combine(
        lambda rate, beginning: to_cents(rate * beginning / 12),
        premium_rate=rate, beginning_notes=notes.total("beginning"),
    )  # fmt: skip
    excess = combine(
        lambda collected, interest, premium, loss, change: (
            collected - interest - premium - loss - min(change, Decimal(0))
        ),
        interest_collections=pool["interest_collections"],
        note_interest=notes.total("interest", with_notional=True),
        premium=premium, loss=notes.loss, oc_change=oc["change"],
    )  # fmt: skip
    to_certificates = combine(
        lambda excess, change: excess - max(change, Decimal(0)),
        excess_cash=pool["excess_cash"], oc_change=oc["change"],
    )  # fmt: skip
    return [
        compare("premium", cash, premium, _premium_note(certificate, notes, source)),
        compare("excess cash", pool["excess_cash"], excess),
        compare("cash to certificates", oc["certificates_paid"], to_certificates),
    ]


def solve_premium_rate(certificate: Certificate, deal: Deal | None) -> Decimal | None:
    """Return the premium a year on the beginning notes that the month's cash leaves.

    Rounded to 0.00001 %; None where a figure is missing, or where the rounded rate does not give
    the cash back to the cent and so is no rate.
    """
    return _solve(certificate, gather_notes(certificate, deal))


def _solve(certificate: Certificate, notes: Notes) -> Decimal | None:
    cash = cash_left_for_premium(certificate, notes).value
    beginning = notes.total("beginning").value
    if cash is None or not beginning:
        return None
    rate = round_to(cash * 12 / beginning, _RATE_DIGITS)
    return rate if to_cents(rate * beginning / 12) == cash else None


def cash_left_for_premium(certificate: Certificate, notes: Notes) -> Field:
    """Collections less what the notes and the certificates receive: no line prints it."""
    pool = certificate.pool
    return combine(
        lambda interest, principal, note_interest, note_principal, certificates: (
            interest + principal - note_interest - note_principal - certificates
        ),
        interest_collections=pool["interest_collections"],
        principal_collections=pool["principal_collections"],
        note_interest=notes.total("interest", with_notional=True),
        note_principal=notes.total("principal"),
        certificates_paid=certificate.oc["certificates_paid"],
    )


def _expected_rate(deal: Deal | None, others: Sequence[Certificate]) -> tuple[Field, str]:
    """Return the premium rate and its source: the deal's terms, else the other dates."""
    if deal is not None and deal.premium_rate is not None:
        return known(Decimal(str(deal.premium_rate))), "the deal's rate"
    solved = [solve_premium_rate(other, None) for other in others]
    rates = {rate for rate in solved if rate is not None}
    if len(rates) == 1:
        return known(rates.pop()), "the rate of the other dates"
    return NEEDS_TERMS, ""


def _premium_note(certificate: Certificate, notes: Notes, source: str) -> str:
    """Say what rate the cash gives; the printed figure is cash that no line names."""
    rate = _solve(certificate, notes)
    if rate is None:
        return "no rate gives this cash to the cent"
    return f"{rate * 100:.5f} % of beginning notes" + (f", {source}" if source else "")
