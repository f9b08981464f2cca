"""A TOML file → a validated, frozen settings object; every fault at once, each with its place."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from hemc.errors import MOST_FAULTS, InputError
from hemc.inputs.bounded_file import read_text, require_plain
from hemc.printable import one_line

#: A file that a person writes, and what bounds the work of reading it.
_MOST_BYTES, _MOST_DOTS = 1_000_000, 100


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown keys, no silent conversion of infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _one_line(text: str) -> str:
    """Refuse a text of several lines."""
    if "\n" in text or "\t" in text:
        raise ValueError("A name on one line")
    return text


#: A name as it stands in titles and tables.
OneLine = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]

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
    text = read_text(path, expected, _MOST_BYTES)
    for number, line in enumerate(text.splitlines(), start=1):
        if _dots_of_keys(line) > _MOST_DOTS:
            found = f"more than {_MOST_DOTS} dots before a value"
            raise InputError(path, f"line {number}", found, expected)
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise InputError(path, "", "TOML nested too deeply", expected) from None
    except ValueError as error:  # of a number of some thousand digits too
        raise InputError(path, "", f"invalid TOML: {error}", expected) from None
    require_plain(path, values, expected)
    return values


def _dots_of_keys(line: str) -> int:
    """Return at least the number of dots in the keys of a line.

    tomllib needs memory that grows with the square of a key's dots.
    """
    is_header = line.lstrip().startswith("[")
    return (line if is_header else line.rpartition("=")[0]).count(".")


def validate(model: type[Model], values: dict[str, Any], file: str | Path) -> Model:
    """Build `model` from `values`, or raise one InputError that lists every fault."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        told = error.errors()[:MOST_FAULTS]
        faults = [fault for one in told for fault in _describe(model, one)][:MOST_FAULTS]
        n_more = error.error_count() - len(told)
    place, found, expected = faults[0]
    rest = "".join(f"\n  also {p}: found {f}; expected {e}" for p, f, e in map(_lines, faults[1:]))
    rest += f"\n  and {n_more:,} more" if n_more else ""
    raise InputError(file, place, found, expected.replace("\n", " ") + rest)


def _lines(fault: Fault) -> tuple[str, ...]:
    """Return a fault's words, each on one line."""
    return tuple(one_line(words) for words in fault)


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
