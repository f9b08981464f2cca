"""A scenario file → what it means, its macroeconomic path and the settings that it changes.

The path is written out in the file, or named as a CSV of the Federal Reserve's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from hemc.inputs.macro import MacroFile
from hemc.inputs.quarters import MacroPath, Quarter, macro_path, quarter_name
from hemc.inputs.toml import OneLine, Settings, read_toml, validate

QuarterName = Annotated[str, AfterValidator(quarter_name)]


class Figures(Settings):
    """Quarters written out; changes count from the jump-off, the last quarter before them."""

    jump_off: Quarter
    quarters: Annotated[tuple[Quarter, ...], Field(min_length=1)]


class MacroCsv(Settings):
    """A CSV in place of written figures; paths start at the scenario file.

    The jump-off is the quarter before `first`, from `history` where that is another file.
    """

    file: Path
    scenario: str | None = None
    first: QuarterName | None = None
    last: QuarterName | None = None
    history: Path | None = None


class ScenarioFile(Settings):
    """A whole scenario."""

    name: OneLine
    meaning: str
    source: str
    figures: Figures | None = None
    csv: MacroCsv | None = None
    settings: Annotated[dict[str, Any], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if self.figures is not None and self.csv is not None:
            raise ValueError("Either 'figures' or 'csv', not both")
        if "file" in self.settings.get("scenario", {}):
            raise ValueError("No 'scenario.file' among the settings of a scenario file")
        return self

    def inputs(self, file: Path) -> dict[str, Path]:
        """Return the files that this one, read from `file`, names."""
        if self.csv is None:
            return {}
        named = {"macro": self.csv.file, "macro_history": self.csv.history}
        return {name: file.parent / path for name, path in named.items() if path is not None}


def read_scenario_file(file: Path) -> ScenarioFile:
    """Read a scenario file; raises InputError with every fault."""
    return validate(ScenarioFile, read_toml(file, "a scenario file (configs/scenarios)"), file)


def read_macro_path(scenario: ScenarioFile, file: Path) -> MacroPath | None:
    """Return the path of a scenario that was read from `file`, None where it has none.

    Raises InputError for a gap between quarters and for a CSV that cannot be used.
    """
    if scenario.figures is not None:
        return macro_path(scenario.figures.jump_off, scenario.figures.quarters, file)
    if scenario.csv is None:
        return None
    paths = scenario.inputs(file)
    source = MacroFile(paths["macro"])
    quarters = source.window(scenario.csv.scenario, scenario.csv.first, scenario.csv.last)
    if "macro_history" in paths:
        jump_off = MacroFile(paths["macro_history"]).before(quarters[0])
    else:
        jump_off = source.before(quarters[0], scenario.csv.scenario)
    return macro_path(jump_off, quarters, paths["macro"])
