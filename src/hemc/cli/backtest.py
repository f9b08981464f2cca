"""The command that forecasts certificates from earlier ones and scores what came."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hemc.cli.options import FILE, JSON, OUT, QUIET, SETTINGS, overrides, print_found


@click.command()
@click.argument("config", type=FILE)
@OUT
@SETTINGS
@QUIET
@JSON
def backtest(
    config: Path, out: Path | None, settings: tuple[str, ...], quiet: bool, as_json: bool
) -> None:
    """Forecast each certificate from those before it and score the forecast.

    Fits roll rates to the certificates up to each date of roll_rates.certificates, simulates
    forward and compares with every later one. Writes backtest.parquet; where the folder holds a
    run, its report gets a section. The product must not have seen the certificates.

    \b
    Example:
      hemc backtest configs/two-deals.toml
    """
    from hemc import engine
    from hemc.config import load_config
    from hemc.outputs.backtest_files import write_backtest
    from hemc.outputs.backtest_text import render_backtest
    from hemc.outputs.folder import refuse_foreign
    from hemc.outputs.report.document import write_report
    from hemc.outputs.skill import next_only, summarise_groups

    loaded = load_config(config, overrides(settings))
    folder = out or Path("results") / loaded.config.name
    refuse_foreign(folder)

    def tell(step: str) -> None:
        if not quiet:
            click.echo(f"{step} …", err=True)

    result = engine.run_backtest(loaded, tell)
    for warning in result.warnings:
        click.echo(f"hemc: {warning}", err=True)
    write_backtest(result, loaded.config.name, folder, write_report)
    record = {
        "folder": folder,
        "next_certificate": summarise_groups(next_only(result.table)),
        "later_certificates": summarise_groups(result.table),
        "remarks": result.remarks,
    }
    print_found(
        record, lambda: render_backtest(result, folder, sys.stdout.isatty()), as_json, quiet
    )
