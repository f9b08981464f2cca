"""Loan-level history in files → counts of moves between states, and all that was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.errors import InputError
from hemc.inputs.move_counts import Counts, MoveCounts
from hemc.inputs.panel_file import PanelSource, open_panel
from hemc.inputs.panel_keys import Keys, PanelKeys, month_text, read_keys, unknown_codes
from hemc.inputs.panel_layout import UNKNOWN_EXIT, UNKNOWN_STATUS
from hemc.inputs.panel_moves import count_moves
from hemc.inputs.panel_rows import (
    WITHOUT_STATE,
    Finding,
    clean_rows,
    count_loans,
    months_seen,
    split_at_loans,
)
from hemc.states import N_LIVE, N_STATES

#: Months over which moves are counted: the two-class fit needs all three.
HORIZONS = (1, 3, 6)

_SCHEMA = {"name": pl.String, "unit": pl.String, "count": pl.Int64, "detail": pl.String}


class Panel(NamedTuple):
    """What a panel says and what was left out of it.

    `exclusions` has a row for each kind: name, unit (row, loan or move over so many months),
    count, detail (the first case, or the most frequent ones).
    """

    layout: str
    files: tuple[Path, ...]
    n_rows: int
    n_loans: int
    months: tuple[str, str]  # the first and the last
    moves: MoveCounts
    exclusions: pl.DataFrame


def read_panel(files: Sequence[str | Path], horizons: Sequence[int] = HORIZONS) -> Panel:
    """Read panel files of one layout and count moves of one month and of longer horizons.

    Rows that cannot be counted are left out, impossible moves are told apart, and both are named
    and counted. Raises InputError where a loan or a month cannot be read and where no move is
    left.
    """
    source = open_panel(files)
    keys = read_keys(source)
    counts, findings = _count(keys.rows, horizons)
    moves = MoveCounts(dict(zip(horizons, counts, strict=True)), source.layout.hidden)
    rows = [*_row_exclusions(findings, keys, source), *moves.impossible()]
    if not moves.possible(horizons[0]).sum():
        raise _no_moves(source, rows)
    first, last = months_seen(keys.rows)
    return Panel(
        source.layout.name, source.files, len(keys.rows), count_loans(keys.rows),
        (month_text(first), month_text(last)), moves,
        pl.DataFrame(rows, schema=_SCHEMA, orient="row"),
    )  # fmt: skip


def _count(keys: Keys, horizons: Sequence[int]) -> tuple[Counts, list[Finding]]:
    """Count moves block by block and add up what was left out."""
    counts = np.zeros((len(horizons), N_LIVE, N_STATES), dtype=np.int64)
    total: dict[str, Finding] = {}
    last_month = months_seen(keys)[1]
    for block in split_at_loans(keys):
        rows, findings = clean_rows(block)
        counts += count_moves(rows, horizons, last_month)
        for finding in findings:
            total[finding.name] = finding.plus(total.get(finding.name))
    return counts, [finding for finding in total.values() if finding.number]


def _row_exclusions(
    findings: Iterable[Finding], keys: PanelKeys, source: PanelSource
) -> list[tuple[str, str, int, str]]:
    """Return what was left out, each with its first case or the codes that occur."""
    undefined = {WITHOUT_STATE[UNKNOWN_STATUS], WITHOUT_STATE[UNKNOWN_EXIT]}
    rows = []
    for finding in findings:
        first = f"first: {keys.row_name(finding.first)}"
        if finding.name in undefined:
            first = ", ".join(unknown_codes(source)[:3])
        rows.append((finding.name, finding.unit, finding.number, first))
    return rows


def _no_moves(source: PanelSource, exclusions: list[tuple[str, str, int, str]]) -> InputError:
    """Return the error for a panel without a countable move."""
    reasons = "; ".join(f"{name}: {count:,}" for name, _, count, _ in exclusions)
    found = "no move from one month to the next" + (f" ({reasons})" if reasons else "")
    return InputError(source.files[0], "", found, "loans with rows in consecutive months")
