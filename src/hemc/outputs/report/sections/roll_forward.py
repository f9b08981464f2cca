"""roll_forward.parquet → why expected losses and claims are not what they were a month before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from hemc.outputs.report.blocks import Block, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import MILLION
from hemc.outputs.roll_forward import CHANGE, CLOSING, OPENING, RESERVE, STEPS
from hemc.outputs.roll_forward_text import MEASURES, ORDER, is_still, line_name, pool_text
from hemc.outputs.run_files import RunFiles

_HEADS = ("still to come", "±", "(±)", "realised", "lifetime")
_COLUMNS = ("to_come", "standard_error", "independent_standard_error", "realised", "total")
_ERRORS = ("standard_error", "independent_standard_error")


def roll_forward(run: RunFiles) -> Section | None:
    """Return every step of each measure, and the insurer's reserve by its own lines."""
    table = run.table("roll_forward")
    if table is None:
        return None
    date = table["date"][0]
    text = (
        f"From this run to the certificate of {date}, means over {table['paths'][0]:,} paths. What "
        "the month brought leaves what is still to come and is realised: both together are the "
        "lifetime's."
    )
    blocks: list[Block] = [Paragraph(text), *_tables(table), Paragraph(_READING, "note")]
    return Section("roll-forward", "Insurer: roll-forward", blocks)


_READING = f"± on common random numbers; (±) what independent seeds would give. {ORDER}"


def _tables(table: pl.DataFrame) -> Iterator[Block]:
    """Yield a table a measure; of the insurer's present value also the reserve."""
    for measure, name in MEASURES.items():
        lines = table.filter(view=STEPS, measure=measure)
        if is_still(lines):
            yield Paragraph(f"{name}: none, on every path and at every step.")
            continue
        rows = [Row((line_name(row), *_cells(row)), _tone(row)) for row in lines.to_dicts()]
        yield Table(f"{name}, USD million", ("", *_HEADS), rows)
        if measure == "pool_loss":
            yield Paragraph(pool_text(lines), "note")
        reserve = table.filter(view=RESERVE, measure=measure)
        if measure == "draws_pv" and not reserve.is_empty():
            rows = [
                Row((line_name(row), *_cells(row)[:2]), _tone(row)) for row in reserve.to_dicts()
            ]
            yield Table("The insurer's reserve, USD million", ("", "reserve", "±"), rows)


def _cells(row: dict[str, Any]) -> list[str]:
    """Return a line's figures; changes have a sign."""
    return [_millions(row[c], _is_change(row) and c not in _ERRORS) for c in _COLUMNS]


def _is_change(row: dict[str, Any]) -> bool:
    return row["step"] not in (OPENING, CLOSING)


def _tone(row: dict[str, Any]) -> str:
    """Return the tone of a line: the whole change stands apart from its steps."""
    return "muted" if row["step"] == CHANGE else ""


def _millions(value: float | None, is_change: bool) -> str:
    """Return USD million, a dash where it is not known."""
    if value is None:
        return "–"
    sign = "+" if is_change and round(value / MILLION, 3) else ""
    return f"{round(value / MILLION, 3) + 0.0:{sign},.3f}".replace("-", "−")
