"""A certificate that was read → a screen for people, or a record for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from decimal import Decimal

from hemc.inputs.certificate import Certificate, Table
from hemc.inputs.figures import Field
from hemc.inputs.labels import DELINQUENCY_COLUMNS, NOTE_COLUMNS

WIDTH = 80

_DELINQUENCY_NAMES = {"REO": "REO", "FC": "Foreclosure", "BK": "Bankruptcy"}
_SHARES = ("factor", "shortfall", "security_pct", "coupon_pct")


def certificate_record(certificate: Certificate) -> dict[str, object]:
    """Return the certificate as a record: figures as decimal texts, null where missing."""
    notes = {k: _record(v) for k, v in certificate.notes.items() if k != "Certificates"}
    date = certificate.payment_date
    return {
        "series": certificate.series,
        "payment_date": date.isoformat() if date else None,
        # Records call the cells layout after the documents that it comes from.
        "layout": "html" if certificate.layout == "cells" else "text",
        "notes": notes,
        "delinq": {name: _record(row) for name, row in certificate.delinquencies.items()},
        "pool": _record(certificate.pool),
        "oc": _record(certificate.oc),
        "losses": _record(certificate.losses),
    }


def certificate_json(certificate: Certificate) -> str:
    """Return the record as indented JSON."""
    return json.dumps(certificate_record(certificate), indent=1)


def _record(table: Table) -> dict[str, str | None]:
    return {k: None if f.value is None else f"{f.value:f}" for k, f in table.items()}


def certificate_screen(certificate: Certificate, *, with_lines: bool = False) -> str:
    """Return the certificate as text of at most 80 columns; `with_lines` adds line numbers."""
    return "\n".join(line.rstrip() for line in _screen(certificate, with_lines))


def _screen(certificate: Certificate, with_lines: bool) -> Iterator[str]:
    title = f"Series {certificate.series or '?'}  group {certificate.group or '?'}"
    yield f"{title}  payment date {certificate.payment_date or '?'}  ({certificate.layout} layout)"
    yield from ("", "Pool")
    yield from _pairs(certificate.pool, with_lines)
    yield from _note_tables(certificate, with_lines)
    yield from ("", "Overcollateralization")
    yield from _pairs(certificate.oc, with_lines)
    yield from _delinquency_table(certificate, with_lines)
    yield from ("", "Losses to date")
    yield from _pairs(certificate.losses, with_lines)
    yield from _other_tables(certificate, with_lines)
    yield from _gap_lines(certificate)


def _pairs(table: Table, with_lines: bool) -> Iterator[str]:
    """Yield a line for each figure of a table."""
    for key, field in table.items():
        name = key.replace("_pct", " %").replace("_", " ").replace("pfa", "prefunding")
        yield f"  {name:<34}{_figure(field):>20}{_place(field, with_lines)}"


def _note_tables(certificate: Certificate, with_lines: bool) -> Iterator[str]:
    """Yield balances and cash of the classes, then their ratios: eight columns are too wide."""
    cash = [column for column in NOTE_COLUMNS if column not in _SHARES]
    for columns, heading in ((cash, "Notes"), (list(_SHARES), "Note ratios")):
        yield from ("", f"{heading:<14}" + _cells([c.replace("_pct", " %") for c in columns]))
        for name, row in certificate.notes.items():
            place = _place(row["beginning"], with_lines)
            yield f"  {name:<12}" + _cells([_figure(row[c]) for c in columns]) + place


def _delinquency_table(certificate: Certificate, with_lines: bool) -> Iterator[str]:
    """Yield balance, number and percentage of each delinquent state, and the footnote."""
    yield from ("", f"{'Delinquencies':<14}" + _cells(["balance", "number", "percent"]))
    for name, row in certificate.delinquencies.items():
        cells = _cells([_figure(row[column]) for column in DELINQUENCY_COLUMNS])
        label = _DELINQUENCY_NAMES.get(name, f"{name} days")
        yield f"  {label:<12}{cells}{_place(row['balance'], with_lines)}"
    for state, is_in in certificate.footnote.includes.items():
        verb = "include" if is_in else "do not include"
        yield f"  the buckets {verb} {_DELINQUENCY_NAMES[state]}"


def _other_tables(certificate: Certificate, with_lines: bool) -> Iterator[str]:
    """Yield the remaining tables that the document has."""
    for name, table in certificate.others.items():
        if any(field.value is not None for field in table.values()):
            yield from ("", name.replace("_", " ").capitalize())
            yield from _pairs(table, with_lines)


def _gap_lines(certificate: Certificate) -> Iterator[str]:
    """Yield what is missing and why, one line a gap unless the reason is long."""
    gaps = certificate.gaps()
    yield from ("", f"Missing: {len(gaps)}" if gaps else "Nothing is missing.")
    for name, reason in gaps:
        yield from wrap(f"{name}: {reason}")


def wrap(text: str) -> list[str]:
    """Wrap a remark to the screen, indented."""
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _cells(texts: list[str]) -> str:
    return "".join(f"{text:>15}" for text in texts)


def _figure(field: Field) -> str:
    return "missing" if field.value is None else format_figure(field.value)


def format_figure(value: Decimal) -> str:
    """Return a figure with the digits printed and commas between thousands."""
    return f"{value:,f}"


def _place(field: Field, with_lines: bool) -> str:
    return f"{field.line:>5}" if with_lines and field.line else ""
