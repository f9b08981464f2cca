"""Tables of studies around a run → sheets with the same columns; absent where none was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hemc.outputs.run_files import RunFiles
from hemc.outputs.workbook.cells import (
    AMOUNT,
    CENTS,
    DECIMALS,
    FINE_PERCENT,
    PERCENT,
    PLAIN,
    Cell,
    Number,
    Sheet,
    unit_shape,
)

#: Units of measures that have no column for it.
_UNITS = {"pool_loss_pct": "% of current pool", "probability": "fraction"}

_DIFFERENCES = (
    "base_value", "base_standard_error", "value", "standard_error", "difference",
    "difference_standard_error", "independent_standard_error",
)  # fmt: skip

_BREAK_EVENS = {
    "target": PERCENT, "coverage": DECIMALS, "coverage_standard_error": DECIMALS,
    "average_life": DECIMALS, "duration": DECIMALS, "yield": FINE_PERCENT,
}  # fmt: skip


def contributed(run: RunFiles) -> Sheet | None:
    """Return a row a figure, state at cut-off and latent class."""
    note = "Contributions add up to the figure; those of a class are allocated as the loans lost."
    return _sheet(
        run, "contributions", "Contributions", note,
        ("measure", "note", "statistic", "from_state", "latent_class", "kind", "unit"),
        {"value": AMOUNT, "standard_error": AMOUNT, "share": PERCENT},
    )  # fmt: skip


def break_evens(run: RunFiles) -> Sheet | None:
    """Return a row a class, kind of stress and target."""
    table = run.table("breakevens")
    if table is None:
        return None
    keys = ("kind", "note", "direction")
    others = [name for name in table.columns if name not in keys]
    shapes = {name: _BREAK_EVENS.get(name, PLAIN) for name in others}
    note = (
        "CDR per year, shifts in probit units, others multiples; _pct in per cent, not fractions."
    )
    return _sheet(run, "breakevens", "Break-evens", note, keys, shapes)


def swings(run: RunFiles) -> Sheet | None:
    """Return a row an assumption's value and figure."""
    keys = ("assumption", "setting", "side", "measure", "note", "statistic", "source")
    note = "One assumption at a time, on common paths; each difference with both its errors."
    return _sheet(run, "tornado", "Swings", note, keys, dict.fromkeys(_DIFFERENCES, ""))


def heat_maps(run: RunFiles) -> Sheet | None:
    """Return a row a combination of multiples and figure."""
    note = "Multiples of prepayment, roll rates and severity together, on common paths."
    shapes = dict.fromkeys(("prepayment", "roll_rate", "severity"), PLAIN)
    shapes |= dict.fromkeys(_DIFFERENCES, "")
    return _sheet(run, "heat_maps", "Heat maps", note, ("measure", "statistic"), shapes)


def scored(run: RunFiles) -> Sheet | None:
    """Return a row a figure of the certificate that came."""
    shapes = dict.fromkeys(("observed", "mean", "p5", "p25", "p50", "p75", "p95"), CENTS)
    shapes |= {"pit": PERCENT, "crps": CENTS, "distance": CENTS}
    note = "pit: place in the forecast; distance: from the median, 1 at the end of the 90 % band."
    return _sheet(run, "score", "Scored", note, ("figure", "group", "note"), shapes)


def rolled_forward(run: RunFiles) -> Sheet | None:
    """Return a row a measure and step of the roll-forward, as steps and as a reserve."""
    shapes = dict.fromkeys(
        ("to_come", "standard_error", "independent_standard_error", "realised", "total"), CENTS
    )
    note = "USD. Within a view and measure, opening and steps add up to the closing."
    return _sheet(run, "roll_forward", "Roll-forward", note, ("view", "measure", "step"), shapes)


def _sheet(
    run: RunFiles, name: str, title: str, note: str, keys: Sequence[str], shapes: dict[str, str]
) -> Sheet | None:
    """Return a table's keys as texts and its figures as numbers; "" is the measure's own format."""
    table = run.table(name)
    if table is None or table.is_empty():
        return None
    rows = [
        [*(row[key] for key in keys), *(_cell(row, column, shapes[column]) for column in shapes)]
        for row in table.iter_rows(named=True)
    ]
    heads = [name.replace("_", " ") for name in (*keys, *shapes)]
    return Sheet(title, f"Same figures as {name}.parquet. {note}", heads, rows, n_keys=2)


def _cell(row: dict[str, Any], column: str, shape: str) -> Cell:
    """Return a number of a row, empty where there is none."""
    value = row[column]
    if value is None or isinstance(value, str):
        return value
    factor = 1.0
    if not shape:
        statistic, measure = row["statistic"], row["measure"]
        factor, shape = unit_shape(_UNITS.get(statistic, _UNITS.get(measure, "USD")))
    return Number(factor * value, shape)
