"""Tables of a run → Vega-Lite specifications, as plain dicts with rounded rows.

Written as dicts because altair takes half a second to import and fifteen milliseconds a layer to
validate; the tests validate every specification against altair's schema instead. Colours are
variables of the style sheet, so that light, dark and printed pages need no second drawing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from hemc.outputs.report.formats import month_name

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
MAX_ROWS = 2_000

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

#: Look of all charts; each specification carries data and encodings only.
THEME: Spec = {
    "background": "transparent",
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)", "titleColor": "var(--muted)", "gridColor": "var(--grid)",
        "domainColor": "var(--axis)", "tickColor": "var(--axis)", "titleFontWeight": "normal",
        "labelFontSize": 11, "titleFontSize": 11, "titlePadding": 8, "labelOverlap": True,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False, "tickCount": 5},
}  # fmt: skip

_MAX_TICKS = 8

#: Pixels of a bar with its gap.
_STEP_HEIGHT = 20

#: Pixels of the widest chart, which strips under the pointer must cover.
_WIDEST = 560
_MONTHS_TITLE = "months after the certificate"
_QUANTILES = ("p5", "p25", "p50", "p75", "p95")


class Line(NamedTuple):
    """A line of a chart: column of the rows, name in tooltips, style of the style sheet."""

    column: str
    name: str
    style: str


#: Stroke of each style beside its colour, so that no line is told by colour alone.
_DASHES = {
    "median": [], "mean": [5, 3], "target": [2, 2], "second": [6, 2, 2, 2], "third": [1, 3],
    "fourth": [10, 3], "fifth": [4, 1],
}  # fmt: skip

FAN_LEGEND = (
    ("band", "5–95 %"), ("core", "25–75 %"), ("median", "median"), ("mean", "mean"),
)  # fmt: skip


def month_rows(
    table: pl.DataFrame, columns: Sequence[str], first: str, factor: float = 1.0
) -> list[dict[str, Any]]:
    """Return a row a month: month, calendar month, and columns × `factor`, rounded."""
    rows = table.select("month", *columns).iter_rows(named=True)
    return [
        {"month": row["month"], "payment": month_name(first, row["month"])}
        | {column: _rounded(row[column], factor) for column in columns}
        for row in rows
    ]


def fan(
    table: pl.DataFrame, first: str, title: str, factor: float = 1.0,
    extra: Mapping[str, pl.Series] | None = None, pattern: str = ",.2f",
) -> Spec:  # fmt: skip
    """Return bands, median and mean by month of a series with a column a statistic.

    `title` is the axis's with its unit, to which `factor` brings the values; `extra` series by
    name are drawn as further dashed lines; `pattern` is d3's for the tooltip.
    """
    extra = extra or {}
    table = table.with_columns(**extra)
    columns = ("mean", *_QUANTILES, *extra)
    rows = month_rows(table, columns, first, factor)
    lines = [Line("p50", "median", "median"), Line("mean", "mean", "mean")]
    lines += [Line(name, name, "target") for name in extra]
    tips = {"p95": "95 %", "p75": "75 %", "p50": "median", "p25": "25 %", "p5": "5 %"}
    tips |= {line.column: line.name for line in lines}
    layers = [
        _area("p5", "p95", title, "var(--band)"),
        _area("p25", "p75", title, "var(--core)"),
        *(_line(line, title) for line in lines),
        _hover(tips, len(rows), pattern),
    ]
    return _by_month(rows, layers)


def lines_by_month(
    rows: list[dict[str, Any]], lines: Sequence[Line], title: str, pattern: str = ",.2f"
) -> Spec:
    """Return lines by month; `rows` as of `month_rows`, `pattern` is d3's for the tooltip."""
    layers = [_line(line, title) for line in lines]
    layers.append(_hover({line.column: line.name for line in lines}, len(rows), pattern))
    return _by_month(rows, layers)


def curves(
    rows: list[dict[str, Any]], lines: Sequence[Line], x: tuple[str, str], title: str,
    is_log: bool = False, pattern: str = ",.1f",
) -> Spec:  # fmt: skip
    """Return lines over a column `x` (column, axis title), each row under the pointer with all."""
    column, heading = x
    scale = {"nice": False} | ({"type": "log"} if is_log else {})
    axis = {"field": column, "type": "quantitative", "title": heading, "scale": scale}
    tips = [tip(column, heading, ",.3~f"), *(tip(n.column, n.name, pattern) for n in lines)]
    highest = {"field": lines[0].column, "type": "quantitative", "title": title}
    points = {
        "mark": {"type": "point", "opacity": 0, "size": 200},
        "encoding": {"y": highest, "tooltip": tips},
    }
    layers: list[Spec] = [*(_line(line, title) for line in lines), points]
    for layer in layers:
        layer["encoding"]["x"] = axis
    return chart(rows, layers)


def histogram(
    bins: pl.DataFrame, title: str, marks: Sequence[tuple[float, str]], unit: str = "%"
) -> Spec:
    """Return bars from `low` to `high` of `share` (%), with `marks`: places and their styles.

    `unit` is that of the places.
    """
    rows = [{k: round(v, 4) for k, v in row.items()} for row in bins.iter_rows(named=True)]
    tips = [
        tip("low", f"from, {unit}", ",.2f"), tip("high", f"to, {unit}", ",.2f"),
        tip("share", "paths, %", ",.2f"),
    ]  # fmt: skip
    bars: Spec = {
        "mark": {"type": "bar", "color": "var(--core)", "binSpacing": 1},
        "encoding": {
            "x": {"field": "low", "type": "quantitative", "title": title,
                  "bin": {"binned": True}, "axis": {"tickCount": 8}},
            "x2": {"field": "high"},
            "y": {"field": "share", "type": "quantitative", "title": "% of paths"},
            "tooltip": tips,
        },
    }  # fmt: skip
    rules = [
        {
            "data": {"values": [{"at": round(at, 4)}]},
            "mark": {"type": "rule", "color": f"var(--{style})", "strokeWidth": 2,
                     "strokeDash": _DASHES[style]},
            "encoding": {"x": {"field": "at", "type": "quantitative"}},
        }
        for at, style in marks
    ]  # fmt: skip
    return chart(rows, [bars, *rules])


def tornado(rows: list[dict[str, Any]], title: str) -> Spec:
    """Return bars of differences with ± one error, the widest swing on top.

    Rows of assumption, setting, side ("low" or "high"), difference, error.
    """
    widest: dict[str, float] = {}
    for row in rows:
        name, swing = row["assumption"], abs(row["difference"])
        widest[name] = max(widest.get(name, 0.0), swing)
    order = sorted(widest, key=lambda name: -widest[name])
    color = {
        "field": "side", "type": "nominal", "legend": None,
        "scale": {"domain": ["low", "high"], "range": ["var(--core)", "var(--target)"]},
    }  # fmt: skip
    x = {"type": "quantitative", "title": title}
    tips = [
        {"field": "assumption", "type": "nominal"}, {"field": "setting", "type": "nominal"},
        tip("difference", "difference", "+,.3f"), tip("error", "± error", ",.3f"),
    ]  # fmt: skip
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "height": 10},
            "encoding": {"x": x | {"field": "difference"}, "color": color, "tooltip": tips},
        },
        {
            "mark": {"type": "rule", "color": "var(--mean)"},
            "encoding": {"x": x | {"field": "from"}, "x2": {"field": "to"}},
        },
    ]
    y = {
        "field": "assumption", "type": "nominal", "sort": order, "title": None,
        "axis": {"labelLimit": 220},
    }  # fmt: skip
    for layer in layers:
        layer["encoding"]["y"] = y
    around = [
        row | {"from": row["difference"] - row["error"], "to": row["difference"] + row["error"]}
        for row in rows
    ]
    return chart(around, layers) | {"height": _STEP_HEIGHT * len(order)}


def bars(rows: list[dict[str, Any]], title: str) -> Spec:
    """Return a bar for each row of name, value and error, with ± one error."""
    y = {"field": "name", "type": "nominal", "sort": None, "title": None,
         "axis": {"labelLimit": 220, "domain": False, "ticks": False}}  # fmt: skip
    x = {"type": "quantitative", "title": title, "axis": {"tickCount": 6}}
    tips = [
        {"field": "name", "type": "nominal"}, tip("value", title, ",.3f"),
        tip("error", "± error", ",.3f"),
    ]  # fmt: skip
    around = [
        row | {"from": round(row["value"] - row["error"], 5),
               "to": round(row["value"] + row["error"], 5)}
        for row in rows
    ]  # fmt: skip
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "color": "var(--core)", "height": {"band": 0.7}},
            "encoding": {"y": y, "x": x | {"field": "value"}, "tooltip": tips},
        },
        {
            "mark": {"type": "rule", "color": "var(--mean)"},
            "encoding": {"y": y, "x": x | {"field": "from"}, "x2": {"field": "to"}},
        },
    ]
    return chart(around, layers) | {"height": _STEP_HEIGHT * len(rows)}


def cascade(rows: list[dict[str, Any]], title: str) -> Spec:
    """Return bars that hang from one another; rows of step, style, low, high, amount, shown.

    `style` is a colour of the style sheet, `shown` the amount's text beside the bar.
    """
    y = {"field": "step", "type": "nominal", "sort": None, "title": None,
         "axis": {"domain": False, "ticks": False, "grid": False, "labelLimit": 220}}  # fmt: skip
    styles = list(dict.fromkeys(row["style"] for row in rows))
    colors = {"domain": styles, "range": [f"var(--{style})" for style in styles]}
    room = 1.3 * max(row["high"] for row in rows)  # for the text beside the last bar
    bars: Spec = {
        "mark": {"type": "bar", "height": {"band": 0.7}, "minBandSize": 1},
        "encoding": {
            "x": {"field": "low", "type": "quantitative", "title": title,
                  "scale": {"domain": [0.0, room], "nice": False},
                  "axis": {"grid": True, "tickCount": 8}},
            "x2": {"field": "high"},
            "color": {"field": "style", "type": "nominal", "scale": colors, "legend": None},
            "tooltip": [{"field": "step", "type": "nominal"}, tip("amount", title, ",.6f")],
        },
    }  # fmt: skip
    texts: Spec = {
        "mark": {"type": "text", "align": "left", "dx": 4, "color": "var(--ink)"},
        "encoding": {
            "x": {"field": "high", "type": "quantitative"},
            "text": {"field": "shown", "type": "nominal"},
        },
    }
    for layer in (bars, texts):
        layer["encoding"]["y"] = y
    return chart(rows, [bars, texts]) | {"height": _STEP_HEIGHT * len(rows)}


def convergence(rows: list[dict[str, Any]], title: str) -> Spec:
    """Return an estimate by number of paths with its band; rows of n, value, low, high."""
    x = {"field": "n", "type": "quantitative", "title": "paths",
         "scale": {"type": "log", "nice": False},
         "axis": {"format": "~s", "tickCount": 5}}  # fmt: skip
    tips = [
        tip("n", "paths", ","), tip("value", "estimate", ",.3f"),
        tip("low", "95 % from", ",.3f"), tip("high", "to", ",.3f"),
    ]  # fmt: skip
    y = {"type": "quantitative", "title": title, "scale": {"zero": False}}
    band: Spec = {
        "mark": {"type": "area", "color": "var(--core)"},
        "encoding": {"y": y | {"field": "low"}, "y2": {"field": "high"}},
    }
    line: Spec = {
        "mark": {"type": "line", "color": "var(--median)", "strokeWidth": 2,
                 "point": {"color": "var(--median)", "size": 30, "filled": True}},
        "encoding": {"y": y | {"field": "value"}, "tooltip": tips},
    }  # fmt: skip
    # Few paths have no band at all, over which Vega would warn of an infinite extent.
    layers = [band, line] if any(row["low"] is not None for row in rows) else [line]
    for layer in layers:
        layer["encoding"]["x"] = x
    return chart(rows, layers)


def chart(rows: list[dict[str, Any]], layers: list[Spec]) -> Spec:
    """Return the frame that all charts share."""
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 220,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": rows},
        "layer": layers,
    }


def _by_month(rows: list[dict[str, Any]], layers: list[Spec]) -> Spec:
    """Return layers over one axis of months, ticked in whole years."""
    last = rows[-1]["month"]
    step = next((s for s in (3, 6, 12, 24) if last <= _MAX_TICKS * s), 36)
    x = {
        "field": "month", "type": "quantitative", "title": _MONTHS_TITLE,
        "scale": {"domain": [rows[0]["month"], last], "nice": False},
        "axis": {"values": list(range(0, last + 1, step))},
    }  # fmt: skip
    for layer in layers:
        layer["encoding"]["x"] = x
    return chart(rows, layers)


def _area(low: str, high: str, title: str, color: str) -> Spec:
    """Return a band between two columns."""
    y = {"field": low, "type": "quantitative", "title": title}
    return {
        "mark": {"type": "area", "color": color},
        "encoding": {"y": y, "y2": {"field": high}},
    }


def _line(line: Line, title: str) -> Spec:
    """Return a line through a column."""
    mark = {"type": "line", "color": f"var(--{line.style})", "strokeWidth": 2,
            "strokeDash": _DASHES[line.style]}  # fmt: skip
    y = {"field": line.column, "type": "quantitative", "title": title}
    return {"mark": mark, "encoding": {"y": y}}


def _hover(tips: Mapping[str, str], n_months: int, pattern: str = ",.2f") -> Spec:
    """Return a strip a month, seen under the pointer only, with all its figures.

    Not Vega-Lite's `nearest`, whose tooltips lose texts such as the calendar month.
    """
    shown = [tip("month", "month", "d")]
    shown.append({"field": "payment", "type": "nominal", "title": "paid in"})
    shown += [tip(column, name, pattern) for column, name in tips.items()]
    pointed = {"type": "point", "on": "pointerover", "clear": "pointerout"}
    opacity = {"condition": {"param": "pointed", "empty": False, "value": 0.3}, "value": 0}
    return {
        "params": [{"name": "pointed", "select": pointed}],
        "mark": {"type": "rule", "color": "var(--axis)", "aria": False,
                 "strokeWidth": _WIDEST // n_months + 2},
        "encoding": {"opacity": opacity, "tooltip": shown},
    }  # fmt: skip


def tip(field: str, title: str, pattern: str) -> Spec:
    """Return a figure of a tooltip; `pattern` is d3's."""
    return {"field": field, "type": "quantitative", "title": title, "format": pattern}


def _rounded(value: float | None, factor: float) -> float | None:
    """Return a value in the chart's unit to five digits, which a screen cannot tell apart."""
    # Nine decimals drop the dust of subtraction, which would pull an axis below zero.
    return None if value is None else float(f"{round(value * factor, 9) + 0.0:.5g}")
