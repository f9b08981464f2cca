"""A file's bytes → the bytes of a hostile one: a cell, a key or a table changed, or plain bytes.

A byte flipped at random seldom gets past a parser of TOML, JSON or Parquet; so the parsed content
is changed and written again. What does not parse is changed as bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import tomllib
from collections.abc import Callable
from io import BytesIO, StringIO
from random import Random
from typing import Any

import polars as pl
from polars.exceptions import PanicException

from benchmarks.fuzz.readers import Form
from hemc.inputs.parquet_pages import parquet_contents

#: Texts that mean something to a shell, a path, a spreadsheet, a browser, a terminal or a parser.
WORDS = (
    "", " ", "\n", "\t", "\0", "../../../etc/passwd", "/dev/zero", "/", "..", "a" * 5_000, "CON",
    "=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "<script>alert(1)</script>",
    "</script>", "<!--", "{{ 7 * 7 }}", "[bold]x[/bold]", "[/]", ":smile:", "\x1b[31m", "\x9b31m",
    "\u202e", "\ud800", "%s", "{0}", "nan", "inf", "-inf", "1e400", "-0", "0", "1" * 400, "1_0",
    "0x10", "1e-400", "1,000.00", "2004-02-30", "9999-12-31", "0001-01-01", "Q5 2020", "2025 Q4",
    "NULL", "None", "true", "\ufeff", "é", "１２", "PAR1", '"', "'", "\\", ",", "|", "#", "A-1",
)  # fmt: skip

NUMBERS = (
    0, 1, -1, 2, 31, 100, 601, 10_001, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**400, 0.0, -0.0,
    0.5, 1.0, 1e-300, 1e300, 1.7e308, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip

_MANY_ROWS = 60_000

_DTYPES = (pl.String, pl.Float64, pl.Int64, pl.Int8, pl.Boolean, pl.Date, pl.Binary,
           pl.Categorical, pl.UInt64, pl.Float32, pl.Datetime, pl.Duration, pl.Time)  # fmt: skip


def mutate(data: bytes, form: Form, random: Random) -> bytes:
    """Return a hostile relative of a file."""
    if form == "folder":
        name, _, content = data.partition(b"\n")
        inner: Form = "json" if name.endswith(b".json") else "table"
        return name + b"\n" + mutate(content, inner, random)
    change = _CHANGES[form]
    if random.random() < _PLAIN[form]:
        return mutate_bytes(data, random)
    try:
        return change(data, random)
    except (Exception, PanicException):  # whatever the file is, it is changed somehow
        return mutate_bytes(data, random)


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """Return bytes with some of them changed, left out, repeated or put in."""
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(data) + 1)
        length = random.choice((1, 2, 8, 60, 400))
        kind = random.randrange(6)
        if kind == 0:
            data = data[:at] + bytes(random.randrange(256) for _ in range(length)) + data[at:]
        elif kind == 1:
            data = data[:at] + data[at + length :]
        elif kind == 2:
            data = data[:at] + data[at : at + length] * random.choice((2, 3, 50)) + data[at:]
        elif kind == 3:
            data = data[:at] + _word(random).encode("utf-8", "surrogatepass") + data[at:]
        elif kind == 4 and data:
            place = min(at, len(data) - 1)
            flipped = bytes([data[place] ^ (1 << random.randrange(8))])
            data = data[:place] + flipped + data[place + 1 :]
        else:
            other = random.randrange(len(data) + 1)
            data = data[:at] + data[other : other + 10 * length] + data[at + length :]
    return data


def _word(random: Random) -> str:
    return random.choice(WORDS)


def _mutate_text(data: bytes, random: Random) -> bytes:
    """Change lines and the words between blanks of a text."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for _ in range(random.choice((1, 1, 2, 5))):
        i = random.randrange(len(lines))
        kind = random.randrange(5)
        if kind == 0:
            del lines[i]
            lines = lines or [""]
        elif kind == 1:
            lines.insert(random.randrange(len(lines) + 1), lines[i])
        elif kind == 2:
            words = lines[i].split(" ")
            words[random.randrange(len(words))] = str(_value(random))
            lines[i] = " ".join(words)
        elif kind == 3:
            lines[i] = _digits(lines[i], random)
        else:
            lines[i : i + 2] = [" ".join(lines[i : i + 2])]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _digits(line: str, random: Random) -> str:
    """Return a line with its digits, or one of its runs of blanks, changed."""
    if random.random() < 0.5:
        return "".join(str(random.randrange(10)) if c.isdecimal() else c for c in line)
    return line.replace("  ", random.choice((" ", "", "\t", "|")), 1)


def _value(random: Random) -> Any:
    """Return a hostile value of any kind."""
    kind = random.randrange(8)
    if kind < 3:
        return _word(random)
    if kind < 6:
        return random.choice(NUMBERS)
    made: tuple[Any, ...] = (True, [], {}, [[]], dt.date(2020, 2, 29), {"a": {"b": 1}}, [1, "a"])
    return random.choice(made)


def _mutate_tree(tree: Any, random: Random) -> Any:
    """Change a place of a parsed tree: value, key, order, repetition or absence."""
    places = list(_places(tree))
    if not places:
        return _value(random)
    holder, key = random.choice(places)
    kind = random.randrange(8)
    if kind < 3:
        holder[key] = _nudge(holder[key], random)
    elif kind == 3:
        del holder[key]
    elif kind < 6:
        alike = [(other, place) for other, place in places if place == key]
        other, place = random.choice(places if kind == 4 else alike)
        holder[key] = other[place] if not isinstance(other[place], dict | list) else _value(random)
    elif isinstance(holder, list) and kind == 6:
        holder.insert(random.randrange(len(holder)), holder.pop(key))
    elif isinstance(holder, list):
        holder[key:key] = [holder[key]] * random.choice((1, 2, 40))
    else:
        holder[_word(random) if kind == 6 else str(key) + "x"] = holder[key]
    return tree


def _nudge(value: Any, random: Random) -> Any:
    """Return a value near another, or a hostile one."""
    if isinstance(value, bool) or random.random() < 0.5:
        return _value(random)
    if isinstance(value, int | float):
        return random.choice((value + 1, value - 1, -value, value * 10, value / 2, int(value)))
    if isinstance(value, str):
        return random.choice((value + _word(random), value[1:], value * 2, _word(random) + value))
    return _value(random)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every place of a tree as what holds it and its key there."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def _mutate_json(data: bytes, random: Random) -> bytes:
    tree = _mutate_tree(json.loads(data), random)
    return json.dumps(tree, default=str).encode("utf-8", "surrogatepass")


def _mutate_toml(data: bytes, random: Random) -> bytes:
    tree = _mutate_tree(tomllib.loads(data.decode()), random)
    if random.random() < 0.3:
        tree = _mutate_tree(tree, random)
    lines = [f"{_key(key)} = {_toml(value)}" for key, value in tree.items()]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _key(text: object) -> str:
    return json.dumps(str(text), ensure_ascii=True).replace("\\ud800", "x").replace("\x7f", "x")


def _toml(value: Any) -> str:
    """Return a value in TOML's inline form."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _key(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if not isinstance(value, dt.date) else value.isoformat()


def _mutate_csv(data: bytes, random: Random) -> bytes:
    """Change cells, rows or columns of a CSV, or of a file between vertical bars."""
    text = data.decode()
    first = text.partition("\n")[0]
    mark = "|" if first.count("|") > first.count(",") else ","
    rows = [row for row in csv.reader(StringIO(text), delimiter=mark) if row]
    for _ in range(random.choice((1, 1, 3))):
        row = random.choice(rows)
        column = random.randrange(len(row))
        kind = random.randrange(6)
        if kind < 3:
            row[column] = str(_value(random)) if random.random() < 0.7 else row[column] + "0"
        elif kind == 3:
            rows.insert(random.randrange(len(rows)), list(row))
        elif kind == 4:
            rows[:] = [[c for i, c in enumerate(r) if i != column] or [""] for r in rows]
        else:
            other = random.choice(rows)
            row[column] = other[column % len(other)]
    stream = StringIO()
    csv.writer(stream, delimiter=mark, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogatepass")


def _mutate_table(data: bytes, random: Random) -> bytes:
    """Change a Parquet table; a CSV as such."""
    if not data.startswith(b"PAR1"):
        return _mutate_csv(data, random)
    parquet_contents(BytesIO(data))  # raises for what polars would end the process on
    table = pl.read_parquet(BytesIO(data))
    stream = BytesIO()
    _changed_table(table, random).write_parquet(stream)
    return stream.getvalue()


def _changed_table(table: pl.DataFrame, random: Random) -> pl.DataFrame:
    """Return a table with a column, a cell or the rows changed."""
    if len(table) >= _MANY_ROWS:
        table = table.head(1_000)  # the changes below would spell out the texts of all rows
    name = random.choice(table.columns)
    column = table[name]
    kind = random.randrange(8)
    if kind == 7 and 0 < table.head(1).estimated_size() < 1_000:
        return table[[0] * _MANY_ROWS].with_columns(_long_texts(name))
    if kind == 0:
        return table.drop(name)
    if kind == 1:
        return table.rename({name: _word(random) or "x"})
    if kind == 2:
        return table.with_columns(column.cast(random.choice(_DTYPES), strict=False))
    if kind == 3:
        return table.with_columns(column.shuffle(random.randrange(100)))
    if kind == 4:
        return random.choice((table.head(0), table.head(1), pl.concat([table, table]),
                              table.reverse(), table.sample(fraction=0.5, seed=1)))  # fmt: skip
    if kind == 5:
        return table.with_columns(pl.lit(None, dtype=column.dtype).alias(name))
    values = column.to_list() or [None]
    for _ in range(random.choice((1, 3))):
        values[random.randrange(len(values))] = random.choice((None, *NUMBERS, *WORDS))
    return table.head(len(values)).with_columns(
        pl.Series(name, values, dtype=column.dtype, strict=False)
    )


def _long_texts(name: str) -> pl.Series:
    """Return a text in every row that the file holds once, and that is a gigabyte row by row."""
    return pl.Series(name, ["a" * 20_000], dtype=pl.Categorical).new_from_index(0, _MANY_ROWS)


_CHANGES: dict[Form, Callable[[bytes, Random], bytes]] = {
    "text": _mutate_text, "json": _mutate_json, "toml": _mutate_toml, "csv": _mutate_csv,
    "table": _mutate_table,
}  # fmt: skip

# How often plain bytes are changed all the same.
_PLAIN: dict[Form, float] = {"text": 0.4, "json": 0.1, "toml": 0.1, "csv": 0.2, "table": 0.15}
