"""The demonstration of fifty deals, timed, and a larger book on paper → docs/portfolio.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.accuracy import split_at_marks, write_between
from benchmarks.command_speed import ROOT, launch
from benchmarks.machine import describe_machine
from benchmarks.made_portfolio import FILE
from benchmarks.page import table
from hemc.engine.run_model import LONGEST_HORIZON
from hemc.outputs.numbers import show_estimate
from hemc.outputs.portfolio_text import headline_label

PAGE = ROOT / "docs" / "portfolio.md"
BEGIN = "<!-- written by scripts/portfolio -->"

#: The book on paper: deals, paths, cores.
_DEALS, _PATHS, _CORES = 5_000, 100_000, 64
_DOUBLE = 8  # bytes


class Timed(NamedTuple):
    """One run of the demonstration in a process of its own."""

    paths: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    folder_mb: float
    manifest: dict[str, Any]
    headlines: list[dict[str, Any]]

    @property
    def deals(self) -> int:
        """Number of deals that ran."""
        return len(self.manifest["deals"])


class Rates(NamedTuple):
    """What a deal takes, from two runs of different length."""

    fixed: float  # processor seconds a deal, whatever the paths
    path: float  # processor seconds a path of a deal
    stored: float  # bytes a path of a deal
    months: float  # mean horizon


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the demonstration twice and write what stands between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=10_000, help="of every deal (default: 10000)")
    parser.add_argument("--page", type=Path, default=PAGE, help="page that is written")
    options = parser.parse_args(arguments)
    split_at_marks(options.page, BEGIN)
    short, whole = (run(n) for n in (max(options.paths // 10, 64), options.paths))
    text = "\n\n".join([measured_text(whole), paper_text(rates(short, whole), whole)])
    write_between(options.page, text, BEGIN)


def run(n_paths: int) -> Timed:
    """Run the demonstration as a person does."""
    with TemporaryDirectory() as folder:
        out = Path(folder, "run")
        command = ["portfolio", str(FILE), "--paths", str(n_paths), "--out", str(out), "--quiet"]
        record = launch([sys.executable, "-m", "hemc.cli", *command])
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        headlines = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        size = sum(file.stat().st_size for file in (out / "deals").iterdir()) / 1e6
    return Timed(
        n_paths, record["seconds"], record["cpu_seconds"], record["peak_mb"], size, manifest,
        headlines,
    )  # fmt: skip


def rates(short: Timed, whole: Timed) -> Rates:
    """Tell what a path costs from what a deal costs once."""
    more = whole.deals * (whole.paths - short.paths)
    path = (whole.cpu_seconds - short.cpu_seconds) / more
    fixed = short.cpu_seconds / short.deals - path * short.paths
    months = sum(deal["n_months"] for deal in whole.manifest["deals"]) / whole.deals
    return Rates(fixed, path, 1e6 * whole.folder_mb / whole.deals / whole.paths, months)


def measured_text(whole: Timed) -> str:
    """Return time, memory and figures of the demonstration."""
    machine, manifest = describe_machine(), whole.manifest
    again = manifest["paths_run_again"] / whole.deals / whole.paths
    stages = ", ".join(f"{name} {s:.0f} s" for name, s in manifest["seconds"].items())
    head = (
        f"{whole.deals} deals × {whole.paths:,} paths on {manifest['threads']} cores "
        f"({machine['processor']}, {machine['date']}, kernels `{machine['kernel_digest']}`): "
        f"{whole.seconds:.0f} s ({stages}), {whole.cpu_seconds:.0f} s of processors, at most "
        f"{whole.peak_mb:.0f} MB resident, {whole.folder_mb:.0f} MB of paths by deal; "
        f"{100.0 * again:.1f} % of the paths of deals were run again since the insurer fails on "
        "them or beside them."
    )
    rows = []
    for row in whole.headlines:
        shown = show_estimate(row, whole.paths)
        if row["unit"] == "USD":
            error = row["standard_error"]
            shown = f"{row['value'] / 1e6:,.1f}"
            shown += f" ± {error / 1e6:,.1f} USD million" if error else " USD million"
        rows.append((headline_label(row), shown))
    return f"{head}\n\n{table(('figure', 'value ± standard error'), rows)}"


def paper_text(found: Rates, whole: Timed) -> str:
    """Return what 5,000 deals × 100,000 paths would take, from the measured rates."""
    simulated = _DEALS * _PATHS * found.path / 3600.0
    prepared = _DEALS * found.fixed / 3600.0
    claims = _PATHS * found.months * _DOUBLE
    memory = (_PATHS * LONGEST_HORIZON * _DOUBLE + 2.0 * claims) / 1e9 + whole.peak_mb / 1e3
    hours = prepared + simulated / _CORES
    rows = [
        ("processor time a path of a deal, measured", f"{1e3 * found.path:.3f} ms"),
        ("processor time a deal before its first path, measured", f"{found.fixed:.2f} s"),
        ("simulation and both passes of the notes", f"{simulated:.0f} core-hours"),
        ("reading, calibrating and compiling, one deal after the other", f"{prepared:.1f} hours"),
        (f"wall time with {_CORES} cores on workers", f"{hours:.1f} hours"),
        ("memory of the leading process", f"{memory:.1f} GB"),
        ("claims by month that workers send to it", f"{_DEALS * claims / 1e12:.1f} TB, "
         f"{_DEALS * claims / 1e9 / (3600.0 * hours):.2f} GB/s"),
        ("paths by deal on disk", f"{_DEALS * _PATHS * found.stored / 1e9:.0f} GB"),
    ]  # fmt: skip
    return f"On paper, {_DEALS:,} deals × {_PATHS:,} paths at these rates:\n\n" + table(
        ("what", "takes"), rows
    )


if __name__ == "__main__":
    main()
