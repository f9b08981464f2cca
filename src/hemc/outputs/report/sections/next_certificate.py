"""next_certificate.parquet → the coming certificate in its own layout at 5, 50 and 95 %."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hemc.outputs import labels
from hemc.outputs.report.blocks import Block, Paragraph, Row, Section, Table
from hemc.outputs.report.formats import amount
from hemc.outputs.report.sections.month_of_cash import month_of_cash
from hemc.outputs.run_files import RunFiles

Points = tuple[float | None, ...]

_POINTS = ("5 %", "50 %", "95 %")

#: Columns of the delinquency table with their decimals.
_PARTS = {"balance": 2, "number": 0, "pct": 2}


def next_certificate(run: RunFiles) -> Section | None:
    """Return the forecast of every figure that the next certificate will print."""
    table = run.table("next_certificate")
    if table is None:
        return None
    rows = table.select("figure", "p5", "p50", "p95").iter_rows()
    figures: dict[str, Points] = {name: tuple(points) for name, *points in rows}
    month = run.manifest.first_projected_month
    text = (
        f"What the certificate of {month} will print, from {run.n_paths:,} paths. Each line has "
        "its own points; those of one column need not add up."
    )
    forecast = Table("Servicing certificate", ("", *_POINTS), list(_rows(figures)))
    cash = month_of_cash(dict(table.select("figure", "mean").iter_rows()), month)
    pictures: list[Block] = [] if cash is None else [cash]
    blocks = [Paragraph(text), *pictures, forecast, _delinquencies(figures)]
    return Section("next-certificate", "Next certificate", blocks)


def _delinquencies(figures: Mapping[str, Points]) -> Table:
    """Return balance, number and per cent of each delinquent state, as the certificate does."""
    rows = [
        Row((text, *_parts(figures, key)))
        for key, text in labels.DELINQUENCY_LINES.items()
        if f"delinq.{key}.balance" in figures
    ]
    heads = [f"{name} {point}" for name in ("balance", "number", "share") for point in _POINTS]
    return Table(
        "Delinquencies: balance, number of loans, share of the balance in %", ("", *heads), rows
    )


def _parts(figures: Mapping[str, Points], key: str) -> Iterator[str]:
    """Yield the cells of a delinquent state."""
    for part, digits in _PARTS.items():
        yield from _cells(figures.get(f"delinq.{key}.{part}", (None, None, None)), digits)


def _rows(figures: Mapping[str, Points]) -> Iterator[Row]:
    """Yield the certificate's blocks in its order."""
    yield from _block("Pool", "pool", labels.POOL_LINES, figures)
    names = (key.split(".")[1] for key in figures if key.startswith("notes."))
    for name in dict.fromkeys(names):
        yield from _block(f"Class {name}", f"notes.{name}", labels.NOTE_LINES, figures)
    yield from _block("Overcollateralization", "oc", labels.OC_LINES, figures)
    yield from _block("Credit Enhancement", "credit_enhancement", labels.DRAW_LINES, figures)
    yield from _block("Liquidation To-Date", "losses", labels.LOSS_LINES, figures)


def _block(
    title: str, prefix: str, lines: Mapping[str, str], figures: Mapping[str, Points]
) -> Iterator[Row]:
    """Yield a heading and the lines that the forecast has."""
    found = {key: figures[f"{prefix}.{key}"] for key in lines if f"{prefix}.{key}" in figures}
    if found:
        yield Row((title,), "group")
    for key, points in found.items():
        yield Row((lines[key], *_cells(points, 0 if key.endswith("count") else 2)))


def _cells(points: Points, digits: int) -> list[str]:
    """Return the points of one figure as text."""
    return [amount(point, digits) for point in points]
