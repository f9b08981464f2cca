"""A document → what stands around its tables: series, group, payment date, footnote."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hemc.inputs.document import Document

_SERIES = re.compile(r"series[\s|]+(\d{4}-[a-z]+\d+)", re.IGNORECASE)
_GROUP = re.compile(r"group[\s|]+(\d{1,2})(?!\d)", re.IGNORECASE)
_DATE_LABEL = re.compile(r"(?<!as of )payment[\s|]+date[\s|:]*(?P<date>[^\s|]*)", re.IGNORECASE)
_MONTH_DAY_YEAR = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})")
_GROUP_HEADING = re.compile(r"servicing[\s|]+certificate[\s|]+group[\s|]+\d", re.IGNORECASE)
_FOOTNOTE = re.compile(
    r"delinquency[\s|]+figures[\s|]+(?P<verb>(?:do[\s|]+not[\s|]+|do[\s|]+)?(?:in|ex)cludes?)"
    r"(?P<states>[^.]*?)(?:\.|$)",
    re.IGNORECASE | re.MULTILINE,
)
_STATES = {"BK": "bankruptc", "FC": "foreclosure", "REO": "reo"}


FIRST_YEAR, LAST_YEAR = 1970, 2150


@dataclass(frozen=True)
class Place:
    """Where a word of the title stands, or why it is missing."""

    line: int | None
    reason: str | None = None


@dataclass(frozen=True)
class Footnote:
    """What the buckets of delinquent loans include of the other states.

    `includes` maps "BK", "FC", "REO" to True or False; it is empty where `reason` says why.
    """

    includes: Mapping[str, bool]
    line: int | None
    reason: str | None = None


def is_titled(document: Document) -> bool:
    """Tell whether the document calls itself a certificate."""
    text = document.text
    is_dated = _SERIES.search(text) and _DATE_LABEL.search(text)
    return bool(is_dated or _GROUP_HEADING.search(text))


def first_group(document: Document) -> tuple[Document, tuple[str, ...]]:
    """Cut off what follows the first loan group, since its labels repeat."""
    headings = list(_GROUP_HEADING.finditer(document.text))
    if len(headings) < 2:
        return document, ()
    second = headings[1].start()
    line = document.line_at(second)
    remark = f"only the first loan group is read; another begins on line {line}"
    text = document.text[:second].rstrip() + "\n"
    cut = Document(document.path, document.layout, text, document.starts, document.lines)
    return cut, (remark,)


def read_series(document: Document) -> tuple[str | None, Place]:
    """Read the series, such as 2003-HE2."""
    match = _SERIES.search(document.text)
    if match is None:
        return None, Place(None, "no 'Series' in the document")
    return match.group(1).upper(), Place(document.line_at(match.start(1)))


def read_group(document: Document) -> tuple[int | None, Place]:
    """Read the number of the loan group."""
    match = _GROUP.search(document.text)
    if match is None:
        return None, Place(None, "no 'Group' in the document")
    return int(match.group(1)), Place(document.line_at(match.start(1)))


def read_date(document: Document) -> tuple[dt.date | None, Place]:
    """Read the payment date: month/day/year, with or without leading zeros and century."""
    match = _DATE_LABEL.search(document.text)
    if match is None:
        return None, Place(None, "no 'Payment Date' in the document")
    text, line = match["date"], document.line_at(match.start("date"))
    is_cut = match.end() == len(document.text) and len(text.rpartition("/")[2]) < 4
    date = None if is_cut else _to_date(text)
    reason = f"'{text}' stands in its place" if text else "nothing beside 'Payment Date'"
    return date, Place(line, None if date else reason)


def _to_date(text: str) -> dt.date | None:
    """Return the date of month/day/year; two digits of a year mean 1970 to 2069."""
    match = _MONTH_DAY_YEAR.fullmatch(text)
    if match is None:
        return None
    month, day, year = (int(part) for part in match.groups())
    if year < 100:
        year += 2000 if year < 70 else 1900
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return None
    return date if is_plausible(date) else None


def is_plausible(date: dt.date) -> bool:
    """Tell whether a securitisation could pay on a date, and a calendar knows it."""
    return FIRST_YEAR <= date.year <= LAST_YEAR


def read_footnote(document: Document) -> Footnote:
    """Read whether the buckets of delinquent loans include bankruptcy, foreclosure and REO."""
    match = _FOOTNOTE.search(document.text)
    if match is None:
        return Footnote(MappingProxyType({}), None, "no footnote on delinquency figures")
    verb = match["verb"].lower()
    includes = ("not" in verb) == ("exclude" in verb)
    named = {key for key, word in _STATES.items() if word in match["states"].lower()}
    states = {key: includes for key in _STATES if key in named}
    line = document.line_at(match.start())
    reason = None if states else "the footnote on delinquency figures names no state"
    return Footnote(MappingProxyType(states), line, reason)
