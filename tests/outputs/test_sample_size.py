"""What paths are worth, and when a run may stop."""

import numpy as np
import polars as pl
import pytest

from hemc.errors import InputError
from hemc.outputs.sample_size import relative_error, round_ends, sample_size
from hemc.settings.simulation import SimulationSettings, TargetSettings


def settings(paths=10_000, sampling="plain", error=0.01, measure="pool_loss", statistic="mean"):
    target = TargetSettings(measure=measure, statistic=statistic, relative_error=error)
    return SimulationSettings(paths=paths, sampling=sampling, target=target)


def frame(loss, weight=None):
    weight = np.ones(len(loss)) if weight is None else weight
    return pl.LazyFrame({"weight": weight, "pool_loss": loss})


def test_without_a_target_there_is_one_round():
    assert list(round_ends(SimulationSettings(paths=5_000))) == [5_000]


@pytest.mark.parametrize(
    ("paths", "sampling", "ends"),
    [
        (10_000, "plain", [1_024, 2_048, 4_096, 8_192, 10_000]),
        (8_192, "antithetic", [1_024, 2_048, 4_096, 8_192]),
        (1_024, "strata", [1_024]),
        (500, "plain", [500]),
        (4_096, "strata", [1_024, 2_048, 4_096]),
        (4_096, "sobol", [2_048, 4_096]),  # eight nets would not know their own error
    ],
)
def test_rounds_double_up_to_the_paths_allowed(paths, sampling, ends):
    assert list(round_ends(settings(paths, sampling))) == ends


@pytest.fixture
def loss():
    return np.random.default_rng(1).gamma(2.0, 1e6, 1_280)


def test_plain_paths_are_worth_their_number(loss):
    size = sample_size(frame(loss), SimulationSettings(paths=1_280))
    assert size == (1_280, 1_280.0, 1_280.0, 1_280)


def test_units_and_the_bound_of_each_method(loss):
    for method, units, independent in (
        ("antithetic", 640, 640), ("strata", 20, 1_280), ("sobol", 10, 10),
    ):  # fmt: skip
        size = sample_size(frame(loss), SimulationSettings(paths=1_280, sampling=method))
        assert (size.units, size.independent_paths) == (units, independent)
        assert size.effective != 1_280.0


def test_unequal_weights_are_worth_fewer_paths_and_bound_nothing(loss):
    weight = np.where(np.arange(1_280) % 2 == 0, 1.9, 0.1)
    size = sample_size(frame(loss, weight), SimulationSettings(paths=1_280))
    assert size.of_weights == pytest.approx(1_280 / (1 + 0.9**2))
    assert size.effective == pytest.approx(size.of_weights, rel=0.15)
    assert size.independent_paths is None


def measures():
    rows = [
        ("pool_loss", None, "mean", 50.0, 2.0), ("pool_loss", None, "p99_9", 90.0, None),
        ("draws", None, "probability", 0.0, None), ("premium", None, "mean", -8.0, 2.0),
        ("writedown", "A-1", "mean", 1.0, 1.0), ("writedown", None, "mean", 4.0, 1.0),
        ("wal", "A-1", "mean", 4.0, 1.0),
    ]  # fmt: skip
    names = ("measure", "note", "statistic", "value", "standard_error")
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.mark.parametrize(
    ("measure", "statistic", "wanted"),
    [
        ("pool_loss", "mean", 0.04),
        ("pool_loss", "p99_9", float("inf")),
        ("draws", "probability", float("inf")),
        ("premium", "mean", 0.25),
        ("writedown", "mean", 0.25),
    ],
)
def test_relative_error_of_a_figure(tmp_path, measure, statistic, wanted):
    target = settings(measure=measure, statistic=statistic).target
    assert relative_error(measures(), target, tmp_path) == wanted


@pytest.mark.parametrize(
    ("measure", "statistic", "place", "known"),
    [
        ("pool_los", "mean", "simulation.target.measure", "pool_loss, draws, premium, writedown"),
        ("wal", "mean", "simulation.target.measure", "pool_loss"),  # by class only
        ("pool_loss", "es99", "simulation.target.statistic", "mean, p99_9"),
    ],
)
def test_a_target_that_no_measure_has_is_refused(tmp_path, measure, statistic, place, known):
    target = settings(measure=measure, statistic=statistic).target
    with pytest.raises(InputError) as caught:
        relative_error(measures(), target, tmp_path / "run.toml")
    assert caught.value.place == place
    assert known in caught.value.expected
