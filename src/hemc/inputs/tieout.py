"""A certificate and its deal's terms → every identity, recomputed to the last printed digit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from hemc.inputs.certificate import Certificate
from hemc.inputs.identities import NEEDS_TERMS, TieOutLine, not_testable
from hemc.inputs.tieout_cash import cash_lines, solve_premium_rate
from hemc.inputs.tieout_interest import interest_lines
from hemc.inputs.tieout_notes import balance_lines, factor_lines, gather_notes
from hemc.inputs.tieout_pool import account_lines, delinquency_lines, loss_lines, pool_lines
from hemc.inputs.tieout_series import carry_over_lines, require_one_series

if TYPE_CHECKING:
    from hemc.inputs.deal import Deal

__all__ = ["TieOutLine", "solve_premium_rate", "tie_out"]


def tie_out(
    certificate: Certificate, deal: Deal | None = None, others: Sequence[Certificate] = ()
) -> list[TieOutLine]:
    """Compute every identity of a certificate (docs/model.md, section 1).

    Lines that need terms are "not testable" without a `deal`. `others` are further certificates
    of the same deal: that of the month before gives the carry-over, and without a deal all give
    the premium rate. An InputError if two have the same payment date, or another series.
    """
    others = [other for other in others if other is not certificate]
    require_one_series([certificate, *others])
    notes = gather_notes(certificate, deal)
    return [
        _payment_date_line(certificate, deal),
        *pool_lines(certificate, notes),
        *balance_lines(certificate, notes),
        *interest_lines(certificate, notes, deal),
        *factor_lines(notes, deal),
        *cash_lines(certificate, notes, deal, others),
        *delinquency_lines(certificate),
        *loss_lines(certificate),
        *account_lines(certificate),
        *carry_over_lines(certificate, notes, others),
    ]


def _payment_date_line(certificate: Certificate, deal: Deal | None) -> TieOutLine:
    """The payment day of the month, or the next business day of the Federal Reserve."""
    from hemc.inputs.calendar import payment_date

    name, printed = "payment date", certificate.payment_date
    if printed is None:
        return not_testable(name, certificate.places["payment_date"].reason or "")
    if deal is None:
        return not_testable(name, NEEDS_TERMS.reason or "", printed)
    due = payment_date(printed.year, printed.month, deal.payment_day)
    days = Decimal((printed - due).days)
    return TieOutLine(name, printed, due, days, "fail" if days else "pass")
