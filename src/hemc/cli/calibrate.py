"""The command that samples roll rates from certificates."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hemc.cli.options import FILE, JSON, OUT, SETTINGS, overrides, print_found


@click.command()
@click.argument("config", type=FILE)
@OUT
@SETTINGS
@click.option("--quiet", is_flag=True, help="No matrix.")
@JSON
def calibrate(
    config: Path, out: Path | None, settings: tuple[str, ...], quiet: bool, as_json: bool
) -> None:
    """Infer monthly roll rates from certificates and say what they did not tell.

    Writes roll_rates.parquet, posterior.parquet and diagnostics.parquet; a run whose
    roll_rates.posterior names the second uses one draw a path. Without roll_rates.certificates
    the run's one certificate is all there is.

    \b
    Example:
      hemc calibrate configs/two-deals.toml
    """
    from hemc import engine
    from hemc.config import load_config
    from hemc.outputs.calibration_files import write_calibration
    from hemc.outputs.calibration_text import render_calibration

    loaded = load_config(config, overrides(settings))
    folder = out or Path("results") / loaded.config.name
    result = engine.calibrate_posterior(loaded)
    for warning in result.posterior.warnings:
        click.echo(f"hemc: {warning}", err=True)
    rates = write_calibration(result, loaded.config.name, folder)
    print_found(
        {"folder": folder, "roll_rates": rates, "remarks": result.remarks},
        lambda: render_calibration(
            rates, result.title, result.remarks, folder, sys.stdout.isatty()
        ),
        as_json,
        quiet,
    )
