"""The path of the index of floating classes: rates up to months, or a file with rates by month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from hemc.inputs.toml import Settings
from hemc.settings.bounds import Share

#: No projection is as long.
LAST_MONTH = 10_000


class IndexStep(Settings):
    """The index up to and including a month of the projection, per year."""

    until_month: Annotated[int, Field(ge=1, le=LAST_MONTH)]
    rate: Share


def _require_rising(steps: tuple[IndexStep, ...]) -> tuple[IndexStep, ...]:
    """Refuse no steps at all, and steps that do not rise in month."""
    if not steps:
        raise ValueError("at least one step")
    months = [step.until_month for step in steps]
    if months != sorted(set(months)):
        raise ValueError(f"'until_month' rising from step to step, not {months}")
    return steps


def _form(value: object) -> str:
    """Tell in which form the path stands, so that a fault is named once."""
    return "steps" if isinstance(value, list | tuple) else "file"


Steps = Annotated[tuple[IndexStep, ...], AfterValidator(_require_rising), Tag("steps")]

#: Steps, or a CSV file (columns month and rate) relative to the configuration.
IndexSetting = Annotated[Steps | Annotated[Path, Tag("file")], Discriminator(_form)]
