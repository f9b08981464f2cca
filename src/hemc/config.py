"""A run's configuration: TOML → validated, frozen settings; each assumption names its source.

The defaults are those of configs/base.toml, which lists every key with its unit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field

from hemc.errors import InputError
from hemc.inputs.scenario_file import ScenarioFile, read_scenario_file
from hemc.inputs.tape import TapeSettings
from hemc.inputs.toml import Settings, read_toml, validate
from hemc.settings.backtest import BacktestSettings
from hemc.settings.breakeven import BreakevenSettings
from hemc.settings.calibration import CalibrationSettings
from hemc.settings.insurer import InsurerSettings
from hemc.settings.outputs import OutputSettings
from hemc.settings.pool import LossSettings, PrepaymentSettings
from hemc.settings.roll_rates import RollRateSettings
from hemc.settings.scenario import ScenarioSettings
from hemc.settings.sensitivities import SensitivitySettings
from hemc.settings.simulation import SimulationSettings
from hemc.settings.valuation import ValuationSettings
from hemc.settings.vector import VectorSettings


class Inputs(Settings):
    """Documents of the run; paths are relative to the configuration file."""

    certificate: Path
    deal: Path
    product: Path
    latent_classes: Path | None = None


class Config(Settings):
    """A whole run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    inputs: Inputs
    tape: TapeSettings = TapeSettings()
    roll_rates: RollRateSettings = RollRateSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    backtest: BacktestSettings = BacktestSettings()
    prepayment: PrepaymentSettings = PrepaymentSettings()
    loss: LossSettings = LossSettings()
    scenario: ScenarioSettings = ScenarioSettings()
    insurer: InsurerSettings = InsurerSettings()
    valuation: ValuationSettings = ValuationSettings()
    simulation: SimulationSettings = SimulationSettings()
    outputs: OutputSettings = OutputSettings()
    vector: VectorSettings = VectorSettings()
    breakeven: BreakevenSettings = BreakevenSettings()
    sensitivities: SensitivitySettings = SensitivitySettings()


class Assumption(NamedTuple):
    """A named assumption of a run: where its value was set, what it rests on, what it means."""

    name: str
    value: str
    where_set: str
    source: str
    meaning: str


class LoadedConfig(NamedTuple):
    """A configuration with the file it came from and the keys that were set over it.

    A scenario file sets keys over the configuration, the caller over both.
    """

    config: Config
    file: Path
    values: dict[str, Any]  # of the file
    overrides: dict[str, Any]  # dotted keys that the caller set
    scenario: ScenarioFile | None = None

    def path(self, relative: Path) -> Path:
        """Return an input's path; relative ones start at the configuration file."""
        return self.file.parent / relative

    @property
    def scenario_path(self) -> Path | None:
        """Path of the scenario file, None without one."""
        name = self.config.scenario.file
        return None if name is None else self.path(name)

    def replaced(self, overrides: Mapping[str, Any]) -> LoadedConfig:
        """Return the configuration with further dotted keys set by the caller, checked again."""
        return _resolve(self.file, self.values, {**self.overrides, **overrides})

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
        path = self.scenario_path
        places = [
            ("command line", tuple(self.overrides)),
            (self.file.name, tuple(_leaves(self.values, ""))),
        ]
        if self.scenario is not None and path is not None:
            places.insert(1, (path.name, tuple(_leaves(self.scenario.settings, ""))))
        for place, keys in places:
            if any(key == name or key.startswith(f"{name}.") for key in keys):
                return place
        return "default"


def load_config(
    file: Path,
    overrides: Mapping[str, Any] | None = None,
    sections: Mapping[str, dict[str, Any]] | None = None,
) -> LoadedConfig:
    """Read a configuration; `overrides` maps dotted keys to values, or to TOML values as text.

    `sections` stand in place of the file's own. Raises InputError with every fault of the file,
    or with the key that does not exist.
    """
    values = read_toml(file, "a configuration (configs/base.toml is a complete one)")
    return _resolve(file, {**values, **(sections or {})}, overrides or {})


def _resolve(file: Path, values: dict[str, Any], overrides: Mapping[str, Any]) -> LoadedConfig:
    """Lay the scenario file and the caller's keys over a configuration's values."""
    config = validate(Config, overridden(values, overrides), file)
    scenario = None
    if config.scenario.file is not None:
        path = file.parent / config.scenario.file
        scenario = read_scenario_file(path)
        changed = overridden(_merged(values, scenario.settings), overrides)
        # The configuration is good by itself, so that a fault here is the scenario file's.
        config = validate(_Changed, {"settings": changed}, path).settings
    return LoadedConfig(config, file, values, dict(overrides), scenario)


class _Changed(Settings):
    """A configuration as a scenario file changes it."""

    settings: Config


def _merged(values: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return values with others over them, section by section."""
    merged = dict(values)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def overridden(values: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with the caller's keys set."""
    values = deepcopy(values)
    for key, value in overrides.items():
        _set(values, key, value)
    return values


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; a text is a TOML value, or a bare word taken as a string."""
    *sections, last = key.split(".")
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise InputError("--set", key, f"'{section}', which is no section", "section.key=value")
        values = inner
    if not isinstance(value, str):
        values[last] = value
        return
    try:
        values[last] = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        values[last] = value


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
    if isinstance(value, dict):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items()) or "none"
    return str(value)
