"""Size of a run and how its paths are drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from hemc.inputs.toml import Settings, assumed

Seed = Annotated[int, Field(ge=0, lt=2**64)]

#: Consecutive paths that a sampling method draws together: the unit of its standard errors.
UNIT_PATHS = {
    "plain": 1, "antithetic": 2, "strata": 64, "sobol": 128, "two-level": 1, "importance": 1,
}  # fmt: skip


class TargetSettings(Settings):
    """A figure of measures.parquet and the relative standard error at which the run may stop."""

    measure: str
    statistic: str
    relative_error: Annotated[float, Field(gt=0, lt=1)]


class SimulationSettings(Settings):
    """Size of the run; only sampling, paths, target and seed change a result."""

    method: Literal["event-driven", "month-stepping", "large-pool"] = "event-driven"
    sampling: Literal["plain", "antithetic", "strata", "sobol", "two-level", "importance"] = "plain"
    paths: Annotated[int, Field(ge=1, le=2**31, validate_default=True)] = 10_000
    target: TargetSettings | None = None
    seed: Seed = 20040225
    # Of the loans' own draws where they are not to be the seed's: factors stay the same.
    loan_seed: Seed | None = None
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    block_paths: Annotated[int, Field(ge=64, le=65_536, multiple_of=64)] = 128
    oracle_paths: Annotated[int, Field(ge=0, le=65_536)] = 256
    tail_probability: Annotated[float, Field(ge=1e-9, le=0.5)] = assumed(
        0.001, 'tail of lifetime losses that sampling = "importance" aims at', "judgement"
    )
    unshifted_share: Annotated[float, Field(gt=0, le=1)] = assumed(
        0.1,
        'share of paths that "importance" leaves unshifted; no weight exceeds 1 / share',
        "judgement: a defensive mixture (Hesterberg 1995) of weights up to 10",
    )
    tail_months: Annotated[int, Field(ge=0, le=360)] = assumed(
        60, "months after the last maturity in which frozen loans resolve", "judgement"
    )

    @field_validator("sampling")
    @classmethod
    def _two_different_levels(cls, sampling: str, info: ValidationInfo) -> str:
        """Refuse two levels of which both are large pools."""
        if sampling == "two-level" and info.data.get("method") == "large-pool":
            raise ValueError("A simulated pool (simulation.method) beside the large one")
        return sampling

    @field_validator("target")
    @classmethod
    def _target_while_simulating(
        cls, target: TargetSettings | None, info: ValidationInfo
    ) -> TargetSettings | None:
        """Refuse a target where the mean is made only after the last path."""
        if target is not None and info.data.get("sampling") == "two-level":
            raise ValueError("No target with sampling = 'two-level', made after the last path")
        return target

    @field_validator("paths")
    @classmethod
    def _whole_units(cls, paths: int, info: ValidationInfo) -> int:
        """Refuse a number of paths that would cut a unit in two."""
        method = info.data.get("sampling", "plain")  # missing where it is at fault itself
        unit = UNIT_PATHS[method]
        if paths % unit:
            fewer = paths // unit * unit
            near = f"{fewer} or {fewer + unit}" if fewer else str(unit)
            raise ValueError(f"A multiple of {unit} with sampling = '{method}', such as {near}")
        return paths

    @property
    def seed_of_loans(self) -> int:
        """Seed of what loans draw on their own."""
        return self.seed if self.loan_seed is None else self.loan_seed

    @property
    def unit_paths(self) -> int:
        """Number of consecutive paths in the independent unit of standard errors."""
        return UNIT_PATHS[self.sampling]
