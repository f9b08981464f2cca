"""The table of measures on constructed paths, and figures as people read them."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hemc.outputs.measures import measure_paths
from hemc.outputs.numbers import show_estimate, show_probability

LATER = ("premium_pv", "insurer_net", "reimbursed_share", "insurer_default_month",
         "pool_loss_nine_quarters", "draws_nine_quarters", "oc_nine_quarters",
         "undercollateralization_nine_quarters")  # fmt: skip


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
            "oc_target_stepped_down": loss < 1e6, "first_oc_exhausted_month": zeros + 31,
            "first_oc_below_target_month": zeros + 7,
            "excess_interest": 2 * loss, "excess_interest_used": loss,
            "oc_released": zeros,
            "first_undercollateralized_month": pl.Series([None] * n, dtype=pl.Int64),
            "draws": draws, "first_draw_month": np.where(draws > 0, 30, 0), "draws_pv": draws,
            "peak_unreimbursed": draws, "reimbursement": zeros, "premium": zeros,
            "premium_pv": zeros,
            "insurer_net": draws, "reimbursed_share": np.where(draws > 0, 0.25, np.nan),
            "insurer_default_month": pl.Series([None] * n, dtype=pl.Int64),
            "residual": zeros, "next_month_loss": loss / 50, "next_month_cpr": zeros + 0.3,
            **dict.fromkeys(LATER, zeros),
            "interest_shortfall_A-1": zeros, "principal_A-1": zeros, "wal_A-1": zeros + 2,
            "writedown_A-1": zeros, "interest_shortfall_B": zeros, "principal_B": zeros,
            "wal_B": zeros + 3, "writedown_B": draws,
            "wrapped_interest_shortfall_A-1": zeros, "wrapped_interest_shortfall_B": zeros,
            "wrapped_writedown_A-1": zeros, "wrapped_writedown_B": draws / 4,
        }
    ).with_columns(
        pl.col("first_draw_month").replace(0, None), pl.col("reimbursed_share").fill_nan(None)
    )  # fmt: skip


def value(measures, measure, statistic, note=None, insurer=None):
    """Return the only row of a measure, or that of one side of the insurer."""
    rows = measures.filter(
        pl.col("measure") == measure, pl.col("statistic") == statistic,
        pl.col("note").eq_missing(pl.lit(note)),
    )  # fmt: skip
    rows = rows if insurer is None else rows.filter(insurer=insurer)
    assert len(rows) == 1
    return rows.row(0, named=True)


def test_what_holders_lose_with_the_insurer_stands_beside_what_they_lose_without():
    data = paths()
    measures = measure_paths(data, 1e8)
    lost = value(measures, "writedown", "mean", "B", "wrapped")["value"]
    assert lost == pytest.approx(0.25 * data["draws"].mean())
    assert value(measures, "writedown", "es_99", None, "wrapped")["value"] > lost
    never = measures.filter(measure="interest_shortfall", insurer="wrapped")
    assert never["statistic"].to_list() == ["mean", "probability"] * 3
    assert never["note"].to_list() == [None, None, "A-1", "A-1", "B", "B"]
    assert never["value"].unique().to_list() == [0.0]


def test_measures_of_constructed_paths():
    data = paths()
    measures = measure_paths(data, 1e8)
    hits = (data["draws"] > 0).mean()
    assert value(measures, "draws", "probability")["value"] == hits
    assert value(measures, "oc_exhausted", "probability")["value"] == hits
    assert value(measures, "writedown", "probability", "B", "unwrapped")["value"] == hits
    assert value(measures, "writedown", "mean", None, "unwrapped")["value"] == pytest.approx(
        data["draws"].mean()
    )
    none = value(measures, "writedown", "probability", "A-1", "unwrapped")
    assert (none["value"], none["standard_error"]) == (0.0, None)
    assert value(measures, "first_draw_month", "p50")["value"] == 30.0
    assert value(measures, "first_oc_below_target_month", "p50")["value"] == 7.0
    assert value(measures, "first_oc_exhausted_month", "mean")["value"] == 31.0
    stepped = value(measures, "oc_target_stepped_down", "probability")["value"]
    assert stepped == (data["pool_loss"] < 1e6).mean()
    used = value(measures, "excess_interest_used", "mean")
    assert used["value"] == pytest.approx(data["pool_loss"].mean())
    assert used["insurer"] == "wrapped"
    original = value(measures, "pool_loss_pct_original", "mean")["value"]
    assert original == pytest.approx(100 * data["pool_loss"].mean() / 1e8)
    assert measures.filter(pl.col("measure") == "first_undercollateralized_month").is_empty()
    keys = measures.select("measure", "insurer", "note", "month", "statistic")
    assert keys.is_duplicated().sum() == 0


@pytest.mark.parametrize("unit", [1, 2, 64])
def test_every_measure_has_the_error_of_its_unit(unit):
    data = paths(1_920)
    plain, other = (measure_paths(data, 1e8, k) for k in (1, unit))
    assert_frame_equal(plain.drop("standard_error"), other.drop("standard_error"), rel_tol=0.01)
    loss = data["pool_loss"].to_numpy().reshape(-1, unit).mean(axis=1)
    error = value(other, "pool_loss", "mean")["standard_error"]
    assert error == pytest.approx(loss.std(ddof=1) / loss.size**0.5)
    first = value(other, "first_draw_month", "mean")
    assert (first["value"], first["standard_error"]) == (30.0, pytest.approx(0.0, abs=1e-9))


def test_weights_count_in_every_measure():
    data = paths()
    drawn = pl.col("draws") > 0
    hit = (data["draws"] > 0).mean()
    # ratios of mean 1, under which draws are half as likely as among the paths
    ratio = pl.when(drawn).then(0.5).otherwise((1 - hit / 2) / (1 - hit))
    tilted = data.with_columns(weight=ratio)
    found = value(measure_paths(tilted, 1e8), "draws", "probability")
    assert found["value"] == pytest.approx(hit / 2)
    mean = np.average(data["pool_loss"], weights=tilted["weight"])
    assert value(measure_paths(tilted, 1e8), "pool_loss", "mean")["value"] == pytest.approx(mean)


def test_paths_with_weights_bound_no_probability():
    assert show_probability(0.0, None, None) == "no hit"
    assert show_probability(1.0, None, None) == "no miss"
    assert show_probability(0.0, None, 1) == "no hit"
    assert show_probability(0.0, None, 4) == "< 75 % (95 %)"
    bounds = {64: ("4.7", "95.3"), 10_000: ("0.03", "99.97"), 10**7: ("3e-05", "99.99997")}
    for n, (most, least) in bounds.items():
        assert show_probability(0.0, None, n) == f"< {most} % (95 %)"
        assert show_probability(1.0, None, n) == f"> {least} % (95 %)"
    assert show_probability(0.25, 0.01, None) == "25.0 ± 1.0 %"


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
