"""A scored certificate → its tables in a run's folder, and the report of the run made anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hemc.outputs.folder import disk_errors, extended_folder

if TYPE_CHECKING:
    from hemc.engine.score import ScoredRun

#: The file that only a finished run has.
_OF_A_RUN = "summary.json"

_ROLL_FORWARD = "roll_forward.parquet"


def write_score(
    scored: ScoredRun, name: str, folder: Path, write_report: Callable[[Path], object]
) -> None:
    """Write score.parquet and roll_forward.parquet; renew the report of a finished run.

    A roll-forward that belongs to another certificate goes. `name` is that of the run.
    """
    with extended_folder(folder, json.dumps({"name": name}) + "\n") as part:
        scored.table.write_parquet(part / "score.parquet")
        if scored.roll_forward is not None:
            scored.roll_forward.write_parquet(part / _ROLL_FORWARD)
    if scored.roll_forward is None:
        with disk_errors(folder):
            (folder / _ROLL_FORWARD).unlink(missing_ok=True)
    if (folder / _OF_A_RUN).is_file():
        write_report(folder)
