"""Rows of backtest.parquet → Vega-Lite specifications, as plain dicts with rounded rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hemc.outputs.report.charts import Spec, chart, tip

_BINS = 10
_TICKS = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
_LEVELS = ("p5", "p25", "p50", "p75", "p95")


def pit_histogram(places: pl.Series) -> Spec:
    """Return the share of figures by their place in the forecast, flat where it is right."""
    count, edges = np.histogram(places.to_numpy(), bins=_BINS, range=(0.0, 1.0))
    rows = [
        {"low": round(low, 2), "high": round(high, 2), "n": n, "share": round(100.0 * n / total, 2)}
        for total in [max(int(count.sum()), 1)]
        for low, high, n in zip(edges[:-1].tolist(), edges[1:].tolist(), count.tolist(),
                                strict=True)
    ]  # fmt: skip
    bars = {
        "mark": {"type": "bar", "color": "var(--core)", "binSpacing": 1},
        "encoding": {
            "x": {"field": "low", "type": "quantitative", "bin": {"binned": True},
                  "title": "place in the forecast", "axis": {"values": _TICKS}},
            "x2": {"field": "high"},
            "y": {"field": "share", "type": "quantitative", "title": "% of figures"},
            "tooltip": [tip("low", "from", ".1f"), tip("high", "to", ".1f"),
                        tip("n", "figures", "d"), tip("share", "%", ".1f")],
        },
    }  # fmt: skip
    flat = {
        "data": {"values": [{"share": 100.0 / _BINS}]},
        "mark": {"type": "rule", "color": "var(--target)", "strokeDash": [2, 2]},
        "encoding": {"y": {"field": "share", "type": "quantitative"}},
    }
    return chart(rows, [bars, flat])


def forecast_bands(table: pl.DataFrame, title: str, factor: float = 1.0) -> Spec:
    """Return bands of a figure by date with what came; `title` is the axis's with its unit."""
    rows = [_band_row(row, factor) for row in table.sort("date").iter_rows(named=True)]
    x = {"field": "date", "type": "ordinal", "title": "certificate", "sort": None,
         "axis": {"labelAngle": 0}}  # fmt: skip
    names = {"p95": "95 %", "p75": "75 %", "p50": "median", "p25": "25 %", "p5": "5 %"}
    shown = [{"field": "date", "type": "nominal", "title": "certificate"},
             tip("observed", "came", ",.3~f"),
             *(tip(level, name, ",.3~f") for level, name in names.items())]  # fmt: skip
    layers = [
        _bar("p5", "p95", title, "var(--band)", 26), _bar("p25", "p75", title, "var(--core)", 26),
        _mark("p50", title, {"type": "tick", "color": "var(--median)", "thickness": 2, "size": 26}),
        _mark("observed", title, {"type": "point", "filled": True, "size": 60,
                                  "color": "var(--target)", "opacity": 1}),
    ]  # fmt: skip
    for layer in layers:
        layer["encoding"] |= {"x": x, "tooltip": shown}
    return chart(rows, layers)


def _band_row(row: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return one date's figures in the chart's unit."""
    shown = {key: float(f"{row[key] * factor:.5g}") for key in (*_LEVELS, "observed")}
    return {"date": f"{row['date']:%b %Y}"} | shown


def _bar(low: str, high: str, title: str, color: str, width: int) -> Spec:
    """Return a bar between two columns."""
    y = {"field": low, "type": "quantitative", "title": title, "scale": {"zero": False}}
    return {
        "mark": {"type": "bar", "color": color, "width": width},
        "encoding": {"y": y, "y2": {"field": high}},
    }


def _mark(column: str, title: str, mark: dict[str, Any]) -> Spec:
    """Return a mark at a column."""
    y = {"field": column, "type": "quantitative", "title": title, "scale": {"zero": False}}
    return {"mark": mark, "encoding": {"y": y}}
