"""The index of floating classes: a number, rates up to months, or a file with rates by month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from hemc.inputs.toml import Settings
from hemc.settings.bounds import Count, Share


class IndexStep(Settings):
    """The index up to and including a month of the projection."""

    until_month: Count
    rate: Share


def _require_rising(steps: tuple[IndexStep, ...]) -> tuple[IndexStep, ...]:
    """Refuse steps that do not rise in month."""
    months = [step.until_month for step in steps]
    if months != sorted(set(months)):
        raise ValueError(f"'until_month' rising from step to step, not {months}")
    return steps


def _form(value: object) -> str:
    """Tell in which form the index stands, so that a fault is named once."""
    if isinstance(value, list | tuple):
        return "steps"
    return "file" if isinstance(value, str | Path) else "rate"


Steps = Annotated[
    tuple[IndexStep, ...], Field(min_length=1), AfterValidator(_require_rising), Tag("steps")
]

#: Per year; a file is relative to the configuration.
IndexRate = Annotated[
    Annotated[Share, Tag("rate")] | Steps | Annotated[Path, Tag("file")], Discriminator(_form)
]
