"""Commands on a configuration: run it, validate it, or prepare the machine for it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from hemc.cli.dry_run import DRY_RUN, print_plan
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
@click.argument("config", type=FILE)
@click.option("--paths", type=int, help="Number of paths.")
@SEED
@THREADS
@OUT
@SETTINGS
@click.option("--strict", is_flag=True, help="Exit with 1 if the certificate does not tie out.")
@click.option("--resume", is_flag=True, help="Go on with the run that was interrupted, if any.")
@may_use_cluster
@QUIET
@DRY_RUN
@JSON
def run(
    config: Path,
    paths: int | None,
    seed: int | None,
    threads: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    strict: bool,
    resume: bool,
    cluster: str | None,
    insecure_cluster: bool,
    quiet: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Simulate a configuration and write tables, next certificate and report.

    A run that is interrupted keeps what it has simulated; the same command with --resume goes on
    and ends with the same values. Without --resume it starts anew.

    \b
    Examples:
      hemc run configs/base.toml
      hemc run configs/base.toml --dry-run
      hemc run configs/base.toml --paths 1000 --set scenario.stress_shift=0.4
      hemc run configs/base.toml --paths 1000000 --resume
      hemc run configs/base.toml --cluster local:4
    """
    from hemc import engine
    from hemc.config import load_config
    from hemc.outputs.folder import refuse_foreign
    from hemc.outputs.progress import show_progress
    from hemc.outputs.report.document import write_report
    from hemc.outputs.results import write_run
    from hemc.outputs.summary import render_summary
    from hemc.scale.work_folder import WorkFolder

    loaded = load_config(config, overrides(settings, paths=paths, seed=seed, threads=threads))
    folder = out or Path("results") / loaded.config.name
    refuse_foreign(folder)
    if dry_run:
        print_plan(loaded, folder, as_json)
        return
    if cluster is None:
        _compile_first(quiet)
    # A scheduler that ends the run gets the same clean end as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with WorkFolder(folder, resume, say) as work:
        with (
            workers_asked(cluster, insecure_cluster) as workers,
            show_progress(loaded.config.simulation.paths, quiet) as progress,
        ):
            result = engine.run(loaded, progress, strict, work, workers)
        for warning in result.warnings:
            say(warning)
        write_run(result, folder, write_report, scratch=work.path)
    record = {"folder": folder, "figures": result.summary, "warnings": result.warnings}
    print_found(record, lambda: render_summary(result, folder, sys.stdout.isatty()), as_json, quiet)


def _compile_first(quiet: bool) -> None:
    """Compile the kernels where the cache has none yet."""
    from hemc.kernels.jit import is_cold

    if not is_cold():
        return
    if not quiet:
        say("compiling kernels, once, under half a minute")
    from hemc.engine.warm_up import warm_up

    warm_up()


@click.command()
@click.argument("config", type=FILE)
@SETTINGS
@JSON
def validate(config: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Read a configuration and everything it names, and say whether a run could start.

    \b
    Example:
      hemc validate configs/base.toml
    """
    from hemc import engine
    from hemc.config import load_config
    from hemc.outputs.deal_text import order_of_payments

    loaded = load_config(config, overrides(settings))
    documents = engine.read_documents(loaded)
    calibration = engine.calibrate(loaded, documents)
    model = engine.build_model(loaded.config, documents, calibration)
    for warning in calibration.warnings:
        click.echo(f"hemc: {warning}", err=True)
    n_loans, n_paths = len(calibration.tape), loaded.config.simulation.paths
    record = {
        "file": config, "loans": n_loans, "months": model.n_months, "paths": n_paths,
        "warnings": calibration.warnings,
    }  # fmt: skip
    size = f"{n_loans:,} loans, {model.n_months} months, {n_paths:,} paths"
    lines = [f"{config}: valid; {size}", order_of_payments(documents.deal), ""]
    print_found(record, lambda: "\n".join(lines), as_json)


@click.command()
@click.option("--quiet", is_flag=True, help="Say nothing.")
def warmup(quiet: bool) -> None:
    """Compile kernels and bundle the report's chart script, so that the next run starts at once.

    \b
    Example:
      hemc warmup
    """
    from hemc.engine.warm_up import warm_up
    from hemc.kernels.jit import CACHE_DIR
    from hemc.outputs.report.vega import chart_script

    warm_up()
    chart_script()
    if not quiet:
        click.echo(f"kernels are compiled in {CACHE_DIR}")
