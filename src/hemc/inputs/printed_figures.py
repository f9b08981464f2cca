"""A certificate → the figures that a forecast of it can be held against, by name of the record."""

from __future__ import annotations

from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_series import Report


def printed_figures(certificate: Certificate, report: Report) -> dict[str, float]:
    """Return every figure shown; a loss that is not printed is what is left of the pool roll."""
    tables = {"pool": certificate.pool, "oc": certificate.oc, "losses": certificate.losses}
    tables["credit_enhancement"] = certificate.others["credit_enhancement"]
    tables |= {f"notes.{name}": row for name, row in certificate.notes.items()}
    tables |= {f"delinq.{name}": row for name, row in certificate.delinquencies.items()}
    figures = {
        f"{name}.{key}": field.value
        for name, table in tables.items()
        for key, field in table.items()
    }
    figures["losses.current_month"] = report.loss
    figures["losses.ending"] = report.loss_to_date_close
    return {name: float(value) for name, value in figures.items() if value is not None}


def inferred_figures(certificate: Certificate) -> frozenset[str]:
    """Return the figures that stand nowhere on the certificate and follow from others."""
    return frozenset(
        f"losses.{key}"
        for key in ("current_month", "ending")
        if certificate.losses[key].value is None
    )
