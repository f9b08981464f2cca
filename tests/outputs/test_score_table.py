"""score.parquet on planted forecasts: places, bands, scores, words, and what is not scored."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from hemc.outputs.score_table import Came, score_table, surprises
from hemc.outputs.score_text import coverage_text, left_out, place, surprise_lines

N = 999
LOSS, LOANS, TARGET, DRAW = (
    "losses.current_month", "delinq.REO.number", "oc.target", "credit_enhancement.draw",
)  # fmt: skip


def forecast(weight=None):
    """Loss 1,000 … 999,000 in shuffled order, REO 0 or 1 one in ten, the rest certain."""
    rng = np.random.default_rng(3)
    return pl.LazyFrame(
        {
            "path": np.arange(N), "weight": np.ones(N) if weight is None else weight,
            LOSS: 1_000.0 * rng.permutation(np.arange(1, N + 1)),
            LOANS: (np.arange(N) % 10 == 0).astype(float),
            TARGET: np.full(N, 7_681_383.94), DRAW: np.zeros(N), "pool.beginning_pool": np.ones(N),
            "delinq.REO.pct": np.ones(N),
        }
    )  # fmt: skip


def scored(figures, missing=None, inferred=frozenset(), weight=None):
    """Return the rows by figure of a certificate that shows some figures."""
    figures = {LOSS: 5e5, LOANS: 0.0, TARGET: 7_681_383.94, DRAW: 0.0} | figures
    shown = {k: v for k, v in figures.items() if v is not None}
    came = Came(
        "D", dt.date(2003, 10, 27), dt.date(2003, 11, 25), shown, missing or {}, inferred
    )  # fmt: skip
    table = score_table(forecast(weight), came)
    return table, {row["figure"]: row for row in table.to_dicts()}


def test_the_median_lies_in_the_middle():
    table, rows = scored({LOSS: 500_000.0})
    assert rows[LOSS]["pit"] == pytest.approx(0.5)
    assert (rows[LOSS]["in_50"], rows[LOSS]["in_90"], rows[LOSS]["distance"]) == (True, True, 0.0)
    assert surprises(table) == []
    assert coverage_text(table) == (
        "2 figures scored: 2 in their 90 % band (1.9 expected), 2 in their 50 % band (1.4 "
        "expected)."
    )


def test_a_shifted_figure_is_flagged_and_said():
    table, rows = scored({LOSS: 999_500.0})
    assert rows[LOSS]["pit"] == 1.0
    assert rows[LOSS]["in_90"] is False
    assert rows[LOSS]["distance"] == pytest.approx(499_500.0 / 449_000.0, rel=0.01)
    (line,) = surprise_lines(table)
    low, high = (f"{rows[LOSS][p]:,.0f}" for p in ("p5", "p95"))
    assert line == (
        f"Month's Loss: 999,500, above the 90 % band of {low} to {high}; higher than on every path"
    )


def test_a_low_figure_says_so():
    table, _ = scored({LOSS: 10_000.0})
    (line,) = surprise_lines(table)
    assert "below the 90 % band" in line
    assert line.endswith("lower than on 99.0 % of paths")


def test_the_band_and_its_distance_agree_on_every_place():
    for value in range(0, 1_010_000, 7_300):
        row = scored({LOSS: float(value)})[1][LOSS]
        assert row["in_90"] == (abs(row["distance"]) <= 1.0 + 1e-7)


def test_surprises_are_ordered_by_how_far_out():
    table, rows = scored({LOSS: 980_000.0, LOANS: 3.0, TARGET: 7_000_000.0})
    assert [row["figure"] for row in surprises(table)] == [TARGET, LOANS, LOSS]
    assert abs(rows[LOANS]["distance"]) > abs(rows[LOSS]["distance"]) > 1.0
    lines = list(surprise_lines(table))
    assert lines[0].startswith("Target OC: 7,000,000, where every path has 7,681,384")


def test_a_count_that_equals_many_paths_lies_in_the_middle_of_them():
    row = scored({LOANS: 0.0})[1][LOANS]
    share = 1.0 - 100 / N
    assert row["pit"] == pytest.approx(share / 2.0)
    assert scored({LOANS: 1.0})[1][LOANS]["pit"] == pytest.approx(share + 50 / N)


def test_the_score_is_that_of_the_definition():
    x = np.arange(1, N + 1) * 1_000.0
    y = 900_000.0
    direct = np.abs(x - y).mean() - 0.5 * np.abs(x[:, None] - x).mean()
    assert scored({LOSS: y})[1][LOSS]["crps"] == pytest.approx(direct)


def test_weighted_paths_count_by_their_weight():
    """Paths with a loss of at most half a million weigh three times as much as the others."""
    x = forecast().collect()[LOSS].to_numpy()
    weight = np.where(x <= 500_000.0, 3.0, 1.0)
    weight /= weight.mean()
    row = scored({LOSS: 500_500.0}, weight=weight)[1][LOSS]
    assert row["pit"] == pytest.approx(weight[x < 500_500.0].sum() / N)
    pairs = np.abs(x[:, None] - x) * np.outer(weight, weight)
    direct = (weight * np.abs(x - 500_500.0)).mean() - 0.5 * pairs.mean()
    assert row["crps"] == pytest.approx(direct)


def test_what_is_missing_is_named_and_never_scored():
    table, rows = scored({LOSS: None, DRAW: None}, {DRAW: "the page is torn"})
    assert rows[DRAW]["note"] == "missing: the page is torn"
    assert rows[LOSS]["note"] == "missing: not on the certificate"
    for figure in (DRAW, LOSS):
        assert {rows[figure][k] for k in ("observed", "pit", "crps", "in_50", "in_90")} == {None}
    said = list(left_out(table))
    assert "Not scored, missing: the page is torn: Credit Enhancement Draw." in said
    assert "Not scored, as forecast with certainty: Target OC." in said


def test_a_figure_that_another_row_is_counted_in_is_missing_though_printed():
    rows = scored({LOANS: 1.0}, {LOANS: "by the footnote it includes BK"})[1]
    assert rows[LOANS]["pit"] is None
    assert rows[LOANS]["note"].endswith("includes BK")


def test_inferred_figures_say_so():
    assert "pool roll" in scored({}, inferred=frozenset({LOSS}))[1][LOSS]["note"]


def test_openings_and_shares_repeat_other_figures():
    assert set(scored({})[1]) == {LOSS, LOANS, TARGET, DRAW}


@pytest.mark.parametrize(
    ("pit", "shown"),
    [
        (None, ""),
        (0.0, "0.0"),
        (0.0004, "< 0.1"),
        (0.25, "25.0"),
        (0.9996, "> 99.9"),
        (1.0, "100.0"),
    ],
)
def test_places_are_never_rounded_to_an_end(pit, shown):
    assert place(pit) == shown
