"""Commands that write configurations and tell editors what may stand in them."""

from __future__ import annotations

from pathlib import Path

import click

from hemc.cli.options import FILE


@click.command()
@click.argument("kind", type=click.Choice(["run", "deal"]), default="run")
def schema(kind: str) -> None:
    """Print the JSON Schema of a configuration or a deal file, for completion in an editor.

    An editor that knows TOML reads it from a first line '#:schema FILE'.

    \b
    Example:
      hemc schema run > hemc.schema.json
    """
    from hemc.config import Config
    from hemc.engine.new_study import config_schema
    from hemc.inputs.deal import Deal

    click.echo(config_schema(Config if kind == "run" else Deal), nl=False)


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
