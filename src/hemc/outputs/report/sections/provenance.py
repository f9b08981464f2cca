"""assumptions.parquet and manifest.json → what was assumed and what exactly ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hemc.outputs.report.blocks import Block, Row, Section, Table
from hemc.outputs.run_files import RunFiles

_FOLDED = "configuration"
_OF_THIS_MACHINE = "configuration_folder"  # for commands on the run, no business of its readers


def assumptions(run: RunFiles) -> Section | None:
    """Return every assumption with its value, where it was set, and its source."""
    table = run.table("assumptions")
    if table is None:
        return None
    columns = ("name", "value", "meaning", "where_set", "source")
    rows = [Row(tuple(cell or "" for cell in row)) for row in table.select(columns).iter_rows()]
    heads = ("assumption", "value", "meaning", "set in", "source")
    caption = "Value, meaning, where it was set and where it comes from"
    shown = Table(caption, heads, rows, texts=range(4))
    return Section("assumptions", "Assumptions", [shown])


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
    return str(value)
