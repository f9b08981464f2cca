"""assumptions.parquet and manifest.json → what was assumed and what exactly ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from hemc.outputs.report.blocks import DASH, Block, Row, Section, Table
from hemc.outputs.report.formats import difference
from hemc.outputs.run_files import RunFiles

_FOLDED = "configuration"
_OF_THIS_MACHINE = "configuration_folder"  # for commands on the run, no business of its readers


def assumptions(run: RunFiles) -> Section | None:
    """Return every assumption with its value, where it was set, its source and what it moves."""
    table = run.table("assumptions")
    if table is None:
        return None
    columns = ("name", "value", "meaning", "where_set", "source")
    moved = _moved(run)
    rows = [
        Row((*(cell or "" for cell in row), moved.get(row[0], DASH)))
        for row in table.select(columns).iter_rows()
    ]
    heads = ("assumption", "value", "meaning", "set in", "source", "moves expected loss by, points")
    caption = "Value, meaning, where it was set, where it comes from, what it moves"
    shown = Table(caption, heads, rows, texts=range(5), widths=(20, 16, 22, 9, 19, 14))
    return Section("assumptions", "Assumptions", [shown])


def _moved(run: RunFiles) -> dict[str, str]:
    """Return what another value of an assumption does to expected lifetime loss, as tried."""
    found: dict[str, dict[str, str]] = {}
    for name in ("sensitivities", "tornado"):  # the later one has more paths
        table = run.table(name)
        if table is None:
            continue
        moves = table.filter(pl.col("measure") == "pool_loss_pct", pl.col("statistic") == "mean")
        for row in moves.iter_rows(named=True):
            error = row["difference_standard_error"]
            text = difference(row["difference"], error, "%").removesuffix(" points")
            found.setdefault(row["assumption"], {})[row["setting"]] = f"{row['setting']}: {text}"
    return {name: "; ".join(texts.values()) for name, texts in found.items()}


def manifest(run: RunFiles) -> Section:
    """Return versions, digests, seed, times, memory and the resolved configuration."""
    left_out = (_FOLDED, _OF_THIS_MACHINE)
    record = {key: value for key, value in run.record.items() if key not in left_out}
    blocks: list[Block] = [
        Table("What ran", ("key", "value"), key_rows(record), texts=(0,)),
        Table(
            "Resolved configuration", ("key", "value"), key_rows(run.record[_FOLDED]),
            texts=(0,), folded=True,
        ),
    ]  # fmt: skip
    return Section("manifest", "Manifest", blocks)


def key_rows(record: Any) -> list[Row]:
    """Return a row a value of nested JSON."""
    return [Row((key, text)) for key, text in _flatten(record, "")]


def _flatten(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values as text."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flatten(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for i, inner in enumerate(value):
            yield from _flatten(inner, f"{key}[{i}]")
    else:
        yield key, _text(value)


def _text(value: Any) -> str:
    """Return a JSON value for people."""
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(inner) for inner in value)
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.2f}"
    return str(value)
