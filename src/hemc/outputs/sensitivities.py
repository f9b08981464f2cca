"""The same paths under one changed assumption → what it moves, with the difference's own error."""

from __future__ import annotations

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.estimates import Estimate, design_of, mean

#: Column of paths.parquet → statistic compared; writedowns of each class come on top.
_COMPARED = {"pool_loss_pct": "mean", "draws": "probability", "draws_pv": "mean"}


def sensitivity_rows(
    name: str, setting: str, base: pl.DataFrame, varied: pl.DataFrame, unit_paths: int = 1
) -> pl.DataFrame:
    """Compare paths of the run with the same paths under `name` = `setting`.

    Both have the columns of paths.parquet. The standard error of a difference is that of the
    differences path by path; `unit_paths` consecutive paths are one independent unit.
    """
    design = design_of(base["weight"].to_numpy(), unit_paths)
    rows = []
    for measure, statistic, column in _compared(base):
        before, after = (_values(paths, column, statistic) for paths in (base, varied))
        parts: list[Estimate] = [mean(x, design) for x in (before, after, after - before)]
        note = column.removeprefix("writedown_") if measure == "writedown" else None
        rows.append((name, setting, measure, note, statistic, *sum(parts, ()), len(before)))
    schema = {
        "assumption": pl.String, "setting": pl.String, "measure": pl.String, "note": pl.String,
        "statistic": pl.String, "base_value": pl.Float64, "base_standard_error": pl.Float64,
        "value": pl.Float64, "standard_error": pl.Float64, "difference": pl.Float64,
        "difference_standard_error": pl.Float64, "paths": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _compared(paths: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return measure, statistic and column of what is compared."""
    fixed = [(measure, statistic, measure) for measure, statistic in _COMPARED.items()]
    notes = [c for c in paths.columns if c.startswith("writedown_")]
    return fixed + [("writedown", "mean", column) for column in notes]


def _values(paths: pl.DataFrame, column: str, statistic: str) -> Floats:
    """Return a column, or whether it is above zero."""
    values = paths[column].to_numpy()
    return (values > 0.005).astype(np.float64) if statistic == "probability" else values
