"""A made panel of known rates, read back, and the fit to the shipped counts → docs/panel.md."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import split_at_marks, write_between
from benchmarks.machine import describe_machine
from benchmarks.made_panel import known_rates, make_parts, write_panel
from benchmarks.page import table
from hemc.inputs.move_counts import Counts, read_move_counts
from hemc.inputs.product import read_product
from hemc.model.two_class_fit import fit_two_classes, observed_rates, rates_of_one_class
from hemc.outputs.panel_text import fit_screen
from hemc.states import N_LIVE

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "panel.md"
BEGIN = "<!-- written by scripts/panel -->"
PRODUCT = ROOT / "configs" / "products" / "closed-end-second-2003.toml"
COUNTS = ROOT / "configs" / "counts" / "first-liens-2014.csv"
_GB_PER_MB = 2**20 / 1e9  # launch.py counts in 2^20 bytes
LAYOUTS = {"plain": "Parquet: loan, month, status, balance", "freddie": "Freddie Mac text"}


class Reading(NamedTuple):
    """How a made panel was read."""

    gigabytes: float
    made_seconds: float
    seconds: float
    cpu_seconds: float
    peak_gb: float
    counts_equal: bool
    largest_z: dict[int, float]  # of rates against the known ones, by months


def main(arguments: Sequence[str] | None = None) -> None:
    """Make, read, fit, and write what stands between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000, help="of each panel")
    parser.add_argument("--folder", type=Path, help="for the panels (default: a temporary one)")
    parser.add_argument("--page", type=Path, default=PAGE, help="page that is written")
    options = parser.parse_args(arguments)
    split_at_marks(options.page, BEGIN)
    readings = {name: measure(name, options.rows, options.folder) for name in LAYOUTS}
    text = "\n\n".join([scale_text(options.rows, readings), fit_text()])
    write_between(options.page, text, BEGIN)


def measure(layout: str, n_rows: int, parent: Path | None) -> Reading:
    """Make a panel, read it in a process of its own, compare, and delete it."""
    rates = known_rates(read_product(PRODUCT))
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        start = time.perf_counter()
        truth = write_panel(make_parts(rates, n_rows, seed=1), folder, layout)
        made = time.perf_counter() - start
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e9
        used = _read_in_process(folder)
        counts = read_move_counts(folder / "counts").counts
    return Reading(
        size, made, used["seconds"], used["cpu_seconds"], used["peak_mb"] * _GB_PER_MB,
        bool((counts[1] == truth).all()),
        {months: largest_z(table, rates, months) for months, table in counts.items()},
    )  # fmt: skip


def _read_in_process(folder: Path) -> dict[str, float]:
    """Count the panel by the command line; seconds and memory of the process."""
    launch, result = Path(__file__).parent / "launch.py", folder / "usage"
    command = [
        "-m",
        "hemc.cli",
        "panel",
        "count",
        str(folder / "part-*"),
        "--out",
        str(folder / "counts"),
    ]
    subprocess.run(
        [sys.executable, str(launch), str(result), sys.executable, *command],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    used: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))
    if used["exit_code"]:
        raise SystemExit(f"panel count ended with {used['exit_code']:.0f}")
    return used


def largest_z(counts: Counts, rates: NDArray[np.float64], months: int) -> float:
    """Return the largest distance of an observed rate from the known one, in standard errors.

    Cells with fewer than 30 expected moves are left out. Moves over several months overlap, which
    makes rates vary more than the binomial error says.
    """
    known = rates_of_one_class(rates[:N_LIVE], months)
    total = counts.sum(axis=1, keepdims=True)
    enough = (total * known >= 30) & (total * (1.0 - known) >= 30)
    error = np.sqrt(known * (1.0 - known) / np.maximum(total, 1))
    return float((np.abs(observed_rates(counts) - known)[enough] / error[enough]).max())


def scale_text(n_rows: int, readings: dict[str, Reading]) -> str:
    """Return the table of the made panels."""
    machine = describe_machine()
    head = (
        f"{n_rows:,} rows, made with known rates (`scripts/panel`), read by `hemc panel count` on "
        f"{machine['cores']} cores, {machine['processor']}, {machine['date']}. *Counts equal*: "
        "every one-month count is that of the simulation. *Largest z*: of the rates against the "
        "known ones, in binomial standard errors, over cells with 30 expected moves and more; "
        "overlapping moves over several months vary by more than that."
    )
    columns = (
        "layout", "GB on disk", "made in s", "read in s", "processor s", "peak memory GB",
        "counts equal", "largest z, 1 month", "6 months",
    )  # fmt: skip
    rows = [
        (
            LAYOUTS[name], f"{r.gigabytes:.2f}", f"{r.made_seconds:.0f}", f"{r.seconds:.0f}",
            f"{r.cpu_seconds:.0f}", f"{r.peak_gb:.2f}", "yes" if r.counts_equal else "NO",
            f"{r.largest_z[1]:.1f}", f"{r.largest_z[6]:.1f}",
        ) for name, r in readings.items()
    ]  # fmt: skip
    return f"### Size\n\n{head}\n\n{table(columns, rows)}"


def fit_text() -> str:
    """Return the two-class fit to the shipped counts as the command prints it."""
    moves = read_move_counts(COUNTS)
    fit = fit_two_classes(moves.counts, read_product(PRODUCT).order)
    return f"### Fit to the shipped counts\n\n```text\n{fit_screen(moves, fit)}\n```"


if __name__ == "__main__":
    main()
