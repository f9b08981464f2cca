"""A file of latent classes ↔ the chronic loans' part of each kind of move, by state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hemc.inputs.toml import OneLine, Settings, read_toml, validate
from hemc.states import KEYS, N_LIVE

Fraction = Annotated[float, Field(gt=0, lt=1)]
LiveKey = Literal["C", "30", "60", "90", "120", "150", "180", "BK", "FC", "REO"]


class StateFractions(Settings):
    """Part of a state's improving, staying and worsening moves that chronic loans make."""

    improving: Fraction
    staying: Fraction
    worsening: Fraction


class ClassFractions(Settings):
    """Two latent classes as fitted to a panel; states that tell nothing are not listed."""

    name: OneLine
    source: str
    chronic: Annotated[dict[LiveKey, StateFractions], Field(min_length=1)]

    def array(self, elsewhere: float) -> NDArray[np.float64]:
        """Return the fractions, float64[live state, kind]; `elsewhere` where none are listed."""
        fractions = np.full((N_LIVE, 3), elsewhere)
        for key, row in self.chronic.items():
            fractions[KEYS.index(key)] = row.improving, row.staying, row.worsening
        return fractions


def read_class_fractions(path: Path) -> ClassFractions:
    """Read a file of latent classes; an InputError names the key that does not fit."""
    return validate(
        ClassFractions, read_toml(path, "latent classes (configs/classes/*.toml)"), path
    )


def class_fractions_text(fractions: ClassFractions) -> str:
    """Return the file's text, TOML."""
    lines = [
        "# Two latent classes, fixed for a loan's life: the part of each kind of move that chronic",
        "# loans make, by state. C = current, 30 … 180 = days past due. Written by hemc panel fit.",
        "",
        f"name = {json.dumps(fractions.name)}",
        f"source = {json.dumps(fractions.source)}",
        "",
        "[chronic]",
    ]
    for key, row in fractions.chronic.items():
        parts = ", ".join(f"{kind} = {value:.5f}" for kind, value in row)
        lines.append(f"{key} = {{ {parts} }}")
    return "\n".join(lines) + "\n"
