"""What a posterior of roll rates is made from: deals of the certificates, and a digest of all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hemc.config import LoadedConfig
from hemc.errors import InputError
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.deal import Deal, read_deal
from hemc.inputs.shipped import shipped_deals


def posterior_digest(loaded: LoadedConfig) -> str:
    """Return the digest of all that a posterior depends on: files by content, and settings.

    Of a deal it depends on the first payment date alone, from which loans have their age.
    """
    config = loaded.config
    certificates = [
        loaded.path(path) for path in config.roll_rates.certificates or (config.inputs.certificate,)
    ]
    content = {
        "certificates": sorted(map(_content, certificates)),
        "first_payments": _first_payments(loaded, certificates),
        "product": _content(loaded.path(config.inputs.product)),
        "calibration": config.calibration.model_dump(mode="json"),
        "loss": config.loss.model_dump(
            mode="json", include={"settled_share", "settled_beta", "lumpiness"}
        ),
        "size_cv": config.tape.size_cv,
        "roll_rates": config.roll_rates.model_dump(
            mode="json", include={"seasoning_peak", "seasoning_months"}
        ),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_deals(loaded: LoadedConfig, names: list[str]) -> dict[str, Deal]:
    """Return the terms of deals by series: those the configuration names, else the shipped ones."""
    config = loaded.config
    files = [loaded.path(path) for path in (config.inputs.deal, *config.roll_rates.deals)]
    deals = {deal.series: deal for deal in map(read_deal, files)}
    shipped = shipped_deals()
    for name in names:
        if name not in deals and name in shipped:
            deals[name] = read_deal(shipped[name])
    return deals


def _first_payments(loaded: LoadedConfig, certificates: list[Path]) -> dict[str, str]:
    """Return the first payment date of each deal that has a certificate."""
    names = sorted({read_document_or_record(file).series or "" for file in certificates})
    deals = read_deals(loaded, names)
    return {name: str(deals[name].first_payment_date) for name in names if name in deals}


def _content(file: Path) -> str:
    """Return the digest of a file's content."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise InputError(file, "", found, "an input that the configuration names") from None
