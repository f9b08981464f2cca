"""A certificate → how far its interest collections were off what the month's loans owed."""

from __future__ import annotations

from hemc.inputs.certificate import Certificate

#: States after a month in which, by and large, no interest was paid: loans 30 days late have just
#: missed an instalment, and what others of the buckets miss is about what cures pay late.
_SILENT = ("30", "180+", "BK", "FC", "REO")


def interest_ratio(certificate: Certificate, scheduled_share: float) -> float | None:
    """Return interest collections over net rate / 12 × the balance that owed a month of it.

    Payoffs, that is principal beyond `scheduled_share` of the opening pool, owe half a month; loans
    30 and 180+ days late, in bankruptcy, foreclosure and REO after it paid nothing. None where a
    figure is missing, or where prefunding bought loans.
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
