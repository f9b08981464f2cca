"""What surviving a kill and a cluster cost: whole runs of base in turns → docs/reliability.md."""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.calibration_page import write_between_marks
from benchmarks.machine import describe_machine
from benchmarks.page import table
from benchmarks.workloads import BASE
from hemc import engine
from hemc.config import load_config
from hemc.scale.cluster import connected_cluster
from hemc.scale.threads import Threads, Workers
from hemc.scale.work_folder import WorkFolder

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"


class Cost(NamedTuple):
    """Seconds of a run; `cpu` of this process and of worker processes that have ended."""

    wall: float
    cpu: float


def measured(run: Callable[[], object]) -> Cost:
    """Return what a run costs."""
    wall, cpu = time.perf_counter(), _cpu()
    run()
    return Cost(time.perf_counter() - wall, _cpu() - cpu)


def simulate(n_paths: int, keep: bool, workers: Workers) -> None:
    """Run base without what does not depend on paths; `keep` its pieces, as a command does."""
    settings = {"simulation.paths": str(n_paths), "outputs.sensitivity_paths": "0"}
    loaded = load_config(BASE, settings)
    with tempfile.TemporaryDirectory() as folder:
        if not keep:
            engine.run(loaded, lambda n: None, workers=workers)
            return
        with WorkFolder(Path(folder) / "r", False, lambda line: None) as work:
            engine.run(loaded, lambda n: None, work=work, workers=workers)


def on_processes(n_paths: int, n_processes: int) -> None:
    """Run on worker processes of this machine; their start counts."""
    with connected_cluster(f"local:{n_processes}", insecure=False) as workers:
        simulate(n_paths, True, workers)


def main(arguments: Sequence[str] | None = None) -> None:
    """Take turns and write a row a way to run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=400_000, help="of a run (default: 400000)")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each way (default: 2)")
    parser.add_argument("--page", type=Path, default=PAGE, help="file whose table is written")
    asked = parser.parse_args(arguments)
    ways = {
        "2 threads, temporary pieces": partial(simulate, asked.paths, False, Threads(2)),
        "2 threads, lasting pieces": partial(simulate, asked.paths, True, Threads(2)),
        "4 processes, lasting pieces": partial(on_processes, asked.paths, 4),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    simulate(1_024, False, Threads(2))  # kernels compiled, files in memory
    for _ in range(asked.rounds):
        for name, way in ways.items():
            costs[name].append(measured(way))
            print(name, costs[name][-1], file=sys.stderr)
    write_between_marks(asked.page, "costs", costs_text(costs, asked.paths), "scripts/scale")


def costs_text(costs: dict[str, list[Cost]], n_paths: int) -> str:
    """Return medians, and each way's wall time over that of the way before it in the same turn."""
    rows = []
    before: list[Cost] | None = None
    for name, taken in costs.items():
        wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
        turns = zip(taken, before or taken, strict=True)
        ratio = statistics.median(own.wall / other.wall for own, other in turns)
        more = f"{ratio - 1.0:+.1%}" if before else ""
        rows.append((name, f"{wall:.1f}", f"{cpu:.1f}", more))
        before = taken
    machine, n_turns = describe_machine(), min(len(taken) for taken in costs.values())
    turned = f"medians of {n_turns} turns" if n_turns > 1 else "one turn"
    return "\n\n".join(
        [
            f"{n_paths:,} paths of base, {turned} ({machine['processor']}, "
            f"{machine['cores']} cores, {machine['date']}, kernels {machine['kernel_digest']}).",
            table(("way", "wall, s", "CPU, s", "wall, against the row above"), rows),
        ]
    )


def _cpu() -> float:
    """Return the processor time of this process and its ended children, seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
