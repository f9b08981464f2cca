"""The command on many deals at once."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from hemc.cli.options import (
    FILE,
    JSON,
    OUT,
    QUIET,
    SEED,
    SETTINGS,
    THREADS,
    overrides,
    print_found,
    say,
)
from hemc.cli.workers import may_use_cluster, workers_asked


@click.command()
@click.argument("file", type=FILE)
@click.option("--paths", type=int, help="Number of paths of every deal.")
@SEED
@THREADS
@OUT
@SETTINGS
@click.option("--strict", is_flag=True, help="A deal whose certificate does not tie out fails.")
@may_use_cluster
@QUIET
@JSON
def portfolio(
    file: Path,
    paths: int | None,
    seed: int | None,
    threads: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    strict: bool,
    cluster: str | None,
    insecure_cluster: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run many deals under the same factors and add up losses, claims and writedowns.

    The insurer of all deals fails on the paths on which their claims exceed its capital. A deal
    that fails is named and left out; the exit code is then 4.

    \b
    Examples:
      hemc portfolio configs/portfolio.toml --paths 1000
      hemc portfolio configs/portfolio.toml --set insurer.capital=1e9
    """
    from hemc.engine.portfolio import run_portfolio
    from hemc.engine.portfolio_deal import read_portfolio
    from hemc.errors import FailedDealsError
    from hemc.outputs.folder import refuse_foreign, whole_folder
    from hemc.outputs.portfolio_files import write_portfolio
    from hemc.outputs.portfolio_text import render_portfolio
    from hemc.outputs.progress import show_progress
    from hemc.outputs.report.portfolio import render_portfolio_report
    from hemc.scale.threads import Threads
    from hemc.scale.work_folder import WorkFolder

    book = read_portfolio(file, overrides(settings, paths=paths, seed=seed, threads=threads))
    folder = out or Path("results") / book.settings.name
    refuse_foreign(folder)
    # A scheduler that ends the run gets the same clean end as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    n_paths = book.n_paths * len(book.settings.deals)
    with WorkFolder(folder, False, say) as work, whole_folder(folder, work.scratch()) as part:
        with (
            workers_asked(cluster, insecure_cluster) as asked,
            show_progress(n_paths, quiet) as progress,
        ):
            workers = asked or Threads(book.settings.simulation.threads)
            result = run_portfolio(book, part, workers, progress, strict)
        write_portfolio(result, part, render_portfolio_report)
    failed = [failure._asdict() for failure in result.failures]
    record = {"folder": folder, "figures": result.measures, "failures": failed}
    print_found(record, lambda: render_portfolio(result, folder), as_json, quiet)
    if result.failures:
        names = ", ".join(failure.deal for failure in result.failures)
        count = f"{len(result.failures)} of {len(book.settings.deals)} deals failed"
        raise FailedDealsError(f"{count} and are not in {folder}: {names}")
