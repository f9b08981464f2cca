"""Rows of a backtest: what is scored and what is left out; coverage and skill, some by hand."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from hemc.outputs.backtest_table import (
    DRAWN_START,
    INFERRED,
    NO_VARIANCE,
    ScoredCertificate,
    backtest_table,
    group_of,
)
from hemc.outputs.backtest_text import render_backtest
from hemc.outputs.skill import (
    bootstrap_skill,
    next_only,
    scaled_scores,
    summarise_figures,
    summarise_groups,
)

START = dt.date(2003, 10, 27)


def scored(draws, observed, **more):
    values = {
        "deal": "2002-HE4", "fitted_to": START, "date": dt.date(2003, 11, 25), "months": 1,
        "inferred": frozenset(), "drawn": frozenset(), "no_change": {}, "chain": {},
    } | more  # fmt: skip
    return ScoredCertificate(draws=pl.DataFrame(draws), observed=observed, **values)


@pytest.mark.parametrize(
    ("figure", "group"),
    [
        ("delinq.30.number", "counts"), ("pool.active_loan_count", "counts"),
        ("delinq.BK.balance", "balances"), ("pool.ending_pool", "balances"),
        ("pool.principal_collections", "flows"), ("losses.ending", "flows"),
        ("pool.excess_cash", "deal"), ("notes.A-1.ending", "deal"), ("oc.change", "deal"),
        ("credit_enhancement.draw", "deal"),
        ("pool.beginning_pool", None), ("notes.A-1.beginning", None), ("delinq.30.pct", None),
    ],
)  # fmt: skip
def test_groups(figure, group):
    assert group_of(figure) == group


def test_a_row_by_hand():
    one = scored(
        {"pool.active_loan_count": np.arange(101.0)}, {"pool.active_loan_count": 97.0},
        no_change={"pool.active_loan_count": 90.0},
        drawn=frozenset({"pool.active_loan_count"}), inferred=frozenset({"pool.active_loan_count"}),
    )  # fmt: skip
    (row,) = backtest_table([one], 1).iter_rows(named=True)
    assert [row[p] for p in ("p5", "p25", "p50", "p75", "p95")] == [5.0, 25.0, 50.0, 75.0, 95.0]
    assert not row["in_90"]
    assert not row["in_50"]
    assert row["share_in_90"] == pytest.approx(91 / 101)
    assert 97 / 101 <= row["pit"] <= 98 / 101
    assert row["crps_no_change"] == 7.0
    assert row["crps_chain"] is None
    assert row["note"] == f"{DRAWN_START}; {INFERRED}"


def test_what_is_certain_or_not_printed_is_not_scored():
    draws = {"oc.target": [5.0, 5.001], "oc.change": [0.0, 1.0], "oc.outstanding": [0.0, 1.0]}
    table = backtest_table([scored(draws, {"oc.target": 5.0, "oc.change": 1.0})], 1)
    assert table["figure"].to_list() == ["oc.target", "oc.change"]
    assert table["note"].to_list() == [NO_VARIANCE, ""]
    assert table["crps"].is_null().to_list() == [True, False]
    assert summarise_groups(table)["n"].to_list() == [0, 0, 0, 1, 1]


def true_forecasts(n_dates=40, n_figures=40):
    """Certificates drawn from their own forecasts; no change says 1 too much."""
    generator = np.random.default_rng(3)
    found = []
    for k in range(n_dates):
        mean = generator.normal(size=n_figures)
        names = [f"notes.{j}.principal" for j in range(n_figures)]
        draws = dict(zip(names, generator.normal(mean, 1.0, (300, n_figures)).T, strict=True))
        came = dict(zip(names, generator.normal(mean, 1.0), strict=True))
        found.append(
            scored(
                draws, came, date=dt.date(2003, 11, 25) + dt.timedelta(days=k), months=k + 1,
                no_change={name: value + 1.0 for name, value in came.items()}, chain=came,
            )
        )  # fmt: skip
    return found


def test_bands_cover_what_they_say_where_the_forecast_is_the_truth():
    row = summarise_groups(backtest_table(true_forecasts(), 1)).row(-1, named=True)
    for level in (0.5, 0.9):
        error = (level * (1.0 - level) / row["n"]) ** 0.5
        assert row[f"in_{100 * level:.0f}"] == pytest.approx(level, abs=4.0 * error + 0.005)
        assert row[f"share_in_{100 * level:.0f}"] == pytest.approx(level, abs=0.01)
    assert row["skill_no_change"] == pytest.approx(1.0 - 1.0 / np.pi**0.5, abs=0.02)
    assert row["low_no_change"] < row["skill_no_change"] < row["high_no_change"]


def certificates_of_two_dates():
    """Two figures of very different size on two dates; every error is known."""
    naive = {"pool.ending_pool": 30.0, "delinq.30.balance": 0.0}
    draws = {"pool.ending_pool": [0.0, 20.0], "delinq.30.balance": [0.0, 0.2]}
    return [
        scored(draws, {"pool.ending_pool": 10.0, "delinq.30.balance": 0.1 * k},
               date=dt.date(2003, 10 + k, 25), months=k, no_change=naive, chain=naive)
        for k in (1, 2)
    ]  # fmt: skip


def test_skill_by_hand_weighs_every_figure_alike():
    table = backtest_table(certificates_of_two_dates(), 1)
    # pool: CRPS 10 − 5 = 5 against 20 on both dates, all three scores 15 on average. 30 days: 0.05
    # against 0.1, then 0.05 against 0.2, on average 0.7 / 6.
    scale = 0.7 / 6
    scaled = scaled_scores(table)
    assert scaled["crps"].sum() == pytest.approx(10 / 15 + 0.1 / scale)
    expected = 1.0 - (10 / 15 + 0.1 / scale) / (40 / 15 + 0.3 / scale)
    row = summarise_groups(table).row(-1, named=True)
    assert row["skill_no_change"] == pytest.approx(expected) == row["skill_chain"]
    figures = summarise_figures(table)
    assert figures["skill_chain"].to_list() == pytest.approx([0.75, 2 / 3])
    assert next_only(table)["months"].to_list() == [1, 1]


def test_the_bootstrap_draws_dates():
    skill = bootstrap_skill(np.array([1.0, 3.0]), np.array([4.0, 4.0]))
    assert set(np.round(skill, 9)) == {0.25, 0.5, 0.75}
    assert (skill == 0.5).mean() == pytest.approx(0.5, abs=0.05)
    assert bootstrap_skill(np.array([1.0]), np.array([0.0])).size == 0


def test_the_screen_is_80_columns_wide():
    table = backtest_table(certificates_of_two_dates(), 1)
    result = SimpleNamespace(table=table, n_paths=2, remarks=("a remark",), warnings=())
    lines = render_backtest(result, Path("results/x")).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Backtest: certificates scored 2, starts 1, paths 2"
    assert any(line.split()[:2] == ["balances", "4"] for line in lines)
    assert not any(line.startswith("flows") for line in lines)
    assert lines[-2:] == ["a remark", "files: results/x"]
