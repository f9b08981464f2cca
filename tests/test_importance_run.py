"""Whole runs by importance sampling: they agree with plain ones, know the tail, weigh each file."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hemc import engine
from hemc.config import load_config
from hemc.outputs.estimates import PLAIN, design_of, probability
from hemc.outputs.report.document import write_report
from hemc.outputs.results import write_run
from hemc.outputs.summary import render_summary

N = 1_536
THRESHOLDS = (10.0, 15.0, 20.0)  # lifetime loss, % of the pool


def run(base_toml, sampling="importance", **settings):
    dotted = {key.replace("__", "."): str(value) for key, value in settings.items()}
    few = {"simulation.paths": str(N), "outputs.sensitivity_paths": "0"}
    chosen = few | {"simulation.sampling": f"'{sampling}'"} | dotted
    return engine.run(load_config(base_toml, chosen), lambda n: None)


@pytest.fixture(scope="module")
def tilted(base_toml):
    return run(base_toml, simulation__tail_probability=1e-4)


@pytest.fixture(scope="module")
def plain(base_toml):
    return run(base_toml, "plain", simulation__paths=3_072, simulation__oracle_paths=0)


def beyond(result, threshold):
    paths = result.paths
    happened = (paths["pool_loss_pct"] > threshold).cast(float).to_numpy()
    return probability(happened, design_of(paths["weight"].to_numpy(), 1))


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_thresholds_agree_with_plain_paths(tilted, plain, threshold):
    (value, error), (wanted, own) = (beyond(r, threshold) for r in (tilted, plain))
    assert wanted > 0.0
    assert abs(value - wanted) < 4 * np.hypot(error, own)


@pytest.mark.parametrize("measure", ["pool_loss_pct", "premium", "next_month_loss", "residual"])
def test_means_agree_with_plain_paths(tilted, plain, measure):
    rows = [r.measures.filter(measure=measure, statistic="mean").row(0) for r in (tilted, plain)]
    (value, error), (wanted, own) = (row[5:7] for row in rows)
    assert abs(value - wanted) < 4 * np.hypot(error, own)


def test_a_rare_event_is_known_to_a_tenth(tilted):
    """Plain paths of the same number would hold a sixth of one such event."""
    result = tilted
    tail = result.measures.filter(measure="pool_loss_pct", statistic="p99_9")["value"].item()
    value, error = beyond(result, 1.3 * tail)
    assert 2e-5 < value < 4e-4
    assert error < 0.15 * value
    assert probability(np.zeros(N), PLAIN).value == 0.0


def test_weights_stand_in_every_file(tilted, tmp_path):
    folder = tmp_path / "r"
    write_run(tilted, folder, write_report)
    weight = pl.read_parquet(folder / "paths.parquet")["weight"]
    assert weight.n_unique() > N // 2
    assert weight.max() <= 10.0
    next_month = pl.read_parquet(folder / "next_month.parquet")
    assert next_month.columns[:2] == ["path", "weight"]
    assert next_month["weight"].equals(weight)
    sampling = json.loads((folder / "manifest.json").read_text())["sampling"]
    assert sampling["tilt"]["shift"] == pytest.approx(3.8, abs=0.3)
    assert sampling["weights"]["paths"] == N
    assert sampling["weights"]["tail_effective"] > 100
    report = (folder / "report.html").read_text()
    assert "weights are calibrated to their mean of 1" in report
    text = render_summary(tilted, folder)
    assert "importance: main direction shifted by 3." in text
    assert max(map(len, text.splitlines())) <= 80
    assert "no hit" in text  # and no 3/n, of which weights know nothing
    assert "(95 %)" not in text


def test_months_and_bands_are_weighted(tilted, plain):
    """The tilt makes a typical path three times as bad; its bands must not show that."""

    def at(result, series, statistic):
        rows = result.months.filter(series=series, statistic=statistic, month=48)
        return rows["value"][0]

    raw = tilted.paths["pool_loss"].mean()
    assert raw > 2 * plain.paths["pool_loss"].mean()
    for statistic in ("mean", "p50", "p75"):
        found, wanted = (at(r, "cumulative_loss", statistic) for r in (tilted, plain))
        assert found == pytest.approx(wanted, rel=0.25)
    found, wanted = (r.measures.filter(measure="next_month_cpr", statistic="p50")["value"][0]
                     for r in (tilted, plain))  # fmt: skip
    assert found == pytest.approx(wanted, rel=0.1)


def test_threads_and_blocks_change_no_bit(base_toml, tilted):
    other = run(
        base_toml, simulation__tail_probability=1e-4, simulation__paths=256,
        simulation__threads=1, simulation__block_paths=192,
    )  # fmt: skip
    assert_frame_equal(other.paths, tilted.paths.head(256), check_exact=True)
    assert len(other.warnings) == len(tilted.warnings) + 1  # few effective paths in the tail
    assert "effective paths: raise simulation.paths" in other.warnings[-1]


def test_without_factors_nothing_is_tilted(base_toml):
    result = run(base_toml, simulation__paths=64, scenario__factors="'off'")
    assert result.weights is None
    assert (result.paths["weight"] == 1.0).all()
