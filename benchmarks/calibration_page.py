"""Verdicts on simulated deals and on a long run → the written parts of docs/calibration.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks.machine import describe_machine

#: Names of the parts of the page that programs write.
STUDY, LONG_RUN = "simulated deals", "long run"


class Family(NamedTuple):
    """The verdict on one length of series and one group of rows."""

    n_certificates: int
    group: str
    n_moves: int
    worst: str  # the move furthest out of its band
    worst_p: float  # p-value of its ranks, before Bonferroni
    passes: bool
    coverage: float  # of 90 % intervals, pooled


class Fitted(Protocol):
    """What the page says about a fit."""

    @property
    def n_certificates(self) -> int: ...

    @property
    def r_hat(self) -> float: ...

    @property
    def effective(self) -> float: ...

    @property
    def seconds(self) -> float: ...


def study_text(fits: Sequence[Fitted], families: Sequence[Family], processes: int) -> str:
    """Return the tables of the study."""
    machine = describe_machine()
    lengths = sorted({fit.n_certificates for fit in fits})
    n_deals = len(fits) // len(lengths)
    minutes = sum(fit.seconds for fit in fits) / 60.0
    lines = [
        f"{n_deals} deals of each length, {len(fits)} fits in {minutes:.0f} minutes of processors, "
        f"{minutes / processes:.0f} on each of {processes} ({machine['processor']}, "
        f"{machine['date']}, kernels {machine['kernel_digest']}).",
        "",
        "| certificates | rows | moves | worst move | its p | needed | 90 % intervals cover |",
        "|---|---|---|---|---|---|---|",
    ]
    for f in families:
        verdict = "" if f.passes else " **fails**"
        lines.append(
            f"| {f.n_certificates} | {f.group} | {f.n_moves} | {f.worst} | {f.worst_p:.4f}{verdict}"
            f" | {0.05 / f.n_moves:.4f} | {100 * f.coverage:.1f} % |"
        )
    outside, covered = sum(not f.passes for f in families), [100 * f.coverage for f in families]
    lines += [
        "",
        f"Of {len(families)} families {outside} are outside; the smallest of their p values is "
        f"{min(f.worst_p for f in families):.4f}, and intervals cover {min(covered):.1f} to "
        f"{max(covered):.1f} %.",
    ]
    lines += ["", "| certificates | seconds a fit | largest split-R̂ (median) | fewest effective "
              "draws (median) |", "|---|---|---|---|"]  # fmt: skip
    for length in lengths:
        chosen = [fit for fit in fits if fit.n_certificates == length]
        lines.append(
            f"| {length} | {sum(f.seconds for f in chosen) / len(chosen):.1f} | "
            f"{_median([f.r_hat for f in chosen]):.3f} | "
            f"{_median([f.effective for f in chosen]):.0f} |"
        )
    return "\n".join(lines)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def write_between_marks(
    page: Path, part: str, text: str, script: str = "scripts/calibration"
) -> None:
    """Replace what stands between the marks of one part of the page that a script writes."""
    begin, end = f"<!-- {part}: written by {script} -->", f"<!-- end of {part} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{page}: no lines '{begin}' and '{end}'")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
