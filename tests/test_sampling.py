"""Whole runs under every sampling method: they agree, know how well, and stop at a target."""

import dataclasses
import json

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from hemc import engine
from hemc.config import load_config
from hemc.errors import InputError
from hemc.model.direction import pilot_block
from hemc.outputs.report.document import write_report
from hemc.outputs.results import write_run
from hemc.outputs.summary import render_summary
from hemc.outputs.two_level import LARGE_POOL_PATHS

METHODS = ("plain", "antithetic", "strata", "sobol")
N = 1_024


def run(base_toml, method, progress=lambda n: None, **settings):
    dotted = {key.replace("__", "."): str(value) for key, value in settings.items()}
    few = {"simulation.paths": str(N), "outputs.sensitivity_paths": "0"}
    chosen = few | {"simulation.sampling": f"'{method}'"} | dotted
    return engine.run(load_config(base_toml, chosen), progress)


@pytest.fixture(scope="module")
def runs(base_toml):
    return {method: run(base_toml, method) for method in METHODS}


def estimate(result, measure, statistic, note=None):
    rows = result.measures.filter(measure=measure, statistic=statistic)
    rows = rows.filter(rows["note"].eq_missing(note))
    return rows.select("value", "standard_error").row(0)


FIGURES = (
    ("pool_loss_pct", "mean"), ("pool_loss_pct", "p90"), ("pool_loss_pct", "es_97_5"),
    ("draws", "probability"), ("premium", "mean"), ("wal", "mean", "A-2"),
)  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("method", METHODS[1:])
def test_methods_agree_with_plain_paths(runs, method, figure):
    (value, error), (plain, plain_error) = (estimate(runs[m], *figure) for m in (method, "plain"))
    assert abs(value - plain) < 4 * np.hypot(error, plain_error)


def test_methods_know_the_mean_loss_better(runs):
    error = {m: estimate(result, "pool_loss_pct", "mean")[1] for m, result in runs.items()}
    assert error["antithetic"] < 0.85 * error["plain"]
    assert error["strata"] < 0.4 * error["plain"]
    assert error["sobol"] < 0.4 * error["plain"]
    size = {m: result.sample_size.effective for m, result in runs.items()}
    assert size["plain"] == N
    assert (
        len({result.paths["pool_loss"][0] for result in runs.values()}) == 3
    )  # an even path is plain
    for method in METHODS[1:]:
        gain = (error["plain"] / error[method]) ** 2
        assert size[method] == pytest.approx(gain * N, rel=0.35)


@pytest.mark.parametrize("method", ["antithetic", "strata", "sobol"])
def test_threads_and_blocks_change_no_bit(base_toml, runs, method):
    other = run(
        base_toml, method, simulation__paths=256, simulation__threads=1,
        simulation__block_paths=192,
    )  # fmt: skip
    assert_frame_equal(other.paths, runs[method].paths.head(256), check_exact=True)


def test_a_pilot_has_its_own_draws(base_toml, runs):
    loaded = load_config(base_toml)
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    pilot = pilot_block(model.pool, model.factors, 0, 8)
    assert not np.isin(pilot.loss, runs["plain"].paths["pool_loss"].to_numpy()).any()
    shorter = dataclasses.replace(model.factors, n_months=12)
    assert not np.isin(pilot.credit, shorter.draw(0, 8).credit).any()
    assert (np.diff(pilot.balance, axis=1) <= 1e-6).all()


def test_the_manifest_says_how_paths_were_drawn(runs, tmp_path):
    write_run(runs["strata"], tmp_path / "r", write_report)
    manifest = json.loads((tmp_path / "r/manifest.json").read_text())
    assert manifest["paths"] == manifest["independent_paths"] == N
    assert manifest["effective_sample_size"] > 5 * N
    assert manifest["effective_sample_size_of_weights"] == N
    assert manifest["target"] is None
    sampling = manifest["sampling"]
    assert [sampling[k] for k in ("method", "unit_paths", "units")] == ["strata", 64, N // 64]
    direction = np.array(sampling["main_direction"])
    assert direction.size == manifest["months"]
    assert np.linalg.norm(direction) == pytest.approx(1.0)
    assert (np.diff(direction[:60]) < 0.0).all()  # an early shock meets the larger pool
    assert direction[59] > 0.0
    assert "strata: 16 independent units" in render_summary(runs["strata"], tmp_path)
    report = (tmp_path / "r/report.html").read_text()
    assert "64 paths, one a stratum, are the independent unit" in report


def test_plain_runs_have_no_pilot(runs):
    assert runs["plain"].sampling.directions is None
    assert runs["antithetic"].sampling.directions is None


def test_a_run_stops_when_its_target_is_met(base_toml, runs, tmp_path):
    target = '{ measure = "pool_loss_pct", statistic = "mean", relative_error = 0.02 }'
    done = []
    result = run(
        base_toml, "strata", done.append, simulation__paths=65_536, simulation__target=target
    )
    assert sum(done) == len(result.paths) == N
    assert_frame_equal(result.paths, runs["strata"].paths, check_exact=True)
    assert_frame_equal(result.months, runs["strata"].months, check_exact=True)
    value, error = estimate(result, "pool_loss_pct", "mean")
    assert result.relative_error == pytest.approx(error / value)
    write_run(result, tmp_path / "r", write_report)
    record = json.loads((tmp_path / "r/manifest.json").read_text())["target"]
    assert record["met"]
    assert record["reached"] == result.relative_error <= record["relative_error"] == 0.02
    assert record["most_paths"] == 65_536
    text = render_summary(result, tmp_path)
    assert "target met: relative error of pool_loss_pct mean" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "pool_loss_pct mean to 2 %" in (tmp_path / "r/report.html").read_text()


@pytest.mark.parametrize(("statistic", "known"), [("mean", True), ("p99_9", False)])
def test_a_run_that_misses_its_target_says_so(base_toml, tmp_path, statistic, known):
    target = f'{{ measure = "pool_loss", statistic = "{statistic}", relative_error = 0.001 }}'
    result = run(base_toml, "plain", simulation__paths=128, simulation__target=target)
    assert len(result.paths) == 128
    write_run(result, tmp_path / "r", write_report)
    record = json.loads((tmp_path / "r/manifest.json").read_text())["target"]
    assert not record["met"]
    assert (record["reached"] is not None) == known
    text = render_summary(result, tmp_path)
    assert "target not met" in text
    assert ("not known yet" in text) != known
    assert max(map(len, text.splitlines())) <= 80


def test_a_target_that_no_measure_has_is_refused(base_toml):
    target = '{ measure = "losses", statistic = "mean", relative_error = 0.01 }'
    with pytest.raises(InputError, match=r"simulation\.target\.measure.*'losses'.*pool_loss_pct"):
        run(base_toml, "plain", simulation__paths=64, simulation__target=target)


def test_sensitivities_run_on_whole_units(base_toml):
    result = run(base_toml, "strata", simulation__paths=192, outputs__sensitivity_paths=150)
    loss = result.sensitivities.filter(measure="pool_loss_pct")
    assert set(loss["paths"]) == {128}
    base = result.paths["pool_loss_pct"].head(128).to_numpy()
    units = base.reshape(2, 64).mean(axis=1)
    error = units.std(ddof=1) / 2**0.5
    assert loss["base_standard_error"].to_list() == pytest.approx([error] * len(loss))
    seed = loss.filter(assumption="tape.seed").row(0, named=True)
    assert abs(seed["difference"]) < 0.2 * base.mean()  # another horizon, the same innovations
    convention = loss.filter(assumption="deal.undercollateralization")
    assert convention["difference"].to_list() == [0.0, 0.0]  # the pool's paths are the same


def test_two_levels_know_the_mean_loss_better(base_toml, tmp_path):
    result, plain = (run(base_toml, m, simulation__paths=N // 4) for m in ("two-level", "plain"))
    assert_frame_equal(result.paths, plain.paths, check_exact=True)
    changed = result.measures.join(plain.measures, on=list(plain.measures.columns), how="anti",
                                   nulls_equal=True)  # fmt: skip
    assert set(changed["measure"]) == {"pool_loss", "pool_loss_pct", "pool_loss_pct_original"}
    assert set(changed["statistic"]) == {"mean"}
    (value, error), (old, old_error) = (
        estimate(r, "pool_loss_pct", "mean") for r in (result, plain)
    )
    assert abs(value - old) < 4 * np.hypot(error, old_error)
    assert 0.3 * old_error < error < 0.8 * old_error  # half, but for the luck of other paths
    gain = (old_error / error) ** 2
    assert result.sample_size.effective == pytest.approx(N // 4 * gain, rel=0.01)
    write_run(result, tmp_path / "r", write_report)
    manifest = json.loads((tmp_path / "r/manifest.json").read_text())
    assert manifest["sampling"]["large_pool_paths"] == LARGE_POOL_PATHS * N // 4
    assert "mean lifetime loss by two levels" in (tmp_path / "r/report.html").read_text()


def test_without_factors_strata_have_nothing_to_steer(base_toml):
    result = run(base_toml, "strata", simulation__paths=128, scenario__factors="'off'")
    plain = run(base_toml, "plain", simulation__paths=128, scenario__factors="'off'")
    assert_frame_equal(result.paths, plain.paths, check_exact=True)
    assert result.sampling.directions is None
