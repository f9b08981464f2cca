"""A TOML file → a validated, frozen settings object; every fault at once, each with its place."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from hemc.errors import InputError


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown keys, no silent conversion of infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def assumed(default: Any, meaning: str, source: str) -> Any:
    """Return a field that is an assumption: its default, what it means with unit, its source."""
    return Field(default=default, description=meaning, json_schema_extra={"source": source})


def read_toml(path: Path, expected: str) -> dict[str, Any]:
    """Read a TOML file; `expected` names what the file should have been, for the error."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(path, "", "no such file", expected) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "", f"a file that cannot be read ({error})", expected) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, "", f"invalid TOML: {error}", expected) from None


def validate(model: type[Model], values: dict[str, Any], file: str | Path) -> Model:
    """Build `model` from `values`, or raise one InputError that lists every fault."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [_describe(model, fault) for fault in error.errors()]
    place, found, expected = faults[0]
    rest = "".join(f"\n  also {p}: found {f}; expected {e}" for p, f, e in faults[1:])
    raise InputError(file, place, found, expected + rest)


def _describe(model: type[BaseModel], fault: ErrorDetails) -> tuple[str, str, str]:
    """Turn a pydantic fault into place, found, expected."""
    place = ".".join(str(part) for part in fault["loc"]) or "the whole file"
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(fault["loc"][-1]), _keys(model), n=1)
        hint = f", did you mean '{near[0]}'?" if near else ""
        return place, "an unknown key" + hint, "a key of the documented settings"
    if fault["type"] == "missing":
        return place, "nothing", "a value (the key is required)"
    message = fault["msg"].removeprefix("Value error, ")
    return place, _shorten(fault["input"]), message[0].lower() + message[1:]


def _shorten(value: object) -> str:
    """Return a value's text, cut so that an error stays one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(model: type[BaseModel]) -> list[str]:
    """Return the names of all keys of a settings model and its sections, for suggestions."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        keys.append(field.alias or name)
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                keys.extend(_keys(inner))
    return keys
