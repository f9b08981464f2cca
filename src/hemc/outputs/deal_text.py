"""A deal → its order of payments as a table for the console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from hemc.inputs.deal import Deal
from hemc.outputs.labels import STEP_MEANINGS

_WIDTH = 80
_HIDDEN = {"pay", "rule", "name"}


def order_of_payments(deal: Deal) -> str:
    """Return each step and each rule of principal with its terms, a line or two each."""
    lines = [f"order of payments of {deal.issuer} {deal.series}, group {deal.group}"]
    for i, step in enumerate(deal.steps, start=1):
        words = [STEP_MEANINGS[step.kind], *_terms(step)]
        lines += _wrapped(f"{i:3}  {step.label:<16}", words)
    lines.append("principal, whichever step pays it")
    for i, rule in enumerate(deal.principal, start=1):
        lines += _wrapped(f"{i:3}  {rule.rule:<16}", list(_terms(rule)) or ["all classes in order"])
    return "\n".join(lines)


def _terms(settings: BaseModel) -> Iterator[str]:
    """Yield the terms that are set, key and value."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if name not in _HIDDEN and value not in (None, ()):
            yield f"{(field.alias or name).replace('_', ' ')} {_shown(value)}"


def _shown(value: Any) -> str:
    """Return a term's value: schedules as value until payment."""
    if isinstance(value, tuple):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, BaseModel):
        until, held = (getattr(value, name) for name in type(value).model_fields)
        return f"{_shown(held)} to {until}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _wrapped(head: str, words: list[str]) -> list[str]:
    """Return words after a head, further lines indented below the first."""
    lines, line = [], head + words[0]
    for word in words[1:]:
        if len(line) + 2 + len(word) > _WIDTH:
            lines.append(line + ",")
            line = " " * len(head) + word
        else:
            line += f", {word}"
    return [*lines, line]
