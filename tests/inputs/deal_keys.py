"""The schema of a deal file → the tables of docs/deals.md, one for each table of the file.

`python tests/inputs/deal_keys.py` writes them; tests/inputs/test_deal_keys.py fails where the page
no longer says what the schema does.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hemc.inputs.deal import Deal

PAGE = Path(__file__).parents[2] / "docs" / "deals.md"
BEGIN, END = "<!-- written by tests/inputs/deal_keys.py -->", "<!-- end -->"

#: Keys whose value says which of several tables this is.
_CHOICES = ("pay", "rule")

_PLAIN = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false",
          "date": "date", "Decimal": "USD, as text"}  # fmt: skip


def key_tables(model: type[BaseModel] = Deal, place: str = "") -> Iterator[str]:
    """Yield the table of a model and of every model inside it, each under its place in the file."""
    title = f"`{place}`" if place else "Top level"
    yield f"### {title}\n\n{_meaning(model)}\n"
    yield "| key | value | default | meaning |\n|---|---|---|---|"
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        models = _models(field.annotation)
        value = "list of tables of the kinds below" if len(models) > 1 else _value(field)
        yield f"| `{key}` | {value} | {_default(field)} | {_described(key, field)} |"
        is_list = get_origin(_bare(field.annotation)) is tuple
        inner += [(_place(place, key, is_list, one, len(models) > 1), one) for one in models]
    for at, one in inner:
        yield ""
        yield from key_tables(one, at)


def written_page(page: str) -> str:
    """Return the page with its tables as the schema has them."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n" + "\n".join(key_tables()) + f"\n\n{END}{after}"


def _meaning(model: type[BaseModel]) -> str:
    """Return a model's docstring as one paragraph each, in Markdown."""
    text = inspect.getdoc(model) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _described(key: str, field: FieldInfo) -> str:
    """Return what a key is for; that of a table is its first sentence."""
    models = _models(field.annotation)
    if field.description is None and len(models) == 1:
        return _meaning(models[0]).split("\n")[0].split(". ")[0].rstrip(".")
    return field.description or ("chooses this table" if key in _CHOICES else "")


def _place(place: str, key: str, is_list: bool, model: type[BaseModel], is_kind: bool) -> str:
    """Return where a table stands in the file, with the word that chooses its kind."""
    dotted = f"{place.strip('[]').split(']')[0]}.{key}" if place else key
    at = f"[[{dotted}]]" if is_list else f"[{dotted}]"
    if not is_kind:
        return at
    chosen = next(n for n in _CHOICES if n in model.model_fields)
    (kind,) = get_args(model.model_fields[chosen].annotation)
    return f'{at} {chosen} = "{kind}"'


def _bare(annotation: Any) -> Any:
    """Return an annotation without metadata and without "or none"."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        kept = [one for one in get_args(annotation) if one is not NoneType]
        return _bare(kept[0]) if len(kept) == 1 else annotation
    return annotation


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation may hold."""
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return [bare]
    return [model for one in get_args(bare) if one is not ... for model in _models(one)]


def _value(field: FieldInfo) -> str:
    """Return what a key may hold."""
    bare = _bare(field.annotation)
    origin = get_origin(bare)
    if origin is Literal:
        return ", ".join(f'`"{word}"`' for word in get_args(bare))
    if origin is tuple:
        return "list of tables" if _models(bare) else "list of texts"
    if origin is dict:
        return "table of texts"
    if _models(bare):
        return "table"
    return _PLAIN[bare.__name__] + _limits(field)


def _limits(field: FieldInfo) -> str:
    """Return the limits of a number, those of an optional one included."""
    found: dict[type, Any] = {}
    for one in (*field.metadata, *_nested(field.annotation)):
        for part in (one, *getattr(one, "metadata", ())):
            found[type(part)] = part
    low = found[Gt].gt if Gt in found else found[Ge].ge if Ge in found else None
    if low is None:
        return ""
    above = "above " if Gt in found else ""
    if Le in found:
        return f", {above}{low} to {found[Le].le}"
    return f", {above}{low} or more"


def _nested(annotation: Any) -> Iterator[Any]:
    """Yield metadata of the parts of an annotation, outermost last."""
    for one in get_args(annotation):
        yield from _nested(one)
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__


def _default(field: FieldInfo) -> str:
    """Return a key's default, "required" where it has none."""
    if field.is_required():
        return "required"
    value = field.default
    if value in (None, (), "", PydanticUndefined) or isinstance(value, tuple):
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(written_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
