"""Parts of the report on their own: histogram, convergence, script bundle, formats."""

import altair
import numpy as np
import polars as pl
import pytest
import vl_convert
from report_sample import N_PATHS, paths_table

from hemc.outputs.estimates import expected_shortfall, mean, take_sample
from hemc.outputs.report import charts, vega
from hemc.outputs.report.blocks import DASH
from hemc.outputs.report.formats import (
    amount,
    difference,
    estimate,
    estimate_millions,
    month_name,
    percent,
)
from hemc.outputs.report.sections.accuracy import convergence_rows
from hemc.outputs.report.sections.verdict import loss_bins


def test_histogram_counts_every_path():
    paths = paths_table()
    bins = loss_bins(paths)
    assert 10 <= len(bins) <= 100
    assert bins["share"].sum() == pytest.approx(100.0)
    low, high, share = bins.row(2)
    inside = paths.filter(pl.col("pool_loss_pct").is_between(low, high, closed="left"))
    assert share == pytest.approx(100.0 * len(inside) / len(paths))
    without_loss = loss_bins(pl.DataFrame({"pool_loss_pct": [0.0, 0.0], "weight": [1.0, 1.0]}))
    assert without_loss["share"][0] == 100.0


def test_histogram_counts_weights():
    bins = loss_bins(pl.DataFrame({"pool_loss_pct": [0.0, 10.0], "weight": [3.0, 1.0]}))
    assert (bins["share"][0], bins["share"][-1]) == (75.0, 25.0)


def test_convergence_ends_at_the_estimate():
    loss = paths_table()["pool_loss_pct"].to_numpy()
    rows = convergence_rows(loss, np.ones(N_PATHS), None, 50)
    value, error = mean(loss)
    assert [rows[0]["n"], rows[-1]["n"], len(rows)] == [50, N_PATHS, 20]
    assert rows[-1]["value"] == pytest.approx(value, abs=1e-5)
    reach = 1.96 * error
    assert rows[-1]["low"] == pytest.approx(value - reach, abs=1e-4)
    assert rows[-1]["high"] == pytest.approx(value + reach, abs=1e-4)
    rows = convergence_rows(loss, np.ones(N_PATHS), 0.99, 200)
    assert rows[0]["low"] is None  # two paths in the tail state no error
    assert len(charts.convergence(rows, "%")["layer"]) == 2
    assert len(charts.convergence(rows[:1], "%")["layer"]) == 1, "no band of nothing"
    assert rows[-1]["value"] == pytest.approx(
        expected_shortfall(take_sample(loss), 0.99).value, abs=1e-5
    )


def test_the_bundle_is_made_once_a_version(tmp_path, monkeypatch):
    made = []

    def bundle(snippet):
        made.append(snippet)
        return "window.vegaEmbed = 0;"

    monkeypatch.setenv("HEMC_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    assert vega.chart_script() == vega.chart_script() == "window.vegaEmbed = 0;"
    assert len(made) == 1
    assert [p.name for p in (tmp_path / "charts").iterdir()] == [vega._cache_file().name]
    monkeypatch.setenv("HEMC_CACHE_DIR", str(tmp_path / "charts" / vega._cache_file().name))
    assert vega.chart_script()  # a cache that cannot be written is no error
    assert len(made) == 2


def test_formats():
    assert month_name("2004-03", 1) == "2004-03"
    assert month_name("2004-03", 10) == "2004-12"
    assert month_name("2004-03", 11) == "2005-01"
    assert amount(-0.001, 2) == "0.00"
    assert amount(1234567.891, 2) == "1,234,567.89"
    assert amount(None) == DASH
    assert percent(0.00004) == "< 0.01"
    assert percent(0.0) == "0.00"
    assert percent(0.5814) == "58.14"
    assert difference(-1.4444, 0.118, "%") == "−1.44 ± 0.12 points"
    assert difference(-0.1016, 0.0189, "fraction") == "−10.16 ± 1.89 points"
    assert difference(352_625.0, 79_635.0, "USD") == "+0.35 ± 0.08"
    assert difference(0.0, 0.0, "USD") == "none"
    row = {"statistic": "p95", "value": 0.0, "standard_error": 0.0, "unit": "USD"}
    assert estimate(row, 100) == "0"
    assert estimate(row | {"statistic": "probability"}, 100) == "< 3 % (95 %)"
    assert estimate(None, 100) == estimate(row | {"value": None}, 100) == DASH
    wide = {"statistic": "p95", "value": 2.5e6, "standard_error": 1e6, "unit": "USD"}
    assert estimate_millions(wide, 100) == "2.50 ± 1.00"
    assert estimate_millions(wide | {"value": None}, 100) == DASH


def test_curves_and_a_tornado_are_valid_specifications():
    rows = [{"place": x, "n0": 10.0 * x} for x in (0.5, 1.0, 2.0)]
    lines = [charts.Line("n0", "A-1", "fifth")]
    curves = charts.curves(rows, lines, ("place", "multiple"), "%", is_log=True)
    swings = [
        {"assumption": name, "setting": "1", "side": side, "difference": d, "error": 0.5}
        for name, side, d in (("small", "low", -1.0), ("wide", "low", -2.0), ("wide", "high", 3.0))
    ]
    bars = charts.tornado(swings, "loss, %")
    shares = charts.bars([{"name": "A-1", "value": 12.0, "error": 0.5}], "% of paths")
    for spec in (curves, bars, shares):
        altair.LayerChart.from_dict(spec, validate=True)
    assert bars["layer"][0]["encoding"]["y"]["sort"] == ["wide", "small"]
    assert [row["to"] for row in bars["data"]["values"]] == [-0.5, -1.5, 3.5]
