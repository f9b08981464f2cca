"""How roll rates are sampled from a series of certificates."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import Count, Positive, Share


class CalibrationSettings(Settings):
    """Size of the sampler's run, and what is believed where certificates are silent."""

    chains: Annotated[int, Field(ge=2, le=64)] = 4
    draws: Annotated[int, Field(ge=100, le=1_000_000)] = 2_500
    sweeps_per_draw: Count = 25
    warm_up: Annotated[float, Field(gt=0, lt=1)] = 0.25
    payoff_mean: Annotated[float, Field(gt=0, lt=1)] = assumed(
        0.05, "prior mean of an interval's payoff rate of current loans, a month", "judgement"
    )
    payoff_pseudo_count: Positive = assumed(
        20.0, "loans that the prior of an interval's payoff rate is worth", "judgement"
    )
    missing_stock_share: Annotated[float, Field(gt=0, lt=0.5)] = assumed(
        0.002,
        "prior mean of a stock that the first certificate does not show, share of its loans",
        "judgement: 38 bankruptcies among 11,116 loans of GMACM 2002-HE4 in July 2003",
    )
    missing_foreclosure_share: Annotated[float, Field(gt=0, lt=0.5)] = assumed(
        0.0002,
        "the same for loans in foreclosure and for REO",
        "judgement: 1 foreclosure, no REO among 11,116 loans of GMACM 2002-HE4 in July 2003",
    )
    opening_pseudo_count: Positive = assumed(
        500.0,
        "loans that the shares of states before a deal's only certificate are worth",
        "judgement: the spread of the 30-day share about that of the prior's mean moves",
    )
    scheduled_share: Share = assumed(
        0.0025,
        "scheduled principal a month, share of the pool",
        "level payments at 8.3 % over the remaining terms of the base tape",
    )
    count_tolerance: Positive = assumed(
        0.30,
        "a loan count counts if (principal − scheduled) / exits is this near the mean balance",
        "measured: within 13 % at every date of GMACM 2002-HE4 and 2003-HE2",
    )
    payoff_count_error: Positive = assumed(
        0.10,
        "relative error of payoffs counted from principal, where loan counts do not count",
        "judgement",
    )
