"""Inferred rates, identities and assumptions of a run → the tables of its folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hemc.config import Assumption
from hemc.inputs.deal import Deal
from hemc.inputs.deal_checks import find_term
from hemc.inputs.tieout import TieOutLine
from hemc.model.roll_rates import PRIOR_DRIVEN, RollRates
from hemc.outputs.labels import CLASS_NAMES
from hemc.states import N_LIVE, N_STATES, NAMES

if TYPE_CHECKING:
    from hemc.engine import RunResult

_STATISTICS = (
    "reported_ratio", "prior_mean", "prior_sd", "posterior_mean", "posterior_sd", "p5", "p95",
    "sd_ratio",
)  # fmt: skip

#: Columns of roll_rates.parquet.
ROLL_RATE_SCHEMA: dict[str, type[pl.DataType]] = (
    dict.fromkeys(("deal", "latent_class", "from_state", "to_state"), pl.String)
    | dict.fromkeys(_STATISTICS, pl.Float64)
    | {"prior_driven": pl.Boolean}
)


def roll_rate_table(result: RunResult) -> pl.DataFrame:
    """Return a row a move: reported ratio, prior, posterior and how much the data said.

    Rates of latent classes, where there are two, follow under the class's name.
    """
    series = result.documents.deal.series
    rates = result.calibration.roll_rates
    rows = list(move_rows(series, rates))
    classes = result.calibration.classes.rates
    if len(classes) > 1:
        for name, matrix in zip(CLASS_NAMES, classes, strict=True):
            rows += [_class_move(series, name, s, to, matrix[s, to]) for s, to in _cells(matrix)]
    return pl.DataFrame(rows, schema=ROLL_RATE_SCHEMA, orient="row").with_columns(
        pl.col(*_STATISTICS).fill_nan(None)
    )


def move_rows(series: str, rates: RollRates) -> Iterator[tuple[object, ...]]:
    """Yield the inferred moves as rows of roll_rates.parquet."""
    for s, to in _cells(rates.mean):
        ratio = float(rates.sd_ratio[s, to])
        figures = (
            rates.reported_ratio, rates.prior_mean, rates.prior_sd, rates.mean, rates.sd,
            rates.p5, rates.p95,
        )  # fmt: skip
        values = [float(figure[s, to]) for figure in figures]
        # A rate without a prior sd is either fixed by assumption or told by the data alone.
        fixed = np.isnan(ratio) and rates.sd[s, to] == 0.0
        driven = bool(ratio > PRIOR_DRIVEN) or fixed
        yield (series, "all", NAMES[s], NAMES[to], *values, ratio, driven)


def _class_move(series: str, name: str, s: int, to: int, rate: float) -> tuple[object, ...]:
    """Return the row of a latent class's move; its rate follows from settings."""
    return (series, name, NAMES[s], NAMES[to], None, None, None, rate, None, None, None, None, True)


def _cells(matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[tuple[int, int]]:
    """Return the possible moves of a matrix."""
    return [(s, to) for s in range(N_LIVE) for to in range(N_STATES) if matrix[s, to] > 0]


def tie_out_table(lines: Iterable[TieOutLine]) -> pl.DataFrame:
    """Return a row an identity; amounts as printed, so that no cent is lost to binary fractions."""
    return pl.DataFrame(
        [
            {
                "name": line.name,
                "printed": None if line.printed is None else str(line.printed),
                "recomputed": None if line.recomputed is None else str(line.recomputed),
                "difference": None if line.difference is None else str(line.difference),
                "status": line.status,
                "note": line.note,
            }
            for line in lines
        ],
        schema=dict.fromkeys(
            ("name", "printed", "recomputed", "difference", "status", "note"), pl.String
        ),
    )


def assumption_table(result: RunResult) -> pl.DataFrame:
    """Return a row an assumption: those of the configuration, the product and the deal."""
    rows = list(result.loaded.assumptions())
    product = result.documents.product
    file = result.documents.paths["product"].name
    rows.append(
        Assumption("product.rows", product.name, file, product.source, "prior of the roll rates")
    )
    rows.extend(_deal_assumptions(result.documents.deal, result.documents.paths["deal"].name))
    columns = list(Assumption._fields)
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _deal_assumptions(deal: Deal, file: str) -> Iterator[Assumption]:
    """Yield the deal's terms that no document of ours states."""
    for key, source in deal.sources.items():
        if source.startswith("assumption"):
            words = source.removeprefix("assumption").lstrip(":, ")
            yield Assumption(
                f"deal.{key}", _shown(find_term(deal, key)), file, words, "term of the deal"
            )


def _shown(value: object) -> str:
    """Return a term for people."""
    if isinstance(value, tuple | list):
        return "; ".join(_shown(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "model_dump"):
        return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in value.model_dump().items())
    return "none" if value is None else str(value)
