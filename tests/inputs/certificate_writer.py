"""Records → test documents in either layout, with what real filings vary drawn at random."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "certificates"
RECORDS = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(DATA.glob("*.json"))}

Record = dict[str, Any]
#: One printed row: a label and its cells; None is a figure that the record lacks.
Line = tuple[str, list[str | None]]

NOTE_KEYS = (
    "beginning", "ending", "factor", "principal", "interest", "shortfall", "security_pct",
    "coupon_pct",
)  # fmt: skip
POOL_LABELS = {
    "beginning_pool": "Beginning Pool Balance", "beginning_pfa": "Beginning PFA",
    "ending_pool": "Ending Pool Balance", "ending_pfa": "Ending PFA Balance",
    "principal_collections": "Principal Collections", "principal_draws": "Principal Draws",
    "net_principal_collections": "Net Principal Collections",
    "active_loan_count": "Active Loan Count", "interest_collections": "Interest Collections",
    "net_loan_rate_pct": "Weighted Average Net Loan Rate", "excess_cash": "Excess Cash",
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How a document is printed; every choice is one of what layouts of filings vary."""

    layout: str
    seed: int
    capitals: bool = False
    merged: bool = False
    shuffled: bool = False
    plain_dates: bool = False
    percent_signs: bool = True
    bars_between_rows: bool = True
    short_certificates: bool = False


class _Printer:
    """Prints the sections of one record in one style."""

    def __init__(self, record: Record, style: Style) -> None:
        self.record, self.style = record, style
        self.random = random.Random(style.seed)

    def money(self, value: str | None) -> str | None:
        if value is None:
            return None
        amount = Decimal(value)
        if amount == 0:
            return self.random.choice(["-", "0.00", "(0.00)"])
        return f"({-amount:,.2f})" if amount < 0 else f"{amount:,.2f}"

    def count(self, value: str | None) -> str | None:
        return None if value is None else f"{int(value):,}"

    def percent(self, value: str | None) -> str | None:
        sign = "%" if self.style.percent_signs else ""
        return None if value is None else f"{value}{sign}"

    def title(self) -> list[str]:
        year, month, day = self.record["payment_date"].split("-")
        if self.style.plain_dates:
            month, day = str(int(month)), str(int(day))
        date = f"{month}/{day}/{year}"
        name = f"Home Equity Loan-Backed Term Notes, GMACM Series {self.record['series']}"
        if self.style.layout == "cells":
            return [name, "Payment Date", date, "Servicing Certificate", "Group 1"]
        head = ["<TABLE>", "<CAPTION>", "", f"{name:>95}", f"{'Payment Date  ' + date:>80}", ""]
        return [*head, "Servicing Certificate            Group 1", "-" * 21]

    def pool(self) -> list[Line]:
        forms: dict[str, Callable[[str | None], str | None]] = {
            "active_loan_count": self.count, "net_loan_rate_pct": self.percent,
        }  # fmt: skip
        pool = self.record["pool"]
        lines: list[Line] = [
            (label, [forms.get(key, self.money)(pool.get(key))])
            for key, label in POOL_LABELS.items()
        ]
        return lines

    def notes(self) -> list[Line]:
        lines: list[Line] = []
        for name, row in self.record["notes"].items():
            cells = [self.money(row.get(key)) for key in NOTE_KEYS[:6]]
            cells[2] = row["factor"]
            cells += [self.percent(row.get(key)) for key in NOTE_KEYS[6:]]
            if name == "A-1" and self.style.merged:
                cells[3:5] = [f"{cells[3]}{cells[4]}"]
            label = "Class " + name
            if name == "IO":
                label = self.random.choice(["Class IO", "Notional IO Class", "Class A-6"])
            lines.append((label, cells))
        paid = self.money(self.record["oc"].get("certificates_paid"))
        full: list[str | None] = ["-", "-", "-", "-", paid, "-", "-", "-"]
        return [*lines, ("Certificates", ["-", paid] if self.style.short_certificates else full)]

    def oc(self) -> list[Line]:
        oc = self.record["oc"]
        target = self.random.choice(
            ["Target Overcollateralization Amount", "Required Overcollateralization Amount",
             "Overcollateralization Target Amount"]
        )  # fmt: skip
        return [
            ("Beginning Overcollateralization Amount", [self.money(oc.get("beginning"))]),
            ("Overcollateralization Amount Increase (Decrease)", [self.money(oc.get("change"))]),
            ("Outstanding Overcollateralization Amount", [self.money(oc.get("outstanding"))]),
            (target, [self.money(oc.get("target"))]),
        ]

    def delinquencies(self) -> list[Line]:
        labels = {
            "REO": "REO", "FC": self.random.choice(["Foreclosures", "Foreclosure"]),
            "BK": self.random.choice(["Bankruptcies", "Bankruptcy"]),
        }  # fmt: skip
        names = list(self.record["delinq"])
        states = [name for name in names if name in labels]
        self.random.shuffle(states)
        lines: list[Line] = []
        for name in [n for n in names if n not in labels] + states:
            row = self.record["delinq"][name]
            label = labels.get(name, f"Delinquent Loans ({name} Days)*")
            cells = [self.money(row.get("balance")), self.count(row.get("number"))]
            lines.append((label, [*cells, self.percent(row.get("pct"))]))
        return lines

    def losses(self) -> list[Line]:
        losses = self.record.get("losses", {})
        net = self.random.choice(["", "Net "])
        return [
            (f"Beginning {net}Loss Amount", [self.money(losses.get("beginning"))]),
            ("Current Month Loss Amount", [self.money(losses.get("current_month"))]),
            ("Current Month Recoveries", [self.money(losses.get("recoveries"))]),
            (f"Ending {net}Loss Amount", [self.money(losses.get("ending"))]),
        ]

    def sections(self) -> list[tuple[list[str], list[Line], list[str]]]:
        """Return heading, rows and footer of each section, in print order."""
        header = ["Term Notes", "Beginning", "Balance", "Ending", "Balance", "Factor", "Principal",
                  "Interest", "Interest", "Shortfalls", "Security", "%", "Coupon"]  # fmt: skip
        footnote = "*Delinquency Figures Do Not include Bankruptcy, Foreclosure, and REO."
        sections = [
            ([], self.pool(), []),
            (header, self.notes(), []),
            ([], self.oc(), []),
            (["Balance", "Number", "of Loans", "Percent", "of Balance"], self.delinquencies(),
             [footnote]),
            (["Liquidation To-Date"], self.losses(), []),
        ]  # fmt: skip
        if self.style.shuffled:
            self.random.shuffle(sections)
        if self.style.short_certificates and sections[-1][0] == header:
            # A short row at the very end could as well be one that is cut off.
            sections.insert(0, sections.pop())
        return sections


def write_document(record: Record, style: Style) -> str:
    """Return a document that holds the figures of a record, without any that it lacks."""
    printer = _Printer(record, style)
    body = _text(printer) if style.layout == "text" else _cells(printer)
    return body.upper() if style.capitals else body


def _text(printer: _Printer) -> str:
    """Print fixed-width lines; a figure overwrites the label beside it."""
    lines = printer.title()
    for heading, rows, footer in printer.sections():
        lines += ["", " ".join(f"{word:>9}" for word in heading)]
        for label, cells in rows:
            filled = [cell for cell in cells if cell is not None]
            if len(cells) == 1:
                lines.append(_overwrite(label, filled))
            else:
                lines.append(f"{label:<27}" + " ".join(f"{cell:>14}" for cell in filled))
        lines += footer
    return "\n".join([*lines, "</TABLE>"]) + "\n"


def _overwrite(label: str, cells: list[str]) -> str:
    """Print a figure that ends in column 50 and begins in column 38 if it is that long."""
    if not cells:
        return label
    return f"{label:<38}"[: 50 - max(len(cells[0]), 12)] + f"{cells[0]:>12}"


def _cells(printer: _Printer) -> str:
    """Print one cell a line with a lone bar between cells."""
    rows = [[cell] for cell in printer.title()]
    for heading, lines, footer in printer.sections():
        rows += [[word] for word in heading]
        rows += [[label, *(cell or "" for cell in cells)] for label, cells in lines]
        rows += [[word] for word in footer]
    between = "\n|\n" if printer.style.bars_between_rows else "\n"
    return between.join("\n|\n".join(row) for row in rows) + "\n"


def figures_of(record: Record) -> dict[tuple[str, ...], Decimal]:
    """Return the figures of a record by their path, without null and missing ones."""
    found: dict[tuple[str, ...], Decimal] = {}
    for section in ("notes", "delinq", "pool", "oc", "losses"):
        for key, value in record.get(section, {}).items():
            if isinstance(value, dict):
                pairs = {(section, key, k): v for k, v in value.items()}
            else:
                pairs = {(section, key): value}
            found |= {path: Decimal(v) for path, v in pairs.items() if v is not None}
    return found
