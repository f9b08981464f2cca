"""A servicing certificate, in any layout → its printed figures, each with its line or its reason.

Money is exact to the cent. A figure that cannot be read is missing, never zero and never guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from hemc.errors import InputError
from hemc.inputs.document import Document, Layout, read_document
from hemc.inputs.figures import Field, read_row, to_decimal
from hemc.inputs.labels import (
    DELINQUENCY_COLUMNS,
    DELINQUENCY_ROWS,
    NOTE_COLUMNS,
    keys_of,
    other_tables,
)
from hemc.inputs.rows import Row, find_rows
from hemc.inputs.title import (
    Footnote,
    Place,
    first_group,
    is_titled,
    read_date,
    read_footnote,
    read_group,
    read_series,
)

Table = Mapping[str, Field]

#: Figures that a document must hold to be taken for a certificate when it has no such heading.
_FEWEST_FIGURES = 5


@dataclass(frozen=True)
class Certificate:
    """The figures printed in a servicing certificate of one loan group and payment date.

    `notes` maps a class to its row (the notional class is always "IO"; the residual row is
    "Certificates"), `delinquencies` a bucket or state to its row. `others` maps the remaining
    tables: credit_enhancement, pool_other, losses_other, net_recoveries, special_hazard, fraud,
    bankruptcy, event_losses, capitalized_interest, prefunding, repurchases. `places` says where
    series, group and payment_date stand. Keys are there whether or not the figure is.
    """

    path: Path
    layout: Layout
    series: str | None
    group: int | None
    payment_date: dt.date | None
    places: Mapping[str, Place]
    notes: Mapping[str, Table]
    delinquencies: Mapping[str, Table]
    pool: Table
    oc: Table
    losses: Table
    others: Mapping[str, Table]
    footnote: Footnote
    remarks: tuple[str, ...]

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Yield every table with its name, in the order of the complete certificate."""
        yield "pool", self.pool
        yield from ((f"notes.{name}", row) for name, row in self.notes.items())
        yield "oc", self.oc
        yield from ((f"delinquencies.{name}", row) for name, row in self.delinquencies.items())
        yield "losses", self.losses
        yield from self.others.items()

    def gaps(self) -> list[tuple[str, str]]:
        """Return (name, reason) of everything missing; a row wholly absent is named once."""
        gaps = [(name, place.reason) for name, place in self.places.items() if place.reason]
        if not self.notes:
            gaps.append(("notes", "no row of a class in the document"))
        for name, table in self.tables():
            reasons = [field.reason for field in table.values()]
            if len(table) > 1 and reasons[0] and len(set(reasons)) == 1:
                gaps.append((name, reasons[0]))
                continue
            gaps += [(f"{name}.{key}", f.reason) for key, f in table.items() if f.reason]
        if self.footnote.reason:
            gaps.append(("footnote", self.footnote.reason))
        return gaps


def read_certificate(path: Path) -> Certificate:
    """Read a servicing certificate; an InputError if the file is no such document.

    A document that is cut off or damaged gives a certificate with gaps. Where a file holds
    several loan groups the first is read, and a remark says so.
    """
    document = read_document(path)
    document, remarks = first_group(document)
    tables = _read_tables(document)
    n_figures = sum(f.value is not None for table in tables.values() for f in table.values())
    if n_figures < _FEWEST_FIGURES and not is_titled(document):
        expected = "a title ('Series ...', 'Payment Date') and labels such as 'Ending Pool Balance'"
        raise InputError(path, "", "no servicing certificate", expected)
    return _assemble(document, tables, remarks)


Tables = dict[str, dict[str, Field]]


def _read_tables(document: Document) -> Tables:
    """Read every row; where a figure is printed twice and differs, it is missing."""
    tables: Tables = {}
    for row in find_rows(document):
        for (table, key, _), field in zip(row.label.columns, _read_row_fields(row), strict=False):
            known = tables.setdefault(table, {})
            known[key] = _agree(known.get(key), field)
    return _rename_notional(tables)


def _read_row_fields(row: Row) -> list[Field]:
    """Return the fields of a row; beside a label with one figure only the first is the label's."""
    kinds = [kind for _, _, kind in row.label.columns]
    words = row.words
    if len(kinds) == 1 or row.label.section == "losses":
        words = tuple(word for word in words if not word.is_empty)[: len(kinds)] or words[:1]
        kinds = kinds[: max(len(words), 1)]
    fields = read_row(words, kinds, row.line, at_end=row.at_end)
    return _read_certificates(row, fields) if row.label.names == ("Certificates",) else fields


def _read_certificates(row: Row, fields: list[Field]) -> list[Field]:
    """Find the cash to the certificates in a short row: its one amount that is not zero.

    The certificates have no balance, so that no other column of their row can hold an amount.
    """
    words = [word for word in row.words if not word.is_empty]
    values = [to_decimal(word, "money") for word in words]
    paid = [(value, word) for value, word in zip(values, words, strict=True) if value]
    if len(words) >= len(fields) or None in values or len(paid) > 1:
        return fields
    interest = list(NOTE_COLUMNS).index("interest")
    if paid:
        reason = "the row of the certificates is short; only its amount is certain"
        fields = [Field(None, row.line, reason)] * len(fields)
        fields[interest] = Field(paid[0][0], paid[0][1].line)
    elif words and not row.at_end:
        fields[interest] = Field(Decimal(0), words[0].line)
    return fields


def _agree(known: Field | None, new: Field) -> Field:
    """Return the one figure of two rows with the same label."""
    if known is None or known.value is None:
        return new if known is None or new.value is not None else known
    if new.value is None or new.value == known.value:
        return known
    reason = f"printed twice with different figures, on lines {known.line} and {new.line}"
    return Field(None, known.line, reason)


def _rename_notional(tables: Tables) -> Tables:
    """Call Class A-6 "IO" where it is the notional class: it then has no share of the notes."""
    row = tables.get("A-6")
    if row is None or "IO" in tables or row["security_pct"].value:
        return tables
    return {"IO" if name == "A-6" else name: table for name, table in tables.items()}


def _assemble(document: Document, tables: Tables, remarks: tuple[str, ...]) -> Certificate:
    """Order the tables read and name what is not there."""
    series, series_place = read_series(document)
    group, group_place = read_group(document)
    date, date_place = read_date(document)
    places = {"series": series_place, "group": group_place, "payment_date": date_place}
    absent = f"its label is not in the document, which ends on line {document.last_line}"

    def table(name: str, keys: tuple[str, ...]) -> Table:
        found = tables.get(name, {})
        whole = {key: found.get(key, Field(None, None, absent)) for key in keys}
        return MappingProxyType(whole | found)

    notes = {name: table(name, tuple(NOTE_COLUMNS)) for name in tables if _is_note(name)}
    delinquencies = {name: table(name, tuple(DELINQUENCY_COLUMNS)) for name in DELINQUENCY_ROWS}
    paid = tables.get("Certificates", {}).get("interest", Field(None, None, absent))
    return Certificate(
        path=document.path, layout=document.layout,
        series=series, group=group, payment_date=date, places=MappingProxyType(places),
        notes=MappingProxyType(notes),
        delinquencies=MappingProxyType(delinquencies),
        pool=_with_net_wac(table("pool", keys_of("pool")), tables),
        oc=MappingProxyType({**table("oc", keys_of("oc")), "certificates_paid": paid}),
        losses=table("losses", keys_of("losses")),
        others=MappingProxyType({name: table(name, keys_of(name)) for name in other_tables()}),
        footnote=read_footnote(document),
        remarks=remarks,
    )  # fmt: skip


def _with_net_wac(pool: Table, tables: Tables) -> Table:
    """Say why the net loan rate is missing where only the rate after the strip is printed."""
    net_wac = tables.get("pool_other", {}).get("net_wac_pct")
    if net_wac is None or pool["net_loan_rate_pct"].line:
        return pool
    reason = "only 'Net WAC' is printed, which is already after the notional strip"
    return MappingProxyType({**pool, "net_loan_rate_pct": Field(None, net_wac.line, reason)})


def _is_note(table: str) -> bool:
    """Tell whether a table is a row of the notes: a class, IO or the certificates."""
    return table in ("IO", "Certificates") or bool(re.fullmatch(r"[AMB]-?\d+[A-Z]?", table))
