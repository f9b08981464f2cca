"""The folder of a finished run goes in; its configuration and documents, unchanged, come out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from hemc.config import Config, LoadedConfig
from hemc.engine.documents import Documents, read_documents
from hemc.errors import InputError, InternalError
from hemc.inputs.scenario_file import read_scenario_file
from hemc.inputs.toml import validate
from hemc.kernels.jit import KERNEL_DIGEST
from hemc.outputs.run_files import RunFiles

#: A figure may differ from the run's by so much, relative to it or in USD.
_ROUNDING = 1e-9


class _Input(BaseModel):
    sha256: str


class _Recorded(BaseModel):
    """What manifest.json tells of a run that is simulated again."""

    configuration_folder: str
    configuration: dict[str, Any]
    inputs: dict[str, _Input]
    kernel_digest: str


class StoredRun(NamedTuple):
    """A finished run with what went into it."""

    files: RunFiles
    loaded: LoadedConfig
    documents: Documents


def reopen_run(folder: Path, inputs: Path | None = None) -> StoredRun:
    """Read a finished run's files, its resolved configuration and its documents.

    Inputs are sought where the run found them, or from the folder `inputs` on. Raises InputError
    for a folder that holds no run, and for inputs that are not those of the run.
    """
    files = RunFiles(folder)
    loaded = reload(files, inputs)
    documents = read_documents(loaded)
    _require_same_inputs(files, documents)
    return StoredRun(files, loaded, documents)


def reload(
    files: RunFiles, inputs: Path | None = None, changes: Mapping[str, Any] | None = None
) -> LoadedConfig:
    """Return a run's resolved configuration as if it had just been read.

    `changes` are sections with keys that take the place of the run's.
    """
    file = files.folder / "manifest.json"
    if "configuration_folder" not in files.record:
        expected = "'configuration_folder' (run it again)"
        raise InputError(file, "", "a run of an earlier version of hemc", expected)
    recorded = validate(_Recorded, files.record, file)
    folder = inputs or Path(recorded.configuration_folder)
    values = recorded.configuration
    for section, keys in (changes or {}).items():
        values[section] = {**values[section], **keys}
    config = validate(Config, values, file)
    loaded = LoadedConfig(config, folder / f"{config.name}.toml", {}, {})
    # What the scenario file sets is in the configuration; its macroeconomic path is not.
    path = loaded.scenario_path
    return loaded if path is None else loaded._replace(scenario=read_scenario_file(path))


def _require_same_inputs(run: RunFiles, documents: Documents) -> None:
    """Refuse inputs that are not those that the run read."""
    for name, path in documents.paths.items():
        recorded = run.record["inputs"].get(name, {}).get("sha256", "none")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != recorded:
            raise InputError(
                path, "", f"a {name} changed since the run (SHA-256 {found[:12]}…)",
                f"the {name} that it read ({recorded[:12]}…); restore it, or run again",
            )  # fmt: skip


def require_same_figures(run: RunFiles, made: dict[str, Any], row: dict[str, Any]) -> None:
    """Refuse a path simulated again whose figures are not those of the run's row."""
    differing = [name for name in row if not _is_same(made.get(name), row[name])]
    if not differing:
        return
    name = differing[0]
    found = f"{name} {row[name]} of path {row['path']}, where {made.get(name)} comes out"
    if run.record["kernel_digest"] != KERNEL_DIGEST:
        expected = f"the kernels of the run ({run.record['kernel_digest']}); run again"
        raise InputError(run.folder, "paths.parquet", found, expected)
    raise InternalError(f"{run.folder}: paths.parquet holds {found} by the same kernels")


def _is_same(made: object, recorded: object) -> bool:
    """Tell whether a figure is that of the run but for rounding."""
    if isinstance(made, float) and isinstance(recorded, float):
        return abs(made - recorded) <= _ROUNDING * max(1.0, abs(recorded))
    return made == recorded
