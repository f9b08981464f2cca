"""The machine and the versions that a measurement was taken with."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LIBRARIES = ("hemc", "numba", "numpy", "polars", "scipy")


def describe_machine() -> dict[str, Any]:
    """Return processor, cores that this process may use, memory (GB), versions, digest, date."""
    from hemc.kernels.jit import KERNEL_DIGEST
    from hemc.scale.threads import Threads

    return {
        "processor": _first_value("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": Threads().n_threads,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | {n: version(n) for n in _LIBRARIES},
        "kernel_digest": KERNEL_DIGEST,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }


def _first_value(file: str, key: str) -> str | None:
    """Return the value of the first `key : value` line of a file, None where there is none."""
    path = Path(file)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in pairs if name.strip() == key), None)
