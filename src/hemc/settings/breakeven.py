"""How `hemc breakeven` searches: speeds, ranges, steps and paths."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import Positive

Probability = Annotated[float, Field(gt=0, lt=1)]


class BreakevenSettings(Settings):
    """The desk table's grid and the stochastic search; both use `[vector]` and the run's paths."""

    cdr_step: Annotated[float, Field(ge=0.0001, le=0.1)] = 0.001
    speeds: Annotated[tuple[Positive, ...], Field(min_length=1)] = assumed(
        (0.5, 1.0, 1.5),
        "prepayments of the desk table, multiples of the pricing curve vector.cpr",
        "the market's practice: slower and faster than the pricing speed",
    )
    probabilities: Annotated[tuple[Probability, ...], Field(min_length=1)] = (0.01, 0.05, 0.5)
    paths: Annotated[int, Field(ge=64, le=1_000_000)] = 1_024
    step: Annotated[float, Field(ge=0.001, le=0.5)] = 0.02
    scan_steps: Annotated[int, Field(ge=1, le=1_000)] = 14
    lowest_multiple: Positive = 0.25
    highest_roll_rate: Positive = 8.0
    highest_severity: Positive = 2.0
    highest_shift: Annotated[float, Field(gt=0, le=5)] = 2.0
    shift_step: Annotated[float, Field(ge=0.001, le=0.5)] = 0.005

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lowest_multiple >= min(self.highest_roll_rate, self.highest_severity):
            raise ValueError("'lowest_multiple' below 'highest_roll_rate' and 'highest_severity'")
        return self
