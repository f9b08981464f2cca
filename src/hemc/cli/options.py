"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from hemc.errors import InputError

FILE = click.Path(path_type=Path)
SETTINGS = click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override any key."
)
OUT = click.option("--out", type=FILE, help="Folder of the results (default: results/<name>).")
QUIET = click.option("--quiet", is_flag=True, help="No progress and no summary.")
THREADS = click.option(
    "--threads", type=int, help="Threads; changes no result (default: all cores)."
)
SEED = click.option("--seed", type=int, help="Seed of all random numbers.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print a record for machines.")


def print_found(
    record: Mapping[str, Any], screen: Callable[[], str], as_json: bool, quiet: bool = False
) -> None:
    """Print what a command found: its record, its screen, or nothing when quiet."""
    if as_json:
        from hemc.outputs.record import record_text

        click.echo(record_text(record))
    elif not quiet:
        click.echo(screen(), nl=False)


def overrides(settings: tuple[str, ...], **simulation: int | None) -> dict[str, str]:
    """Return the keys and values of --set options, and of options named as keys of [simulation]."""
    pairs = [setting.partition("=") for setting in settings]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise InputError("--set", "", f"'{key}'", "section.key=value")
    given = {key.strip(): value.strip() for key, _, value in pairs}
    return given | {f"simulation.{k}": str(v) for k, v in simulation.items() if v is not None}


def say(line: str) -> None:
    """Tell a person one thing beside the results."""
    click.echo(f"hemc: {line}", err=True)
