"""Statistics and their errors: against theory, repeated samples and constructed paths."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from hemc.outputs.measures import (
    distribution,
    expected_shortfall,
    mean,
    measure_paths,
    probability,
    quantile,
    standard_deviation,
)
from hemc.outputs.numbers import show_estimate, show_probability

N = 4_000


def repeated(statistic, n_samples=400):
    """Return values and stated errors of a statistic on many samples."""
    x = np.random.default_rng(4).exponential(size=(n_samples, N))
    found = [statistic(sample) for sample in x]
    return np.array([f.value for f in found]), np.array([f.standard_error for f in found])


@pytest.mark.parametrize(
    ("statistic", "truth"),
    [
        (mean, 1.0),
        (standard_deviation, 1.0),
        (lambda x: probability((x > 3).astype(float)), np.exp(-3)),
        (lambda x: quantile(np.sort(x), 0.95), -np.log(0.05)),
        (lambda x: quantile(np.sort(x), 0.99), -np.log(0.01)),
        (lambda x: expected_shortfall(np.sort(x), 0.975), 1 - np.log(0.025)),
        (lambda x: expected_shortfall(np.sort(x), 0.99), 1 - np.log(0.01)),
    ],
)
def test_stated_error_is_the_deviation_over_samples(statistic, truth):
    values, errors = repeated(statistic)
    assert values.mean() == pytest.approx(truth, abs=4 * values.std() / 20 + 0.01 * truth)
    assert errors.mean() == pytest.approx(values.std(), rel=0.15)
    covered = np.abs(values - truth) < norm.ppf(0.95) * errors
    assert 0.84 < covered.mean() < 0.95


def test_what_the_sample_does_not_hold_has_no_error():
    ordered = np.sort(np.random.default_rng(1).normal(size=300))
    assert np.isnan(quantile(ordered, 0.999).standard_error)
    assert np.isnan(expected_shortfall(ordered, 0.99).standard_error)
    assert np.isnan(probability(np.zeros(10)).standard_error)
    assert np.isnan(mean(np.ones(1)).standard_error)


def test_distribution_names_what_was_asked():
    found = distribution(np.arange(1000.0), ("mean", "p50", "es_99", "probability"))
    assert list(found) == ["mean", "p50", "es_99", "probability"]
    assert found["mean"].value == 499.5
    assert found["p50"].value == 500.0
    assert found["probability"].value == 0.999


def paths(n=2_000):
    generator = np.random.default_rng(2)
    loss = generator.gamma(3, 1e6, n)
    draws = np.where(loss > 6e6, loss - 6e6, 0.0)
    zeros = np.zeros(n)
    return pl.DataFrame(
        {
            "path": np.arange(n), "weight": zeros + 1, "pool_loss": loss,
            "pool_loss_pct": loss / 4e6, "oc_min": zeros, "oc_shortfall_max": zeros,
            "oc_missed_after_target": loss > 1e6, "oc_exhausted": draws > 0,
            "first_undercollateralized_month": pl.Series([None] * n, dtype=pl.Int64),
            "draws": draws, "first_draw_month": np.where(draws > 0, 30, 0), "draws_pv": draws,
            "peak_unreimbursed": draws, "reimbursement": zeros, "premium": zeros,
            "residual": zeros, "next_month_loss": loss / 50, "next_month_cpr": zeros + 0.3,
            "interest_shortfall_A-1": zeros, "principal_A-1": zeros, "wal_A-1": zeros + 2,
            "writedown_A-1": zeros, "interest_shortfall_B": zeros, "principal_B": zeros,
            "wal_B": zeros + 3, "writedown_B": draws,
        }
    ).with_columns(pl.col("first_draw_month").replace(0, None))  # fmt: skip


def value(measures, measure, statistic, note=None):
    rows = measures.filter(
        pl.col("measure") == measure, pl.col("statistic") == statistic,
        pl.col("note").eq_missing(pl.lit(note)),
    )  # fmt: skip
    assert len(rows) == 1
    return rows.row(0, named=True)


def test_measures_of_constructed_paths():
    data = paths()
    measures = measure_paths(data, 1e8)
    hits = (data["draws"] > 0).mean()
    assert value(measures, "draws", "probability")["value"] == hits
    assert value(measures, "oc_exhausted", "probability")["value"] == hits
    assert value(measures, "writedown", "probability", "B")["value"] == hits
    assert value(measures, "writedown", "mean")["value"] == pytest.approx(data["draws"].mean())
    none = value(measures, "writedown", "probability", "A-1")
    assert (none["value"], none["standard_error"]) == (0.0, None)
    assert value(measures, "first_draw_month", "p50")["value"] == 30.0
    original = value(measures, "pool_loss_pct_original", "mean")["value"]
    assert original == pytest.approx(100 * data["pool_loss"].mean() / 1e8)
    assert measures.filter(pl.col("measure") == "first_undercollateralized_month").is_empty()
    keys = measures.select("measure", "insurer", "note", "month", "statistic")
    assert keys.is_duplicated().sum() == 0


def test_a_probability_without_a_hit_is_bounded_not_zero():
    assert show_probability(0.0, None, 10_000) == "< 0.03 % (95 %)"
    assert show_probability(1.0, None, 1_000) == "> 99.7 % (95 %)"
    assert show_probability(0.123, 0.011, 1_000) == "12.3 ± 1.1 %"


def test_shown_figures():
    row = {
        "value": 5.538,
        "standard_error": 0.1549,
        "unit": "% of current pool",
        "statistic": "mean",
    }
    assert show_estimate(row, 100) == "5.54 ± 0.15 %"
    dollars = {"value": 214_816.7, "standard_error": 3_293.9, "unit": "USD", "statistic": "mean"}
    assert show_estimate(dollars, 100) == "214,817 ± 3,294"
