"""`--json` of every command that prints results: a record with the names of the run's files."""

import json
import math
import os
import subprocess
import sys

import polars as pl
import pytest
from click.testing import CliRunner
from shown_commands import tree

from hemc.cli import main
from hemc.outputs.record import record_text

FEW = ["--set", "outputs.sensitivity_paths=0", "--set", "simulation.oracle_paths=0",
       "--set", "roll_rates.draws=2000"]  # fmt: skip

#: Commands that print no results.
WITHOUT = {("init",), ("schema",), ("warmup",)}


def record(*words):
    """Return what a command prints, read as JSON."""
    result = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def run(base_toml, tmp_path_factory):
    """The folder of a small run and the record that it printed."""
    folder = tmp_path_factory.mktemp("json") / "base"
    return folder, record("run", base_toml, "--paths", "64", *FEW, "--out", folder)


@pytest.mark.parametrize(
    ("words", "command"), [(w, c) for w, c in tree() if not hasattr(c, "commands")]
)
def test_every_command_that_prints_results_has_it(words, command):
    options = [option for one in command.params for option in one.opts]
    assert ("--json" in options) == (words not in WITHOUT)


def test_a_run_prints_its_summary(run):
    folder, printed = run
    assert printed["folder"] == str(folder)
    assert printed["figures"] == json.loads((folder / "summary.json").read_text("utf-8"))
    assert printed["warnings"] == []


def test_commands_on_a_run(run, tmp_path):
    folder, _ = run
    traced = record("trace", folder, "--path", "3", "--months", "2-4", "--loans", "1")
    assert [row["month"] for row in traced["months"]] == [2, 3, 4]
    assert traced["path"] == pl.read_parquet(folder / "paths.parquet").row(3, named=True)
    assert traced["loans"][0]["month"] == 0
    assert record("report", folder)["workbook"] == str(folder / "report.xlsx")
    compared = record("compare", folder, folder)
    assert {row["difference"] for row in compared["figures"]} == {0.0}
    published = record("publish", folder, "--to", tmp_path / "risk.sqlite")["runs"]
    assert published[0]["folder"] == str(folder)
    assert published[0]["rows"] > 100


def test_commands_on_a_configuration(base_toml):
    checked = record("validate", base_toml, *FEW)
    assert (checked["loans"], checked["months"], checked["paths"]) == (11_704, 292, 10_000)
    projected = record("vector", base_toml, "--cdr", "0.08", *FEW)
    assert projected["vector"]["cdr"] == "0.08"
    assert {row["insurer"] for row in projected["classes"]} == {"wrapped", "unwrapped"}


def test_commands_on_documents(root, certificate_txt, tmp_path):
    replayed = record("certificate", "replay", certificate_txt)
    assert replayed[0]["payment_number"] == 11
    premium = next(line for line in replayed[0]["lines"] if line["name"] == "premium")
    assert (premium["printed"], premium["status"]) == ("39320.65", "pass")
    counts = root / "configs" / "counts" / "first-liens-2014.csv"
    fitted = record("panel", "fit", counts, "--out", tmp_path / "classes.toml")
    assert fitted["log_likelihood"] > fitted["log_likelihood_one_class"]
    assert (tmp_path / "classes.toml").is_file()


def test_a_calibration(root, tmp_path):
    quick = ["calibration.chains=2", "calibration.draws=100", "calibration.sweeps_per_draw=2"]
    keys = [word for key in quick for word in ("--set", key)]
    found = record("calibrate", root / "configs" / "base.toml", *keys, "--out", tmp_path / "c")
    assert {row["deal"] for row in found["roll_rates"]} == {"2003-HE2"}
    assert len(found["roll_rates"]) > 70


def test_what_is_not_finite_is_null():
    table = pl.DataFrame({"a": [1.0, math.nan, math.inf], "b": ["x", "y", None]})
    rows = json.loads(record_text({"rows": table}))["rows"]
    assert [row["a"] for row in rows] == [1.0, None, None]
    with pytest.raises(TypeError, match="object is not for JSON"):
        record_text({"a": object()})


def test_the_shell_completes_commands_and_options():
    def complete(words):
        typed = {"_HEMC_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words),
                 "COMP_CWORD": str(len(words) - 1)}  # fmt: skip
        code = "import sys; sys.argv = ['hemc']; from hemc.cli import main; main(prog_name='hemc')"
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | typed, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return {line.split(",")[1] for line in done.stdout.splitlines()}

    assert complete(["hemc", "ca"]) == {"calibrate"}
    assert complete(["hemc", "run", "--dry"]) == {"--dry-run"}
