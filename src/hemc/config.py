"""A run's configuration: TOML → validated, frozen settings; each assumption names its source.

The defaults are those of configs/base.toml, which lists every key with its unit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from hemc.errors import InputError
from hemc.inputs.tape import TapeSettings
from hemc.inputs.toml import Settings, assumed, read_toml, validate

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Inputs(Settings):
    """Documents of the run; paths are relative to the configuration file."""

    certificate: Path
    deal: Path
    product: Path


class RollRateSettings(Settings):
    """How the one certificate updates the product's prior."""

    classes: Annotated[int, Field(ge=1, le=2)] = assumed(
        1,
        "latent classes of loans, 1 or 2 (movers and chronic)",
        "judgement: 1 until data of the deal fit a second",
    )
    stock_weight: Share = assumed(
        0.25,
        "weight of the reported stocks as evidence on flows, which holds under stationarity only",
        "judgement: stocks of a young pool still grow",
    )
    draws: Annotated[int, Field(ge=1_000, le=1_000_000)] = 20_000
    seasoning_peak: Positive = assumed(
        1.5,
        "multiplier on current → 30 at the end of the seasoning ramp",
        "judgement; measured: the 30-day share of GMACM 2002-HE4 doubled in seven months",
    )
    seasoning_months: Count = assumed(18, "months of the seasoning ramp, from 1", "judgement")
    chronic_share: Share = assumed(
        0.4,
        "share of chronic loans in every delinquent state, bankruptcy and foreclosure (2 classes)",
        "shape of 65.7 million moves of 2014 first liens",
    )
    chronic_share_current: Share = assumed(
        0.04, "share of chronic loans among current ones (2 classes)", "judgement"
    )
    chronic_to_30: Share = assumed(
        0.025, "current → 30 of a chronic loan a month (2 classes)", "judgement"
    )
    chronic_improving: Share = assumed(
        0.2, "multiplier on improving moves of chronic loans (2 classes)", "2014 first-lien counts"
    )
    chronic_staying: Positive = assumed(
        1.5,
        "multiplier on staying of chronic loans, while worsening keeps its share (2 classes)",
        "2014 first-lien counts",
    )


class PrepaymentSettings(Settings):
    """Payoff of current loans over time; delinquent states follow the same curve."""

    cpr: Annotated[float, Field(ge=0, lt=1)] | Literal["certificate"] = assumed(
        "certificate",
        'CPR now, per year, net of schedule; "certificate" takes it from the principal flow',
        "the certificate",
    )
    long_run_cpr: Annotated[float, Field(ge=0, lt=1)] = assumed(
        0.22, "CPR that the present one decays to, per year", "judgement"
    )
    half_life_months: Positive = assumed(12.0, "months in which the gap halves", "judgement")


class LossSettings(Settings):
    """What a charged-off loan loses and what comes back later."""

    settled_share: Share = assumed(
        0.10, "share of charge-offs that settle for less than the balance", "judgement"
    )
    settled_beta: tuple[Positive, Positive] = assumed(
        (4.0, 3.0), "beta distribution of the severity of settled charge-offs", "judgement"
    )
    foreclosure_beta: tuple[Positive, Positive] = assumed(
        (6.0, 1.5), "beta distribution of the severity from foreclosure and REO", "judgement"
    )
    lumpiness: NotNegative = assumed(
        4.0,
        "shape of the gamma common to all charge-offs of a month; 0 switches it off",
        "judgement from the uneven losses of GMACM 2002-HE4",
    )
    recovery_monthly: Share = assumed(
        0.0025,
        "recoveries a month as a share of what was charged off in the recovery window",
        "measured 0.06 % on 2003-HE2 and 0.41 % on 2002-HE4",
    )
    recovery_months: Count = assumed(36, "months a charge-off goes on recovering", "judgement")
    bankruptcy_paying_share: Share = assumed(
        0.0, "share of loans in bankruptcy that pay an instalment a month", "judgement"
    )


class ScenarioSettings(Settings):
    """What moves all loans together, and the stress upon it."""

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
        0.0, "deterministic shift of all credit thresholds, probit units", "base: no stress"
    )
    prepayment_multiplier: NotNegative | Literal["credit"] = assumed(
        "credit",
        'multiplier on payoff hazards; "credit" lets falling house prices shut refinancing',
        "judgement",
    )
    refinancing_floor: Share = assumed(
        0.25, "share of payoffs left when refinancing is shut", "judgement"
    )
    refinancing_shut_at: Positive = assumed(
        0.36, "credit factor plus shift at which refinancing is shut, probit units", "judgement"
    )
    index_rate: Share = assumed(0.011, "index of floating classes, per year, flat", "judgement")
    timing_sd: NotNegative = assumed(
        0.06,
        "standard deviation of the next certificate's interest for the timing of cash",
        "measured: 0.91–1.07 of net rate × balance on GMACM 2002-HE4",
    )


class InsurerSettings(Settings):
    """Whether the insurer pays in the wrapped pass, and how draws are discounted."""

    mode: Literal["performing", "absent"] = assumed(
        "performing", "the insurer in the wrapped pass", "judgement"
    )
    discount_rate: Share = assumed(
        0.04, "discount rate of draws, per year, compounded monthly", "judgement"
    )


#: Consecutive paths that a sampling method draws together: the unit of its standard errors.
UNIT_PATHS = {"plain": 1, "antithetic": 2, "strata": 64, "sobol": 128, "two-level": 1}


class TargetSettings(Settings):
    """A figure of measures.parquet and the relative standard error at which the run may stop."""

    measure: str
    statistic: str
    relative_error: Annotated[float, Field(gt=0, lt=1)]


class SimulationSettings(Settings):
    """Size of the run; only sampling, paths, target and seed change a result."""

    method: Literal["event-driven", "month-stepping", "large-pool"] = "event-driven"
    sampling: Literal["plain", "antithetic", "strata", "sobol", "two-level"] = "plain"
    paths: Annotated[int, Field(ge=1, le=2**31, validate_default=True)] = 10_000
    target: TargetSettings | None = None
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 20040225
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    block_paths: Annotated[int, Field(ge=64, le=65_536, multiple_of=64)] = 64
    oracle_paths: Annotated[int, Field(ge=0, le=65_536)] = 256
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
    def unit_paths(self) -> int:
        """Number of consecutive paths in the independent unit of standard errors."""
        return UNIT_PATHS[self.sampling]


class OutputSettings(Settings):
    """What is kept beside the measures."""

    band_paths: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    sensitivity_paths: Annotated[int, Field(ge=0, le=1_000_000)] = 256


class Config(Settings):
    """A whole run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    inputs: Inputs
    tape: TapeSettings = TapeSettings()
    roll_rates: RollRateSettings = RollRateSettings()
    prepayment: PrepaymentSettings = PrepaymentSettings()
    loss: LossSettings = LossSettings()
    scenario: ScenarioSettings = ScenarioSettings()
    insurer: InsurerSettings = InsurerSettings()
    simulation: SimulationSettings = SimulationSettings()
    outputs: OutputSettings = OutputSettings()


class Assumption(NamedTuple):
    """A named assumption of a run: where its value was set, what it rests on, what it means."""

    name: str
    value: str
    where_set: str
    source: str
    meaning: str


class LoadedConfig(NamedTuple):
    """A configuration with the file it came from and the keys that the caller set over it."""

    config: Config
    file: Path
    overrides: tuple[str, ...]
    keys_in_file: frozenset[str]

    def path(self, relative: Path) -> Path:
        """Return an input's path; relative ones start at the configuration file."""
        return self.file.parent / relative

    def assumptions(self) -> Iterator[Assumption]:
        """Yield every setting that is an assumption."""
        for name, value, field in _walk(self.config, ""):
            extra = field.json_schema_extra
            if isinstance(extra, dict) and "source" in extra:
                where = self._where(name)
                source = str(extra["source"])
                yield Assumption(name, _text(value), where, source, field.description)

    def _where(self, name: str) -> str:
        """Tell where a key, or one inside it, was set."""
        if any(key == name or key.startswith(f"{name}.") for key in self.overrides):
            return "command line"
        in_file = any(key == name or key.startswith(f"{name}.") for key in self.keys_in_file)
        return self.file.name if in_file else "default"


def load_config(file: Path, overrides: dict[str, str] | None = None) -> LoadedConfig:
    """Read a configuration; `overrides` maps dotted keys to TOML values as text.

    Raises InputError with every fault of the file, or with the key that does not exist.
    """
    values = read_toml(file, "a configuration (configs/base.toml is a complete one)")
    in_file = frozenset(_leaves(values, ""))
    for key, text in (overrides or {}).items():
        _set(values, key, text)
    return LoadedConfig(validate(Config, values, file), file, tuple(overrides or ()), in_file)


def _set(values: dict[str, Any], key: str, text: str) -> None:
    """Set a dotted key; the text is a TOML value, or a bare word taken as a string."""
    *sections, last = key.split(".")
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise InputError("--set", key, f"'{section}', which is no section", "section.key=value")
        values = inner
    try:
        values[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        values[last] = text


def _leaves(values: dict[str, Any], prefix: str) -> Iterator[str]:
    """Yield the dotted names of all values of a parsed TOML file."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _walk(settings: BaseModel, prefix: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield dotted name, value and field of every leaf setting."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel) and field.json_schema_extra is None:
            yield from _walk(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, field


def _text(value: object) -> str:
    """Return a setting's value for people: lists and records without Python's decoration."""
    if isinstance(value, BaseModel):
        return ", ".join(f"{k} {v}" for k, v in value.model_dump().items())
    if isinstance(value, tuple | list):
        return "; ".join(_text(v) for v in value)
    return str(value)
