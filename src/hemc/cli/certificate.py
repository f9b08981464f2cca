"""Commands on certificates alone: show and check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hemc.cli.options import FILE, JSON
from hemc.errors import InputError

if TYPE_CHECKING:
    from hemc.inputs.certificate import Certificate
    from hemc.inputs.deal import Deal


@click.group()
def certificate() -> None:
    """Read a servicing certificate and check its figures against each other.

    \b
    Example:
      hemc certificate show configs/certificates/gmacm-2003-he2_2004-02-25.txt
    """


@certificate.command()
@click.argument("file", type=FILE)
@JSON
@click.option("--lines", is_flag=True, help="Add the line of the file where a figure stands.")
def show(file: Path, as_json: bool, lines: bool) -> None:
    """Print what was read from a certificate, and what is missing and why.

    \b
    Example:
      hemc certificate show configs/certificates/gmacm-2003-he2_2004-02-25.txt --lines
    """
    from hemc.inputs.certificate import read_certificate
    from hemc.outputs.certificate_text import certificate_json, certificate_screen

    read = read_certificate(file)
    _warn(read)
    text = certificate_json(read) if as_json else certificate_screen(read, with_lines=lines)
    click.echo(text)


@certificate.command()
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
@click.option("--deal", "deal_file", type=FILE, help="Deal terms (default: the shipped deal).")
@JSON
def check(files: tuple[Path, ...], deal_file: Path | None, as_json: bool) -> None:
    """Recompute every identity of certificates; several of one deal check carry-over too.

    Exits with 1 when an identity fails, with 2 when a file is no certificate.

    \b
    Example:
      hemc certificate check configs/certificates/gmacm-2003-he2_2004-02-25.txt
    """
    from hemc.inputs.certificate import read_certificate
    from hemc.inputs.tieout import tie_out
    from hemc.outputs.tieout_text import print_tie_out, tie_out_json

    read = sorted((read_certificate(file) for file in files), key=lambda c: str(c.payment_date))
    for one in read:
        _warn(one)
    deal = _find_deal(read, deal_file)
    results = [(one, tie_out(one, deal, read)) for one in read]
    if as_json:
        click.echo(tie_out_json(results))
    else:
        for i, (one, lines) in enumerate(results):
            if i:
                click.echo()
            print_tie_out(one, lines)
    if any(line.status == "fail" for _, lines in results for line in lines):
        click.get_current_context().exit(1)


@certificate.command()
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
@click.option("--deal", "deal_file", type=FILE, help="Deal terms (default: the shipped deal).")
@JSON
def replay(files: tuple[Path, ...], deal_file: Path | None, as_json: bool) -> None:
    """Pay a certificate's month by the deal's order of payments and compare with what is printed.

    Opening balances, collections and loss go in; the kernel that pays simulated paths pays them,
    rounding to the cent. Exits with 1 when a figure is off, with 2 when a file cannot be used.

    \b
    Example:
      hemc certificate replay configs/certificates/gmacm-2003-he2_2004-02-25.txt
    """
    from hemc.inputs.certificate import read_certificate
    from hemc.model.replay import replay as replay_month
    from hemc.outputs.replay_text import print_replay, replay_json

    read = sorted((read_certificate(file) for file in files), key=lambda c: str(c.payment_date))
    deal = _find_deal(read, deal_file)
    if deal is None:
        raise InputError(read[0].path, "series", "no deal terms for it", "--deal FILE")
    results = [replay_month(one, deal) for one in read]
    if as_json:
        click.echo(replay_json(results))
    for i, result in enumerate(() if as_json else results):
        if i:
            click.echo()
        print_replay(result)
    if not all(result.is_exact for result in results):
        click.get_current_context().exit(1)


def _find_deal(read: Sequence[Certificate], deal_file: Path | None) -> Deal | None:
    """Return the terms of the given deal file, else of the shipped deal of the series."""
    from hemc.inputs.deal import read_deal
    from hemc.inputs.shipped import shipped_deals

    series = next((one.series for one in read if one.series), None)
    path = deal_file or shipped_deals().get(series or "")
    if path is None:
        name = f"series {series}" if series else "a certificate without a series"
        click.echo(f"hemc: no shipped deal for {name}; give --deal FILE", err=True)
        return None
    deal = read_deal(path)
    if series is not None and deal.series != series:
        raise InputError(path, "series", f"'{deal.series}'", f"'{series}', as the certificate")
    return deal


def _warn(read: Certificate) -> None:
    """Print the remarks on a certificate and how much of it is missing to standard error."""
    for remark in read.remarks:
        click.echo(f"hemc: {read.path}: {remark}", err=True)
    n_gaps = len(read.gaps())
    if n_gaps:
        click.echo(f"hemc: {read.path}: incomplete, {n_gaps} gaps ('certificate show')", err=True)
