"""Files of a run and the code at work → their digests and versions."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import hemc
from hemc.kernels.jit import KERNEL_DIGEST

_LIBRARIES = ("hemc", "numba", "numpy", "polars", "scipy")


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python, hemc and the libraries that its values come from."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


@cache
def code() -> dict[str, str]:
    """Return what tells one computing code from another: sources, kernels and versions."""
    digest = hashlib.sha256()
    root = Path(hemc.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return versions() | {"hemc source": digest.hexdigest()[:16], "kernels": KERNEL_DIGEST}
