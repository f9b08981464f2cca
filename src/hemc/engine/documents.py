"""A configuration goes in; certificate, deal and product come out, tied out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hemc.config import LoadedConfig
from hemc.errors import InputError, TieOutError
from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.class_fractions import ClassFractions, read_class_fractions
from hemc.inputs.deal import Deal, read_deal
from hemc.inputs.index_path import IndexPath, read_index_path, stepped_index
from hemc.inputs.product import Product, read_product
from hemc.inputs.quarters import MacroPath
from hemc.inputs.scenario_file import read_macro_path
from hemc.inputs.tieout import TieOutLine, tie_out
from hemc.settings.index import IndexSetting


class Documents(NamedTuple):
    """What was read."""

    certificate: Certificate
    deal: Deal
    product: Product
    tie_out: list[TieOutLine]
    paths: dict[str, Path]
    macro: MacroPath | None = None  # of the scenario file
    index_path: IndexPath | None = None  # of the configuration, in place of any other index
    latent_classes: ClassFractions | None = None
    earlier: tuple[Certificate, ...] = ()  # of the deal, among `roll_rates.certificates`


def read_documents(loaded: LoadedConfig, strict: bool = False) -> Documents:
    """Read certificate, deal and product, and tie the certificate out."""
    inputs = loaded.config.inputs
    files = {name: loaded.path(path) for name, path in inputs if path is not None}
    certificate = read_document_or_record(files["certificate"])
    deal = read_deal(files["deal"])
    if certificate.series not in (None, deal.series):
        raise InputError(
            loaded.file, "inputs.deal", f"the terms of {deal.series}",
            f"those of {certificate.series}, the certificate's series",
        )  # fmt: skip
    lines = tie_out(certificate, deal)
    failed = [line.name for line in lines if line.status == "fail"]
    if strict and failed:
        raise TieOutError(f"{files['certificate']}: does not tie out: {'; '.join(failed)}")
    product = read_product(files["product"])
    if loaded.config.tape.file is not None:
        files["tape"] = loaded.path(loaded.config.tape.file)
    if loaded.config.roll_rates.posterior is not None:
        files["posterior"] = loaded.path(loaded.config.roll_rates.posterior)
    macro = None
    if loaded.scenario is not None and loaded.scenario_path is not None:
        files |= {"scenario": loaded.scenario_path, **loaded.scenario.inputs(loaded.scenario_path)}
        macro = read_macro_path(loaded.scenario, loaded.scenario_path)
    index = loaded.config.scenario.index_path
    if isinstance(index, Path):
        files["index"] = loaded.path(index)
    classes = read_class_fractions(files["latent_classes"]) if inputs.latent_classes else None
    path = _index_path(index, files)
    earlier = _earlier(loaded, certificate)
    files |= {f"certificate of {c.payment_date}": c.path for c in earlier}
    return Documents(certificate, deal, product, lines, files, macro, path, classes, earlier)


def _earlier(loaded: LoadedConfig, certificate: Certificate) -> tuple[Certificate, ...]:
    """Read what `roll_rates.certificates` has of the deal before the certificate of the run."""
    listed = map(read_document_or_record, map(loaded.path, loaded.config.roll_rates.certificates))
    return earlier_certificates(certificate, listed)


def earlier_certificates(
    certificate: Certificate, others: Iterable[Certificate]
) -> tuple[Certificate, ...]:
    """Return those of the same deal and of an earlier payment date."""
    series, date = certificate.series, certificate.payment_date
    return tuple(
        c for c in others
        if series and c.series == series and date and c.payment_date and c.payment_date < date
    )  # fmt: skip


def _index_path(setting: IndexSetting | None, files: dict[str, Path]) -> IndexPath | None:
    """Return the configuration's own path of the index, None without one."""
    if setting is None:
        return None
    return stepped_index(setting) if isinstance(setting, tuple) else read_index_path(files["index"])


def next_payment(documents: Documents) -> dt.date:
    """Return a date in the month of the projection's first payment."""
    date = documents.certificate.payment_date
    if date is None:
        raise InputError(
            documents.certificate.path, "payment date", "none that can be read",
            "the date of the payment reported, from which the projection starts",
        )  # fmt: skip
    return (date.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def closing_balances(certificate: Certificate, deal: Deal) -> dict[str, float]:
    """Return the certificate's closing balance of every class that has one, USD."""
    balances = {}
    for note in deal.term_classes:
        row = certificate.notes.get(note.name)
        ending = row["ending"] if row else None
        if ending is None or ending.value is None:
            raise InputError(
                certificate.path, f"note row of class {note.name}",
                (ending.reason if ending else None) or "no such row", "its ending balance",
            )  # fmt: skip
        balances[note.name] = float(ending.value)
    return balances
