"""A certificate → how far its interest collections were off what the month's loans owed."""

from __future__ import annotations

from hemc.inputs.certificate import Certificate

#: States whose loans pay nothing.
_SILENT = ("180+", "BK", "FC", "REO")


def interest_ratio(certificate: Certificate, scheduled_share: float) -> float | None:
    """Return interest collections over net rate / 12 × the balance that owed a month of it.

    Payoffs, that is principal beyond `scheduled_share` of the opening pool, owe half a month; loans
    of 180+ days, in bankruptcy, foreclosure and REO pay nothing, and their balance after the month
    stands for the one before. None where a figure is missing, or where prefunding bought loans.
    """
    pool = {name: field.value for name, field in certificate.pool.items()}
    if pool["beginning_pfa"]:
        return None
    names = ("interest_collections", "net_loan_rate_pct", "beginning_pool", "principal_collections")
    interest, rate_pct, opening, principal = (float(pool[name] or 0) for name in names)
    silent = sum(float(certificate.delinquencies[s]["balance"].value or 0) for s in _SILENT)
    paid_off = max(principal - scheduled_share * opening, 0.0)
    owed = rate_pct / 1200.0 * (opening - paid_off / 2.0 - silent)
    return interest / owed if interest > 0.0 < owed and pool["principal_collections"] else None
