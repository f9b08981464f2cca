"""Size of a backtest."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hemc.inputs.toml import Settings


class BacktestSettings(Settings):
    """Size of a backtest; what is believed comes from the other sections."""

    paths: Annotated[int, Field(ge=100, le=1_000_000)] = 1_000
