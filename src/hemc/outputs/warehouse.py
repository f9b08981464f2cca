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
}  # fmt: skip

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
        there = _keys(cursor)
        done = []
        for run in runs:
            key = run_key(run)
            tables = {} if key in there else dict(_rows(run, key))
            for table, rows in tables.items():
                cursor.adbc_ingest(table, rows, mode="append")
            done.append(Published(run.folder, key, sum(map(len, tables.values()))))
            there.add(key)
        connection.commit()
    return done


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


def _rows(run: RunFiles, key: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield a run's rows for every table."""
    manifest, record = run.manifest, run.record
    scenario = record.get("scenario") or {}
    keys = {
        "run": key,
        "deal": manifest.series,
        "payment_date": manifest.payment_date,
        "scenario": scenario.get("name", "base") if isinstance(scenario, dict) else str(scenario),
    }
    one = {
        "name": manifest.name, "issuer": manifest.issuer, "loan_group": str(manifest.group),
        "paths": run.n_paths, "seed": str(record.get("seed")),
        "effective_sample_size": manifest.effective_sample_size,
        "hemc_version": record.get("versions", {}).get("hemc"),
        "kernel_digest": record.get("kernel_digest"),
    }  # fmt: skip
    measures = run.require("measures")
    tables = {
        "hemc_runs": pl.DataFrame([one]),
        "hemc_measures": measures,
        "hemc_months": run.require("months"),
        "hemc_classes": measures.filter(pl.col("note").is_not_null()),
    }
    for name, table in tables.items():
        columns = [pl.lit(value, pl.String).alias(k) for k, value in keys.items()]
        yield name, table.select(*columns, *TABLES[name])


def _create(table: str, columns: dict[str, str]) -> str:
    """Return the statement that makes a table where it is not there."""
    typed = [f"{name} {kind}" for name, kind in (_KEY | columns).items()]
    if table == "hemc_runs":
        typed.append("PRIMARY KEY (run)")
    return f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(typed)})"


def _keys(cursor: Any) -> set[str]:
    """Return the keys of the runs that are there."""
    cursor.execute("SELECT run FROM hemc_runs")
    return set(pl.DataFrame(cursor.fetch_arrow())["run"].to_list())


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
    try:
        with driver.connect(rest if kind == "sqlite" else url) as connection:
            yield connection
    except driver.Error as error:
        reason = str(error).splitlines()[0]
        raise InputError(where, "", f"a database that refuses ({reason})", _URL) from None
