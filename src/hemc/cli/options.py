"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from hemc.errors import InputError

FILE = click.Path(path_type=Path)


def overrides(settings: tuple[str, ...]) -> dict[str, str]:
    """Return the keys and values of --set options."""
    pairs = [setting.partition("=") for setting in settings]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise InputError("--set", "", f"'{key}'", "section.key=value")
    return {key.strip(): value.strip() for key, _, value in pairs}
