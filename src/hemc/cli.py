"""The command line: parse, call, print; nothing is computed here and stages are imported late."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hemc.errors import HemcError, InputError

if TYPE_CHECKING:
    from hemc.inputs.certificate import Certificate
    from hemc.inputs.deal import Deal

_INTERNAL_FAULT = 3
_INTERRUPTED = 130
_FILE = click.Path(path_type=Path)


class HemcGroup(click.Group):
    """A click group that turns each kind of error into its message and exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and exit with its code; docs/architecture.md lists the codes."""
        extra["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **extra))
        except HemcError as error:
            click.echo(f"hemc: {error}", err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            sys.exit(_INTERRUPTED)
        except Exception:
            import traceback

            traceback.print_exc()
            sys.exit(_INTERNAL_FAULT)


@click.group(cls=HemcGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hemc", prog_name="hemc")
def main() -> None:
    """Home equity Monte Carlo: from a servicing certificate to what the notes can lose.

    \b
    Examples:
      hemc run configs/base.toml
      hemc certificate check configs/certificates/gmacm-2003-he2_2004-02-25.txt
    """


@main.group()
def certificate() -> None:
    """Read a servicing certificate and check its figures against each other.

    \b
    Example:
      hemc certificate show configs/certificates/gmacm-2003-he2_2004-02-25.txt
    """


@certificate.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print a record with exact figures.")
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
@click.argument("files", metavar="FILE...", type=_FILE, nargs=-1, required=True)
@click.option("--deal", "deal_file", type=_FILE, help="Deal terms (default: the shipped deal).")
@click.option("--json", "as_json", is_flag=True, help="Print every line as JSON.")
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


@main.command()
@click.argument("config", type=_FILE)
@click.option("--paths", type=int, help="Number of paths.")
@click.option("--seed", type=int, help="Seed of all random numbers.")
@click.option("--threads", type=int, help="Threads; changes no result (default: all cores).")
@click.option("--out", type=_FILE, help="Folder of the results (default: results/<name>).")
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override any key.")
@click.option("--strict", is_flag=True, help="Exit with 1 if the certificate does not tie out.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def run(
    config: Path,
    paths: int | None,
    seed: int | None,
    threads: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    strict: bool,
    quiet: bool,
) -> None:
    """Simulate a configuration and write tables, next certificate and report.

    \b
    Examples:
      hemc run configs/base.toml
      hemc run configs/base.toml --paths 1000 --set scenario.stress_shift=0.4
    """
    from hemc import engine
    from hemc.config import load_config
    from hemc.outputs.folder import refuse_foreign
    from hemc.outputs.progress import show_progress
    from hemc.outputs.report.document import write_report
    from hemc.outputs.results import write_run
    from hemc.outputs.summary import render_summary

    options = {"paths": paths, "seed": seed, "threads": threads}
    named = {f"simulation.{k}": str(v) for k, v in options.items() if v is not None}
    loaded = load_config(config, _overrides(settings) | named)
    folder = out or Path("results") / loaded.config.name
    refuse_foreign(folder)
    # A scheduler that ends the run gets the same clean end as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with show_progress(loaded.config.simulation.paths, quiet) as progress:
        result = engine.run(loaded, progress, strict, scratch=folder.parent)
    for warning in result.calibration.warnings:
        click.echo(f"hemc: {warning}", err=True)
    write_run(result, folder, write_report)
    if not quiet:
        click.echo(render_summary(result, folder, color=sys.stdout.isatty()), nl=False)


@main.command()
@click.argument("config", type=_FILE)
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override any key.")
def validate(config: Path, settings: tuple[str, ...]) -> None:
    """Read a configuration and everything it names, and say whether a run could start.

    \b
    Example:
      hemc validate configs/base.toml
    """
    from hemc import engine
    from hemc.config import load_config

    loaded = load_config(config, _overrides(settings))
    documents = engine.read_documents(loaded)
    calibration = engine.calibrate(loaded, documents)
    model = engine.build_model(loaded.config, documents, calibration)
    for warning in calibration.warnings:
        click.echo(f"hemc: {warning}", err=True)
    click.echo(
        f"{config}: valid; {len(calibration.tape):,} loans, {model.n_months} months, "
        f"{loaded.config.simulation.paths:,} paths"
    )


@main.command()
@click.option("--quiet", is_flag=True, help="Say nothing.")
def warmup(quiet: bool) -> None:
    """Compile kernels and bundle the report's chart script, so that the next run starts at once.

    \b
    Example:
      hemc warmup
    """
    from hemc import engine
    from hemc.config import load_config
    from hemc.inputs.shipped import configs_dir
    from hemc.kernels.jit import CACHE_DIR
    from hemc.outputs.report.vega import chart_script

    one = {"simulation.paths": "1", "outputs.sensitivity_paths": "0"}
    engine.run(load_config(configs_dir() / "base.toml", one), lambda n: None)
    chart_script()
    if not quiet:
        click.echo(f"kernels are compiled in {CACHE_DIR}")


def _overrides(settings: tuple[str, ...]) -> dict[str, str]:
    """Return the keys and values of --set options."""
    pairs = [setting.partition("=") for setting in settings]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise InputError("--set", "", f"'{key}'", "section.key=value")
    return {key.strip(): value.strip() for key, _, value in pairs}


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


if __name__ == "__main__":
    main()
