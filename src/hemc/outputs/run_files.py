"""A run's folder → its manifest and tables, checked for what readers need of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from hemc.errors import HemcError, InputError
from hemc.inputs.bounded_file import read_json
from hemc.inputs.parquet_file import parquet_columns, read_parquet
from hemc.inputs.toml import Model, validate
from hemc.outputs.estimates import Design, design_of
from hemc.outputs.run_manifest import Manifest, Summary
from hemc.outputs.run_table_checks import first_fault

#: Charts end where less than this share of the first projected balance is left.
SHARE_SHOWN = 0.005

_RUN = "the folder of a finished run"

_COLUMNS: dict[str, tuple[str, ...]] = {
    "measures": (
        "measure", "insurer", "note", "statistic", "value", "standard_error", "unit",
    ),
    "months": ("month", "series", "note", "state", "statistic", "value"),
    "paths": ("weight", "pool_loss", "pool_loss_pct"),
    "tieout": ("name", "printed", "recomputed", "difference", "status", "note"),
    "roll_rates": (
        "latent_class", "from_state", "to_state", "reported_ratio", "prior_mean", "prior_sd",
        "posterior_mean", "posterior_sd", "p5", "p95", "sd_ratio", "prior_driven",
    ),
    "assumptions": ("name", "value", "where_set", "source", "meaning"),
    "sensitivities": (
        "assumption", "setting", "measure", "note", "statistic", "base_value",
        "base_standard_error", "value", "standard_error", "difference",
        "difference_standard_error", "paths",
    ),
    "scenario_paths": (
        "month", "unemployment_pct", "house_price_index", "mortgage_pct", "treasury_3m_pct",
        "stress_shift", "prepayment_multiplier", "index_rate",
    ),
    "oracle": ("flow", "months", "paths", "simulated", "expected", "z"),
    "variance": ("source", "variance", "share", "share_standard_error", "twins"),
    "next_certificate": ("figure", "p5", "p50", "p95", "mean"),
    "next_month": ("path", "weight"),
    "score": (
        "fitted_to", "date", "group", "figure", "observed", "p5", "p50", "p95", "pit", "in_50",
        "in_90", "share_in_50", "share_in_90", "crps", "distance", "note",
    ),
    "roll_forward": (
        "fitted_to", "date", "view", "measure", "step", "to_come", "realised", "total",
        "standard_error", "independent_standard_error", "paths",
    ),
    "scenarios": (
        "scenario", "weights", "measure", "insurer", "note", "statistic", "value",
        "standard_error", "unit", "difference", "difference_standard_error",
        "independent_standard_error",
    ),
    "scenario_months": ("scenario", "month", "series", "note", "state", "statistic", "value"),
    "contributions": (
        "measure", "note", "statistic", "from_state", "latent_class", "value", "standard_error",
        "share", "kind", "unit",
    ),
    "tornado": (
        "assumption", "setting", "side", "source", "measure", "note", "statistic", "base_value",
        "value", "difference", "difference_standard_error", "independent_standard_error", "paths",
    ),
    "heat_maps": (
        "prepayment", "roll_rate", "severity", "measure", "statistic", "value", "standard_error",
        "difference_standard_error", "independent_standard_error", "paths",
    ),
    "breakevens": (
        "kind", "speed", "note", "target", "crossing", "direction", "value", "standard_error",
        "pool_loss_pct", "coverage", "coverage_standard_error", "writedown_pct", "average_life",
        "duration", "window_first", "window_last", "searched_from", "searched_to",
    ),
    "breakeven_scan": ("kind", "speed", "note", "place", "probability", "writedown_pct"),
    "backtest": (
        "deal", "fitted_to", "date", "months", "group", "figure", "observed", "p5", "p25", "p50",
        "p75", "p95", "pit", "in_50", "in_90", "share_in_50", "share_in_90", "crps",
        "crps_no_change", "crps_chain",
    ),
}  # fmt: skip


@contextmanager
def stored_run(folder: Path) -> Iterator[None]:
    """Turn whatever fails while files that are not of this process are read into one InputError.

    Tables that are each right may still not belong together, in more ways than can be listed.
    """
    try:
        yield
    except (HemcError, OSError, MemoryError):
        raise
    except Exception as error:
        found = f"files that do not fit together ({type(error).__name__}: {error})"
        raise InputError(folder, "", found, f"{_RUN}, as hemc wrote it") from error


class RunFiles:
    """Reads a run's folder; every table is read once, when a section asks for it.

    Raises InputError for a missing manifest and for a file that is not what a run writes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record: dict[str, Any] = self._json("manifest.json")
        if not isinstance(self.record, dict):
            raise InputError(folder / "manifest.json", "", "no JSON object", _RUN)
        if self.record.get("kind") == "portfolio":
            raise InputError(folder, "", "the folder of a portfolio", _RUN)
        self.manifest = validate(Manifest, self.record, folder / "manifest.json")
        self._tables: dict[str, pl.DataFrame | None] = {}

    @property
    def n_paths(self) -> int:
        """Number of paths of the run."""
        return self.manifest.paths

    @property
    def independent(self) -> int | None:
        """Number that bounds a probability without a hit, None where paths have weights."""
        return self.manifest.independent_paths

    @cached_property
    def design(self) -> Design:
        """How the paths were drawn, for errors of figures made of them."""
        paths, unit = self.table("paths"), self.manifest.sampling.unit_paths
        return Design(unit) if paths is None else design_of(paths["weight"].to_numpy(), unit)

    @cached_property
    def headlines(self) -> list[dict[str, Any]]:
        """Records of summary.json in their order."""
        file = self.folder / "summary.json"
        records = {"records": self._json("summary.json")}
        return [row.model_dump() for row in validate(Summary, records, file).records]

    def table(self, name: str) -> pl.DataFrame | None:
        """Return a table of the folder, None where the run has not written it."""
        if name not in self._tables:
            self._tables[name] = self._read_table(name)
        return self._tables[name]

    def scan(self, name: str, *columns: str) -> pl.LazyFrame:
        """Return a table of the folder, unread; raises InputError where it or a column is not."""
        file = self.folder / f"{name}.parquet"
        if not file.is_file():
            raise InputError(self.folder, "", f"no {name}.parquet", _RUN)
        found = parquet_columns(file, _table_named(name))
        _require_columns(file, (*_COLUMNS[name], *columns), found)
        return pl.scan_parquet(file)

    def require(self, name: str) -> pl.DataFrame:
        """Return a table of the folder; raises InputError where the run has not written it."""
        table = self.table(name)
        if table is None:
            raise InputError(self.folder, "", f"no {name}.parquet", _RUN)
        return table

    def study(self, name: str, model: type[Model]) -> Model | None:
        """Return the record of a study, None where it has not run."""
        file = self.folder / f"{name}.json"
        return validate(model, self._json(file.name), file) if file.is_file() else None

    def measure(
        self, measure: str, statistic: str, insurer: str | None = None, note: str | None = None
    ) -> dict[str, Any] | None:
        """Return a row of measures.parquet, None where absent."""
        return self._measures.get((measure, insurer, note, statistic))

    def notes(self, measure: str) -> list[str]:
        """Return the classes that a measure knows, in the deal's order."""
        return list(dict.fromkeys(n for m, _, n, _ in self._measures if m == measure and n))

    def monthly(
        self, series: str, note: str | None = None, state: str | None = None
    ) -> pl.DataFrame | None:
        """Return a series with a row a month and a column a statistic, None where absent."""
        return self._series.get((series, note, state))

    def shown(
        self, series: str, note: str | None = None, state: str | None = None
    ) -> pl.DataFrame | None:
        """Return a series for a chart: up to the month where the pool is nearly gone."""
        table = self.monthly(series, note, state)
        return None if table is None else table.filter(pl.col("month") <= self.last_month_shown)

    def states(self, series: str) -> list[str]:
        """Return the states, or triggers, that a monthly series knows."""
        return [state for name, _, state in self._series if name == series and state]

    @cached_property
    def last_month_shown(self) -> int:
        """Last month in which the mean pool balance is not negligible."""
        pool = self.monthly("pool_balance")
        if pool is None:
            return self.manifest.months
        large = pool.filter(pl.col("mean") >= SHARE_SHOWN * pl.col("mean").first())
        return int(large["month"].to_list()[-1])

    @property
    def bands(self) -> str:
        """Say which paths the bands by month come from."""
        used = min(self.n_paths, self.manifest.configuration.outputs.band_paths)
        if used == self.n_paths:
            return f"Bands and means from all {used:,} paths."
        return f"Bands from the first {used:,} paths, means from all {self.n_paths:,}."

    @cached_property
    def _measures(self) -> dict[tuple[str, str | None, str | None, str], dict[str, Any]]:
        table = self.table("measures")
        rows = [] if table is None else table.iter_rows(named=True)
        return {
            (row["measure"], row["insurer"], row["note"], row["statistic"]): row for row in rows
        }

    @cached_property
    def _series(self) -> dict[tuple[str, str | None, str | None], pl.DataFrame]:
        table = self.table("months")
        if table is None:
            return {}
        wide = table.pivot("statistic", index=["series", "note", "state", "month"], values="value")
        parts = wide.partition_by("series", "note", "state", as_dict=True, include_key=False)
        return {(str(k[0]), k[1], k[2]): part.sort("month") for k, part in parts.items()}

    def _json(self, name: str) -> Any:
        """Return the content of a JSON file of the folder."""
        file = self.folder / name
        if not os.path.lexists(file):
            raise InputError(self.folder, "", f"no {name}", _RUN)
        return read_json(file, f"what a run writes as {name}")

    def _read_table(self, name: str) -> pl.DataFrame | None:
        """Read a Parquet file and check that it has the columns."""
        file = self.folder / f"{name}.parquet"
        if not file.is_file():
            return None
        table = read_parquet(file, _table_named(name))
        _require_columns(file, _COLUMNS[name], table.columns)
        fault = first_fault(name, table, _COLUMNS[name])
        if fault is not None:
            raise InputError(file, *fault)
        return table


def _table_named(name: str) -> str:
    """Say what a file should be."""
    return f"the table that a run writes as {name}"


def _require_columns(file: Path, wanted: Sequence[str], found: Collection[str]) -> None:
    """Raise InputError for columns that a table lacks."""
    missing = [column for column in wanted if column not in found]
    if missing:
        expected = f"the columns {', '.join(wanted)}"
        raise InputError(file, "columns", f"no {', '.join(missing)}", expected)
