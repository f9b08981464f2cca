"""Finished runs → rows of a bank's own database, a run once and whole or not at all.

SQLite and PostgreSQL, through ADBC (optional extra `warehouse`). docs/how-to/warehouse.md describes
the tables and how to ask them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from hemc.errors import InputError
from hemc.outputs.run_files import RunFiles
from hemc.printable import printable
from hemc.settings.scenario import ScenarioSettings

_KEY = {"run": "TEXT NOT NULL", "deal": "TEXT NOT NULL", "payment_date": "TEXT",
        "scenario": "TEXT NOT NULL"}  # fmt: skip
_NUMBER, _WHOLE, _TEXT = "DOUBLE PRECISION", "BIGINT", "TEXT"

#: Columns of every table beside the key, with types that both databases know.
TABLES: dict[str, dict[str, str]] = {
    "hemc_runs": {
        "name": _TEXT, "issuer": _TEXT, "loan_group": _TEXT, "paths": _WHOLE, "seed": _TEXT,
        "effective_sample_size": _NUMBER, "hemc_version": _TEXT, "kernel_digest": _TEXT,
    },
    "hemc_measures": {
        "measure": _TEXT, "insurer": _TEXT, "note": _TEXT, "month": _WHOLE, "statistic": _TEXT,
        "value": _NUMBER, "standard_error": _NUMBER, "unit": _TEXT,
    },
    "hemc_months": {
        "month": _WHOLE, "series": _TEXT, "note": _TEXT, "state": _TEXT, "statistic": _TEXT,
        "value": _NUMBER,
    },
    "hemc_classes": {
        "note": _TEXT, "measure": _TEXT, "insurer": _TEXT, "statistic": _TEXT, "value": _NUMBER,
        "standard_error": _NUMBER, "unit": _TEXT,
    },
    "hemc_scenarios": {
        "weights": _TEXT, "measure": _TEXT, "insurer": _TEXT, "note": _TEXT, "month": _WHOLE,
        "statistic": _TEXT, "value": _NUMBER, "standard_error": _NUMBER, "unit": _TEXT,
        "difference": _NUMBER, "difference_standard_error": _NUMBER,
        "independent_standard_error": _NUMBER,
    },
    "hemc_scenario_months": {
        "month": _WHOLE, "series": _TEXT, "note": _TEXT, "state": _TEXT, "statistic": _TEXT,
        "value": _NUMBER,
    },
}  # fmt: skip

#: Tables of a stress batch, which may come into a run's folder after it was published.
_OF_BATCH = {"hemc_scenarios": "scenarios", "hemc_scenario_months": "scenario_months"}

#: Keys of [scenario] that change with the date; any other makes a run another scenario.
_QUOTED = {"file", "index_rate", "index_path"}

_DRIVERS = {"sqlite": "adbc_driver_sqlite", "postgresql": "adbc_driver_postgresql"}
_URL = "a SQLite file or postgresql://user@host/database"


class Published(NamedTuple):
    """What became of a run."""

    folder: Path
    run: str
    rows: int  # 0: it was there already


def publish_runs(folders: tuple[Path, ...], url: str) -> list[Published]:
    """Append runs to the database at `url` in one transaction; a run that is there is left alone.

    A run's key is a digest of what determines its figures, so that publishing twice, or the same
    run computed twice, changes nothing. Raises InputError for a folder without a run and for a
    database that cannot be used.
    """
    runs = [RunFiles(folder) for folder in folders]
    with _connection(url) as connection, connection.cursor() as cursor:
        for table, columns in TABLES.items():
            cursor.execute(_create(table, columns))
        done = [_publish(cursor, run) for run in runs]
        connection.commit()
    return done


def _publish(cursor: Any, run: RunFiles) -> Published:
    """Append what the database lacks of a run."""
    key, n_rows = run_key(run), 0
    for first, tables in (("hemc_runs", _run_tables(run)), ("hemc_scenarios", _batch_tables(run))):
        if tables and not _holds(cursor, first, key):
            for table, rows in tables.items():
                cursor.adbc_ingest(table, _keyed(run, key, table, rows), mode="append")
                n_rows += len(rows)
    return Published(run.folder, key, n_rows)


def render_published(published: Sequence[Published]) -> str:
    """Return a line a run that says what became of it."""
    lines = (
        f"{folder}: run {run}, "
        + (f"{rows:,} rows\n" if rows else "there already, nothing changed\n")
        for folder, run, rows in published
    )
    return printable("".join(lines))


def run_key(run: RunFiles) -> str:
    """Return the digest of everything in a run's manifest that determines its figures."""
    record = run.record
    keys = ("series", "group", "payment_date", "seed", "paths", "kernel_digest", "configuration")
    content: dict[str, Any] = {key: record.get(key) for key in keys}
    content["inputs"] = {
        name: value.get("sha256") for name, value in record.get("inputs", {}).items()
    }
    simulation = {"threads": 0, "block_paths": 0}  # change no figure
    content["configuration"] = {
        **content["configuration"],
        "simulation": {**content["configuration"].get("simulation", {}), **simulation},
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _run_tables(run: RunFiles) -> dict[str, pl.DataFrame]:
    """Return a run's own rows for every table."""
    manifest, record = run.manifest, run.record
    one = {
        "name": manifest.name, "issuer": manifest.issuer, "loan_group": str(manifest.group),
        "paths": run.n_paths, "seed": str(record.get("seed")),
        "effective_sample_size": manifest.effective_sample_size,
        "hemc_version": record.get("versions", {}).get("hemc"),
        "kernel_digest": record.get("kernel_digest"),
    }  # fmt: skip
    measures = run.require("measures")
    return {
        "hemc_runs": pl.DataFrame([one]),
        "hemc_measures": measures,
        "hemc_months": run.require("months"),
        "hemc_classes": measures.filter(pl.col("note").is_not_null()),
    }


def _batch_tables(run: RunFiles) -> dict[str, pl.DataFrame]:
    """Return the rows of a stress batch in a run's folder, none where there is none."""
    found = {table: run.table(name) for table, name in _OF_BATCH.items()}
    return {table: rows for table, rows in found.items() if rows is not None}


def _keyed(run: RunFiles, key: str, table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the columns of a table; a batch names its scenarios itself."""
    keys = {
        "run": pl.lit(key),
        "deal": pl.lit(run.manifest.series, pl.String),
        "payment_date": pl.lit(run.manifest.payment_date, pl.String),
        "scenario": pl.col("scenario") if table in _OF_BATCH else pl.lit(scenario_of(run)),
    }
    return rows.select(**keys, **{name: pl.col(name) for name in TABLES[table]})


def scenario_of(run: RunFiles) -> str:
    """Return the name of a run's scenario: its file's, or base, with what is set beside it."""
    file = run.manifest.scenario
    settings = run.record["configuration"].get("scenario", {})
    usual = ScenarioSettings().model_dump(mode="json")
    changed = [
        f"{key}={json.dumps(settings[key])}"
        for key in usual
        if key not in _QUOTED and settings.get(key, usual[key]) != usual[key]
    ]
    return ", ".join(["base" if file is None else file.name, *changed])


def _create(table: str, columns: dict[str, str]) -> str:
    """Return the statement that makes a table where it is not there."""
    typed = [f"{name} {kind}" for name, kind in (_KEY | columns).items()]
    if table == "hemc_runs":
        typed.append("PRIMARY KEY (run)")
    return f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(typed)})"


def _holds(cursor: Any, table: str, key: str) -> bool:
    """Tell whether a table has rows of a run; the key is a digest, letters and digits alone."""
    cursor.execute(f"SELECT count(*) FROM {table} WHERE run = '{key}'")
    return bool(pl.DataFrame(cursor.fetch_arrow()).item())


@contextmanager
def _connection(url: str) -> Iterator[Any]:
    """Open the database; what it refuses becomes one InputError without the URL's password."""
    kind, separator, rest = url.partition("://")
    if not separator:
        kind, rest = "sqlite", url
    if kind not in _DRIVERS:
        raise InputError("--to", "", f"'{kind}://'", _URL)
    try:
        driver = import_module(f"{_DRIVERS[kind]}.dbapi")
    except ImportError:
        found = f"no driver for {kind}"
        raise InputError("--to", "", found, "pip install 'hemc[warehouse]'") from None
    where = rest.rpartition("@")[2]
    if kind == "sqlite" and not Path(rest).absolute().parent.is_dir():
        raise InputError(where, "", "no such folder", "a SQLite file in a folder that is there")
    try:
        with driver.connect(rest if kind == "sqlite" else url) as connection:
            yield connection
    except driver.Error as error:
        reason = str(error).splitlines()[0]
        raise InputError(where, "", f"a database that refuses ({reason})", _URL) from None
