"""Every command that --help, README and the documentation show works, run with few paths."""

import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from inputs.certificate_writer import Style, write_document
from inputs.panel_files import freddie_line, write_lines
from shown_commands import commands_of_help, commands_of_page, every_command, tree, words_of

from hemc.cli import main
from hemc.inputs.move_counts import move_counts_table, read_move_counts

ROOT = Path(__file__).parents[1]

#: What cannot be run here, and why.
LEFT_OUT = {
    "hemc run configs/base.toml --cluster tls://scheduler.example:8786": "needs that scheduler",
}

OCTOBER, NOVEMBER = (
    f"configs/certificates/gmacm-2002-he4_{date}.json" for date in ("2003-10-27", "2003-11-25")
)

#: What `hemc score` needs: a run, and the configuration of the month after.
TWO_MONTHS = (
    f"hemc init october --certificate {OCTOBER}",
    "hemc run october/base.toml --paths 64 --out results/october",
    f"hemc init november --certificate {NOVEMBER}",
)

SERIES = [f"certificates/gmacm-{name}" for name in (
    "2002-he4_2004-01-26.json", "2002-he4_2004-02-25.json", "2003-he2_2003-11-25.json",
    "2003-he2_2004-02-25.txt",
)]  # fmt: skip

RUN = {"outputs.sensitivity_paths": 0, "simulation.oracle_paths": 0, "roll_rates.draws": 2000}
SAMPLER = {"calibration.chains": 2, "calibration.draws": 100, "calibration.sweeps_per_draw": 2,
           "roll_rates.certificates": json.dumps(SERIES)}  # fmt: skip
ONE_RUN = RUN | {"simulation.paths": 64}

SWING = '[{ setting = "scenario.credit_sd", low = 0.2, source = "a test" }]'

TWO_DEALS = '[{ name = "a", config = "base.toml" }, { name = "b", config = "2002-he4.toml" }]'

#: Keys that make each command quick.
QUICK = {
    "run": ONE_RUN,
    "stress": ONE_RUN,
    "validate": RUN,
    "vector": RUN,
    "breakeven": ONE_RUN | {"breakeven.paths": 64, "breakeven.scan_steps": 40,
                            "breakeven.step": 0.3, "breakeven.cdr_step": 0.02},
    "sensitivities": ONE_RUN | {"sensitivities.paths": 64, "sensitivities.prepayment": "[1.0]",
                                "sensitivities.roll_rate": "[1.0, 2.0]",
                                "sensitivities.severity": "[1.0]",
                                "sensitivities.tornado": SWING},
    "portfolio": {"simulation.paths": 64, "deal": TWO_DEALS},
    "calibrate": SAMPLER,
    "backtest": SAMPLER | {"backtest.paths": 100},
}  # fmt: skip


def is_slow(command):
    """Tell whether a command takes more than a few seconds however few its paths are."""
    studies = {"backtest", "breakeven", "portfolio", "sensitivities", "stress"}
    words = command.split()
    return "--cluster" in words or (words[1] in studies and "--dry-run" not in words)


def invoke(command):
    """Run a command in the current folder with what makes it quick."""
    words, file = words_of(command)
    keys = dict(QUICK.get(words[0], {}))
    if words[0] == "run" and any("two-deals" in word for word in words):
        keys |= SAMPLER
    few = [part for key, value in keys.items() for part in ("--set", f"{key}={value}")]
    if "--paths" in words:  # the last one counts
        few += ["--paths", "64"]
    result = CliRunner().invoke(main, [*words, *few])
    if file is not None:
        Path(file).write_text(result.stdout, encoding="utf-8")
    return result


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder as a reader has it who has followed the pages up to any command."""
    folder = tmp_path_factory.mktemp("workplace")
    before = Path.cwd()
    os.chdir(folder)
    try:
        shutil.copytree(ROOT / "configs", "configs")
        _write_data(folder)
        for command in ("hemc run configs/base.toml", "hemc calibrate configs/two-deals.toml",
                        "hemc init study", *TWO_MONTHS):  # fmt: skip
            result = invoke(command)
            assert result.exit_code == 0, result.output
        _write_november()
    finally:
        os.chdir(before)
    for name in ("stress", "stressed"):
        shutil.copytree(folder / "results" / "base", folder / "results" / name)
    return folder


def _write_november():
    """Write November's certificate as it is filed, and a configuration beside it."""
    record = json.loads(Path(NOVEMBER).read_text(encoding="utf-8"))
    Path("november.txt").write_text(write_document(record, Style("text", seed=4)), encoding="utf-8")
    text = Path("november/base.toml").read_text(encoding="utf-8")
    for room in ("certificates", "deals", "products"):
        text = text.replace(f'= "{room}/', f'= "november/{room}/')
    Path("november.toml").write_text(text, encoding="utf-8")


def _write_data(folder):
    """Write the files that pages name as the reader's own."""
    shown = (folder / "configs" / "base.toml").read_text(encoding="utf-8")
    own = shown.replace('= "certificates/', '= "configs/certificates/')
    own = own.replace('= "deals/', '= "configs/deals/').replace(
        '= "products/', '= "configs/products/'
    )
    (folder / "my.toml").write_text(own, encoding="utf-8")
    shutil.copy(folder / "configs" / "classes" / "first-liens-2014.toml", folder / "classes.toml")
    counts = read_move_counts(folder / "configs" / "counts" / "first-liens-2014.csv")
    move_counts_table(counts).write_parquet(folder / "counts.parquet")
    months = [f"2014{m:02d}" for m in range(1, 9)]
    lines = [freddie_line(f"F{k}", month, str(k * (m % 2))) for k in range(3)
             for m, month in enumerate(months)]  # fmt: skip
    write_lines(folder / "historical_data_time_2014Q1.txt", lines)
    rows = [{"loan": k, "month": f"2014-{m:02d}", "status": ["current", "30"][k * (m % 2)]}
            for k in range(2) for m in range(1, 9)]  # fmt: skip
    pl.DataFrame(rows).write_parquet(folder / "panel.parquet")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(c, marks=[pytest.mark.slow] if is_slow(c) else [])
        for c in every_command(ROOT)
        if c not in LEFT_OUT
    ],
)
def test_what_is_shown_works(command, workplace, tmp_path, monkeypatch):
    here = shutil.copytree(workplace, tmp_path / "here")
    monkeypatch.chdir(here)
    if command.startswith("hemc init"):
        shutil.rmtree(here / command.split()[2], ignore_errors=True)
    result = invoke(command)
    assert result.exit_code == 0, result.output


def test_every_command_shows_an_example_of_itself():
    shown = commands_of_help()
    for words, command in tree():
        if not hasattr(command, "commands"):
            assert any(c.split()[1 : 1 + len(words)] == list(words) for c in shown), words


def test_what_is_left_out_is_shown():
    assert set(LEFT_OUT) <= set(every_command(ROOT))


def test_commands_are_found_in_both_kinds_of_blocks():
    page = "text `hemc no`\n\n```\n$ hemc a b   # c\nscripts/run x \\\n  y\n```\n\n    hemc d > e\n"
    assert commands_of_page(page) == ["hemc a b", "hemc x y", "hemc d > e"]
    assert words_of("hemc d > e") == (["d"], "e")
