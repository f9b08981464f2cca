"""score.parquet → where the certificate that came lies in its forecast, and what surprised."""

from __future__ import annotations

import polars as pl

from hemc.outputs.labels import figure_label
from hemc.outputs.report.blocks import DASH, Block, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import amount
from hemc.outputs.run_files import RunFiles
from hemc.outputs.score_text import (
    MEANING,
    band,
    coverage_text,
    left_out,
    place,
    score,
    surprise_lines,
)

_POINTS = ("observed", "p5", "p50", "p95")
_HEADS = ("came", "5 %", "50 %", "95 %", "place, %", "band", "CRPS")


def scored(run: RunFiles) -> Section | None:
    """Return surprises in words, then every figure with its place and scores."""
    table = run.table("score")
    if table is None:
        return None
    date = table["date"][0]
    blocks: list[Block] = [
        Paragraph(f"The certificate of {date} has come. {coverage_text(table)}"),
        Table(
            "What surprised, the farthest out first", ("figure", "came"), _surprises(table), (0,)
        ),
        _figures(table),
        Paragraph(MEANING, "note"),
        *(Paragraph(line, "note") for line in left_out(table)),
    ]
    return Section("score", "Next certificate: scored", blocks)


def _surprises(table: pl.DataFrame) -> list[Row]:
    """Return a row a figure outside its 90 % band, or one that says that there is none."""
    lines = (line.partition(": ") for line in surprise_lines(table))
    rows = [Row((label, words), "bad") for label, _, words in lines]
    return rows or [Row((DASH, "every figure lies in its 90 % band"), "good")]


def _figures(table: pl.DataFrame) -> Table:
    """Return a row a figure that was scored."""
    rows = []
    for row in table.filter(pl.col("pit").is_not_null()).iter_rows(named=True):
        digits = 0 if row["group"] == "counts" else 2
        cells = [amount(row[point], digits) for point in _POINTS]
        cells += [place(row["pit"]), band(row), score(row["crps"])]
        rows.append(Row((figure_label(row["figure"]), *cells), "" if row["in_90"] else "bad"))
    fitted_to = table["fitted_to"][0]
    return Table(f"Forecast from the certificate of {fitted_to}", ("", *_HEADS), rows)
