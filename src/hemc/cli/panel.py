"""Commands on loan-level histories: count their moves, fit latent classes to the counts."""

from __future__ import annotations

from pathlib import Path

import click

from hemc.cli.options import FILE
from hemc.errors import InputError


@click.group()
def panel() -> None:
    """Count the moves of a loan-level panel and fit latent classes to them.

    \b
    Examples:
      hemc panel count historical_data_time_2014Q*.txt --out counts.parquet
      hemc panel fit counts.parquet --out classes.toml
    """


@panel.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--out", type=FILE, help="Write the counts (Parquet).")
@click.option("--rates", "rates_file", type=FILE, help="Write rates with intervals (Parquet).")
@click.option("--product", "product_file", type=FILE, help="Prior (default: Jeffreys).")
@click.option("--name", default="panel", show_default=True, help="Deal named in the rates.")
def count(
    files: tuple[str, ...],
    out: Path | None,
    rates_file: Path | None,
    product_file: Path | None,
    name: str,
) -> None:
    """Count moves over 1, 3 and 6 months; print rates and everything left out.

    FILE is a Freddie Mac or Fannie Mae performance file, or a CSV or Parquet table with columns
    loan, month, status; a pattern with * means several files. docs/panel.md says more.

    \b
    Example:
      hemc panel count panel.parquet --out counts.parquet --rates rates.parquet
    """
    from hemc.inputs.move_counts import move_counts_table
    from hemc.inputs.panel import read_panel
    from hemc.inputs.product import read_product
    from hemc.model.move_rates import fit_move_rates, move_rate_table
    from hemc.outputs.panel_text import panel_screen

    product = read_product(product_file) if product_file else None
    read = read_panel(files)
    rates = fit_move_rates(read.moves, product)
    click.echo(panel_screen(read, rates))
    if out:
        move_counts_table(read.moves).write_parquet(out)
        click.echo(f"\ncounts: {out}")
    if rates_file:
        move_rate_table(rates, name).write_parquet(rates_file)
        click.echo(f"rates: {rates_file}")


@panel.command()
@click.argument("counts", type=FILE)
@click.option("--out", type=FILE, help="Write the classes (TOML), for inputs.latent_classes.")
@click.option("--product", "product_file", type=FILE, help="Says which moves improve.")
def fit(counts: Path, out: Path | None, product_file: Path | None) -> None:
    """Fit movers and chronic loans to counts over one and more months.

    \b
    Example:
      hemc panel fit configs/counts/first-liens-2014.csv --out classes.toml
    """
    from hemc.inputs.class_fractions import class_fractions_text
    from hemc.inputs.move_counts import read_move_counts
    from hemc.inputs.product import read_product
    from hemc.inputs.shipped import configs_dir
    from hemc.model.two_class_fit import fit_two_classes, fractions_by_state
    from hemc.outputs.panel_text import fit_screen

    moves = read_move_counts(counts)
    if max(moves.counts) == 1:
        raise InputError(counts, "", "moves of 1 month alone", "moves over 3 and 6 months as well")
    shipped = configs_dir() / "products" / "closed-end-second-2003.toml"
    found = fit_two_classes(moves.counts, read_product(product_file or shipped).order)
    click.echo(fit_screen(moves, found))
    if out:
        text = class_fractions_text(fractions_by_state(found, counts.stem))
        out.write_text(text, encoding="utf-8")
        click.echo(f"\nclasses: {out}")
