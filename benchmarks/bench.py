"""What `scripts/bench` starts: measure, judge against the bars, write the page."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from benchmarks.bars import SECTIONS, Bar, judge
from benchmarks.plan import FULL, QUICK, Plan

DOCS = Path(__file__).parent.parent / "docs"

Section = Callable[[], Any]


def sections(plan: Plan, long: Path | None, also: tuple[str, ...]) -> Iterator[tuple[str, Section]]:
    """Yield the name of each section and what measures it; commands come first.

    `long` is the folder that keeps the long run, which is not made where it is None.

    A command's time and memory must not be those of a machine that this process has filled.
    """
    from benchmarks import command_speed

    yield "commands", lambda: command_speed.whole_runs(plan)
    yield "start_up", command_speed.start_up
    yield "accuracy", lambda: command_speed.seconds_to_target(plan)
    if long is not None:
        yield "long", lambda: command_speed.run_base(plan.long_paths, kept=long.absolute())
    if also:
        yield "also", lambda: command_speed.other_commands(plan, also)

    from benchmarks import kernel_speed

    yield "methods", lambda: kernel_speed.compare_methods(plan)
    yield "threads", lambda: kernel_speed.scale_threads(plan)
    yield "loans", lambda: kernel_speed.grow_loans(plan)
    yield "paths", lambda: kernel_speed.grow_paths(plan)
    yield "horizon", lambda: kernel_speed.grow_horizon(plan)
    yield "cpr", lambda: kernel_speed.grow_cpr(plan)
    yield "notes", lambda: kernel_speed.share_of_notes(plan)


def measure(
    plan: Plan, long: Path | None, also: tuple[str, ...], only: tuple[str, ...] | None
) -> dict[str, Any]:
    """Measure the sections named in `only`, all where it is None, saying which on stderr."""
    from benchmarks.machine import describe_machine

    start = time.perf_counter()
    results: dict[str, Any] = {"machine": describe_machine(), "rounds": plan.rounds}
    for name, section in sections(plan, long, also):
        if only is None or name in only:
            began = time.perf_counter()
            results[name] = section()
            click.echo(f"{name}: {time.perf_counter() - began:.0f} s", err=True)
    return results | {"minutes": (time.perf_counter() - start) / 60.0}


def bar_lines(bars: list[Bar]) -> str:
    """Return a line for each bar: verdict, name, limit and what was measured."""
    return "\n".join(
        f"{'met   ' if bar.is_met else 'MISSED'}  {bar.name}: {bar.measured:.2f} {bar.unit}"
        f" ({bar.limit})"
        for bar in bars
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Fewer rounds and paths: to look, not to quote.")
@click.option("--check", is_flag=True, help="Measure the bars only; exit with 1 if one is missed.")
@click.option(
    "--long",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Also run 1,000,000 paths into FOLDER (some ten minutes); scripts/tails can read it.",
)
@click.option("--also", metavar="CMD", multiple=True, help="Also time another command.")
@click.option("--out", default=DOCS, type=click.Path(path_type=Path), help="Folder of the page.")
def main(quick: bool, check: bool, long: Path | None, also: tuple[str, ...], out: Path) -> None:
    """Measure hemc on this machine and write docs/benchmarks.md and docs/benchmarks.json.

    Takes a quarter of an hour, under two minutes with --quick; the machine should do nothing else
    meanwhile.
    """
    from benchmarks.page import render

    plan = QUICK if quick else FULL
    results = measure(plan, long, also, SECTIONS if check else None)
    results["plan"] = "quick" if quick else "full"
    bars = judge(results)
    if not check:
        out.mkdir(parents=True, exist_ok=True)
        (out / "benchmarks.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (out / "benchmarks.md").write_text(render(results), encoding="utf-8")
    click.echo(bar_lines(bars))
    sys.exit(int(check and not all(bar.is_met for bar in bars)))


if __name__ == "__main__":
    main()
