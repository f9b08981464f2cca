"""The configuration files that come with hemc, in the source tree or in an installed wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hemc.errors import InternalError
from hemc.inputs.quarters import MacroPath
from hemc.inputs.scenario_file import read_macro_path, read_scenario_file

_PACKAGE = Path(__file__).resolve().parents[1]


def configs_dir() -> Path:
    """Return the folder `configs`; an InternalError if the installation lacks it."""
    for folder in (_PACKAGE / "configs", _PACKAGE.parents[1] / "configs"):
        if (folder / "deals").is_dir():
            return folder
    raise InternalError(f"no folder 'configs' beside {_PACKAGE}")


def shipped_deals() -> dict[str, Path]:
    """Return the deal file of each series that has one."""
    paths = sorted((configs_dir() / "deals").glob("*.toml"))
    return {tomllib.loads(path.read_text(encoding="utf-8"))["series"]: path for path in paths}


def shipped_replay() -> tuple[str, MacroPath]:
    """Return name and path of the shipped scenario that replays 2006–2011."""
    file = configs_dir() / "scenarios" / "replay-2006-2011.toml"
    scenario = read_scenario_file(file)
    path = read_macro_path(scenario, file)
    if path is None:
        raise InternalError(f"{file} has no macroeconomic path")
    return scenario.name, path
