"""A rare, long crisis on top of the Gaussian credit factor."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import Count, NotNegative, Positive

_MONTHS = "shape of unemployment and house prices from 2006 to 2014"


class CrisisSettings(Settings):
    """When crises arrive, how high they reach and how they pass."""

    component: Literal["off", "on"] = assumed(
        "off",
        "crises beside the Gaussian factor, whose deviation is then reduced to keep that of both",
        "base: the Gaussian factor alone",
    )
    months_between: Annotated[float, Field(ge=1)] = assumed(
        480.0, "mean months between arrivals", "judgement: two in eighty years"
    )
    lowest_peak: NotNegative = assumed(
        0.4, "lowest peak, probit units; peaks are uniform", "judgement"
    )
    highest_peak: NotNegative = assumed(
        0.75, "highest peak, probit units", "judgement; the mapped history peaks at 0.75"
    )
    months_up: Count = assumed(30, "months from arrival to peak", _MONTHS)
    months_flat: Annotated[int, Field(ge=0)] = assumed(12, "months at the peak", _MONTHS)
    half_life_months: Positive = assumed(24.0, "months in which what is left halves", _MONTHS)

    @model_validator(mode="after")
    def _peaks_in_order(self) -> Self:
        if self.lowest_peak > self.highest_peak:
            raise ValueError("'highest_peak' not below 'lowest_peak'")
        return self
