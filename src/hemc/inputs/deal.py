"""A deal file → the terms of a deal: classes, lockout, overcollateralisation, insurer, sources.

The order of payments is that of `kernels/waterfall.py`; the file holds terms only.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hemc.inputs.toml import Settings, read_toml, validate

Rate = Annotated[float, Field(ge=0, le=1)]
Payment = Annotated[int, Field(ge=1, le=10_000)]
Money = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2)]


class NotionalStep(Settings):
    """Balance of a notional class up to and including a payment number; nothing afterwards."""

    until_payment: Payment
    balance: Money


class LockoutStep(Settings):
    """Share of its pro rata principal that the lockout class receives up to a payment number."""

    until_payment: Payment
    share: Annotated[float, Field(ge=0, le=100)]


class NoteClass(Settings):
    """One class of notes. A notional class has a schedule and no balance of its own."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    kind: Literal["fixed", "floating", "notional"]
    day_count: Literal["30/360", "actual/360"]
    original_balance: Money
    coupon: Rate | None = None
    margin: Rate | None = None
    schedule: tuple[NotionalStep, ...] = ()

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if (self.margin is None) == (self.kind == "floating"):
            raise ValueError("'margin' exactly where kind = \"floating\"")
        if (self.coupon is None) != (self.kind == "floating"):
            raise ValueError('\'coupon\' exactly where kind is "fixed" or "notional"')
        if bool(self.schedule) != (self.kind == "notional"):
            raise ValueError("'schedule' exactly where kind = \"notional\"")
        _require_rising(self.schedule)
        return self


class Overcollateralization(Settings):
    """OC target in USD, the first payment that may build or release it, and an optional step-down.

    After `step_down_payment` the target is `step_down_share` of the current pool, not above
    `target` and not below `floor_share` of the original pool notes.
    """

    target: Money
    build_from_payment: Payment
    step_down_payment: Payment | None = None
    step_down_share: Rate = 0.0
    floor_share: Rate = 0.0

    @model_validator(mode="after")
    def _step_down_whole(self) -> Self:
        if (self.step_down_payment is None) != (self.step_down_share == 0.0):
            raise ValueError("'step_down_payment' and a 'step_down_share' above 0, or neither")
        return self


class Lockout(Settings):
    """The class locked out of early principal and the shares by payment number."""

    class_name: str
    shares: Annotated[tuple[LockoutStep, ...], Field(min_length=1)]
    share_after: Annotated[float, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        _require_rising(self.shares)
        return self


class InsurerTerms(Settings):
    """Premium a year on the beginning notes; reimbursement accrues at index + margin."""

    name: str
    premium_rate: Rate
    reimbursement_margin: Rate


class Deal(Settings):
    """Terms of one loan group of a securitisation.

    `sources` maps a dotted key to where its value comes from; a text that starts with
    "assumption" marks a term that no document of ours states.
    """

    series: str
    issuer: str
    group: Annotated[int, Field(ge=1)]
    first_payment_date: dt.date
    payment_day: Annotated[int, Field(ge=1, le=28)]
    net_wac_cap: bool
    undercollateralization: Literal["implied", "pro_rata", "reverse_order"]
    classes: Annotated[tuple[NoteClass, ...], Field(min_length=1, alias="class")]
    overcollateralization: Overcollateralization
    lockout: Lockout | None = None
    insurer: InsurerTerms
    clean_up_call_share: Rate
    sources: Annotated[dict[str, str], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        names = [c.name for c in self.classes]
        if len(set(names)) != len(names):
            raise ValueError(f"each class name once, not {names}")
        if not self.term_classes:
            raise ValueError("at least one class with a balance")
        locked = self.lockout.class_name if self.lockout else None
        if locked is not None and locked not in [c.name for c in self.term_classes]:
            raise ValueError(f"a lockout class among the classes with a balance, not '{locked}'")
        return self

    @property
    def term_classes(self) -> tuple[NoteClass, ...]:
        """The classes that have a balance, in order of payment."""
        return tuple(c for c in self.classes if c.kind != "notional")

    @property
    def notional_classes(self) -> tuple[NoteClass, ...]:
        """The classes whose interest runs on a schedule."""
        return tuple(c for c in self.classes if c.kind == "notional")

    @property
    def original_notes(self) -> Decimal:
        """Original balance of all classes that have one, USD."""
        return sum((c.original_balance for c in self.term_classes), Decimal(0))

    def payment_number(self, date: dt.date) -> int:
        """Return the number of the payment made in the month of `date`; the first is 1."""
        first = self.first_payment_date
        return (date.year - first.year) * 12 + date.month - first.month + 1


def read_deal(path: Path) -> Deal:
    """Read a deal file; an InputError names the key that does not fit."""
    return validate(Deal, read_toml(path, "a deal file (configs/deals/*.toml)"), path)


def _require_rising(steps: tuple[NotionalStep, ...] | tuple[LockoutStep, ...]) -> None:
    """Refuse steps that do not rise in payment number."""
    numbers = [step.until_payment for step in steps]
    if numbers != sorted(set(numbers)):
        raise ValueError(f"'until_payment' rising from step to step, not {numbers}")
