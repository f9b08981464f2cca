"""Commands that write configurations and tell editors what may stand in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hemc.cli.options import FILE

if TYPE_CHECKING:
    from pydantic import BaseModel


@click.command()
@click.argument("kind", type=click.Choice(["run", "deal", "scenario", "stress"]), default="run")
def schema(kind: str) -> None:
    """Print the JSON Schema of a configuration or another file, for completion in an editor.

    An editor that knows TOML reads it from a first line '#:schema FILE'.

    \b
    Example:
      hemc schema run > hemc.schema.json
    """
    from hemc.config import Config
    from hemc.engine.new_study import config_schema
    from hemc.inputs.deal import Deal
    from hemc.inputs.scenario_file import ScenarioFile
    from hemc.settings.stress import StressFile

    models: dict[str, type[BaseModel]] = {
        "run": Config,
        "deal": Deal,
        "scenario": ScenarioFile,
        "stress": StressFile,
    }
    click.echo(config_schema(models[kind]), nl=False)


@click.command()
@click.argument("folder", type=FILE)
@click.option("--certificate", type=FILE, help="Start from this certificate (default: shipped).")
@click.option("--deal", type=FILE, help="Deal file of its series (default: the shipped one).")
def init(folder: Path, certificate: Path | None, deal: Path | None) -> None:
    """Write a new folder with a commented configuration and the files that it names.

    \b
    Examples:
      hemc init study
      hemc run study/base.toml
    """
    from hemc.engine.new_study import write_study

    file = write_study(folder, certificate, deal)
    click.echo(f"{file}: edit it, then: hemc run {file}")
