"""Commands on the folders of finished runs."""

from __future__ import annotations

from pathlib import Path

import click

from hemc.cli.options import FILE, JSON, print_found


@click.command()
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@JSON
def compare(first: Path, second: Path, as_json: bool) -> None:
    """Print what differs between two runs: headline figures with errors, and inputs.

    \b
    Example:
      hemc compare results/base results/stressed
    """
    from hemc.outputs.compare import compare_runs
    from hemc.outputs.compare_text import comparison_record, render_comparison
    from hemc.outputs.run_files import stored_run

    with stored_run(first), stored_run(second):
        found = compare_runs(first, second)
    print_found(comparison_record(found), lambda: render_comparison(found), as_json)


@click.command()
@click.argument("runs", metavar="RUN...", type=FILE, nargs=-1, required=True)
@click.option("--to", "url", required=True, help="A SQLite file or postgresql://user@host/db.")
@JSON
def publish(runs: tuple[Path, ...], url: str, as_json: bool) -> None:
    """Append finished runs to a database; a run that is there already is left alone.

    \b
    Example:
      hemc publish results/base --to risk.sqlite
    """
    from hemc.outputs.run_files import stored_run
    from hemc.outputs.warehouse import publish_runs, render_published

    with stored_run(runs[0] if len(runs) == 1 else Path(", ".join(map(str, runs)))):
        published = publish_runs(runs, url)
    record = {"runs": [done._asdict() for done in published]}
    print_found(record, lambda: render_published(published), as_json)


@click.command()
@click.argument("run", type=FILE)
@JSON
def report(run: Path, as_json: bool) -> None:
    """Write report.html and report.xlsx anew from the tables that are in a run's folder.

    What a later command has added to the folder gets its section; simulated is nothing.

    \b
    Example:
      hemc report results/base
    """
    from hemc.outputs.report.document import write_report
    from hemc.outputs.run_files import stored_run

    with stored_run(run):
        page = write_report(run)
    files = {"report": page, "workbook": page.with_suffix(".xlsx")}
    print_found(files, lambda: f"{', '.join(map(str, files.values()))}\n", as_json)
