"""The command that shows one path of a finished run month by month."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from hemc.cli.options import FILE, JSON, print_found
from hemc.errors import InputError


@click.command()
@click.argument("run", metavar="RUN", type=FILE)
@click.option("--path", "choice", default="worst", show_default=True,
              help="Number of a path, or worst, median, p99 by pool loss.")  # fmt: skip
@click.option("--months", metavar="A-B", help="Only these months (default: to the deal's end).")
@click.option("--unwrapped", is_flag=True, help="Pay the notes without the insurer.")
@click.option("--loans", type=click.IntRange(1),
              help="Add the history of so many loans, the largest losses first.")  # fmt: skip
@click.option("--csv", "csv_file", type=FILE,
              help="Write every month to FILE, loans to FILE with -loans.")  # fmt: skip
@click.option("--inputs", type=FILE, help="Folder that the run's configuration stands in now.")
@JSON
def trace(
    run: Path,
    choice: str,
    months: str | None,
    unwrapped: bool,
    loans: int | None,
    csv_file: Path | None,
    inputs: Path | None,
    as_json: bool,
) -> None:
    """Simulate one path of a finished run again and print it, each step with its amount.

    \b
    Examples:
      hemc trace results/base --path worst --months 1-12
      hemc trace results/base --path 17 --loans 5 --csv path17.csv
    """
    from hemc.engine.trace import trace_path
    from hemc.outputs.folder import disk_errors
    from hemc.outputs.trace import loans_table, months_table
    from hemc.outputs.trace_text import loan_screen, trace_screen

    span = _months(months)
    traced = trace_path(run, choice, inputs)
    if span and span.stop - 1 > traced.n_months:
        expected = f"months of the projection, 1 to {traced.n_months}"
        raise InputError("--months", "", f"'{months}'", expected)
    notes = traced.trace.unwrapped if unwrapped else traced.trace.wrapped
    histories = traced.loans(loans) if loans else []
    by_month = months_table(traced.trace, notes)
    if csv_file:
        with disk_errors(csv_file.parent):
            by_month.write_csv(csv_file)
            if histories:
                loans_table(histories).write_csv(csv_file.with_stem(f"{csv_file.stem}-loans"))
    if as_json:
        shown = by_month.slice(span.start - 1, len(span)) if span else by_month
        record = {
            "path": traced.trace.row,
            "months": shown,
            "loans": loans_table(histories) if histories else [],
        }
        print_found(record, str, as_json)
        return
    lines = list(trace_screen(traced.trace, notes, traced.n_paths, span))
    for number, history in histories:
        lines += loan_screen(number, history)
    _show(lines)


def _months(text: str | None) -> range | None:
    """Return the months of A-B or A, counted from 1."""
    if text is None:
        return None
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise InputError("--months", "", f"'{text}'", "A-B, such as 1-12, counted from 1")
    return range(int(first), int(last) + 1)


def _show(lines: Iterable[str]) -> None:
    """Print lines, through a pager on a terminal."""
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if sys.stdout.isatty():
        click.echo_via_pager(text)
    else:
        click.echo(text, nl=False)
