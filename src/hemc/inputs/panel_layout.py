"""The beginning of a panel file → its layout: which columns hold what, and what the codes mean.

Column positions: Freddie Mac, Single-Family Loan-Level Dataset General User Guide, "Monthly
Performance Data File"; Fannie Mae, Single-Family Loan Performance Dataset and Credit Risk Transfer
Glossary and File Layout. Both files have no header and separate columns by a vertical bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D180,
    FORECLOSURE,
    KEYS,
    NAMES,
    PAID_OFF,
    REO,
)

#: Codes of a row beyond those of the states: no move leads to or from the last three.
REMOVED, NOT_GIVEN, UNKNOWN_STATUS, UNKNOWN_EXIT = 12, 13, 14, 15

PANEL_FILE = (
    "a loan-level panel: Freddie Mac performance file (32 columns), Fannie Mae performance file "
    "(108 or 110 columns), or CSV or Parquet with columns loan, month, status"
)


class Layout(NamedTuple):
    """How a panel file is laid out; columns are names, in a file without header `c<position>`."""

    name: str
    separator: str
    widths: tuple[int, ...]  # legal numbers of columns; empty where a header names them
    loan: str
    month: str
    month_form: str  # what a month looks like, for messages
    year_first: bool
    status: str
    statuses: Mapping[str, int]
    hidden: tuple[int, ...] = ()  # states that the layout cannot show
    exit_code: str | None = None  # column that says why a balance went to zero
    exits: Mapping[str, int] = MappingProxyType({})
    foreclosed: str | None = None  # column with the month in which the property was taken

    @property
    def columns(self) -> list[str]:
        """Columns that are read."""
        wanted = (self.loan, self.month, self.status, self.exit_code, self.foreclosed)
        return [column for column in wanted if column]

    @property
    def width_text(self) -> str:
        """Legal numbers of columns, for messages."""
        return f"{' or '.join(map(str, self.widths))} columns ({self.name})"


def _months_behind(width: int) -> dict[str, int]:
    """Return the state of each number of months behind, with and without leading zeros."""
    texts = {f"{months:0{digits}d}": months for months in range(1000) for digits in (1, width)}
    return {text: min(months, D180) for text, months in texts.items()}


#: 01 paid in full or matured; 02 sold to a third party at the foreclosure, 03 short sale or
#: charge-off, 09 disposal of the property: the loan was liquidated; 06 (Fannie Mae) and 96
#: repurchased, 15 and 16 sold as a whole loan: it left the panel alive.
_EXITS = {
    text: state
    for code, state in {
        1: PAID_OFF, 2: CHARGED_OFF, 3: CHARGED_OFF, 9: CHARGED_OFF, 15: REMOVED, 16: REMOVED,
        96: REMOVED,
    }.items()
    for text in (f"{code:02d}", str(code))
}  # fmt: skip

FREDDIE_MAC = Layout(
    name="Freddie Mac performance file",
    separator="|",
    widths=(32,),
    loan="c1",
    month="c2",
    month_form="YYYYMM",
    year_first=True,
    status="c4",
    statuses=_months_behind(2) | {"RA": REO, "XX": NOT_GIVEN, "": NOT_GIVEN},
    hidden=(BANKRUPTCY, FORECLOSURE),
    exit_code="c9",
    exits=_EXITS,
)

FANNIE_MAE = Layout(
    name="Fannie Mae performance file",
    separator="|",
    widths=(108, 110),
    loan="c2",
    month="c3",
    month_form="MMYYYY",
    year_first=False,
    status="c40",
    statuses=_months_behind(2) | {"XX": NOT_GIVEN, "": NOT_GIVEN},
    hidden=(BANKRUPTCY, FORECLOSURE),
    exit_code="c44",
    exits=_EXITS | {"06": REMOVED, "6": REMOVED, "97": REMOVED, "98": REMOVED},
    foreclosed="c52",
)

PLAIN = Layout(
    name="table of loan, month, status",
    separator=",",
    widths=(),
    loan="loan",
    month="month",
    month_form="YYYY-MM, YYYY-MM-DD or YYYYMM",
    year_first=True,
    status="status",
    statuses={name: s for s, name in enumerate(NAMES)}
    | {key.lower(): s for s, key in enumerate(KEYS)}
    | {"0": CURRENT, "removed": REMOVED, "": NOT_GIVEN},
)

#: A table of loan, month and status may hold others; not as many.
_MOST_COLUMNS = 250

#: Freddie Mac's origination file has 32 columns too; its 20th is the loan's number.
_FREDDIE_ORIGINATION_LOAN = 19


def recognize_text_layout(line: str) -> Layout | str:
    """Return the layout of a text file by its first line, or what was found instead."""
    fields = line.split("|")
    for layout in (FREDDIE_MAC, FANNIE_MAE):
        if len(fields) in layout.widths:
            if layout is FREDDIE_MAC and _is_origination(fields):
                return "a Freddie Mac origination file (loan number in column 20)"
            return layout
    if len(fields) > 1:
        return f"{len(fields)} columns between vertical bars"
    return recognize_header(header_names(line))


def header_names(line: str) -> list[str]:
    """Return the column names in the first line of a plain text file."""
    return [name.strip(' "\r\n') for name in line.split(PLAIN.separator)]


def recognize_header(names: list[str]) -> Layout | str:
    """Return the plain layout with the file's own spelling of its columns, or what is missing."""
    if len(names) > _MOST_COLUMNS:
        return f"{len(names):,} columns"
    if len(set(names)) < len(names):
        return "a column name twice in the first line"
    spelled = {name.lower(): name for name in names}
    missing = [column for column in PLAIN.columns if column not in spelled]
    if missing:
        shown = ", ".join(names)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return f"no column {', '.join(missing)} (first line: {shown})"
    return PLAIN._replace(loan=spelled["loan"], month=spelled["month"], status=spelled["status"])


def _is_origination(fields: list[str]) -> bool:
    loan = fields[_FREDDIE_ORIGINATION_LOAN].strip()
    return loan[:1] in ("F", "A") and loan[-7:].isdigit() and len(loan) > 10
