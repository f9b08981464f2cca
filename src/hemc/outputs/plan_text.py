"""What a command would do → a few lines for the console, or a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemc.printable import printable

if TYPE_CHECKING:
    from hemc.engine.plan import Plan

_UNITS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_COMPILING = "compiling kernels, once, takes up to half a minute more"


def plan_record(plan: Plan, folder: Path) -> dict[str, Any]:
    """Return the plan for machines."""
    return {
        "title": plan.title, "folder": folder, "paths": dict(plan.parts),
        "months": plan.n_months, "loans": plan.n_loans, "threads": plan.n_threads,
        "kernels_compiled": not plan.is_cold, "seconds": round(plan.seconds, 2),
        "seconds_to_prepare": round(plan.seconds_to_prepare, 2),
        "seconds_a_path": plan.seconds_a_path, "bytes_a_path": round(plan.bytes_a_path),
    }  # fmt: skip


def render_plan(plan: Plan, folder: Path) -> str:
    """Return what would run, its size and its time."""
    widest = max(len(name) for name in plan.parts)
    own = plan.parts[next(iter(plan.parts))]
    lines = [
        plan.title,
        *(f"  {name:<{widest}}  {n:>12,} paths" for name, n in plan.parts.items()),
        f"of {plan.n_months} months × {plan.n_loans:,} loans: "
        f"{_large(plan.n_paths * plan.n_months * plan.n_loans)} loan-months",
        f"about {_duration(plan.seconds)} on {plan.n_threads} threads "
        f"({plan.seconds_to_prepare:.1f} s to prepare, {1e3 * plan.seconds_a_path:.2g} ms a path "
        "as timed now),",
        "and some seconds for tables and report" + (f"; {_COMPILING}" if plan.is_cold else ""),
        f"at most {max(own * plan.bytes_a_path / 1e6, 0.1):,.1f} MB of paths in {folder}",
        "nothing was run or written",
    ]
    return printable("\n".join(lines) + "\n")


def _large(number: float) -> str:
    """Return a large number in words."""
    for size, word in _UNITS:
        if number >= size:
            return f"{number / size:.1f} {word}"
    return f"{number:,.0f}"


def _duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90.0:
        return f"{max(seconds, 1.0):.0f} s"
    if seconds < 5_400.0:
        return f"{seconds / 60.0:.0f} minutes"
    return f"{seconds / 3_600.0:.1f} hours"
