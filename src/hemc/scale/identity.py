"""A configuration, its files and the code → all that the values of a run depend on, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hemc.config import Config
from hemc.outputs.provenance import code, file_digest
from hemc.scale.journal import Record

#: Settings that change no value: a run may be resumed with others.
_FREE = {"simulation.threads", "simulation.block_paths"}


def run_identity(config: Config, files: Mapping[str, Path]) -> Record:
    """Return every setting, the digest of every input file and the code's versions.

    `files` are the documents read, by name. Equal identities give equal values.
    """
    settings = dict(_leaves(config.model_dump(mode="json"), ""))
    identity = {key: value for key, value in settings.items() if key not in _FREE}
    identity |= {f"SHA-256 of the {name} file": file_digest(path) for name, path in files.items()}
    return identity | code()


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of every setting."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
