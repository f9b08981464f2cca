"""Every reader of a file that others may have written: what it reads, its code, its valid files.

A reader is called as the commands call it: what it returns is also put on the screen, so that a
value that only the next step cannot bear is a find too.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from hemc.config import load_config
from hemc.engine.portfolio_deal import deal_config, read_portfolio
from hemc.engine.stress import read_stress_file
from hemc.errors import HemcError
from hemc.inputs.certificate import read_certificate
from hemc.inputs.certificate_record import read_record
from hemc.inputs.certificate_series import gather_series
from hemc.inputs.class_fractions import class_fractions_text, read_class_fractions
from hemc.inputs.deal import read_deal
from hemc.inputs.index_path import read_index_path
from hemc.inputs.macro import MacroFile
from hemc.inputs.move_counts import move_counts_table, read_move_counts
from hemc.inputs.panel import read_panel
from hemc.inputs.posterior_file import read_posterior
from hemc.inputs.product import read_product
from hemc.inputs.quarters import macro_path
from hemc.inputs.scenario_file import read_macro_path, read_scenario_file
from hemc.inputs.shipped import configs_dir, shipped_deals
from hemc.inputs.tape import read_tape
from hemc.inputs.tieout import tie_out
from hemc.model.move_rates import fit_move_rates
from hemc.outputs.certificate_text import certificate_json, certificate_screen
from hemc.outputs.compare import compare_runs
from hemc.outputs.compare_text import render_comparison
from hemc.outputs.deal_text import order_of_payments
from hemc.outputs.panel_text import panel_screen
from hemc.outputs.report.document import write_report
from hemc.outputs.run_files import stored_run
from hemc.outputs.tieout_text import print_tie_out, tie_out_json
from hemc.printable import obeyed_character

#: How the bytes of a file are structured, for mutations that get past the parser.
Form = Literal["text", "json", "toml", "csv", "table", "folder"]

#: Digest and series of the posterior that is a seed.
DIGEST, SERIES = "0" * 64, "2003-HE2"


class Reader(NamedTuple):
    """A reader: its name, what it reads, the modules that do it, and how to call it with a file."""

    name: str
    reads: str
    modules: tuple[str, ...]  # of hemc, whose line coverage counts
    form: Form
    suffix: str
    read: Callable[[Path], object]


def _certificate(path: Path) -> object:
    read = read_certificate(path)
    deal_file = shipped_deals().get(read.series or "")
    deal = None if deal_file is None else read_deal(deal_file)
    lines = tie_out(read, deal, [read])
    with contextlib.redirect_stdout(io.StringIO()):
        print_tie_out(read, lines)
    return (
        certificate_screen(read, with_lines=True), certificate_json(read),
        tie_out_json([(read, lines)]), read.gaps(),
    )  # fmt: skip


def _record(path: Path) -> object:
    return gather_series([read_record(path)])


def _deal(path: Path) -> object:
    return order_of_payments(read_deal(path))


def _scenario(path: Path) -> object:
    scenario = read_scenario_file(path)
    read_macro_path(scenario, path)
    return load_config(_beside("base.toml"), {"scenario.file": str(path)})


def _macro(path: Path) -> object:
    source = MacroFile(path)
    scenario = source.scenarios()[-1] if source.scenarios() else None
    first, *others = source.window(scenario)
    source.before(others[0] if others else first, scenario)
    return macro_path(first, tuple(others), path)


def _panel(path: Path) -> object:
    read = read_panel([path])
    return panel_screen(read, fit_move_rates(read.moves, read_product(_beside("product.toml"))))


def _config(path: Path) -> object:
    loaded = load_config(path, {"simulation.paths": 64, "scenario.factors": "on"})
    return list(loaded.assumptions()), loaded.replaced({"scenario.factors": '"off"'})


def _counts(path: Path) -> object:
    moves = read_move_counts(path)
    return move_counts_table(moves), moves.impossible()


def _posterior(path: Path) -> object:
    return read_posterior(path, DIGEST, SERIES)


def _portfolio(path: Path) -> object:
    portfolio = read_portfolio(path, {})
    return [deal_config(portfolio, deal) for deal in portfolio.settings.deals[:2]]


def _index(path: Path) -> object:
    return read_index_path(path).by_month(360)


def _classes(path: Path) -> object:
    fractions = read_class_fractions(path)
    return class_fractions_text(fractions), fractions.array(0.5)


def _product(path: Path) -> object:
    product = read_product(path)
    return product.order, product.pseudo_counts(), product.row_means()


def _run(path: Path) -> object:
    """Read a run's folder whose one file is replaced: its name, a line break, its content."""
    from benchmarks.fuzz.seeds import sample_run

    name, _, content = path.read_bytes().partition(b"\n")
    file = name.decode("ascii", errors="replace")
    whole = sample_run()
    if file not in {one.name for one in whole.iterdir()}:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        folder.mkdir()
        for one in whole.iterdir():
            if one.name != file:
                (folder / one.name).symlink_to(one.resolve())
        (folder / file).write_bytes(content)
        with stored_run(folder):
            write_report(folder)
            return render_comparison(compare_runs(whole, folder))


@cache
def _beside(name: str) -> Path:
    """Return a shipped file that a reader needs beside the one that it is given."""
    names = {"base.toml": "base.toml", "product.toml": "products/closed-end-second-2003.toml"}
    return configs_dir() / names[name]


def _inputs(*names: str) -> tuple[str, ...]:
    return tuple(f"hemc.inputs.{name}" for name in names)


_ALL = (
    Reader("certificate", "servicing certificates, text or HTML",
           _inputs("document", "certificate", "figures", "labels", "rows", "title"),
           "text", ".txt", _certificate),
    Reader("record", "records of certificates (JSON)", _inputs("certificate_record"),
           "json", ".json", _record),
    Reader("tape", "loan tapes, CSV or Parquet",
           _inputs("tape", "tape_file", "tape_schema", "parquet_file", "parquet_pages"),
           "table", ".csv", read_tape),
    Reader("deal", "deal files",
           _inputs("deal", "deal_checks", "payment_order", "overcollateralization", "by_payment"),
           "toml", ".toml", _deal),
    Reader("scenario", "scenario files", _inputs("scenario_file", "quarters"),
           "toml", ".toml", _scenario),
    Reader("macro", "the Federal Reserve's CSV files", _inputs("macro", "quarters"),
           "csv", ".csv", _macro),
    Reader("panel", "loan-level panels",
           _inputs("panel", "panel_fault", "panel_file", "panel_keys", "panel_layout",
                   "panel_moves", "panel_rows"), "table", ".txt", _panel),
    Reader("counts", "move counts, CSV or Parquet", _inputs("move_counts"),
           "table", ".csv", _counts),
    Reader("posterior", "draws of a calibration (Parquet)", _inputs("posterior_file"),
           "table", ".parquet", _posterior),
    Reader("index", "paths of the index (CSV)", _inputs("index_path"), "csv", ".csv", _index),
    Reader("product", "priors of roll rates", _inputs("product"), "toml", ".toml", _product),
    Reader("classes", "latent classes", _inputs("class_fractions"), "toml", ".toml", _classes),
    Reader("stress", "stress files", ("hemc.settings.stress",), "toml", ".toml",
           read_stress_file),
    Reader("portfolio", "portfolio files", ("hemc.settings.portfolio",), "toml", ".toml",
           _portfolio),
    Reader("config", "configurations", ("hemc.config", *_inputs("toml", "bounded_file")),
           "toml", ".toml", _config),
    Reader("run", "folders of stored runs",
           ("hemc.outputs.run_files", "hemc.outputs.run_manifest",
            "hemc.outputs.run_table_checks"), "folder", "", _run),
)  # fmt: skip

#: By name, in the order of the table in docs/reliability.md.
READERS = {reader.name: reader for reader in _ALL}

#: A message of more is no clear one; the twenty faults of a settings file share it.
_LONGEST_MESSAGE = 40_000


def check(reader: Reader, path: Path) -> str | None:
    """Read a file as hostile input: return the error's message, None where the file is good.

    Anything but success and one clear HemcError is raised: it is a find.
    """
    try:
        reader.read(path)
    except HemcError as error:
        message = str(error)
    else:
        return None
    if obeyed_character(message) is not None:
        raise AssertionError(f"an error with characters that a terminal obeys: {message[:500]!r}")
    if len(message) > _LONGEST_MESSAGE:
        raise AssertionError(f"an error of {len(message):,} characters")
    return message
