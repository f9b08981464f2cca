"""`hemc trace` as a user meets it: the run's figures again, screens, files, errors."""

import json
import shutil

import polars as pl
import pytest
from click.testing import CliRunner

from hemc.cli import main
from hemc.engine.trace import choose_path, trace_path
from hemc.errors import InputError
from hemc.inputs.deal import read_deal

FEW = ["--paths", "64", "--quiet", "--set", "outputs.sensitivity_paths=0",
       "--set", "simulation.oracle_paths=0", "--set", "roll_rates.draws=2000"]  # fmt: skip


def hemc(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def configs(root, tmp_path_factory):
    """Return a copy of the shipped configurations that a test may change."""
    return shutil.copytree(root / "configs", tmp_path_factory.mktemp("home") / "configs")


def new_run(configs, folder, *settings):
    result = hemc("run", configs / "base.toml", *FEW, "--out", folder, *settings)
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def run(configs, tmp_path_factory):
    """Return a run of 64 paths under a stress that makes the insurer pay."""
    folder = tmp_path_factory.mktemp("runs") / "stressed"
    return new_run(configs, folder, "--set", "scenario.stress_shift=0.4")


@pytest.fixture(scope="module")
def screen(run, tmp_path_factory):
    """Return what tracing the worst path prints and writes."""
    csv = tmp_path_factory.mktemp("csv") / "worst.csv"
    result = hemc("trace", run, "--path", "worst", "--loans", "2", "--csv", csv)
    assert result.exit_code == 0, result.stderr
    return result.stdout, csv


@pytest.mark.parametrize("choice", ["worst", "median", "p99", "0", "63"])
def test_the_traced_path_is_the_run_s_to_the_last_bit(run, choice):
    traced = trace_path(run, choice)
    rows = pl.read_parquet(run / "paths.parquet")
    assert traced.trace.row == rows.row(traced.trace.row["path"], named=True)
    assert traced.figures == traced.trace.row


def test_choices_are_ranks_of_pool_loss(run):
    rows = pl.read_parquet(run / "paths.parquet")
    ranked = rows.sort("pool_loss")["path"].to_list()
    chosen = {name: choose_path(rows, name, run) for name in ("worst", "median", "p99")}
    assert chosen == {"worst": ranked[-1], "median": ranked[31], "p99": ranked[63]}
    assert trace_path(run, "worst").trace.rank == 1


@pytest.mark.parametrize("sampling", ["antithetic", "strata"])
def test_paths_drawn_together_are_traced_alone(configs, tmp_path, sampling):
    settings = ["--set", f"simulation.sampling={sampling}", "--set", "insurer.mode=absent"]
    folder = new_run(configs, tmp_path / sampling, *settings)
    traced = trace_path(folder, "33")
    assert traced.figures == traced.trace.row


def test_the_screen_fits_and_shows_every_step(screen, configs):
    text, _ = screen
    deal = read_deal(configs / "deals/gmacm-2003-he2.toml")
    assert max(len(line) for line in text.splitlines()) <= 80
    for label in [step.label for step in deal.steps] + ["draw for principal", "target"]:
        assert f"  {label} " in text
    for note in deal.classes:
        assert f"Class {note.name}" in text
    assert "rank 1" in text
    assert text.count("Loan ") == 2
    assert "charged off" in text


def test_the_file_has_every_month_and_its_steps_take_all_cash(screen, configs):
    _, csv = screen
    table = pl.read_csv(csv)
    deal = read_deal(configs / "deals/gmacm-2003-he2.toml")
    assert table["month"].to_list() == list(range(1, len(table) + 1))
    assert table["payment"][0] == "2004-03"
    steps = [f"order of payments.{step.label}" for step in deal.steps]
    gap = table.select(pl.sum_horizontal(steps) - pl.col("order of payments.available"))
    assert gap.to_series().abs().max() < 0.01
    loans = pl.read_csv(csv.with_stem("worst-loans"))
    assert loans["loan"].n_unique() == 2
    assert loans.group_by("loan").agg(pl.col("loss").sum())["loss"].min() > 0


def test_months_can_be_chosen(run):
    text = hemc("trace", run, "--path", "5", "--months", "7-8").stdout
    assert "7: 2004-09" in text
    assert "8: 2004-10" in text
    assert "6: 2004-08" not in text
    assert "9: 2004-11" not in text


TRIGGER = """
[[overcollateralization.trigger]]
name = "late loans"
measure = "delinquency"
states = ["90", "120"]
threshold_after = 0.004
effect = "raise_target"
target_share = 0.02

[insurer]
"""


def test_triggers_show_value_threshold_and_state(root, tmp_path):
    configs = shutil.copytree(root / "configs", tmp_path / "configs")
    deal = configs / "deals/gmacm-2003-he2.toml"
    deal.write_text(deal.read_text().replace("\n[insurer]\n", TRIGGER))
    run = new_run(configs, tmp_path / "run", "--set", "scenario.stress_shift=0.3")
    text = hemc("trace", run, "--months", "1-9").stdout
    shown: dict[str, list[str]] = {}
    for block in text.split("Trigger late loans\n")[1:]:
        for line in block.splitlines()[:3]:
            shown.setdefault(line[:29].strip(), []).extend(line[29:].split())
    assert shown["threshold"] == ["0.0040"] * 9
    assert shown["tripped"] == ["yes" if float(x) > 0.004 else "no" for x in shown["value"]]
    assert set(shown["tripped"]) == {"no", "yes"}


def test_the_unwrapped_pass_has_no_insurer(run):
    text = hemc("trace", run, "--unwrapped", "--months", "1").stdout
    assert "draw for principal" not in text
    assert "written down" in text or "balance at end" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--path", "64"], "found '64'; expected 0 to 63, or one of median, p99, worst"),
        (["--path", "best"], "found 'best'"),
        (["--months", "9-3"], "found '9-3'; expected A-B"),
        (["--months", "400-401"], "months"),
        (["--loans", "0"], "--loans"),
        (["--inputs", "nowhere"], "nowhere"),
    ],
)
def test_bad_usage_is_one_clear_error(run, words, message):
    result = hemc("trace", run, *words)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    result = hemc("trace", tmp_path)
    assert result.exit_code == 2
    assert "no manifest.json" in result.stderr


def test_an_input_changed_since_the_run_is_one_clear_error(run, configs, tmp_path):
    moved = shutil.copytree(configs, tmp_path / "moved")
    assert hemc("trace", run, "--inputs", moved, "--months", "1").exit_code == 0
    deal = moved / "deals/gmacm-2003-he2.toml"
    deal.write_text(deal.read_text() + "\n# a comment\n")
    result = hemc("trace", run, "--inputs", moved)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert f"{deal}: found a deal changed since the run" in line


def test_a_row_that_is_not_the_path_s_is_a_fault(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    rows = pl.read_parquet(copy / "paths.parquet")
    rows.with_columns(pl.col("premium") + 0.01).write_parquet(copy / "paths.parquet")
    result = hemc("trace", copy)
    assert result.exit_code == 3
    assert "paths.parquet holds premium" in result.stderr
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"kernel_digest": "older"}))
    result = hemc("trace", copy)
    assert result.exit_code == 2
    assert "expected the kernels of the run (older)" in result.stderr


def test_a_large_pool_has_no_loans(configs, tmp_path):
    folder = new_run(configs, tmp_path / "large", "--set", "simulation.method=large-pool")
    assert hemc("trace", folder, "--months", "1").exit_code == 0
    result = hemc("trace", folder, "--loans", "3")
    assert result.exit_code == 2
    assert "large-pool" in result.stderr


def test_a_run_without_its_folder_asks_for_a_new_run(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest.pop("configuration_folder")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="earlier version"):
        trace_path(copy, "worst")
