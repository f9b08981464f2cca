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
    posterior: str | None = None


class Weights(BaseModel):
    """What the weights of paths are worth."""

    effective: float
    largest_share: float
    tail_probability: float
    tail_effective: float


class Sampled(BaseModel):
    """How the paths were drawn."""

    method: str
    unit_paths: Annotated[int, Field(ge=1)]
    units: Annotated[int, Field(ge=0)]
    weights: Weights | None = None


class Target(BaseModel):
    """The figure that the run was to know to a relative standard error, and what it reached."""

    measure: str
    statistic: str
    relative_error: float
    reached: float | None
    met: bool
    most_paths: int


class Oracle(BaseModel):
    """How far simulated flows of some paths are from their expectation, in standard errors."""

    paths: int
    largest_z: float | None


class Scenario(BaseModel):
    """The scenario file of the run."""

    name: str
    meaning: str
    source: str


class Replay(BaseModel):
    """The highest shift of a replayed history."""

    name: str
    highest_shift: float
    month: int


class FactorForm(BaseModel):
    """The credit factor with or without crises beside history."""

    crises: bool
    sd: list[float]
    share_below_replay: float
    asset_correlation: float


class CreditFactor(BaseModel):
    """Both forms of the credit factor beside history; `crises` tells which one ran."""

    crises: bool
    replay: Replay
    months: list[int]
    history_sd: list[float]
    forms: list[FactorForm]


class Quote(BaseModel):
    """At what a class is valued; each is absent where it does not apply."""

    note: str
    clean_price: float | None  # % of balance
    accrued_interest: float  # % of balance
    bond_equivalent_yield: float | None  # per year
    discount_margin: float | None  # per year


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
    step_down: str | None = None  # month YYYY-MM, or "none"
    first_projected_month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    months: Annotated[int, Field(ge=1, le=10_000)]
    paths: Annotated[int, Field(ge=1, le=2**31)]
    sampling: Sampled
    effective_sample_size: float
    effective_sample_size_of_weights: float
    independent_paths: int | None
    target: Target | None
    largest_identity_residual_usd: float
    oracle: Oracle | None = None
    scenario: Scenario | None = None
    credit_factor: CreditFactor | None = None
    quotes: list[Quote]
    warnings: list[str]
    configuration: Configuration


class Headline(BaseModel):
    """A record of summary.json."""

    measure: str
    insurer: str | None = None
    statistic: str
    value: float
    standard_error: float | None
    unit: str


class Summary(BaseModel):
    """The records of summary.json."""

    records: list[Headline]
