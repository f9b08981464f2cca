"""How unemployment, house prices and interest rates become shifts, multipliers and an index."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import NotNegative, Positive


class MappingSettings(Settings):
    """Weights on changes from the jump-off quarter, and the way from quarters to months."""

    unemployment_weight: NotNegative = assumed(
        0.08,
        "shift for each percentage point of unemployment above the jump-off, probit units",
        "pinned to bond insurers' second-lien default plateaus of 2010–11",
    )
    house_price_weight: NotNegative = assumed(
        0.009,
        "shift for each per cent by which house prices lie below the jump-off, probit units",
        "pinned to bond insurers' second-lien default plateaus of 2010–11",
    )
    rate_incentive_weight: NotNegative = assumed(
        0.45,
        "log multiplier on payoff hazards for each percentage point of fall of the mortgage rate",
        "judgement",
    )
    refinancing_shut_at_fall: Positive = assumed(
        0.20, "fall of house prices at which refinancing is shut, a fraction", "judgement"
    )
    interpolation: Literal["linear", "step"] = assumed(
        "linear",
        "from quarters to months: linear between ends of quarters, or a quarter's figure in all "
        "its months",
        "judgement",
    )
    return_months: Annotated[int, Field(ge=0, le=360)] = assumed(
        24,
        "months after the last quarter in which shift, multiplier and index go back",
        "judgement",
    )
