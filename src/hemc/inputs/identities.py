"""Printed fields → the line of an identity: printed, recomputed, difference, pass or fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

from hemc.inputs.figures import Field

Status = Literal["pass", "fail", "not testable"]


@dataclass(frozen=True)
class TieOutLine:
    """One identity: printed and recomputed figure (an amount, a ratio or a date) and difference.

    `difference` is printed less recomputed, in days for dates; `note` says why a line is not
    testable, or what else there is to know.
    """

    name: str
    printed: Decimal | dt.date | None
    recomputed: Decimal | dt.date | None
    difference: Decimal | None
    status: Status
    note: str = ""


#: Holds every rounded product and ratio of figures as long as certificates may print them.
_WIDE = Context(prec=80)


def round_to(value: Decimal, n_digits: int) -> Decimal:
    """Round half up to `n_digits` decimals, as certificates do."""
    return value.quantize(Decimal(1).scaleb(-n_digits), ROUND_HALF_UP, _WIDE)


def to_cents(value: Decimal) -> Decimal:
    """Round an amount half up to the cent."""
    return round_to(value, 2)


def sum_of(*values: Decimal) -> Decimal:
    """Return the exact sum of amounts."""
    return sum(values, Decimal(0))


def known(value: Decimal) -> Field:
    """Return a figure that stands nowhere in the document."""
    return Field(value, None)


def missing(reason: str) -> Field:
    """Return a figure that cannot be computed."""
    return Field(None, None, reason)


def combine(formula: Callable[..., Decimal], /, **fields: Field) -> Field:
    """Return `formula` of the fields in their order; missing, with the first reason, if one is."""
    for name, field in fields.items():
        if field.value is None:
            return missing(_because(name, field.reason))
    return known(formula(*(field.value for field in fields.values())))


def compare(name: str, printed: Field, recomputed: Field, note: str = "") -> TieOutLine:
    """Compare two figures exactly; "not testable" where one of them is missing."""
    for field in (printed, recomputed):
        if field.value is None:
            reason = field.reason or ""
            return not_testable(name, reason, printed.value, recomputed.value)
    assert printed.value is not None
    assert recomputed.value is not None
    difference = printed.value - recomputed.value
    status: Status = "fail" if difference else "pass"
    return TieOutLine(name, printed.value, recomputed.value, difference, status, note)


def not_testable(
    name: str,
    reason: str,
    printed: Decimal | dt.date | None = None,
    recomputed: Decimal | dt.date | None = None,
) -> TieOutLine:
    """Return a line that cannot be tested, with the reason."""
    return TieOutLine(name, printed, recomputed, None, "not testable", reason)


def _because(name: str, reason: str | None) -> str:
    """Say which figure is missing, unless the reason is not about one figure."""
    return f"{name.replace('_', ' ')}: {reason}" if reason != NEEDS_TERMS.reason else str(reason)


#: What a line that only the deal's terms can settle compares with.
NEEDS_TERMS = missing("needs deal terms")
