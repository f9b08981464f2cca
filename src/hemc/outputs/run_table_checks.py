"""A table of a stored run → the first column that does not hold what a run writes in it."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from hemc.inputs.toml import Fault
from hemc.printable import OBEYED

#: Columns of texts in every table that has them; others are figures, but for the exceptions below.
_TEXTS = frozenset((
    "measure", "insurer", "note", "statistic", "unit", "series", "state", "name", "status",
    "latent_class", "from_state", "to_state", "where_set", "source", "meaning", "assumption",
    "setting", "figure", "scenario", "weights", "kind", "side", "direction", "deal", "group",
    "view", "step", "flow",
))  # fmt: skip
_TEXTS_OF = {
    "tieout": {"printed", "recomputed", "difference"}, "assumptions": {"value"},
    "oracle": {"months"},
}  # fmt: skip
_DATES = frozenset({"fitted_to", "date"})
_DATES_OF = dict.fromkeys(("backtest", "score", "roll_forward"), _DATES)

#: No projection is longer.
_LAST_MONTH = 10_000


def first_fault(name: str, table: pl.DataFrame, columns: Iterable[str]) -> Fault | None:
    """Return the first of `columns` that does not fit table `name`, as place, found, expected."""
    texts, dates = _TEXTS | _TEXTS_OF.get(name, set()), _DATES_OF.get(name, frozenset())
    for column in columns:
        kind = "date" if column in dates else "text" if column in texts else "number"
        found = _misfit(table[column], kind)
        if found:
            return Fault(f"column {column}", found, f"a {kind} in each row that has one")
    if "month" in columns and not table["month"].is_between(1, _LAST_MONTH).all():
        return Fault("column month", "a month that is none", f"1 to {_LAST_MONTH:,}")
    return None


def _misfit(column: pl.Series, kind: str) -> str | None:
    """Return what a column holds in place of its kind; a null fits every kind."""
    dtype = column.dtype
    if dtype == pl.Null:
        return None
    if kind == "date":
        return None if dtype == pl.Date else str(dtype)
    if kind == "text":
        if dtype != pl.String:
            return str(dtype)
        return "a control character" if column.str.contains(OBEYED).any() else None
    if dtype == pl.Boolean:
        return None
    if not dtype.is_numeric():
        return str(dtype)
    return None if column.cast(pl.Float64).is_finite().all() else "a figure that is not finite"
