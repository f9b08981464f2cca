"""A certificate → the figures that a forecast of it can be held against, by name of the record."""

from __future__ import annotations

from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_series import Report
from hemc.inputs.figures import Field
from hemc.inputs.published_totals import DELINQUENT_KEYS

_BUCKETS = DELINQUENT_KEYS[:6]


def printed_figures(certificate: Certificate, report: Report) -> dict[str, float]:
    """Return every figure shown; a loss that is not printed is what is left of the pool roll."""
    figures = {name: field.value for name, field in _fields(certificate).items()}
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


def missing_figures(certificate: Certificate) -> dict[str, str]:
    """Return why a figure cannot be read, or is not one that a forecast knows.

    Buckets that hold the loans of another row as well, by the footnote, are not those forecast.
    """
    reasons = {name: f.reason or "" for name, f in _fields(certificate).items() if f.value is None}
    held = [
        key
        for key, is_in in certificate.footnote.includes.items()
        if is_in and certificate.delinquencies[key]["number"].value != 0
    ]
    if held:
        why = f"by the footnote it includes {', '.join(held)}"
        reasons |= {
            f"delinq.{bucket}.{part}": why for bucket in _BUCKETS for part in ("balance", "number")
        }
    return reasons


def _fields(certificate: Certificate) -> dict[str, Field]:
    """Return the printed fields by name of the record."""
    tables = {"pool": certificate.pool, "oc": certificate.oc, "losses": certificate.losses}
    tables["credit_enhancement"] = certificate.others["credit_enhancement"]
    tables |= {f"notes.{name}": row for name, row in certificate.notes.items()}
    tables |= {f"delinq.{name}": row for name, row in certificate.delinquencies.items()}
    return {
        f"{name}.{key}": field for name, table in tables.items() for key, field in table.items()
    }
