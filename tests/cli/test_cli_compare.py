"""`hemc compare`: differences of two runs against their own files."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from hemc.cli import main

QUICK = ("--paths", "128", "--quiet", "--set", "outputs.sensitivity_paths=0",
         "--set", "simulation.oracle_paths=0")  # fmt: skip


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def runs(base_toml, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    changes = {"a": (), "b": ("--set", "scenario.stress_shift=0.2"), "c": ("--seed", "5")}
    for name, change in changes.items():
        result = invoke("run", base_toml, *QUICK, *change, "--out", folder / name)
        assert result.exit_code == 0, result.output
    return folder


def compared(runs, first, second):
    result = invoke("compare", runs / first, runs / second, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_common_paths_are_compared_path_by_path(runs):
    found = compared(runs, "a", "b")
    assert found["common_paths"] == 128
    insurers = {row["measure"]: row["insurer"] for row in found["figures"]}
    assert insurers["draws"] == "wrapped"
    assert insurers["writedown"] == "unwrapped"
    loss = found["figures"][0]
    a, b = (pl.read_parquet(runs / n / "paths.parquet")["pool_loss_pct"] for n in "ab")
    assert loss["difference"] == pytest.approx((b - a).mean())
    assert loss["difference_standard_error"] == pytest.approx((b - a).std() / 128**0.5)
    assert loss["independent_standard_error"] > 1.3 * loss["difference_standard_error"]
    inputs = [row["key"] for row in found["inputs"]]
    assert inputs == ["configuration.scenario.stress_shift"]


def test_other_seeds_add_their_errors(runs):
    found = compared(runs, "a", "c")
    assert found["common_paths"] is None
    loss = found["figures"][0]
    squares = loss["base_standard_error"] ** 2 + loss["standard_error"] ** 2
    assert loss["difference_standard_error"] ** 2 == pytest.approx(squares)
    assert [row["key"] for row in found["inputs"]] == ["configuration.simulation.seed"]


def test_another_term_of_the_deal_is_named_and_nothing_that_follows_from_it(
    runs, base_toml, tmp_path
):
    text = (base_toml.parent / "deals/gmacm-2003-he2.toml").read_text(encoding="utf-8")
    other = text.replace("margin = 0.0010", "margin = 0.0020", 1)
    (tmp_path / "other.toml").write_text(other, encoding="utf-8")
    changed = ("--set", f"inputs.deal={tmp_path}/other.toml")
    result = invoke("run", base_toml, *QUICK, *changed, "--out", runs / "d")
    assert result.exit_code == 0, result.output
    keys = [row["key"] for row in compared(runs, "a", "d")["inputs"]]
    assert keys == [
        "inputs.deal.file", "inputs.deal.sha256", "configuration.inputs.deal",
        "deal.class.A-1.margin",
    ]  # fmt: skip


def test_the_screen_fits_and_names_what_differs(runs):
    text = invoke("compare", runs / "a", runs / "b").output
    assert max(map(len, text.splitlines())) <= 80
    assert "scenario.stress_shift" in text
    same = invoke("compare", runs / "a", runs / "a").output
    assert "are the same" in same


def test_a_folder_without_a_run_is_one_clear_error(runs, tmp_path):
    result = invoke("compare", runs / "a", tmp_path)
    assert result.exit_code == 2
    assert "no manifest.json" in result.output
