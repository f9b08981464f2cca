"""Known monthly rates and a number of rows → a panel on disk, in parts, with its true counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.inputs.move_counts import Counts
from hemc.inputs.product import Product
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    D180,
    FORECLOSURE,
    N_LIVE,
    N_STATES,
    NAMES,
    PAID_OFF,
    REO,
)

N_MONTHS = 50
FIRST_YEAR = 2014

#: Loans whose lives are made at once: a part of the panel has N_MONTHS times as many rows.
_SLOTS = 50_000

_FREDDIE_COLUMNS = 32
_FREDDIE_STATUS = ("0", "1", "2", "3", "4", "5", "6", "", "", "RA", "0", "RA")
_FREDDIE_EXIT = {PAID_OFF: "01", CHARGED_OFF: "09"}


class Part(NamedTuple):
    """Rows by loan and month, int64[rows]; `moves` are the true moves, int64[live state, state]."""

    loan: NDArray[np.int64]
    month: NDArray[np.int64]  # months since January of FIRST_YEAR
    age: NDArray[np.int64]  # months since the loan's first row
    state: NDArray[np.int64]
    moves: Counts


def known_rates(product: Product) -> NDArray[np.float64]:
    """Return rates among the states that the agencies' files show, float64[state, state].

    Rows of the product's prior without bankruptcy and foreclosure; the current row is stated here.
    """
    rates = np.eye(N_STATES)
    rates[:N_LIVE] = product.row_means()
    rates[CURRENT] = 0.0
    rates[CURRENT, [D30, PAID_OFF, CHARGED_OFF]] = 0.007, 0.010, 0.00002
    rates[:, [BANKRUPTCY, FORECLOSURE]] = 0.0
    rates[CURRENT, CURRENT] = 1.0 - rates[CURRENT].sum()
    rates[[BANKRUPTCY, FORECLOSURE], CURRENT] = 1.0
    return np.asarray(rates / rates.sum(axis=1, keepdims=True))


def make_parts(rates: NDArray[np.float64], n_rows: int, seed: int) -> Iterator[Part]:
    """Yield a panel of `n_rows` rows; a loan that ends is replaced by a new one, current."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    first_loan, left = 0, n_rows // N_MONTHS
    while left:
        slots = min(left, _SLOTS)
        part = _make_part(rates, generator, slots, first_loan)
        yield part
        first_loan = int(part.loan[-1]) + 1
        left -= slots


def _make_part(
    rates: NDArray[np.float64], generator: np.random.Generator, slots: int, first_loan: int
) -> Part:
    states, new = _simulate(rates, generator, slots)
    loan = first_loan + np.cumsum(new.ravel()) - 1
    month = np.tile(np.arange(N_MONTHS), slots)
    start = np.maximum.accumulate(np.where(new.ravel(), np.arange(loan.size), 0))
    state = states.ravel()
    stays = ~new.ravel()[1:]
    moves = np.bincount(
        state[:-1][stays] * N_STATES + state[1:][stays], minlength=N_LIVE * N_STATES
    ).reshape(N_LIVE, N_STATES)
    return Part(loan, month, np.arange(loan.size) - start, state, moves)


def _simulate(
    rates: NDArray[np.float64], generator: np.random.Generator, slots: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return states and where a new loan begins, [slot, month]."""
    upper = np.cumsum(rates, axis=1)
    upper[:, -1] = 1.0
    states = np.zeros((slots, N_MONTHS), dtype=np.int64)
    new = np.zeros((slots, N_MONTHS), dtype=np.bool_)
    # The age of loans in the first month is not told, so a start in the rates' long-run mix is
    # as good as any; all states are then seen early.
    states[:, 0] = generator.choice([*range(D180 + 1), REO], size=slots)
    new[:, 0] = True
    for t in range(1, N_MONTHS):
        ended = states[:, t - 1] >= PAID_OFF
        moved = (generator.random(slots)[:, None] >= upper[states[:, t - 1]]).sum(axis=1)
        states[:, t] = np.where(ended, CURRENT, moved)
        new[:, t] = ended
    return states, new


def plain_frame(part: Part) -> pl.DataFrame:
    """Return the part as a plain table of loan, month, status, balance."""
    balance = np.where(part.state < PAID_OFF, 200_000.0 - 300.0 * part.age, 0.0)
    return _named(part).select(
        "loan",
        pl.date(FIRST_YEAR + pl.col("month") // 12, pl.col("month") % 12 + 1, 1).alias("month"),
        pl.col("state")
        .replace_strict(dict(enumerate(NAMES)), return_dtype=pl.String)
        .alias("status"),
        balance=balance,
    )


def freddie_frame(part: Part) -> pl.DataFrame:
    """Return the part in the 32 columns of Freddie Mac's performance file, all text."""
    status = dict(enumerate(_FREDDIE_STATUS))
    month = FIRST_YEAR * 100 + pl.col("month") // 12 * 100 + pl.col("month") % 12 + 1
    ended = pl.col("state").replace_strict(_FREDDIE_EXIT, default="", return_dtype=pl.String)
    live = pl.col("state") < PAID_OFF
    filled = {
        1: pl.col("loan"),
        2: month.cast(pl.String),
        3: pl.when(live).then(200_000 - 300 * pl.col("age")).otherwise(0).cast(pl.String) + ".00",
        4: pl.col("state").replace_strict(status, return_dtype=pl.String),
        5: pl.col("age").cast(pl.String),
        6: (360 - pl.col("age")).cast(pl.String),
        9: ended,
        10: pl.when(live).then(pl.lit("")).otherwise(month.cast(pl.String)),
        11: pl.lit("4.25"),
        12: pl.lit("0.00"),
        26: pl.lit("75"),
    }
    columns = [filled.get(i, pl.lit("")).alias(f"c{i}") for i in range(1, _FREDDIE_COLUMNS + 1)]
    return _named(part).select(columns)


def _named(part: Part) -> pl.DataFrame:
    """Return the part's columns with loan numbers as Freddie Mac writes them."""
    number = pl.Series(part.loan).cast(pl.String).str.zfill(8)
    return pl.DataFrame(
        {"loan": "F14Q" + number, "month": part.month, "age": part.age, "state": part.state}
    )


def write_panel(parts: Iterator[Part], folder: Path, layout: str) -> Counts:
    """Write the parts, `plain` as Parquet or `freddie` as text; return the true counts."""
    total = np.zeros((N_LIVE, N_STATES), dtype=np.int64)
    for i, part in enumerate(parts):
        total += part.moves
        if layout == "plain":
            plain_frame(part).write_parquet(folder / f"part-{i:03d}.parquet")
        else:
            freddie_frame(part).write_csv(
                folder / f"part-{i:03d}.txt",
                include_header=False,
                separator="|",
                quote_style="never",
            )
    return total
