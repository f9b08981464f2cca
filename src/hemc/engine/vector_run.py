"""A study goes in; the deterministic projection of its vectors comes out, class by class."""

from __future__ import annotations

import polars as pl

from hemc.engine.study import Study
from hemc.model.insurer import absent, performing
from hemc.model.vector_run import Desk, flat_vectors, play_vectors
from hemc.outputs.breakeven_scan import held_classes
from hemc.outputs.vector_table import vector_table


def run_vectors(study: Study) -> pl.DataFrame:
    """Project `[vector]` once, pay the notes with an insurer that pays all, and without."""
    model = study.model
    vectors = flat_vectors(study.loaded.config.vector, model.n_months)
    desk = Desk(model.pool.pool, model.deal, model.quotes)
    passes = {"wrapped": performing(1), "unwrapped": absent(1)}
    return pl.concat(
        vector_table(insurer, play_vectors(desk, vectors, month), held_classes(model.deal))
        for insurer, month in passes.items()
    )
