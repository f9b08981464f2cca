"""Two finished runs → what differs in their figures, with errors, and in what went into them."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from hemc.kernels.flows import Floats
from hemc.outputs.differences import (
    DIFFERENCE_SCHEMA,
    difference,
    difference_figures,
    independent_difference,
)
from hemc.outputs.estimates import Estimate, design_of
from hemc.outputs.run_files import RunFiles

#: Measure of the headline figures → its column of paths.parquet; writedowns are added up.
_COLUMN = {
    "oc_below_target_after_reaching": "oc_missed_after_target",
}

# What says nothing about the figures, follows from other inputs, or is compared figure by figure.
_NOT_INPUT = {
    "seed", "configuration_folder", "quotes", "first_projected_month", "months", "credit_factor",
    "undercollateralization",
    "seconds", "threads", "kernels_compiled_in_this_run", "peak_memory_mb", "oracle", "paths",
    "largest_identity_residual_usd", "effective_sample_size", "effective_sample_size_of_weights",
    "independent_paths", "sampling", "target", "warnings",
}  # fmt: skip


# How assumptions begin that are terms of the deal or of the product, not keys of the configuration.
_DOCUMENTS = ("deal.", "product.")


class Comparison(NamedTuple):
    """What differs between two runs."""

    names: tuple[str, str]
    common_paths: int | None  # on which differences rest; None: two runs with own random numbers
    figures: pl.DataFrame  # measure, insurer, note, statistic, unit and DIFFERENCE_SCHEMA
    inputs: list[tuple[str, str, str]]  # key of the manifest, value of the first, of the second


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compare two folders of runs.

    Runs of equal seed, sampling and length share their random numbers: differences are then taken
    path by path. Else the errors of both add up. Raises InputError for a folder without a run.
    """
    runs = (RunFiles(first), RunFiles(second))
    paths = [run.require("paths") for run in runs]
    same = _random_numbers(runs[0]) == _random_numbers(runs[1])
    rows = []
    for before, after in _paired_headlines(*runs):
        keys = {k: before.get(k) for k in ("measure", "insurer", "note", "statistic", "unit")}
        if same:
            values = [headline_values(table, before["measure"]) for table in paths]
            designs = tuple(
                design_of(table["weight"].to_numpy(), run.manifest.sampling.unit_paths)
                for table, run in zip(paths, runs, strict=True)
            )
            found = difference(values[0], values[1], before["statistic"], (designs[0], designs[1]))
        else:
            found = independent_difference(_estimate(before), _estimate(after))
        names = list(DIFFERENCE_SCHEMA)
        rows.append(keys | dict(zip(names, difference_figures(found), strict=True)))
    return Comparison(
        (first.name, second.name),
        len(paths[0]) if same else None,
        pl.DataFrame(rows).with_columns(pl.col(*DIFFERENCE_SCHEMA).fill_nan(None)),
        [
            *_differences(*(run.record for run in runs)),
            *_other_assumptions(*(run.table("assumptions") for run in runs)),
        ],
    )


def headline_values(paths: pl.DataFrame, measure: str) -> Floats:
    """Return a headline measure's figure on every path, float64[p]."""
    if measure == "writedown":
        columns = [column for column in paths.columns if column.startswith("writedown_")]
        # pl.sum_horizontal adds in an order that is not the same in every plan.
        total = reduce(operator.add, map(pl.col, columns))
        return paths.select(total.alias("all")).to_series().to_numpy()
    return paths[_COLUMN.get(measure, measure)].cast(pl.Float64).to_numpy()


def _paired_headlines(
    first: RunFiles, second: RunFiles
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the headline figures that both runs have."""
    key = ("measure", "statistic")
    others = {tuple(row[k] for k in key): row for row in second.headlines}
    for row in first.headlines:
        other = others.get(tuple(row[k] for k in key))
        if other is not None:
            yield row, other


def _random_numbers(run: RunFiles) -> tuple[object, ...]:
    """Return what two runs on the same random numbers have in common."""
    sampling = run.manifest.sampling
    return run.record.get("seed"), sampling.method, sampling.unit_paths, run.n_paths


def _estimate(row: dict[str, Any]) -> Estimate:
    """Return a headline figure as an estimate."""
    error = row["standard_error"]
    return Estimate(row["value"], float("nan") if error is None else error)


def _differences(first: dict[str, Any], second: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the dotted keys of two manifests whose values differ."""
    values = [dict(_leaves(record, "")) for record in (first, second)]
    for key in dict.fromkeys([*values[0], *values[1]]):
        if key.partition(".")[0].partition("[")[0] in _NOT_INPUT:
            continue
        found = [str(value.get(key, "–")) for value in values]
        if found[0] != found[1]:
            yield key, found[0], found[1]


def _other_assumptions(
    first: pl.DataFrame | None, second: pl.DataFrame | None
) -> Iterator[tuple[str, str, str]]:
    """Yield assumptions of other documents than the configuration whose values differ."""
    if first is None or second is None:
        return
    values = [dict(table.select("name", "value").iter_rows()) for table in (first, second)]
    for name in dict.fromkeys([*values[0], *values[1]]):
        found = [str(value.get(name, "–")) for value in values]
        if name.startswith(_DOCUMENTS) and found[0] != found[1]:
            yield name, found[0], found[1]


def _leaves(value: object, key: str) -> Iterator[tuple[str, object]]:
    """Yield dotted keys and values of a nested record."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{key}[{i}]")
    else:
        yield key, value
