"""Commands on loan-level histories: count their moves, fit latent classes to the counts."""

from __future__ import annotations

from pathlib import Path

import click

from hemc.cli.options import FILE, JSON, print_found
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
@JSON
def count(
    files: tuple[str, ...],
    out: Path | None,
    rates_file: Path | None,
    product_file: Path | None,
    name: str,
    as_json: bool,
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
    counts, table = move_counts_table(read.moves), move_rate_table(rates, name)
    written = {"counts": (out, counts), "rates": (rates_file, table)}
    for file, rows in written.values():
        if file:
            rows.write_parquet(file)
    record = {"layout": read.layout, "rows": read.n_rows, "loans": read.n_loans, "counts": counts,
              "rates": table, "left_out": read.exclusions}  # fmt: skip
    files_written = [f"{what}: {file}" for what, (file, _) in written.items() if file]
    lines = [panel_screen(read, rates), *([""] if files_written else []), *files_written, ""]
    print_found(record, lambda: "\n".join(lines), as_json)


@panel.command()
@click.argument("counts", type=FILE)
@click.option("--out", type=FILE, help="Write the classes (TOML), for inputs.latent_classes.")
@click.option("--product", "product_file", type=FILE, help="Says which moves improve.")
@JSON
def fit(counts: Path, out: Path | None, product_file: Path | None, as_json: bool) -> None:
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
    classes = fractions_by_state(found, counts.stem)
    if out:
        out.write_text(class_fractions_text(classes), encoding="utf-8")
    written = f"\nclasses: {out}\n" if out else ""
    record = {
        "classes": classes.model_dump(by_alias=True),
        "log_likelihood": found.log_likelihood,
        "log_likelihood_one_class": found.log_likelihood_one_class,
    }
    print_found(record, lambda: f"{fit_screen(moves, found)}\n{written}", as_json)
