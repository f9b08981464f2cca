"""A TOML file → a validated, frozen settings object; every fault at once, each with its place."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from hemc.errors import InputError


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown keys, no silent conversion of infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


class Fault(NamedTuple):
    """What does not fit, where, and what would."""

    place: str
    found: str
    expected: str


class MisfitError(ValueError):
    """Faults between the parts of a settings object, raised by its validator."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{f.place}: {f.found}" for f in faults))


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
        faults = [fault for one in error.errors() for fault in _describe(model, one)]
    place, found, expected = faults[0]
    rest = "".join(f"\n  also {p}: found {f}; expected {e}" for p, f, e in faults[1:])
    raise InputError(file, place, found, expected + rest)


def _describe(model: type[BaseModel], fault: ErrorDetails) -> tuple[Fault, ...]:
    """Turn a pydantic fault into place, found, expected; misfits bring their own."""
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, MisfitError):
        return cause.faults
    place = _place(fault["loc"])
    if fault["type"] == "extra_forbidden":
        key = str(fault["loc"][-1])
        near = difflib.get_close_matches(key, [k for k in _keys(model) if k != key], n=1)
        hint = f", did you mean '{near[0]}'?" if near else ""
        return (Fault(place, "an unknown key" + hint, "a key of the documented settings"),)
    if fault["type"] == "missing":
        return (Fault(place, "nothing", "a value (the key is required)"),)
    if fault["type"] == "union_tag_invalid":
        key, kind, kinds = (fault["ctx"][n] for n in ("discriminator", "tag", "expected_tags"))
        return (Fault(f"{place}, {str(key).strip(chr(39))}", repr(kind), f"one of {kinds}"),)
    message = fault["msg"].removeprefix("Value error, ")
    return (Fault(place, _shorten(fault["input"]), message[0].lower() + message[1:]),)


def _place(location: tuple[int | str, ...]) -> str:
    """Return the dotted key of a fault; elements of a list are counted from 1."""
    words = ""
    for part in location:
        words += f" {part + 1}" if isinstance(part, int) else f".{part}"
    return words.removeprefix(".") or "the whole file"


def _shorten(value: object) -> str:
    """Return a value's text, cut so that an error stays one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(annotation: Any) -> list[str]:
    """Return the names of all keys of a settings model and what it holds, for suggestions."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return [key for inner in get_args(annotation) for key in _keys(inner)]
    keys: list[str] = []
    for name, field in annotation.model_fields.items():
        keys += [field.alias or name, *_keys(field.annotation)]
    return keys
