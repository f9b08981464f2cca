"""Whole runs under scenarios: what stress does, its tables, its part of the report."""

import json
import re

import numpy as np
import polars as pl
import pytest

from hemc import engine
from hemc.config import load_config
from hemc.outputs.report.document import write_report
from hemc.outputs.results import write_run
from hemc.outputs.summary import render_summary

N = 192


def run(base_toml, scenario=None, **settings):
    dotted = {key.replace("__", "."): str(value) for key, value in settings.items()}
    few = {
        "simulation.paths": str(N), "outputs.sensitivity_paths": "0",
        "simulation.oracle_paths": "16",
    }  # fmt: skip
    if scenario:
        few["scenario.file"] = f"scenarios/{scenario}.toml"
    return engine.run(load_config(base_toml, few | dotted), lambda n: None)


@pytest.fixture(scope="module")
def runs(base_toml):
    names = (None, "base", "severely-adverse-2025", "adverse-2025", "rates-up", "rates-down",
             "insurer-failure", "replay-2006-2011")  # fmt: skip
    return {name: run(base_toml, name) for name in names}


def mean(result, column):
    return result.paths[column].mean()


def test_the_base_scenario_is_no_scenario(runs):
    assert runs["base"].paths.equals(runs[None].paths)


def test_severely_adverse_exhausts_overcollateralization(runs):
    result = runs["severely-adverse-2025"]
    assert mean(result, "oc_exhausted") > 0.95
    assert mean(result, "draws") > 20e6
    assert mean(result, "writedown_A-5") > 10e6
    draws = result.measures.filter(measure="draws", statistic="mean")["standard_error"].item()
    assert 0.0 < draws < 0.1 * mean(result, "draws")


def test_scenarios_come_in_the_order_of_their_shifts(runs):
    order = ("base", "adverse-2025", "replay-2006-2011", "severely-adverse-2025")
    losses = [mean(runs[name], "pool_loss_pct") for name in order]
    assert losses == sorted(losses)
    assert losses[3] > 2.5 * losses[0]


def test_scenarios_share_their_random_numbers(runs):
    """Month 1 of the adverse path shifts little: the same loans fare the same."""
    base, adverse = (runs[name].paths for name in ("base", "adverse-2025"))
    found = np.corrcoef(base["pool_loss"], adverse["pool_loss"])[0, 1]
    assert found > 0.9


def test_rates_move_prepayment_and_coupons(runs):
    cpr = {
        name: runs[name].months.filter(series="cpr", statistic="mean", month=24)["value"][0]
        for name in ("base", "rates-up", "rates-down")
    }
    assert cpr["rates-up"] < 0.6 * cpr["base"] < cpr["base"] < 0.8 * cpr["rates-down"]
    up = pl.Series(runs["rates-up"].store.months.frame().filter(
        series="note_interest", statistic="mean", month=9)["value"])[0]  # fmt: skip
    base = runs["base"].months.filter(series="note_interest", statistic="mean", month=9)["value"][0]
    assert up > base  # the floater pays 1.5 points more on a balance that fell less


def test_insurer_failure_stops_draws(runs):
    assert mean(runs["insurer-failure"], "draws") == 0.0
    assert mean(runs["base"], "draws") > 0.0
    np.testing.assert_array_equal(
        runs["insurer-failure"].paths["pool_loss"], runs["base"].paths["pool_loss"]
    )


def test_expected_flows_hold_under_a_scenario_and_crises(base_toml, runs):
    crises = run(base_toml, scenario__crisis__component="'on'", simulation__oracle_paths=64)
    for result in (runs["severely-adverse-2025"], crises):
        assert result.oracle["z"].abs().max() < 5.0
    assert not crises.paths["pool_loss"].equals(runs["base"].paths["pool_loss"])


def test_paths_of_the_scenario_are_written_and_shown(runs, tmp_path):
    result, folder = runs["severely-adverse-2025"], tmp_path / "r"
    write_run(result, folder, write_report)
    table = pl.read_parquet(folder / "scenario_paths.parquet")
    assert len(table) == result.n_months
    quarter = table.row(20, named=True)  # month 21 is the end of 2026 Q3
    assert (quarter["unemployment_pct"], quarter["house_price_index"]) == (10.0, 214.4)
    assert quarter["stress_shift"] == pytest.approx(0.08 * 5.9 + 0.9 * (1 - 214.4 / 322.1))
    assert table["unemployment_pct"].null_count() == result.n_months - 39
    assert table["stress_shift"][62:].abs().max() == 0.0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["scenario"]["name"] == "severely adverse 2025"
    assert "scenario" in manifest["inputs"]
    alone, both = manifest["credit_factor"]["forms"]
    assert alone["share_below_replay"] > 0.998 > both["share_below_replay"] > 0.96
    page = re.sub(r"\s+", " ", (folder / "report.html").read_text())
    assert "Scenarios</h2>" in page
    assert "percentile of the replay" in page
    assert "unemployment up to 10 %" in page
    assert "<td>0.773</td>" in page
    assert "scenario: severely adverse 2025" in render_summary(result, folder)


def test_without_a_path_the_report_says_what_holds(runs, tmp_path):
    write_run(runs[None], tmp_path / "r", write_report)
    page = re.sub(r"\s+", " ", (tmp_path / "r" / "report.html").read_text())
    assert "No macroeconomic path: in all months the shift is 0 probit units" in page
    assert json.loads((tmp_path / "r/manifest.json").read_text())["scenario"] is None
    table = pl.read_parquet(tmp_path / "r" / "scenario_paths.parquet")
    assert table["prepayment_multiplier"].null_count() == len(table)


def test_one_error_for_a_csv_that_has_a_gap(base_toml, tmp_path):
    from inputs.macro_csv import HISTORY, STRESS, write_csv

    from hemc.errors import InputError

    quarters = {name: row for name, row in (HISTORY | STRESS).items() if name != "1977 Q2"}
    write_csv(tmp_path / "gap.csv", quarters)
    file = tmp_path / "s.toml"
    file.write_text(
        'name = "s"\nmeaning = "m"\nsource = "judgement"\n'
        '[csv]\nfile = "gap.csv"\nfirst = "1977 Q1"\n'
    )
    with pytest.raises(InputError, match="found 1977 Q3 after 1977 Q1"):
        run(base_toml, scenario__file=f"'{file}'")
