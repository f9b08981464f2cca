"""What the report needs of a run's manifest.json and summary.json, for their validation."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class _Insurer(BaseModel):
    mode: str


class _Scenario(BaseModel):
    factors: str
    stress_shift: float


class _Outputs(BaseModel):
    band_paths: int


class _RollRates(BaseModel):
    classes: int
    stock_weight: float


class Configuration(BaseModel):
    """The settings that the report speaks about."""

    insurer: _Insurer
    scenario: _Scenario
    outputs: _Outputs
    roll_rates: _RollRates


class Manifest(BaseModel):
    """The parts of manifest.json that the report speaks about; the rest it prints as it is."""

    name: str
    series: str
    group: int | str
    issuer: str
    payment_date: str | None
    first_projected_month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    months: Annotated[int, Field(ge=1)]
    paths: Annotated[int, Field(ge=1)]
    effective_sample_size: float
    largest_identity_residual_usd: float
    warnings: list[str]
    configuration: Configuration


class Headline(BaseModel):
    """A record of summary.json."""

    measure: str
    statistic: str
    value: float
    standard_error: float | None
    unit: str


class Summary(BaseModel):
    """The records of summary.json."""

    records: list[Headline]
