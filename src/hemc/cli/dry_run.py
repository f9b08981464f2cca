"""What `--dry-run` prints, the same for every command that simulates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hemc.cli.options import print_found

if TYPE_CHECKING:
    from hemc.config import LoadedConfig
    from hemc.engine.study import Study

DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say what would run, its size and time; write nothing."
)


def print_plan(
    loaded: LoadedConfig,
    folder: Path,
    as_json: bool,
    more: Callable[[Study], Mapping[str, int]] = lambda study: {},
) -> None:
    """Prepare the run, time a few paths and print what all of it would take.

    `more` returns the paths that the command simulates beside its run, by what they are for.
    """
    from hemc.engine.plan import plan_run, timed_study
    from hemc.outputs.plan_text import plan_record, render_plan

    study, seconds, was_cold = timed_study(loaded)
    plan = plan_run(study, seconds, was_cold, more(study))
    print_found(plan_record(plan, folder), lambda: render_plan(plan, folder), as_json)
