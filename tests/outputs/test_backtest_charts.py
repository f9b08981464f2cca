"""Charts of a backtest: places and bands with what came, in valid Vega-Lite."""

import datetime as dt

import altair
import polars as pl
import pytest

from hemc.outputs.report.backtest_charts import forecast_bands, pit_histogram


def test_places_add_up_and_end_in_the_last_bin():
    spec = pit_histogram(pl.Series([0.0, 0.05, 0.55, 1.0]))
    altair.LayerChart.from_dict(spec, validate=True)
    rows = spec["data"]["values"]
    assert [row["n"] for row in rows] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert sum(row["share"] for row in rows) == pytest.approx(100.0)
    assert rows[0] == {"low": 0.0, "high": 0.1, "n": 2, "share": 50.0}


def test_bands_by_date_in_the_charts_unit():
    levels = {"p5": 1e6, "p25": 2e6, "p50": 3e6, "p75": 4e6, "p95": 5e6, "observed": 6.54321e6}
    table = pl.DataFrame(
        [{"date": dt.date(2004, month, 25), **levels} for month in (2, 1)], strict=False
    )
    spec = forecast_bands(table, "USD million", 1e-6)
    altair.LayerChart.from_dict(spec, validate=True)
    first, second = spec["data"]["values"]
    assert (first["date"], second["date"]) == ("Jan 2004", "Feb 2004")
    assert all(layer["encoding"]["x"]["sort"] is None for layer in spec["layer"])  # as they come
    assert first["p95"] == 5.0
    assert first["observed"] == 6.5432
