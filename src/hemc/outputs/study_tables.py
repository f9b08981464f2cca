"""Tables of a study → the folder of the run that they belong to, and its report made anew."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from hemc.config import Config
from hemc.kernels.jit import KERNEL_DIGEST
from hemc.outputs.folder import MANIFEST, disk_errors
from hemc.outputs.provenance import file_digest, versions

#: Sections of the configuration that only studies around a run read.
STUDIES = ("vector", "breakeven", "sensitivities", "backtest")


def is_run_of(folder: Path, config: Config, files: Mapping[str, Path]) -> bool:
    """Tell whether a folder holds a finished run of this configuration, these files and this code.

    `files` are the documents of the configuration by name.
    """
    record = _manifest(folder)
    return (
        _settings(record.get("configuration")) == _settings(config.model_dump(mode="json"))
        and {k: v["sha256"] for k, v in record.get("inputs", {}).items()}
        == {name: file_digest(path) for name, path in files.items()}
        and record.get("kernel_digest") == KERNEL_DIGEST
        and record.get("versions") == versions()
    )


def add_tables(
    folder: Path,
    tables: Mapping[str, pl.DataFrame],
    records: Mapping[str, Mapping[str, Any]],
    report: Callable[[Path], object],
) -> None:
    """Write tables and JSON records into a run's folder, each whole or not at all.

    `report` then makes the report anew from all files of the folder.
    """
    with disk_errors(folder), tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as room:
        for name, table in tables.items():
            table.write_parquet(Path(room) / f"{name}.parquet")
        for name, record in records.items():
            text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
            (Path(room) / f"{name}.json").write_text(text, encoding="utf-8")
        for new in Path(room).iterdir():
            new.replace(folder / new.name)
    report(folder)


def _manifest(folder: Path) -> dict[str, Any]:
    """Return a folder's manifest, an empty one where there is none."""
    try:
        record = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _settings(configuration: Any) -> Any:
    """Return a configuration without what changes no value of a run: studies, threads, blocks."""
    if not isinstance(configuration, dict) or "simulation" not in configuration:
        return None
    simulation = configuration["simulation"]
    kept = {k: v for k, v in simulation.items() if k not in ("threads", "block_paths")}
    return {k: v for k, v in configuration.items() if k not in STUDIES} | {"simulation": kept}
