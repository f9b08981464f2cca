"""Figures of the same paths before and after each change → a roll-forward that adds up.

A chain of runs on common random numbers, in each of which one thing more is changed: the order is
a convention, and with another one the same total would fall to the steps otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from hemc.errors import InternalError
from hemc.kernels.flows import Floats
from hemc.outputs.estimates import HALF_CENT, Design, Estimate, mean

OPENING, CLOSING, CHANGE, REALISED = "opening", "closing", "change", "realised"
ACCRETION, DISCOUNT = "accretion", "discount"
TIMING = "timing_and_assumptions"

#: Steps within one run, of which independent seeds would know nothing else.
_WITHIN_A_RUN = (ACCRETION, "time", DISCOUNT)

#: All steps, and those of an insurer's reserve: what was paid leaves it.
STEPS, RESERVE = "steps", "reserve"

SCHEMA = {
    "deal": pl.String, "fitted_to": pl.Date, "date": pl.Date, "view": pl.String,
    "measure": pl.String, "step": pl.String, "to_come": pl.Float64, "realised": pl.Float64,
    "total": pl.Float64, "standard_error": pl.Float64, "independent_standard_error": pl.Float64,
    "pool": pl.Float64, "unit": pl.String, "paths": pl.Int64,
}  # fmt: skip


class Months(NamedTuple):
    """The deal, the dates of the opening and the closing certificate and their pools, USD."""

    deal: str
    fitted_to: dt.date
    date: dt.date
    opening_pool: float
    closing_pool: float


class Chain(NamedTuple):
    """A measure of every path, USD, still to come: first as it was, then after each step.

    `figures` float64[p] begin with OPENING; `realised` is what the certificate says came of it in
    the month, None where it does not say.
    """

    measure: str
    figures: Mapping[str, Floats]
    realised: float | None


class _Row(NamedTuple):
    """A line of a roll-forward; None is not known, or not asked."""

    view: str
    measure: str
    step: str
    to_come: float
    realised: float | None
    total: float | None
    standard_error: float
    independent_standard_error: float | None = None


def roll_forward_table(chains: list[Chain], months: Months, design: Design) -> pl.DataFrame:
    """Return roll_forward.parquet; `design` tells how the paths were drawn.

    Raises InternalError where the lines of a column do not add up to the cent.
    """
    rows = [row for chain in chains for row in (*_steps(chain, design), *_reserve(chain, design))]
    _require_sums(rows)
    n_paths = len(chains[0].figures[OPENING])
    pools = {OPENING: months.opening_pool, CLOSING: months.closing_pool}
    keys = {"deal": months.deal, "fitted_to": months.fitted_to, "date": months.date}
    keys |= {"unit": "USD", "paths": n_paths}
    table = pl.DataFrame(
        [keys | row._asdict() | {"pool": pools.get(row.step)} for row in rows], schema=SCHEMA
    )
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def _steps(chain: Chain, design: Design) -> Iterator[_Row]:
    """Yield opening, every step, what was realised, closing and the whole change."""
    measure, figures, realised = chain
    names = list(figures)
    first, last = figures[names[0]], figures[names[-1]]
    yield _line(measure, OPENING, mean(first, design), 0.0)
    for before, name in pairwise(names):
        moved = mean(figures[name] - figures[before], design)
        apart = None
        if name not in _WITHIN_A_RUN and figures[name] is not figures[before]:
            sides = (mean(figures[side], design).standard_error for side in (before, name))
            apart = sum(error**2 for error in sides) ** 0.5
        yield _line(measure, name, moved, 0.0)._replace(independent_standard_error=apart)
        if name == "time":
            yield _line(measure, REALISED, Estimate(0.0, 0.0), realised)
    yield _line(measure, CLOSING, mean(last, design), realised)
    yield _line(measure, CHANGE, mean(last - first, design), realised)


def _line(measure: str, step: str, to_come: Estimate, realised: float | None) -> _Row:
    """Return a line of all steps."""
    value, error = to_come
    total = None if realised is None else value + realised
    return _Row(STEPS, measure, step, value, realised, total, error)


def _reserve(chain: Chain, design: Design) -> Iterator[_Row]:
    """Yield the lines of a reserve, nothing where what was paid is not known.

    Timing and assumptions are all that moves the estimate itself: the month's payment against what
    was expected, pool state, roll rates, scenario.
    """
    measure, figures, paid = chain
    if paid is None:
        return
    names = list(figures)
    opening, closing = figures[OPENING], figures[names[-1]]
    accreted = figures.get(ACCRETION, opening)
    assumed = figures[names[-2]] if DISCOUNT in figures else closing
    value, error = mean(assumed - accreted, design)
    lines = {OPENING: mean(opening, design)}
    if ACCRETION in figures:
        lines[ACCRETION] = mean(accreted - opening, design)
    if DISCOUNT in figures:
        lines[DISCOUNT] = mean(closing - assumed, design)
    lines |= {
        TIMING: Estimate(value + paid, error), "paid": Estimate(-paid, 0.0),
        CLOSING: mean(closing, design),
    }  # fmt: skip
    for step, (amount, its_error) in lines.items():
        yield _Row(RESERVE, measure, step, amount, None, None, its_error)


def _require_sums(rows: list[_Row]) -> None:
    """Raise InternalError where opening and steps are not the closing, to the cent."""
    for view, measure in dict.fromkeys((row.view, row.measure) for row in rows):
        lines = {row.step: row for row in rows if (row.view, row.measure) == (view, measure)}
        closing = lines.pop(CLOSING)
        lines.pop(CHANGE, None)
        for column in ("to_come", "realised", "total"):
            parts, whole = (
                [getattr(row, column) for row in lines.values()],
                getattr(closing, column),
            )
            if whole is not None and abs(sum(parts) - whole) >= HALF_CENT:
                what = f"roll-forward of {measure}, {column}"
                raise InternalError(
                    f"{what}: {sum(parts):,.2f} in parts, {whole:,.2f} at the close"
                )
