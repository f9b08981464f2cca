"""A stress batch: common paths, differences with both errors, weights, screen, report, faults."""

import re

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from outputs.report_sample import paths_table

from hemc.cli import main
from hemc.config import load_config
from hemc.engine.stress import run_stress
from hemc.engine.study import prepare_study
from hemc.outputs.differences import difference
from hemc.outputs.estimates import design_of
from hemc.outputs.scenario_measures import ScenarioPaths, scenario_measures, weighted_measures
from hemc.outputs.stress_text import render_stress
from hemc.scale.losses import lose_block

QUICK = {
    "simulation.paths": "128",
    "simulation.oracle_paths": "0",
    "outputs.sensitivity_paths": "0",
}
BATCH = ("base", "adverse", "severely adverse", "rates up", "rates down", "insurer failure",
         "replay 2006–2011")  # fmt: skip
ORIGINAL = 1e8


@pytest.fixture(scope="module")
def batch(root):
    return run_stress(root / "configs" / "stress.toml", QUICK, lambda _: None)


def figure(batch, scenario, measure, statistic, column="value"):
    rows = batch.scenarios.filter(
        pl.col("scenario") == scenario, pl.col("measure") == measure,
        pl.col("statistic") == statistic, pl.col("note").is_null(),
    )  # fmt: skip
    assert len(rows) == 1
    return rows[column][0]


def test_all_scenarios_and_the_weighted_result_are_there(batch):
    assert batch.scenarios["scenario"].unique(maintain_order=True).to_list() == [
        *BATCH, "insurer weights",
    ]  # fmt: skip
    assert batch.months["scenario"].unique(maintain_order=True).to_list() == list(BATCH)


def test_severely_adverse_exhausts_oc_and_draws_and_writedowns_follow(batch):
    assert figure(batch, "severely adverse", "oc_exhausted", "probability") == 1.0
    assert figure(batch, "severely adverse", "draws", "probability") > 0.95
    for measure in ("draws", "writedown"):
        mean = figure(batch, "severely adverse", measure, "mean")
        error = figure(batch, "severely adverse", measure, "mean", "standard_error")
        assert mean > 10 * error > 0.0
        assert mean > 3 * figure(batch, "adverse", measure, "mean")
    lost = figure(batch, "severely adverse", "undercollateralization_nine_quarters", "mean")
    assert lost == pytest.approx(
        figure(batch, "severely adverse", "draws_nine_quarters", "mean"), rel=0.1
    )


def test_scenarios_are_the_single_runs_on_the_same_paths(batch, base_toml):
    from hemc import engine

    single = engine.run(
        load_config(base_toml, QUICK | {"scenario.file": "scenarios/adverse-2025.toml"}),
        lambda _: None,
    )
    for measure, statistic in (("pool_loss_pct", "mean"), ("draws_pv", "mean")):
        row = single.measures.filter(measure=measure, statistic=statistic).row(0, named=True)
        assert figure(batch, "adverse", measure, statistic) == row["value"]


@pytest.mark.parametrize("scenario", BATCH[1:])
@pytest.mark.parametrize(
    ("measure", "statistic"), [("pool_loss_pct", "mean"), ("draws", "probability")]
)
def test_every_difference_states_both_errors(batch, scenario, measure, statistic):
    names = ("difference", "difference_standard_error", "independent_standard_error")
    found = [figure(batch, scenario, measure, statistic, name) for name in names]
    sides = [figure(batch, name, measure, statistic) for name in (scenario, "base")]
    assert found[0] == pytest.approx(sides[0] - sides[1], abs=1e-12)
    assert 0.0 <= found[1] < 1.05 * found[2]


def test_a_tenth_more_of_one_roll_rate_is_known_three_times_better(base_toml):
    """Current → 30 × 1.1 on common random numbers, against independent seeds."""
    study = prepare_study(load_config(base_toml, QUICK))
    more = study.under({
        "scenario.multiples.roll_rate": 1.1, "scenario.multiples.roll_rate_cells": ("C-30",),
        "scenario.multiples.roll_rate_form": "probability",
    })  # fmt: skip
    before, after = (lose_block(model, 0, 256).pool for model in (study.model, more))
    design = design_of(np.ones(256), 1)
    found = difference(before, after, "mean", (design, design))
    assert found.value > 4 * found.standard_error
    assert found.independent_standard_error > 3 * found.standard_error


def paths(loss, writedown=0.0):
    """Return the columns of paths.parquet that a headline needs."""
    n = len(loss)
    return paths_table().head(n).with_columns(
        pl.Series("pool_loss_pct", loss), pl.Series("writedown_A-2", np.full(n, writedown)),
        *(pl.lit(0.0).alias(name) for name in (
            "pool_loss_nine_quarters", "draws_nine_quarters", "oc_nine_quarters",
            "undercollateralization_nine_quarters")),
    )  # fmt: skip


def test_weighted_measures_against_a_plain_computation():
    """A mixture's mean is the weighted mean of means, its error that of path sums; its quantile
    is where the weights below add up to the level."""
    rng = np.random.default_rng(5)
    mild = rng.normal(4.0, 1.0, 400)
    harsh = 3.0 * mild + rng.normal(0.0, 0.5, 400)
    played = [ScenarioPaths("mild", paths(mild)), ScenarioPaths("harsh", paths(harsh, 1e6))]
    weights = {"mild": 0.8, "harsh": 0.2}
    table = weighted_measures("both", weights, played, ORIGINAL, 1)
    assert table["weights"].unique().to_list() == ["mild 80 %; harsh 20 %"]
    found = {
        row["statistic"]: row
        for row in table.filter(pl.col("measure") == "pool_loss_pct").to_dicts()
    }
    by_path = 0.8 * mild + 0.2 * harsh
    assert found["mean"]["value"] == pytest.approx(by_path.mean())
    # Rows of a path are one unit: errors that took them as independent would be far off.
    assert found["mean"]["standard_error"] == pytest.approx(by_path.std(ddof=1) / 20.0, rel=0.01)
    values = np.concatenate([mild, harsh])
    order = np.argsort(values)
    below = np.cumsum(np.concatenate([np.full(400, 0.8), np.full(400, 0.2)])[order] / 400)
    exact = values[order][np.searchsorted(below, 0.95)]
    assert found["p95"]["value"] == pytest.approx(exact, rel=0.01)
    hit = table.filter(
        pl.col("measure") == "writedown", pl.col("note") == "A-2",
        pl.col("statistic") == "probability",
    )  # fmt: skip
    assert hit["value"][0] == pytest.approx(0.2)


def test_a_scenario_without_weight_changes_no_weighted_result():
    rng = np.random.default_rng(6)
    loss = rng.normal(4.0, 1.0, 100)
    played = [ScenarioPaths("a", paths(loss)), ScenarioPaths("b", paths(9.0 * loss))]
    alone = weighted_measures("w", {"a": 1.0}, played, ORIGINAL, 1)
    measured = scenario_measures(played[:1], ORIGINAL, 1)
    keys = ["measure", "insurer", "note", "statistic"]
    both = alone.join(measured, on=keys, nulls_equal=True)
    assert len(both) == len(measured)
    assert both["value"].to_numpy() == pytest.approx(both["value_right"].to_numpy(), nan_ok=True)


def test_the_screen_fits_and_says_what_its_words_mean(batch, tmp_path):
    lines = render_stress(batch, tmp_path).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    text = "\n".join(lines)
    for name in (*BATCH, "insurer weights", "independent seeds", "Nine quarters"):
        assert name in text


def test_the_command_writes_one_folder_with_a_section(root, tmp_path):
    settings = [word for k, v in QUICK.items() for word in ("--set", f"{k}={v}")]
    file = write_batch(tmp_path, root)
    asked = ["stress", str(file), *settings, "--paths", "64", "--out", str(tmp_path / "r")]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    table = pl.read_parquet(tmp_path / "r" / "scenarios.parquet")
    page = re.sub(r"\s+", " ", (tmp_path / "r" / "report.html").read_text())
    section = page[page.index('<section id="scenarios">') :]
    section = section[: section.index("</section>")]
    loss = table.filter(
        pl.col("measure") == "pool_loss_pct", pl.col("statistic") == "mean",
        pl.col("scenario") == "adverse",
    )  # fmt: skip
    shown = f"{loss['value'][0]:.2f} ± {loss['standard_error'][0]:.2f} %"
    assert shown in section
    own = f"{loss['difference'][0]:+.2f} ± {loss['difference_standard_error'][0]:.2f}"
    assert f"{own} ({loss['independent_standard_error'][0]:.2f})" in section
    assert "even: base 50 %; adverse 50 %." in section
    assert "Nine quarters, USD million" in section
    assert "Expected loss to date" in section
    mixed = table.filter(
        pl.col("scenario") == "even", pl.col("measure") == "pool_loss_pct",
        pl.col("statistic") == "mean",
    )  # fmt: skip
    base = table.filter(
        pl.col("scenario") == "base", pl.col("measure") == "pool_loss_pct",
        pl.col("statistic") == "mean",
    )  # fmt: skip
    assert mixed["value"][0] == pytest.approx((loss["value"][0] + base["value"][0]) / 2)


def write_batch(folder, root, weights="{ base = 0.5, adverse = 0.5 }", adverse="adverse-2025.toml",
                name="adverse"):  # fmt: skip
    """Write a stress file of two scenarios and return it."""
    file = folder / "batch.toml"
    configs = root / "configs"
    file.write_text(
        f'name = "batch"\nrun = "{configs}/base.toml"\n'
        f'[[scenario]]\nname = "base"\nfile = "{configs}/scenarios/base.toml"\n'
        f'[[scenario]]\nname = "{name}"\nfile = "{configs}/scenarios/{adverse}"\n'
        f'[[weighting]]\nname = "even"\nsource = "judgement"\nweights = {weights}\n'
    )
    return file


@pytest.mark.parametrize(
    ("changes", "place", "found"),
    [
        ({"weights": "{ base = 0.5, adverse = 0.4 }"}, "weighting 1", "not to 0.9"),
        ({"weights": "{ base = 1.2, adverse = -0.2 }"}, "weights.base", "1.2"),
        ({"weights": "{ base = 0.5, worst = 0.5 }"}, "the whole file", "not of 'worst' in 'even'"),
        ({"weights": "{}"}, "weights", "{}"),
        ({"name": "base"}, "the whole file", "not base, base"),
        ({"adverse": "nowhere.toml"}, "nowhere.toml", "no such file"),
    ],
)
def test_one_error_for_each_fault(root, tmp_path, changes, place, found):
    file = write_batch(tmp_path, root, **changes)
    result = CliRunner().invoke(main, ["stress", str(file), "--out", str(tmp_path / "r")])
    assert result.exit_code == 2
    lines = result.output.strip().splitlines()
    assert lines[0].startswith("hemc: ")
    assert "Traceback" not in result.output
    assert place in result.output
    assert found in result.output
    assert not (tmp_path / "r").exists()


def test_a_stress_file_that_is_none(root, tmp_path):
    result = CliRunner().invoke(main, ["stress", str(root / "configs" / "base.toml")])
    assert result.exit_code == 2
    assert "an unknown key" in result.output
    result = CliRunner().invoke(main, ["stress", str(tmp_path / "none.toml")])
    assert result.exit_code == 2
    assert "no such file" in result.output
