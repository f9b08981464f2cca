"""Loan-level history in files → counts of moves between states, and everything left out of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.errors import InputError
from hemc.inputs.move_counts import MoveCounts
from hemc.inputs.panel_file import open_panel
from hemc.inputs.panel_keys import LOAN_SHIFT, Keys, PanelKeys, month_text, read_keys, unknown_codes
from hemc.inputs.panel_moves import Counts, count_moves, impossible_moves
from hemc.inputs.panel_rows import WITHOUT_STATE, Finding, clean_rows, split_at_loans
from hemc.inputs.panel_layout import UNKNOWN_EXIT, UNKNOWN_STATUS, PANEL_FILE
from hemc.states import N_LIVE, N_STATES, NAMES

#: Months over which moves are counted: the two-class fit needs all three.
HORIZONS = (1, 3, 6)

_EXCLUSION_SCHEMA = {"name": pl.String, "unit": pl.String, "count": pl.Int64, "detail": pl.String}


class Panel(NamedTuple):
    """What a panel says, and what it does not."""

    layout: str
    n_files: int
    n_rows: int
    n_loans: int
    first_month: str
    last_month: str
    moves: MoveCounts
    exclusions: pl.DataFrame  # name, unit (row or move), count, detail (an example or a list)


def read_panel(files: Sequence[str | Path], horizons: Sequence[int] = HORIZONS) -> Panel:
    """Read panel files of one layout and count moves.

    Rows that cannot be counted and impossible moves are left out, named and counted. Raises
    InputError where a row cannot be read at all and where no move is left.
    """
    source = open_panel(files)
    keys = read_keys(source)
    counts, findings = _count(keys.rows, horizons)
    kept, impossible = _leave_out_impossible(counts, horizons)
    if kept[0].sum() == 0:
        found = f"{len(keys.rows):,} rows without a loan seen {horizons[0]} month(s) apart"
        raise InputError(source.files[0], "", found, "the histories of loans, month by month")
    unknown = {WITHOUT_STATE[UNKNOWN_STATUS], WITHOUT_STATE[UNKNOWN_EXIT]}
    codes = unknown_codes(source) if unknown & {f.name for f in findings if f.count} else []
    rows = [_row_exclusion(f, keys, codes) for f in findings if f.count] + impossible
    months = (keys.rows >> np.uint64(4)) & np.uint64(0xFFF)
    return Panel(
        layout=source.layout.name,
        n_files=len(source.files),
        n_rows=len(keys.rows),
        n_loans=int(np.count_nonzero(np.diff(keys.rows >> np.uint64(LOAN_SHIFT)))) + 1,
        first_month="",
        last_month="",
        moves=MoveCounts({}, ()),
        exclusions=pl.DataFrame(rows, schema=_EXCLUSION_SCHEMA, orient="row"),
    )
