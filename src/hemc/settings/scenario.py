"""What moves all loans together, and the stress upon it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import NotNegative, Positive, Share
from hemc.settings.crisis import CrisisSettings
from hemc.settings.index import IndexSetting
from hemc.settings.mapping import MappingSettings
from hemc.settings.multiples import MultipleSettings


class ScenarioSettings(Settings):
    """What moves all loans together, and the stress upon it."""

    file: Path | None = None
    factors: Literal["on", "off"] = "on"
    credit_sd: NotNegative = assumed(
        0.245,
        "stationary standard deviation of the credit factor, probit units",
        "mapping of US unemployment and house prices 1976–2024",
    )
    credit_persistence: Annotated[float, Field(ge=0, lt=1)] = assumed(
        0.985, "persistence of the credit factor a month", "the same mapping, by horizon"
    )
    prepayment_sd: NotNegative = assumed(
        0.25, "stationary standard deviation of the prepayment factor, log hazard", "judgement"
    )
    prepayment_persistence: Annotated[float, Field(ge=0, lt=1)] = assumed(
        0.9, "persistence of the prepayment factor a month", "judgement"
    )
    factor_correlation: Annotated[float, Field(ge=-1, le=1)] = assumed(
        0.0, "correlation of the innovations of credit and prepayment factor", "judgement"
    )
    stress_shift: Annotated[float, Field(ge=-5, le=5)] = assumed(
        0.0,
        "shift of all credit thresholds in all months, probit units, beside the scenario file's",
        "base: no stress",
    )
    prepayment_multiplier: NotNegative | Literal["credit"] = assumed(
        "credit",
        'multiplier on payoff hazards; "credit" lets falling house prices shut refinancing, '
        "where a scenario file has no path of its own",
        "judgement",
    )
    refinancing_floor: Share = assumed(
        0.25, "share of payoffs left when refinancing is shut", "judgement"
    )
    refinancing_shut_at: Positive = assumed(
        0.36, "credit factor plus shift at which refinancing is shut, probit units", "judgement"
    )
    index_rate: Share = assumed(
        0.011, "index of floating classes now, per year; flat without a scenario file", "judgement"
    )
    # By month of the projection, in place of the flat index and of a scenario file's.
    index_path: IndexSetting | None = None
    timing_sd: NotNegative = assumed(
        0.06,
        "standard deviation of a coming certificate's interest for the timing of cash",
        "a business day's collections of 21 more or less (0.05), payoffs that pay up to a month "
        "more and a stale net rate (0.04); measured: 0.91–1.07 of net rate × balance",
    )
    timing_level_share: Annotated[float, Field(gt=0, lt=1)] = assumed(
        0.4,
        "share of that variance that is a deal's own and lasts; its certificates inform it",
        "payoffs and net rate beside the business day",
    )
    timing_months: Annotated[float, Field(gt=2)] = assumed(
        4.0,
        "months that the rest of that variance is worth; a deal's certificates inform it",
        "judgement: months of one deal scatter by 0.01, of another by 0.06",
    )
    mapping: MappingSettings = MappingSettings()
    crisis: CrisisSettings = CrisisSettings()
    multiples: MultipleSettings = MultipleSettings()
