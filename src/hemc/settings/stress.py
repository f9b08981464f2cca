"""A stress file → the scenarios of a batch, and named sets of weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from hemc.inputs.toml import Settings
from hemc.settings.bounds import Share

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._–-]*$", max_length=100)]


class ScenarioEntry(Settings):
    """A scenario of the batch; the path of its file starts at the stress file."""

    name: Name
    file: Path


class Weighting(Settings):
    """Weights of some scenarios, which add up to one, and who says so."""

    name: Name
    source: str
    weights: Annotated[dict[str, Share], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = math.fsum(self.weights.values())
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"Weights that add up to 1, not to {total:.6g}")
        return self


class StressFile(Settings):
    """A batch: the first scenario is the one that the others are compared with."""

    name: Name
    run: Path
    scenarios: Annotated[
        tuple[ScenarioEntry, ...], Field(min_length=2, max_length=100, alias="scenario")
    ]
    weightings: Annotated[
        tuple[Weighting, ...], Field(default=(), max_length=100, alias="weighting")
    ]

    @model_validator(mode="after")
    def _known(self) -> Self:
        names = [entry.name for entry in self.scenarios]
        if len(set(names)) < len(names):
            raise ValueError(f"Each scenario's name once, not {', '.join(names)}")
        for weighting in self.weightings:
            unknown = [name for name in weighting.weights if name not in names]
            if unknown:
                raise ValueError(
                    f"Weights of scenarios of the file, not of '{unknown[0]}' in '{weighting.name}'"
                )
        return self
