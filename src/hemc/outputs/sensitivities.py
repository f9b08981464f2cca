"""The same paths under one changed assumption → what it moves, with the difference's own error."""

from __future__ import annotations

import polars as pl

from hemc.outputs.differences import DIFFERENCE_SCHEMA, difference, difference_figures
from hemc.outputs.estimates import design_of

#: Column of paths.parquet → statistic compared; writedowns of each class come on top.
_COMPARED = {"pool_loss_pct": "mean", "draws": "probability", "draws_pv": "mean"}


def sensitivity_rows(
    name: str, setting: str, base: pl.DataFrame, varied: pl.DataFrame, unit_paths: int = 1
) -> pl.DataFrame:
    """Compare paths of the run with the same paths under `name` = `setting`.

    Both have the columns of `compared_columns`. The standard error of a difference is that of the
    differences path by path; `unit_paths` consecutive paths are one independent unit.
    """
    design = design_of(base["weight"].to_numpy(), unit_paths)
    rows = []
    for measure, statistic, column in _compared(base):
        before, after = base[column].to_numpy(), varied[column].to_numpy()
        found = difference(before, after, statistic, (design, design))
        note = column.removeprefix("writedown_") if measure == "writedown" else None
        rows.append(
            (name, setting, measure, note, statistic, *difference_figures(found), len(base))
        )
    schema = {
        "assumption": pl.String, "setting": pl.String, "measure": pl.String, "note": pl.String,
        "statistic": pl.String, **DIFFERENCE_SCHEMA, "paths": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col(*DIFFERENCE_SCHEMA).fill_nan(None)
    )


def compared_columns(paths: pl.DataFrame) -> pl.DataFrame:
    """Return what `sensitivity_rows` needs of the rows of paths.parquet."""
    return paths.select("weight", *(column for _, _, column in _compared(paths)))


def _compared(paths: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return measure, statistic and column of what is compared."""
    fixed = [(measure, statistic, measure) for measure, statistic in _COMPARED.items()]
    notes = [c for c in paths.columns if c.startswith("writedown_")]
    return fixed + [("writedown", "mean", column) for column in notes]
