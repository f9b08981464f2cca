"""The command that holds the certificate that came against the run that forecast it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from hemc.cli.options import FILE, JSON, print_found


@click.command()
@click.argument("run", metavar="RUN", type=FILE)
@click.argument("certificate", metavar="CERTIFICATE", type=FILE)
@click.option("--config", type=FILE, help="Configuration of the next run, on which to close.")
@click.option("--inputs", type=FILE, help="Folder that the run's configuration stands in now.")
@click.option("--out", type=FILE, help="Folder of the tables (default: RUN).")
@JSON
@click.option("--quiet", is_flag=True, help="No progress and no tables.")
def score(
    run: Path,
    certificate: Path,
    config: Path | None,
    inputs: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score the next certificate against a run, and roll expected losses forward.

    Shows each figure's place in the forecast, what surprised, and why the pool's expected loss
    and the insurer's expected claims changed. CERTIFICATE is a document or a JSON record.
    Writes score.parquet and roll_forward.parquet into RUN and makes its report anew.

    \b
    Examples:
      hemc score results/october configs/certificates/gmacm-2002-he4_2003-11-25.json
      hemc score results/october november.txt --config november.toml
    """
    from hemc.config import load_config
    from hemc.engine.score import chain_paths, score_run
    from hemc.engine.stored_run import reopen_run
    from hemc.outputs.folder import refuse_foreign
    from hemc.outputs.progress import show_progress
    from hemc.outputs.report.document import write_report
    from hemc.outputs.run_files import stored_run
    from hemc.outputs.score_files import write_score
    from hemc.outputs.score_text import render_score, score_record

    folder = out or run
    refuse_foreign(folder)
    with stored_run(run):
        stored = reopen_run(run, inputs)
    later = None if config is None else load_config(config)
    with show_progress(chain_paths(stored, later), quiet) as progress:
        scored = score_run(stored, certificate, later, progress)
    write_score(scored, stored.files.manifest.name, folder, write_report)
    screen = partial(render_score, scored, folder)
    print_found(score_record(scored, folder), screen, as_json, quiet)
