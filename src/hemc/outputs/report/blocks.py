"""What a report is made of: sections of paragraphs, tables, heat maps and charts, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

#: Stands where a figure does not apply or nothing happened on any path.
DASH = "–"


class Paragraph(NamedTuple):
    """A paragraph; `tone` is "", "note", "good" or "bad"."""

    text: str
    tone: str = ""
    kind: str = "paragraph"


class Figure(NamedTuple):
    """A headline figure with its label."""

    label: str
    value: str


class Figures(NamedTuple):
    """Headline figures side by side."""

    figures: Sequence[Figure]
    kind: str = "figures"


class Facts(NamedTuple):
    """Names with their values."""

    facts: Sequence[tuple[str, str]]
    kind: str = "facts"


class Row(NamedTuple):
    """Cells of a table's row; `tone` is "", "good", "bad", "muted" or "group" (a heading)."""

    cells: Sequence[str]
    tone: str = ""


class Table(NamedTuple):
    """A table whose first column names the row.

    `texts` are the further columns (from 0) of words instead of figures; `folded` tables are
    opened by the reader. `widths` in per cent of the page suit a table of prose; without them a
    column is as wide as its cells.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    texts: Sequence[int] = ()
    folded: bool = False
    widths: Sequence[int] = ()
    kind: str = "table"


class Shade(NamedTuple):
    """A cell of a heat map; `strength` from 0 to 1, `mark` "", "framed" or "hatched"."""

    text: str
    strength: float
    mark: str = ""


class HeatMap(NamedTuple):
    """A matrix of shaded cells; None stands for an impossible one."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Shade | None]]]
    kind: str = "heat_map"


class Chart(NamedTuple):
    """A Vega-Lite specification with its title, legend (style, text) and a note beneath."""

    title: str
    spec: dict[str, Any]
    legend: Sequence[tuple[str, str]] = ()
    note: str = ""
    kind: str = "chart"


class Grid(NamedTuple):
    """Charts side by side as far as the page is wide; small ones share a title and a legend."""

    charts: Sequence[Chart]
    title: str = ""
    legend: Sequence[tuple[str, str]] = ()
    kind: str = "grid"


Block = Paragraph | Figures | Facts | Table | HeatMap | Chart | Grid


class Section(NamedTuple):
    """A section of the report; `key` is its anchor."""

    key: str
    title: str
    blocks: Sequence[Block]
