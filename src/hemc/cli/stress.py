"""Commands on scenarios: the batch."""

from __future__ import annotations

from pathlib import Path

import click

from hemc.cli.dry_run import DRY_RUN, print_plan
from hemc.cli.options import FILE, JSON, OUT, QUIET, SETTINGS, overrides, print_found, say


@click.command()
@click.argument("file", type=FILE)
@click.option("--paths", type=int, help="Number of paths of every scenario.")
@OUT
@SETTINGS
@QUIET
@DRY_RUN
@JSON
def stress(
    file: Path,
    paths: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    quiet: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run all scenarios of a stress file on the same random numbers and compare them.

    \b
    Examples:
      hemc stress configs/stress.toml --paths 1000
      hemc stress configs/stress.toml --dry-run
    """
    from hemc.engine.stress import read_stress_file, run_stress, stress_base, stressed_paths
    from hemc.outputs.folder import refuse_foreign
    from hemc.outputs.progress import show_progress
    from hemc.outputs.report.document import write_report
    from hemc.outputs.results import write_run
    from hemc.outputs.stress_text import render_stress
    from hemc.scale.work_folder import WorkFolder

    named = overrides(settings, paths=paths)
    batch = read_stress_file(file)
    folder = out or Path("results") / batch.name
    refuse_foreign(folder)
    if dry_run:
        n_paths = stressed_paths(file, named)
        first, n_others = stress_base(file, named), len(batch.scenarios) - 1
        n_more = n_paths - first.config.simulation.paths
        print_plan(first, folder, as_json, lambda study: {f"{n_others} more scenarios": n_more})
        return
    with WorkFolder(folder, False, say) as work:
        scratch = work.scratch()
        with show_progress(stressed_paths(file, named), quiet) as progress:
            result = run_stress(file, named, progress, folder.parent)
        tables = {"scenarios": result.scenarios, "scenario_months": result.months}
        write_run(result.base, folder, write_report, tables, scratch)
    record = {"folder": folder, "scenarios": result.scenarios}
    print_found(record, lambda: render_stress(result, folder), as_json, quiet)
