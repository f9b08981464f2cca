"""`hemc run` and its siblings as a user meets them: screens, exit codes, interruption."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from click.testing import CliRunner

from hemc.cli import main

FEW = ["--paths", "64", "--set", "outputs.sensitivity_paths=0"]


def hemc(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_run_writes_the_folder_and_prints_one_screen(base_toml, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = hemc("run", base_toml, *FEW)
    assert result.exit_code == 0
    assert "Expected lifetime loss" in result.stdout
    assert "files: results/base" in result.stdout
    assert "paths" not in result.stderr  # no progress bar when piped
    assert (tmp_path / "results/base/report.html").stat().st_size > 100_000
    assert len(pl.read_parquet(tmp_path / "results/base/paths.parquet")) == 64


def test_options_reach_the_run(base_toml, tmp_path):
    out = tmp_path / "o"
    result = hemc("run", base_toml, "--paths", "64", "--seed", "7", "--threads", "1", "--quiet",
                  "--out", out, "--set", "scenario.stress_shift=0.4",
                  "--set", "outputs.sensitivity_paths=0")  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "")
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["seed"], manifest["threads"], manifest["paths"]) == (7, 1, 64)
    assert manifest["configuration"]["scenario"]["stress_shift"] == 0.4
    table = pl.read_parquet(out / "assumptions.parquet")
    row = table.filter(pl.col("name") == "scenario.stress_shift")
    assert row["where_set"].item() == "command line"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "missing.toml"], "missing.toml: found no such file"),
        (["run", "{base}", "--set", "simulation.paths"], "section.key=value"),
        (["run", "{base}", "--set", "inputs.certificate='none.txt'"], "none.txt"),
        (["run", "{base}", "--paths", "0"], "simulation.paths"),
        (["run", "{base}", "--out", "{home}"], "no run of hemc"),
        (["run", "{base}", "--bogus"], "No such option"),
        (["validate", "{base}", "--set", "deal=1"], "deal"),
    ],
)
def test_bad_usage_is_one_clear_error(base_toml, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    words = [a.format(base=base_toml, home=tmp_path / "home") for a in arguments]
    result = hemc(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "results").exists()


def test_validate_says_what_would_run(base_toml):
    result = hemc("validate", base_toml)
    assert result.exit_code == 0
    assert "11,704 loans" in result.stdout


def test_strict_exits_with_one(base_toml, certificate_txt, tmp_path):
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(certificate_txt.read_text().replace("975,292.71\n", "975,292.72\n", 1))
    set_it = ["--set", f"inputs.certificate={wrong}", "--out", tmp_path / "o"]
    strict = hemc("run", base_toml, *FEW, *set_it, "--strict")
    assert strict.exit_code == 1
    assert not (tmp_path / "o").exists()
    lenient = hemc("run", base_toml, *FEW, *set_it)
    assert lenient.exit_code == 0
    assert "does not tie out" in lenient.stderr


def test_a_scenario_in_which_every_path_draws_is_shown(base_toml, tmp_path):
    few = ["--paths", "64", "--set", "outputs.sensitivity_paths=64", "--out", str(tmp_path / "r")]
    stress = ["--set", "scenario.stress_shift=1.0"]
    done = CliRunner().invoke(main, ["run", str(base_toml), *few, *stress])
    assert done.exit_code == 0, done.output
    assert "P(draw on the insurer)" in done.output


def test_internal_fault_exits_with_three_and_a_traceback(base_toml, monkeypatch, tmp_path):

    def broken(*_):
        raise RuntimeError("planted")

    monkeypatch.setattr("hemc.engine.single_run.calibrate", broken)
    result = hemc("run", base_toml, *FEW, "--out", tmp_path / "o")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert "planted" in result.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_early_and_keeps_what_is_done(base_toml, tmp_path, sent):
    command = [sys.executable, "-m", "hemc.cli", "run", str(base_toml), "--paths", "100000",
               "--out", str(tmp_path / "o")]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    first_piece = tmp_path / ".o.unfinished" / "pieces" / "000000"
    while process.poll() is None and not first_piece.exists():
        time.sleep(0.1)
    time.sleep(0.5)  # well inside the simulation
    assert process.poll() is None
    os.kill(process.pid, sent)
    stdout, stderr = process.communicate(timeout=120)  # or it hangs
    assert (process.returncode, stdout) == (130, "")
    kept, last = (line for line in stderr.splitlines()[-3:] if line)
    n_kept = re.search(r"([\d,]+) of 100,000 paths are kept, --resume goes on from there", kept)
    assert n_kept
    assert 0 < int(n_kept[1].replace(",", "")) < 100_000, "it went on to the last path"
    assert last == "interrupted"
    assert "Traceback" not in stderr
    assert [path.name for path in tmp_path.iterdir()] == [".o.unfinished"]


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['hemc', '--help']\n"
        "from hemc.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numba', 'polars', 'scipy', 'pydantic', 'numpy', 'holidays', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "hemc run configs/base.toml" in done.stdout


def commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        yield (*path, name)


@pytest.mark.parametrize("words", list(commands(main)))
def test_every_command_shows_an_example(words):
    result = hemc(*words, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
