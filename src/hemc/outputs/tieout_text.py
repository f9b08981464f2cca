"""Tie-out lines → a table of 80 columns, a one-line verdict, or JSON."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Sequence
from decimal import Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hemc.inputs.certificate import Certificate
from hemc.inputs.tieout import TieOutLine
from hemc.outputs.certificate_text import WIDTH, format_figure, wrap
from hemc.outputs.screen import Screen

_STATUS = {"pass": ("pass", ""), "fail": ("FAIL", "bold red"), "not testable": ("open", "dim")}


def tie_out_table(
    lines: Sequence[TieOutLine], names: str = "identity", figures: str = "recomputed"
) -> RenderableType:
    """Return one row per line: name, printed, recomputed, difference, status; two heads differ."""
    table = Table(box=None, pad_edge=False, width=WIDTH, padding=(0, 1, 0, 0))
    table.add_column(names, no_wrap=True, ratio=1)
    for heading, width in (("printed", 14), (figures, 14), ("difference", 13)):
        table.add_column(heading, justify="right", no_wrap=True, min_width=width)
    table.add_column("", no_wrap=True)
    for line in lines:
        word, style = _STATUS[line.status]
        cells = [_figure(f) for f in (line.printed, line.recomputed, line.difference)]
        table.add_row(Text(line.name), *cells, Text(word, style=style))
    return table


def tie_out_notes(lines: Sequence[TieOutLine]) -> list[str]:
    """Return why lines fail or are open ("not testable"), those with one reason together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        if line.status != "pass" and line.note:
            reasons.setdefault((line.status, line.note), []).append(line.name)
    return [
        row
        for (status, note), names in reasons.items()
        for row in wrap(f"{_STATUS[status][0]}, {note}: {', '.join(names)}")
    ]


def tie_out_verdict(certificate: Certificate, lines: Sequence[TieOutLine]) -> str:
    """Return the verdict: how many identities pass, fail and are open, and the premium."""
    passed, failed, open_ = (
        sum(line.status == status for line in lines) for status in ("pass", "fail", "not testable")
    )
    premium = next((line for line in lines if line.name == "premium"), None)
    word = "ties out" if not failed else "does not tie out"
    verdict = f"{certificate.payment_date or certificate.path.name} {word}: "
    verdict += f"{passed} pass, {failed} fail, {open_} not testable"
    if premium is not None and premium.status == "pass":
        verdict += f"; premium {premium.note.split(',')[0]}"
    elif premium is not None:
        verdict += f"; premium {'fails' if premium.status == 'fail' else 'not testable'}"
    return verdict


def print_tie_out(certificate: Certificate, lines: Sequence[TieOutLine]) -> None:
    """Print table, notes and verdict to standard output."""
    screen = Screen(None, sys.stdout)
    screen.print(certificate.path.name)
    screen.print(tie_out_table(lines))
    for note in tie_out_notes(lines):
        screen.print(note)
    screen.print(tie_out_verdict(certificate, lines), soft_wrap=True)


def tie_out_json(results: Sequence[tuple[Certificate, Sequence[TieOutLine]]]) -> str:
    """Return every line of every certificate as JSON, figures as decimal texts."""
    records = [
        {
            "file": str(certificate.path),
            "series": certificate.series,
            "payment_date": _plain(certificate.payment_date),
            "verdict": tie_out_verdict(certificate, lines),
            "identities": [line_record(line) for line in lines],
        }
        for certificate, lines in results
    ]
    return json.dumps(records, indent=1)


def line_record(line: TieOutLine) -> dict[str, str | None]:
    """Return a line for machines, figures as decimal texts."""
    return {
        "name": line.name, "printed": _plain(line.printed), "recomputed": _plain(line.recomputed),
        "difference": _plain(line.difference), "status": line.status, "note": line.note,
    }  # fmt: skip


def _plain(value: Decimal | dt.date | None) -> str | None:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if value else None


def _figure(value: Decimal | dt.date | None) -> str:
    if isinstance(value, Decimal):
        return format_figure(value)
    return value.isoformat() if value else ""
