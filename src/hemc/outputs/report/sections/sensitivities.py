"""sensitivities.parquet → what one changed assumption does on the same paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from hemc.outputs.report.blocks import DASH, Block, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import difference, estimate_millions
from hemc.outputs.report.sections.assumptions_studied import heat_map_blocks, tornado_blocks
from hemc.outputs.run_files import RunFiles

CONVENTION = "deal.undercollateralization"

#: Compared measures with unit and heading; writedowns come by class.
_MEASURES = {
    "pool_loss_pct": ("%", "lifetime loss"),
    "draws": ("fraction", "P(draw)"),
    "draws_pv": ("USD", "present value of draws, USD million"),
}


def sensitivities(run: RunFiles) -> Section | None:
    """Return every varied assumption with its effect on the pool, the insurer and the notes."""
    studied = [*tornado_blocks(run), *heat_map_blocks(run)]
    table = run.table("sensitivities")
    if table is None or not len(table):
        return Section("sensitivities", "Sensitivities", studied) if studied else None
    names = table["assumption"].unique(maintain_order=True).to_list()
    text = (
        "Each assumption is changed alone and the first paths are run again on the same random "
        "numbers, so that a difference is known better than either of its sides."
    )
    blocks: list[Block] = [Paragraph(text), *deal_effects(run, names, "Other assumptions")]
    others = [name for name in names if name != CONVENTION]
    blocks += writedown_effects(run, others, "Expected writedown without insurer")
    return Section("sensitivities", "Sensitivities", [*blocks, *studied])


def deal_effects(run: RunFiles, names: Sequence[str], caption: str) -> list[Table]:
    """Return the table of what the named assumptions do to loss and draws, if to anything."""
    records = [row for row in _records(run, names) if row["measure"] in _MEASURES]
    rows = _deal_rows(records)
    if not rows:
        return []
    heads = [head for _, title in _MEASURES.values() for head in (title, "difference")]
    return [Table(_caption(caption, records), ("setting", *heads), rows)]


def writedown_effects(run: RunFiles, names: Sequence[str], caption: str) -> list[Table]:
    """Return the table of what the named assumptions do to writedowns, if to anything."""
    records = [row for row in _records(run, names) if row["measure"] == "writedown"]
    rows: list[Row] = []
    heading = ""
    for row in records:
        if _is_still(row):
            continue
        if heading != _setting(row):
            heading = _setting(row)
            rows.append(Row((heading,), "group"))
        rows.append(_writedown(row))
    columns = ("class", "this run", "changed", "difference")
    return [Table(_caption(f"{caption}, USD million", records), columns, rows)] if rows else []


def _records(run: RunFiles, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of the named assumptions."""
    table = run.table("sensitivities")
    return [] if table is None else table.filter(pl.col("assumption").is_in(names)).to_dicts()


def _caption(text: str, records: Sequence[dict[str, Any]]) -> str:
    """Add to a caption how many paths are compared."""
    return f"{text}, on the first {records[0]['paths']:,} paths"


def _setting(row: dict[str, Any]) -> str:
    return f"{row['assumption']} = {row['setting']}"


def _writedown(row: dict[str, Any]) -> Row:
    """Return base, changed value and difference of a class's writedown."""
    return Row(
        (
            row["note"] or "all",
            estimate_millions(_base(row, "USD"), row["paths"]),
            estimate_millions(_shown(row, "USD"), row["paths"]),
            difference(row["difference"], row["difference_standard_error"], "USD"),
        )
    )


def _deal_rows(records: Sequence[dict[str, Any]]) -> list[Row]:
    """Return the run's own row and one a setting that moves something."""
    settings: dict[str, dict[str, dict[str, Any]]] = {}
    for row in records:
        settings.setdefault(_setting(row), {})[row["measure"]] = row
    moved = {
        name: found
        for name, found in settings.items()
        if not all(_is_still(row) for row in found.values())
    }
    own = [Row(("this run", *_cells(found, is_base=True))) for found in moved.values()][:1]
    return own + [Row((name, *_cells(found))) for name, found in moved.items()]


def _cells(found: dict[str, dict[str, Any]], is_base: bool = False) -> list[str]:
    """Return value and difference of each measure; of the unchanged side where `is_base`."""
    cells = []
    for measure, (unit, _) in _MEASURES.items():
        row = found.get(measure)
        if row is None:
            cells += [DASH, DASH]
            continue
        shown = _base(row, unit) if is_base else _shown(row, unit)
        cells.append(estimate_millions(shown, row["paths"]))
        error = row["difference_standard_error"]
        cells.append("" if is_base else difference(row["difference"], error, unit))
    return cells


def _is_still(row: dict[str, Any]) -> bool:
    """Tell whether a change moves nothing, but for rounding."""
    return abs(row["difference"]) < 1e-9 and (row["difference_standard_error"] or 0.0) < 1e-9


def _shown(row: dict[str, Any], unit: str) -> dict[str, Any]:
    """Return a row as of measures.parquet; a rounding error is zero."""
    value = 0.0 if abs(row["value"]) < 1e-9 else row["value"]
    return row | {"unit": unit, "value": value}


def _base(row: dict[str, Any], unit: str) -> dict[str, Any]:
    """Return the unchanged side of a comparison as a row of measures.parquet."""
    error = row["base_standard_error"]
    return _shown(row | {"value": row["base_value"], "standard_error": error}, unit)
