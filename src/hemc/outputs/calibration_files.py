"""A calibration → its files in a run's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hemc.outputs.calibration_tables import (
    calibrated_roll_rates,
    diagnostics_table,
    posterior_table,
)
from hemc.outputs.folder import extended_folder

if TYPE_CHECKING:
    from hemc.engine import PosteriorCalibration


def write_calibration(calibration: PosteriorCalibration, name: str, folder: Path) -> pl.DataFrame:
    """Write roll_rates, posterior and diagnostics of the run `name`; return the first."""
    rates = calibrated_roll_rates(calibration)
    with extended_folder(folder, json.dumps({"name": name}) + "\n") as part:
        rates.write_parquet(part / "roll_rates.parquet")
        table = posterior_table(calibration.posterior, calibration.digest)
        table.write_parquet(part / "posterior.parquet")
        diagnostics_table(calibration.posterior).write_parquet(part / "diagnostics.parquet")
    return rates
