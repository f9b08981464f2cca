"""What is kept beside the measures."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hemc.inputs.toml import Settings


class OutputSettings(Settings):
    """What is kept beside the measures."""

    band_paths: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    sensitivity_paths: Annotated[int, Field(ge=0, le=1_000_000)] = 256
