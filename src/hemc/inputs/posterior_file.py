"""posterior.parquet of a calibration → draws of one deal's roll rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.errors import InputError
from hemc.inputs.parquet_file import read_parquet
from hemc.states import N_LIVE, N_STATES, move_name

_EXPECTED = "posterior.parquet of `hemc calibrate`"


def read_posterior(path: Path, digest: str, series: str) -> NDArray[np.float64]:
    """Return the draws of a deal, float64[draw, live state, state].

    Raises InputError for a file that is no posterior, one of another deal, and one whose inputs
    are not those of `digest`.
    """
    table = _read(path)
    found = str(table["inputs_digest"][0])
    if found != digest:
        raise InputError(
            path, "inputs_digest", f"a posterior of other inputs ({found[:12]}…)",
            f"that of this configuration's certificates, product and settings ({digest[:12]}…): "
            "run `hemc calibrate` on it again",
        )  # fmt: skip
    deals = table["deal"].unique(maintain_order=True).to_list()
    if series not in deals:
        raise InputError(path, "deal", ", ".join(map(str, deals)), f"draws of {series}")
    return _rows(path, table.filter(pl.col("deal") == series))


def _read(path: Path) -> pl.DataFrame:
    """Read the table; an InputError if it is none or lacks its first columns."""
    table = read_parquet(path, _EXPECTED)
    missing = [name for name in ("inputs_digest", "deal") if name not in table.columns]
    if missing or table.is_empty():
        raise InputError(path, "", f"no {' or '.join(missing) or 'draw'}", _EXPECTED)
    return table


def _rows(path: Path, table: pl.DataFrame) -> NDArray[np.float64]:
    """Return the draws as matrices; an InputError where their rows are no probabilities."""
    rows = np.zeros((len(table), N_LIVE, N_STATES))
    for s in range(N_LIVE):
        for to in range(N_STATES):
            name = move_name(s, to)
            if name in table.columns:
                if not table[name].dtype.is_float():
                    raise InputError(path, name, str(table[name].dtype), "probabilities")
                rows[:, s, to] = table[name].cast(pl.Float64).to_numpy()
    wrong = ~(np.isfinite(rows).all() and (rows >= 0.0).all())
    if wrong or np.abs(rows.sum(axis=2) - 1.0).max() > 1e-9:
        raise InputError(path, "", "rows that are no probabilities adding up to 1", _EXPECTED)
    return rows
