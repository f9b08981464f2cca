"""The commands that study base → what they print, in docs/stress.md and docs/breakevens.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.calibration_page import write_between_marks
from benchmarks.machine import describe_machine

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SCRIPT = "scripts/studies"


class Screen(NamedTuple):
    """A command whose screen a page shows."""

    page: str
    part: str  # name of the marks
    arguments: tuple[str, ...]
    folder: str  # of the results; break-evens and sensitivities add to one run


SCREENS = (
    Screen("stress.md", "batch", ("stress", "configs/stress.toml"), "stress"),
    Screen("breakevens.md", "break-evens", ("breakeven", "configs/base.toml"), "base"),
    Screen("stress.md", "tornado", ("sensitivities", "configs/base.toml"), "base"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every command and write its screen between its marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, help="of each case, for a trial (default: as shipped)")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the pages")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        for screen in SCREENS:
            text = show(screen, Path(scratch), options.paths)
            write_between_marks(options.docs / screen.page, screen.part, text, SCRIPT)


def show(screen: Screen, scratch: Path, n_paths: int | None) -> str:
    """Run a command and return its screen as a block, with what it took."""
    named = [] if n_paths is None else ["--paths", str(n_paths)]
    command = [*screen.arguments, *named]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "hemc.cli", *command, "--out", str(scratch / screen.folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"hemc {' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    shown = done.stdout.partition("\nfiles:")[0]  # the folder is temporary
    lines = [line.rstrip() for line in shown.splitlines()]
    machine = describe_machine()
    return "\n".join(
        [
            f"`hemc {' '.join(command)}` took {seconds:.0f} s, everything written "
            f"({machine['processor']}, {machine['cores']} cores, {machine['date']}, kernels "
            f"{machine['kernel_digest']}).",
            "",
            "```text",
            *lines,
            "```",
        ]
    )


if __name__ == "__main__":
    main()
