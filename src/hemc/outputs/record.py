"""What a command found → a JSON record for machines, with the names of the run's files."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from polars import selectors as cs


def record_text(record: Mapping[str, Any]) -> str:
    """Return a record as JSON: a table as a list of rows, a figure that is not finite as null."""
    # In ASCII, so that no character of a document reaches the terminal that obeys it.
    return json.dumps(record, indent=1, allow_nan=False, default=_plain)


def _plain(value: object) -> object:
    """Return a value that JSON knows."""
    if isinstance(value, pl.DataFrame):
        finite = pl.when(cs.float().is_finite()).then(cs.float())
        return value.with_columns(finite).to_dicts()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not for JSON")
