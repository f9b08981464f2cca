"""Measurements in; the bars that the project keeps, with what was measured and a verdict, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Record = dict[str, Any]


class Bar(NamedTuple):
    """A measured figure between two limits, each None where there is none."""

    name: str
    measured: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """Tell whether the figure lies within its limits; a figure that is not a number misses."""
        low = self.at_least is None or self.measured >= self.at_least
        high = self.at_most is None or self.measured <= self.at_most
        return low and high

    @property
    def limit(self) -> str:
        """The limits in words."""
        words = []
        if self.at_least is not None:
            words.append(f"at least {self.at_least:g}")
        if self.at_most is not None:
            words.append(f"at most {self.at_most:g}")
        return ", ".join(words)


def judge(results: Mapping[str, Any]) -> list[Bar]:
    """Return every bar whose section is among the results."""
    bars: list[Bar] = []
    for section, bars_of in _BARS.items():
        if section in results:
            bars += bars_of(results[section])
    return bars


def speedup(rows: Iterable[Record], cpr: str, other: str) -> float:
    """Return how many times as long as the event-driven kernel another method takes."""
    ms = {row["method"]: row["ms_per_path"] for row in rows if row["cpr"] == cpr}
    return float(ms[other] / ms["event-driven"])


def _threads(rows: list[Record]) -> Iterator[Bar]:
    ms = {(row["classes"], row["threads"]): row["ms_per_path"] for row in rows}
    yield Bar("simulation, one class, 2 threads", ms[1, 2], "ms a path", at_most=0.45)
    yield Bar("simulation, two classes, 2 threads", ms[2, 2], "ms a path", at_most=0.60)
    yield Bar("2 threads against 1", ms[1, 1] / ms[1, 2], "×", at_least=1.8)


def _methods(rows: list[Record]) -> Iterator[Bar]:
    stepping, twin = "month-stepping", "NumPy twin"
    name = "event-driven against"
    yield Bar(f"{name} {stepping}, base", speedup(rows, "base", stepping), "×", at_least=2.5)
    yield Bar(f"{name} {stepping}, 8 % CPR", speedup(rows, "8 %", stepping), "×", at_least=4.0)
    yield Bar(f"{name} the NumPy twin, base", speedup(rows, "base", twin), "×", at_least=40.0)


def _loans(record: Record) -> Iterator[Bar]:
    ratio = record["ns_per_loan_high"] / record["ns_per_loan_low"]
    yield Bar("slope in loans, upper against lower range", ratio, "×", at_least=0.8, at_most=1.2)


def _paths(record: Record) -> Iterator[Bar]:
    yield Bar("exponent in paths", record["exponent"], "", at_least=0.95, at_most=1.05)


def _commands(rows: list[Record]) -> Iterator[Bar]:
    limits = {10_000: 12.0, 1_000: 4.0}
    for row in rows:
        if row["paths"] in limits:
            name = f"whole command, {row['paths']:,} paths, warm"
            yield Bar(name, row["seconds"], "s", at_most=limits[row["paths"]])


def _start_up(record: Record) -> Iterator[Bar]:
    # All kernels one after the other, though `hemc warmup` and a first run compile two at a time.
    yield Bar(
        "kernels compile, empty cache, all added up", record["cold"]["kernels"], "s", at_most=15.0
    )
    yield Bar("kernels load from the cache", record["warm"]["kernels"], "s", at_most=1.0)


def _notes(rows: list[Record]) -> Iterator[Bar]:
    ms = {row["part"]: row["ms_per_path"] for row in rows}
    pool, wrapped, unwrapped = (
        ms[part] for part in ("factors and pool", "notes, wrapped", "notes, unwrapped")
    )
    yield Bar("notes, wrapped, against the pool", 100.0 * wrapped / pool, "%", at_most=15.0)
    both = 100.0 * (wrapped + unwrapped) / pool
    yield Bar("notes, both passes, against the pool", both, "%", at_most=30.0)


def _long(record: Record) -> Iterator[Bar]:
    name = f"peak memory, {record['paths']:,} paths"
    yield Bar(name, record["peak_mb"] / 1000.0, "GB", at_most=3.0)


_BARS: dict[str, Callable[[Any], Iterator[Bar]]] = {
    "threads": _threads, "methods": _methods, "commands": _commands, "loans": _loans,
    "paths": _paths, "start_up": _start_up, "notes": _notes, "long": _long,
}  # fmt: skip

#: Sections of the results that carry a bar.
SECTIONS = tuple(_BARS)
