"""A record of figures (JSON, as `hemc certificate show --json` prints it) → a certificate.

Records hold what was read of a document once; a figure that is null or absent is missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hemc.errors import InputError
from hemc.inputs.bounded_file import read_json
from hemc.inputs.certificate import Certificate, Table, read_certificate
from hemc.inputs.figures import MOST_DECIMALS, MOST_DIGITS, Field
from hemc.inputs.labels import (
    DELINQUENCY_COLUMNS,
    DELINQUENCY_ROWS,
    NOTE_COLUMNS,
    keys_of,
    other_tables,
)
from hemc.inputs.title import Footnote, Place, is_plausible

_EXPECTED = "a record as `hemc certificate show --json` prints it, or a certificate"
_ABSENT = "not in the record"
_NO_FOOTNOTE = "records hold no footnote"


def read_document_or_record(path: Path) -> Certificate:
    """Read a certificate from its document or, where the name ends in .json, from its record."""
    return read_record(path) if path.suffix == ".json" else read_certificate(path)


def read_record(path: Path) -> Certificate:
    """Read a record; an InputError names the key whose value is no figure."""
    record = _load(path)
    tables = {
        name: _tables(path, record, name) for name in ("notes", "delinq")
    }  # each maps a row to its record
    date = _date(path, record.get("payment_date"))
    places = {name: Place(None) for name in ("series", "payment_date")}
    places["group"] = Place(None, _ABSENT)
    return Certificate(
        path=path,
        layout="cells" if record.get("layout") == "html" else "text",
        series=record.get("series"), group=None, payment_date=date,
        places=MappingProxyType(places),
        notes=MappingProxyType({
            name: _table(path, f"notes.{name}", row, tuple(NOTE_COLUMNS))
            for name, row in tables["notes"].items()
        }),
        delinquencies=MappingProxyType({
            name: _table(
                path, f"delinq.{name}", tables["delinq"].get(name, {}), tuple(DELINQUENCY_COLUMNS)
            )
            for name in DELINQUENCY_ROWS
        }),
        pool=_section(path, record, "pool"),
        oc=_section(path, record, "oc", ("certificates_paid",)),
        losses=_section(path, record, "losses"),
        others=MappingProxyType({
            name: _table(path, name, {}, keys_of(name)) for name in other_tables()
        }),
        footnote=Footnote(MappingProxyType({}), None, _NO_FOOTNOTE),
        remarks=_remarks(path, record.get("remarks", [])),
    )  # fmt: skip


def _load(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file that names a series."""
    record = read_json(path, _EXPECTED)
    if not isinstance(record, dict) or not isinstance(record.get("series"), str):
        raise InputError(path, "series", "no name of a series", _EXPECTED)
    return record


def _remarks(path: Path, remarks: object) -> tuple[str, ...]:
    """Return what else the record says."""
    if not isinstance(remarks, list):
        raise InputError(path, "remarks", type(remarks).__name__, "a list of texts")
    return tuple(str(remark) for remark in remarks)


def _date(path: Path, text: object) -> dt.date | None:
    """Return a date of the form 2004-02-25."""
    if text is None:
        return None
    try:
        date = dt.date.fromisoformat(str(text))
    except ValueError:
        date = None
    if date is None or not is_plausible(date):
        raise InputError(path, "payment_date", f"'{text}'", "a date such as 2004-02-25")
    return date


def _tables(path: Path, record: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a part of the record that maps names to values."""
    part = record.get(name, {})
    if not isinstance(part, dict):
        raise InputError(path, name, type(part).__name__, "names with their figures")
    return part


def _section(path: Path, record: dict[str, Any], name: str, more: tuple[str, ...] = ()) -> Table:
    """Return one of the tables pool, oc and losses."""
    return _table(path, name, _tables(path, record, name), keys_of(name) + more)


def _table(path: Path, place: str, row: Mapping[str, Any], keys: tuple[str, ...]) -> Table:
    """Return a table's figures under all its keys."""
    if not isinstance(row, dict):
        raise InputError(path, place, type(row).__name__, "names with their figures")
    return MappingProxyType({key: _field(path, f"{place}.{key}", row.get(key)) for key in keys})


def _field(path: Path, place: str, text: object) -> Field:
    """Return a figure, exact; a text that is none is an error, not a gap."""
    if text is None:
        return Field(None, None, _ABSENT)
    try:
        value = Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        value = None
    if value is None or not _is_figure(value):
        raise InputError(path, place, repr(text), 'a figure as text, such as "1451029.62", or null')
    return Field(value, None)


def _is_figure(value: Decimal) -> bool:
    """Tell whether a number is finite and has no more digits than a certificate's."""
    if not value.is_finite():
        return False
    decimals = -int(value.as_tuple().exponent)
    return value.adjusted() < MOST_DIGITS and 0 <= decimals <= MOST_DECIMALS
