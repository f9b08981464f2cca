"""A backtest → its table in a run's folder, and the report of the run where there is one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hemc.outputs.folder import extended_folder

if TYPE_CHECKING:
    from hemc.engine import BacktestResult

#: The file that only a finished run has.
_OF_A_RUN = "summary.json"


def write_backtest(
    result: BacktestResult, name: str, folder: Path, write_report: Callable[[Path], Path]
) -> None:
    """Write backtest.parquet of the configuration `name`; renew the report of a finished run."""
    with extended_folder(folder, json.dumps({"name": name}) + "\n") as part:
        result.table.write_parquet(part / "backtest.parquet")
    if (folder / _OF_A_RUN).is_file():
        write_report(folder)
