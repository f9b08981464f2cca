"""Start hemc in a fresh process, run a path of base, and print what its kernels cost, as JSON.

`python -m benchmarks.start_up`, with HEMC_CACHE_DIR naming an empty or a filled cache.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from numba.core.event import Event, Listener, install_listener, install_timer


class CompileTimes(Listener):
    """Collects the seconds that each kernel took to compile, its callees included."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[float] = []

    def on_start(self, event: Event) -> None:
        """Note when a function begins; numba compiles under a lock, one at a time."""
        self._open.append(time.perf_counter())

    def on_end(self, event: Event) -> None:
        """Book the time of a function that no other asked for."""
        began = self._open.pop()
        if not self._open:
            name = event.data["dispatcher"].py_func.__name__
            took = time.perf_counter() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + took


def measure() -> dict[str, Any]:
    """Import hemc, run every kernel once and again.

    `kernels` is the time in which numba held its lock: compiling where the cache is empty, loading
    where it is not; `compiled` the part of each kernel. `first` and `second` are runs of one path.
    Seconds.
    """
    held: list[float] = []
    times = CompileTimes()
    start = time.perf_counter()
    with (
        install_timer("numba:compiler_lock", held.append),
        install_listener("numba:compile", times),
    ):
        from benchmarks.workloads import prepare

        imported = time.perf_counter()
        _use_kernels()
        first = time.perf_counter()
    prepare.cache_clear()
    _use_kernels()
    second = time.perf_counter()
    return {
        "import": imported - start,
        "first": first - imported,
        "second": second - first,
        "kernels": sum(held),
        "compiled": times.seconds,
    }


def _use_kernels() -> None:
    """Run base, and both forms of the pool simulation, in this process alone."""
    from benchmarks.workloads import BASE, METHODS, prepare, simulate
    from hemc import engine
    from hemc.config import load_config

    one = {"simulation.paths": "1", "outputs.sensitivity_paths": "0"}
    engine.run(load_config(BASE, one), lambda n_paths: None)
    for method in METHODS:
        simulate(prepare().model, method, n_paths=1)


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
