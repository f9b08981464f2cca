"""Rows of paths.parquet → what loans contribute to expected losses and to the tail, by origin.

An origin is a state at cut-off and a latent class. Of the pool's loss the contribution is exact:
the mean over the tail's paths of what the loans of an origin lost (Tasche 1999). A class's
writedown has no origin of its own: on each path it is allocated in proportion to what the loans
lost. Contributions add up to the figure of measures.parquet, with the same weights of paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.estimates import Design, design_of
from hemc.outputs.labels import CLASS_NAMES
from hemc.outputs.tail_shares import tails
from hemc.states import N_LIVE, NAMES

#: Columns of paths.parquet with the loss of an origin begin so.
PREFIX = "loss_from_"

SCHEMA = {
    "measure": pl.String, "insurer": pl.String, "note": pl.String, "statistic": pl.String,
    "from_state": pl.String, "latent_class": pl.String, "value": pl.Float64,
    "standard_error": pl.Float64, "share": pl.Float64, "kind": pl.String, "unit": pl.String,
}  # fmt: skip


class Origin(NamedTuple):
    """A state at cut-off and a latent class, "all" where there is one."""

    state: str
    latent_class: str

    @property
    def column(self) -> str:
        """Name of its column of paths.parquet."""
        alone = self.latent_class == "all"
        return PREFIX + (self.state if alone else f"{self.state}_{self.latent_class}")


def origins(n_classes: int) -> list[list[Origin]]:
    """Return the origins by live state and latent class."""
    classes = ("all",) if n_classes == 1 else CLASS_NAMES[:n_classes]
    return [[Origin(state, name) for name in classes] for state in NAMES[:N_LIVE]]


def origin_columns(loss_by_origin: Floats) -> dict[str, Floats]:
    """Return columns of paths.parquet from losses float64[p, live state, latent class], USD."""
    return {
        origin.column: loss_by_origin[:, s, c]
        for s, row in enumerate(origins(loss_by_origin.shape[2]))
        for c, origin in enumerate(row)
    }


def contributions(paths: pl.LazyFrame, unit_paths: int) -> pl.DataFrame:
    """Return the rows of contributions.parquet; no more than some columns are in memory."""
    names = paths.collect_schema().names()
    design = design_of(_column(paths, "weight"), unit_paths)
    known = [origin for row in _known(names) for origin in row]
    pool = _column(paths, "pool_loss")
    rows = list(_rows(paths, "pool_loss", None, pool, None, known, design))
    lost = {n.removeprefix("writedown_"): n for n in names if n.startswith("writedown_")}
    total = np.zeros_like(pool)
    for note, column in lost.items():
        written_down = _column(paths, column)
        total += written_down
        rows += _rows(paths, "writedown", note, written_down, pool, known, design)
    rows += _rows(paths, "writedown", None, total, pool, known, design)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(
        pl.col("standard_error").fill_nan(None), pl.col("share").fill_nan(None)
    )


def _known(names: list[str]) -> list[list[Origin]]:
    """Return the origins that the columns tell of."""
    n_classes = 1 if Origin(NAMES[0], "all").column in names else len(CLASS_NAMES)
    return origins(n_classes)


def _rows(
    paths: pl.LazyFrame, measure: str, note: str | None, x: Floats, pool: Floats | None,
    known: list[Origin], design: Design,
) -> Iterator[tuple[object, ...]]:  # fmt: skip
    """Yield the contributions to one figure `x` float64[p]; `pool` where it is to be allocated."""
    found = list(tails(x, design))
    kind = "exact" if pool is None else "allocation"
    insurer = None if pool is None else "unwrapped"
    part = None if pool is None else np.divide(x, pool, out=np.zeros_like(x), where=pool > 0.0)
    for origin in known:
        y = _column(paths, origin.column)
        y = y if part is None else y * part
        for tail in found:
            yield (measure, insurer, note, tail.statistic, *origin, *tail.part(y), kind, "USD")


def _column(paths: pl.LazyFrame, name: str) -> Floats:
    """Return one column float64[p]."""
    return paths.select(name).collect().to_series().to_numpy().astype(np.float64)
