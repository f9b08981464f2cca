"""Commands that ask more of a configuration than one run: break-evens, sensitivities, vectors."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hemc.cli.dry_run import DRY_RUN, print_plan
from hemc.cli.options import FILE, JSON, SETTINGS, overrides, print_found, say

if TYPE_CHECKING:
    import polars as pl

    from hemc.config import LoadedConfig
    from hemc.engine.study import Study


@click.command()
@click.argument("config", type=FILE)
@click.option("--paths", type=int, help="Number of paths of each multiple.")
@click.option("--out", type=FILE, help="Folder of the run (default: results/<name>).")
@SETTINGS
@click.option("--quiet", is_flag=True, help="No progress and no tables.")
@DRY_RUN
@JSON
def breakeven(
    config: Path,
    paths: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    quiet: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Find the stress at which each class begins to lose: CDR, roll rates, severity, shift.

    Adds its tables and a section to the run of the configuration, which is made where it is
    not there.

    \b
    Example:
      hemc breakeven configs/base.toml
    """
    from hemc.config import load_config
    from hemc.engine.breakevens import conventions, expected_loss, find_breakevens, searched_paths
    from hemc.engine.study import prepare_study
    from hemc.outputs.breakeven_screen import render_breakevens
    from hemc.outputs.progress import show_progress

    named = {} if paths is None else {"breakeven.paths": str(paths)}
    loaded = load_config(config, overrides(settings) | named)
    searching = loaded.config.breakeven
    if dry_run:
        first = {"first scans of multiples": searched_paths(searching)}
        print_plan(loaded, _folder(loaded, out), as_json, lambda study: first)
        return
    study = prepare_study(loaded)
    folder = _base_run(study, out, quiet)
    with show_progress(searched_paths(searching), quiet) as progress:
        found = find_breakevens(study, expected_loss(folder), progress)
    rests_on = conventions(study)
    tables = {"breakevens": found.table, "breakeven_scan": found.scan}
    _add(folder, tables, {"breakevens": rests_on.model_dump()})
    record = {"folder": folder, "conventions": rests_on.model_dump(), "breakevens": found.table}
    screen = partial(render_breakevens, found.table, study.title, rests_on, folder)
    print_found(record, screen, as_json, quiet)


@click.command()
@click.argument("config", type=FILE)
@click.option("--paths", type=int, help="Number of paths of each case.")
@click.option("--out", type=FILE, help="Folder of the run (default: results/<name>).")
@SETTINGS
@click.option("--quiet", is_flag=True, help="No progress and no table.")
@DRY_RUN
@JSON
def sensitivities(
    config: Path,
    paths: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    quiet: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Change one assumption at a time, and prepayment × roll rates × severity together.

    Adds a tornado and heat maps to the run of the configuration, which is made where it is not
    there. Every difference has its own standard error and that of independent seeds.

    \b
    Example:
      hemc sensitivities configs/base.toml
    """
    from hemc.config import load_config
    from hemc.engine.sensitivities import explore_assumptions, explored_paths
    from hemc.engine.study import prepare_study
    from hemc.outputs.progress import show_progress
    from hemc.outputs.sensitivity_screen import render_tornado

    named = {} if paths is None else {"sensitivities.paths": str(paths)}
    loaded = load_config(config, overrides(settings) | named)
    if dry_run:
        cases = "tornado and heat maps"
        print_plan(loaded, _folder(loaded, out), as_json, lambda s: {cases: explored_paths(s)})
        return
    study = prepare_study(loaded)
    n_paths = explored_paths(study)
    folder = _base_run(study, out, quiet)
    with show_progress(n_paths, quiet) as progress:
        found = explore_assumptions(study, progress)
    _add(folder, {"tornado": found.tornado, "heat_maps": found.heat_maps}, {})
    record = {"folder": folder, "tornado": found.tornado, "heat_maps": found.heat_maps}
    screen = partial(render_tornado, found.tornado, study.title, folder)
    print_found(record, screen, as_json, quiet)


@click.command()
@click.argument("config", type=FILE)
@click.option("--cpr", help="Prepayment vector, such as 0.36 or '0.36 ramp 24 0.22'.")
@click.option("--cdr", help="Default vector, in addition to prepayments.")
@click.option("--severity", help="Severity vector.")
@click.option("--lag", type=int, help="Months from default to loss.")
@click.option("--csv", "csv_file", type=FILE, help="Write the table to FILE as well.")
@SETTINGS
@JSON
def vector(
    config: Path,
    cpr: str | None,
    cdr: str | None,
    severity: str | None,
    lag: int | None,
    csv_file: Path | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Project CPR, CDR and severity vectors through the deal: no state, no draw, one path.

    The vectors are those of [vector] where no option replaces them; a rate is a fraction a year,
    `0.02 ramp 10 0.20` rises, `0.05 for 12 0.10` changes, `0.20 hep` is the home equity ramp.

    \b
    Examples:
      hemc vector configs/base.toml
      hemc vector configs/base.toml --cdr '0.02 ramp 12 0.10' --severity 1.0
    """
    from hemc.config import load_config
    from hemc.engine.study import prepare_study
    from hemc.engine.vector_run import run_vectors
    from hemc.outputs.folder import disk_errors
    from hemc.outputs.vector_table import render_vectors

    options = {"cpr": cpr, "cdr": cdr, "severity": severity, "lag_months": lag}
    named = {f"vector.{k}": f"'{v}'" for k, v in options.items() if v is not None}
    if lag is not None:
        named["vector.lag_months"] = str(lag)
    study = prepare_study(load_config(config, overrides(settings) | named))
    table = run_vectors(study)
    if csv_file is not None:
        with disk_errors(csv_file.parent):
            table.write_csv(csv_file)
    played = study.loaded.config.vector
    screen = partial(render_vectors, table, study.title, played)
    print_found({"vector": played.model_dump(), "classes": table}, screen, as_json)


def _folder(loaded: LoadedConfig, out: Path | None) -> Path:
    """Return the folder that a command writes in."""
    return out or Path("results") / loaded.config.name


def _base_run(study: Study, out: Path | None, quiet: bool) -> Path:
    """Return the folder of the configuration's run, made now where it is not there."""
    from hemc import engine
    from hemc.outputs.folder import refuse_foreign
    from hemc.outputs.progress import show_progress
    from hemc.outputs.report.document import write_report
    from hemc.outputs.results import write_run
    from hemc.outputs.study_tables import is_run_of
    from hemc.scale.work_folder import WorkFolder

    config, folder = study.loaded.config, _folder(study.loaded, out)
    refuse_foreign(folder)
    if not is_run_of(folder, config, study.documents.paths):
        with WorkFolder(folder, False, say) as work:
            scratch = work.scratch()
            with show_progress(config.simulation.paths, quiet) as progress:
                result = engine.run(study.loaded, progress, workers=study.workers)
            write_run(result, folder, write_report, scratch=scratch)
    return folder


def _add(folder: Path, tables: dict[str, pl.DataFrame], records: dict[str, dict[str, Any]]) -> None:
    """Add what a study found to a run and make its report anew."""
    from hemc.outputs.report.document import write_report
    from hemc.outputs.study_tables import add_tables

    add_tables(folder, tables, records, write_report)
