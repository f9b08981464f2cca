"""Packed rows of a panel → rows that can be counted, with every row left out named and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.inputs.panel_keys import (
    CODE_MASK,
    LOAN_SHIFT,
    MONTH_MASK,
    MONTH_SHIFT,
    Keys,
)
from hemc.inputs.panel_layout import NOT_GIVEN, REMOVED, UNKNOWN_EXIT, UNKNOWN_STATUS
from hemc.states import PAID_OFF

_BLOCK_ROWS = 1 << 21

REPEATED = "row repeated"
CONFLICTING = "two statuses for one loan and month"
AFTER_END = "row after the loan's end"
WITHOUT_STATE = {
    NOT_GIVEN: "status not given (XX or blank)",
    UNKNOWN_STATUS: "status that the layout does not define",
    UNKNOWN_EXIT: "zero-balance code that the layout does not define",
}
GAP = "months missing between rows"
SOLD = "loan sold or repurchased: left the panel"


class Rows(NamedTuple):
    """Rows by loan and month, arrays of one length."""

    keys: Keys
    loan: NDArray[np.int64]
    month: NDArray[np.int64]
    code: NDArray[np.int64]  # a state or REMOVED


class Finding(NamedTuple):
    """What was found in how many rows, and the packed first of them (0 where there is none)."""

    name: str
    number: int
    first: int

    @property
    def unit(self) -> str:
        """What is counted."""
        return {GAP: "gap", SOLD: "loan"}.get(self.name, "row")

    def plus(self, before: Finding | None) -> Finding:
        """Return this finding together with that of earlier blocks."""
        if before is None or not before.number:
            return self
        return before._replace(number=before.number + self.number)


def split_at_loans(keys: Keys) -> Iterator[Keys]:
    """Yield ascending rows in blocks of whole loans, so that memory beside them stays small."""
    start = 0
    while start < len(keys):
        end = start + _BLOCK_ROWS
        if end < len(keys):
            next_loan = (int(keys[end - 1]) >> LOAN_SHIFT) + 1
            end = int(np.searchsorted(keys, np.uint64(next_loan << LOAN_SHIFT)))
        yield keys[start:end]
        start = end


def count_loans(keys: Keys) -> int:
    """Return the number of loans in ascending rows."""
    return sum(
        1 + int(np.count_nonzero(np.diff(block >> np.uint64(LOAN_SHIFT))))
        for block in split_at_loans(keys)
    )


def months_seen(keys: Keys) -> tuple[int, int]:
    """Return the first and the last month of any row."""
    extremes = [
        (int(month.min()), int(month.max()))
        for month in (unpack(block).month for block in split_at_loans(keys))
    ]
    return min(low for low, _ in extremes), max(high for _, high in extremes)


def clean_rows(keys: Keys) -> tuple[Rows, list[Finding]]:
    """Leave out the rows that cannot be counted, in a block of whole loans."""
    keys, repeated = _drop(REPEATED, keys, _same_as_previous(keys))
    gaps = _gaps(keys)
    same_month = _same_as_previous(keys >> np.uint64(MONTH_SHIFT))
    conflicting = same_month.copy()
    conflicting[:-1] |= same_month[1:]
    keys, conflicts = _drop(CONFLICTING, keys, conflicting)
    findings = [repeated, gaps, conflicts]
    for code, name in WITHOUT_STATE.items():
        keys, finding = _drop(name, keys, (keys & np.uint64(CODE_MASK)) == code)
        findings.append(finding)
    keys, after_end = _drop(AFTER_END, keys, _after_end(unpack(keys)))
    rows = unpack(keys)
    findings += [after_end, _finding(SOLD, rows.keys, rows.code == REMOVED)]
    return rows, findings


def unpack(keys: Keys) -> Rows:
    """Return loan, month and code of packed rows."""
    whole = keys.astype(np.int64)
    month = whole >> MONTH_SHIFT & MONTH_MASK
    return Rows(keys, whole >> LOAN_SHIFT, month, whole & CODE_MASK)


def _drop(name: str, keys: Keys, dropped: NDArray[np.bool_]) -> tuple[Keys, Finding]:
    """Return the rows that stay, and what was dropped."""
    finding = _finding(name, keys, dropped)
    return (keys[~dropped] if finding.number else keys), finding


def _finding(name: str, keys: Keys, where: NDArray[np.bool_]) -> Finding:
    number = int(np.count_nonzero(where))
    return Finding(name, number, int(keys[np.argmax(where)]) if number else 0)


def _same_as_previous(values: Keys) -> NDArray[np.bool_]:
    same = np.zeros(len(values), dtype=np.bool_)
    same[1:] = values[1:] == values[:-1]
    return same


def _gaps(keys: Keys) -> Finding:
    """Find rows that do not follow their loan's previous row by one month."""
    rows = unpack(keys)
    gap = np.zeros(len(keys), dtype=np.bool_)
    gap[1:] = (np.diff(rows.loan) == 0) & (np.diff(rows.month) > 1)
    return _finding(GAP, keys, gap)


def _after_end(rows: Rows) -> NDArray[np.bool_]:
    """Find rows that follow a row in which their loan ended."""
    position = np.arange(len(rows.code))
    first = np.ones(len(rows.code), dtype=np.bool_)
    first[1:] = np.diff(rows.loan) != 0
    loan_start = np.maximum.accumulate(np.where(first, position, 0))
    last_end = np.maximum.accumulate(np.where(rows.code >= PAID_OFF, position, -1))
    previous_end = np.concatenate([[-1], last_end[:-1]])
    return previous_end >= loan_start
