"""Losses of the same paths with and without multiples → rows of heat_maps.parquet."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.differences import DIFFERENCE_SCHEMA, difference, difference_figures
from hemc.outputs.estimates import Design

#: Measure, statistic, place among the figures of a path; writedowns without insurer.
_COMPARED = (
    ("pool_loss_pct", "mean", 0),
    ("writedown", "probability", 1),
    ("writedown", "mean", 1),
)


class Multiples(NamedTuple):
    """A cell of a heat map; the fields are those of `[scenario.multiples]`."""

    prepayment: float
    roll_rate: float
    severity: float


def heat_map_rows(
    multiples: Multiples,
    before: tuple[Floats, Floats],
    after: tuple[Floats, Floats],
    design: Design,
) -> pl.DataFrame:
    """Compare pool losses in % and writedowns in USD, float64[p] each, of the run and of a cell."""
    rows = [
        (*multiples, measure, statistic, *difference_figures(
            difference(before[j], after[j], statistic, (design, design))
        ), before[j].size)
        for measure, statistic, j in _COMPARED
    ]  # fmt: skip
    schema = {
        **dict.fromkeys(Multiples._fields, pl.Float64), "measure": pl.String,
        "statistic": pl.String, **DIFFERENCE_SCHEMA, "paths": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col(*DIFFERENCE_SCHEMA).fill_nan(None)
    )
