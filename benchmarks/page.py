"""Measurements → docs/benchmarks.md, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.bars import Bar, judge, speedup

Record = dict[str, Any]


def render(results: Mapping[str, Any]) -> str:
    """Return the page; a section that was not measured is absent."""
    parts = [_head(results), _bars(judge(results))]
    parts += [show(results[name]) for name, show in _SECTIONS.items() if results.get(name)]
    return "\n\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of Markdown; the first column is text, the others are figures."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _head(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    short = "" if results["plan"] == "full" else f" **A {results['plan']} run: not to be quoted.**"
    return (
        "# Benchmarks\n\n"
        f"Written by `scripts/bench`, never by hand; raw figures in `benchmarks.json`.{short}\n\n"
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}; {versions}; kernels "
        f"`{machine['kernel_digest']}`. The whole page took {results['minutes']:.1f} minutes.\n\n"
        f"Every time is the best of {results['rounds']} rounds in which all pieces of a table take "
        "turns, after a round that does not count. A million Philox blocks, timed in the same "
        f"turns, took {_calibration(results)} ms: divide by it to compare machines or days. Base "
        "is 2003-HE2: 11,704 loans to the end of the deal; “8 %” is base at a flat CPR of 8 %."
    )


def _calibration(results: Mapping[str, Any]) -> str:
    """Return the range of the calibration loop over the sections that carry it, ms."""
    sections = [results.get(name, []) for name in ("commands", "threads", "methods")]
    found = [row["calibration_ms"] for rows in sections for row in rows]
    return f"{min(found):.1f} to {max(found):.1f}" if found else "an unknown number of"


def _bars(bars: Sequence[Bar]) -> str:
    rows = [
        (bar.name, bar.limit, f"{bar.measured:.2f} {bar.unit}".strip(),
         "met" if bar.is_met else "**missed**")
        for bar in bars
    ]  # fmt: skip
    return "## Bars\n\n" + table(("bar", "limit", "measured", "verdict"), rows)


def _commands(rows: Sequence[Record]) -> str:
    stages = list(rows[0]["stages"])
    body = []
    for row in rows:
        times = [f"{row['stages'][stage]:.2f}" for stage in stages]
        body.append((f"{row['paths']:,}", f"{row['seconds']:.2f}", *times,
                     f"{row['peak_mb']:.0f}", *_answers(row["loss_pct"])))  # fmt: skip
    header = ("paths", "wall, s", *stages, "peak MB",
              "mean loss, % of pool", "99 % ES")  # fmt: skip
    return (
        "## The whole command\n\n`hemc run configs/base.toml --paths N` in a fresh process, "
        "kernels in the cache, everything written; stages in seconds. Those after the simulation "
        "go on side by side; start-up and writing are what is left.\n\n" + table(header, body)
    )


def _answers(loss_pct: Record) -> tuple[str, ...]:
    return tuple(_with_error(loss_pct[name]) for name in ("mean", "es_99"))


def _with_error(estimate: Record) -> str:
    """Return value ± standard error."""
    error = estimate["standard_error"]
    return f"{estimate['value']:.3f}" + (f" ± {error:.3f}" if error is not None else "")


def _methods(rows: Sequence[Record]) -> str:
    body = [
        (f"{row['cpr']}, {row['method']}", f"{row['ms_per_path']:.3f}",
         f"{row['loan_months_per_second'] / 1e6:.1f}",
         f"{speedup(rows, row['cpr'], row['method']):.1f}",
         _with_error(row["mean_loss_pct"]), _difference(row),
         f"{row['paths']:,}")
        for row in rows
    ]  # fmt: skip
    header = ("CPR, method", "ms a path", "million loan-months a second", "× event-driven",
              "mean loss, % of pool", "less event-driven", "paths")  # fmt: skip
    return (
        "## Event-driven, month-stepping, NumPy\n\nOne thread, factors included, every output of "
        "the pool. A loan-month is a month that a loan begins alive, whether a method looks at it "
        "or not. All have the same factors and their own draws of loans; “less event-driven” is "
        "the difference of mean losses on equal paths. The twin (`benchmarks/numpy_twin.py`) is "
        "the same model in NumPy, a few paths at a time, finished loans dropped.\n\n"
        + table(header, body)
    )


def _difference(row: Record) -> str:
    """Return how far a method's mean loss is from the event-driven kernel's."""
    return "–" if row["method"] == "event-driven" else _with_error(row["difference_pct"])


def _threads(rows: Sequence[Record]) -> str:
    one = {row["classes"]: row["ms_per_path"] for row in rows if row["threads"] == 1}
    body = [
        (row["classes"], row["threads"], f"{row['ms_per_path']:.3f}",
         f"{one[row['classes']] / row['ms_per_path']:.2f}")
        for row in rows
    ]  # fmt: skip
    header = ("latent classes", "threads", "ms a path", "speed-up")
    return f"## Threads and classes\n\nFactors and pool of base.\n\n{table(header, body)}"


def _loans(record: Record) -> str:
    body = [
        (f"{row['loans']:,}", row["months"], f"{row['ms_per_path']:.3f}") for row in record["rows"]
    ]
    return (
        "## Growth with loans\n\nOne thread, tapes synthesised from base's totals in proportion. "
        f"Time = {record['fixed_ms']:.3f} ms + {record['ns_per_loan']:.1f} ns × loans a path; "
        f"slope {record['ns_per_loan_low']:.1f} ns in the lower range, "
        f"{record['ns_per_loan_high']:.1f} ns in the upper.\n\n"
        + table(("loans", "months", "ms a path"), body)
    )


def _paths(record: Record) -> str:
    body = [
        (f"{row['paths']:,}", f"{row['seconds']:.3f}", f"{1e3 * row['seconds'] / row['paths']:.3f}")
        for row in record["rows"]
    ]
    return (
        f"## Growth with paths\n\nTwo threads; time grows with paths to the power "
        f"{record['exponent']:.3f}.\n\n" + table(("paths", "s", "ms a path"), body)
    )


def _horizon(rows: Sequence[Record]) -> str:
    body = [(row["months"], f"{row['ms_per_path']:.3f}") for row in rows]
    return "## Growth with the horizon\n\nOne thread.\n\n" + table(("months", "ms a path"), body)


def _cpr(rows: Sequence[Record]) -> str:
    methods = [name for name in rows[0] if name != "cpr"]
    body = [(f"{row['cpr']:.0%}", *(f"{row[m]:.3f}" for m in methods)) for row in rows]
    header = ("flat CPR", *(f"{m}, ms a path" for m in methods))
    return "## Growth with prepayment\n\nOne thread.\n\n" + table(header, body)


def _notes(rows: Sequence[Record]) -> str:
    body = [(row["part"], f"{row['ms_per_path']:.3f}") for row in rows]
    return "## What the notes take\n\nOne thread, a block of 64 paths.\n\n" + table(
        ("part", "ms a path"), body
    )


def _accuracy(rows: Sequence[Record]) -> str:
    body = []
    for row in rows:
        cells = [
            row["sampling"],
            f"{row['fixed_seconds']:.2f} + {row['ms_per_path']:.3f} ms × paths",
        ]
        for statistic in ("mean", "es_99"):
            cells += _reached(row[statistic], rows[0][statistic]["seconds"])
        body.append(cells)
    shown = ("paths to 1 %", "s to 1 %", "× plain")
    header = ("sampling", "s", "mean loss, % of pool", *shown, "99 % ES", *shown)
    return (
        f"## Seconds to a standard error of 1 %\n\nRuns of {rows[0]['paths']:,} paths, and of a "
        "quarter of them to tell a path's cost from what a run pays once, on all cores, best of "
        f"{rows[0]['rounds']}; stages that do not depend on paths or sampling left out, the others "
        "added up. The paths needed are paths × (relative error / 1 %)². The error of the "
        "expected shortfall rests on few paths and is itself uncertain by a tenth or more.\n\n"
        + table(header, body)
    )


def _reached(estimate: Record, plain_seconds: float | None) -> list[str]:
    """Return figure, paths and seconds to the target, and how far plain sampling is behind."""
    answer, seconds = _with_error(estimate), estimate["seconds"]
    if seconds is None:
        return [answer, "–", "–", "–"]
    ratio = "–" if plain_seconds is None else f"{plain_seconds / seconds:.1f}"
    return [answer, f"{estimate['paths']:,.0f}", f"{seconds:.2f}", ratio]


def _start_up(record: Record) -> str:
    body = [
        (name, *(f"{record[name][part]:.2f}" for part in ("import", "kernels", "first", "second")))
        for name in ("cold", "warm")
    ]
    header = ("cache", "imports, s", "kernels, s", "first run of one path, s", "second, s")
    compiled = sorted(record["cold"]["compiled"].items(), key=lambda item: -item[1])
    slowest = ", ".join(f"`{name}` {seconds:.1f}" for name, seconds in compiled[:8])
    return (
        "## Start-up\n\nFresh processes with an empty and with a filled kernel cache; “kernels” is "
        "the time in which numba compiles or loads, all kernels one after the other in a process. "
        "`hemc warmup` and a first run compile half of them in a second process: with empty caches "
        f"the command, which also bundles the charts' script, took {record['warmup']:.1f} s in "
        f"all. Longest to compile, s: {slowest}.\n\n" + table(header, body)
    )


def _long(record: Record) -> str:
    return (
        f"## A long run\n\n{record['paths']:,} paths of base, everything written: "
        f"{record['seconds']:.0f} s, at most {record['peak_mb']:.0f} MB resident; mean loss "
        f"{_with_error(record['loss_pct']['mean'])} % of the pool, 99 % ES "
        f"{_with_error(record['loss_pct']['es_99'])} %."
    )


def _also(rows: Sequence[Record]) -> str:
    body = [
        (f"`{row['command']}`", f"{row['seconds']:.2f}", f"{row['peak_mb']:.0f}", row["exit_code"])
        for row in rows
    ]
    return "## Other commands\n\nGiven on the command line, fresh processes.\n\n" + table(
        ("command", "wall, s", "peak MB", "exit code"), body
    )


_SECTIONS: dict[str, Callable[[Any], str]] = {
    "commands": _commands, "methods": _methods, "threads": _threads, "notes": _notes,
    "accuracy": _accuracy, "loans": _loans, "paths": _paths, "horizon": _horizon, "cpr": _cpr,
    "start_up": _start_up, "long": _long, "also": _also,
}  # fmt: skip
