"""A deal file → the terms of a deal: classes, order of payments, OC, insurer, call, sources."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hemc.inputs.by_payment import Balances, Money, Share
from hemc.inputs.deal_checks import deal_faults
from hemc.inputs.overcollateralization import Overcollateralization
from hemc.inputs.payment_order import PaymentStep, Premium, PrincipalRule, Sequential
from hemc.inputs.title import FIRST_YEAR, LAST_YEAR
from hemc.inputs.toml import MisfitError, OneLine, Settings, read_toml, validate


class NoteClass(Settings):
    """One class of notes. A notional class has a schedule and no balance of its own."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
            max_length=24,
            description="as in the certificate",
        ),
    ]
    kind: Annotated[
        Literal["fixed", "floating", "notional"], Field(description="how its rate is set")
    ]
    day_count: Annotated[
        Literal["30/360", "actual/360"], Field(description="days of interest / days of a year")
    ]
    original_balance: Annotated[Money, Field(description="USD, at closing")]
    coupon: Annotated[Share | None, Field(description="per year; fixed and notional")] = None
    margin: Annotated[Share | None, Field(description="over the index, per year; floating")] = None
    schedule: Annotated[Balances, Field(description="notional balance by payment; then none")] = ()
    insured: Annotated[bool, Field(description="covered by the deal's insurer, if any")] = True
    net_wac_cap: Annotated[
        bool, Field(description="rate limited to the pool's net rate less notional coupons")
    ] = False

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if (self.margin is None) == (self.kind == "floating"):
            raise ValueError("'margin' exactly where kind = \"floating\"")
        if (self.coupon is None) != (self.kind == "floating"):
            raise ValueError('\'coupon\' exactly where kind is "fixed" or "notional"')
        if bool(self.schedule) != (self.kind == "notional"):
            raise ValueError("'schedule' exactly where kind = \"notional\"")
        if self.net_wac_cap and self.kind == "notional":
            raise ValueError("'net_wac_cap' only for a class with a balance")
        return self


class InsurerTerms(Settings):
    """The insurer; draws accrue at index + margin until reimbursed. The premium is a step."""

    name: Annotated[OneLine, Field(description="shown in reports")]
    reimbursement_margin: Annotated[Share, Field(description="over the index, per year")]


class CleanUpCall(Settings):
    """The call that ends a deal once the pool is small and covers notes, interest and draws."""

    share: Annotated[Share, Field(description="of the original pool")]


class Deal(Settings):
    """Terms of one loan group of a securitisation; classes stand in order of seniority.

    `sources` maps a dotted key to where its value comes from; a text that starts with
    "assumption" marks a term that no document of ours states. An element of a list is named by
    its name, its class or its kind: `class.A-1.margin`, `step.premium.rate`.
    """

    series: Annotated[OneLine, Field(description="as in the certificate")]
    issuer: Annotated[OneLine, Field(description="short name, before the series in titles")]
    group: Annotated[int, Field(ge=1, description="loan group")]
    first_payment_date: Annotated[
        dt.date,
        Field(
            ge=dt.date(FIRST_YEAR, 1, 1),
            le=dt.date(LAST_YEAR, 12, 31),
            description="payment 1; the others count from it",
        ),
    ]
    payment_day: Annotated[
        int, Field(ge=1, le=28, description="of the month, or the next business day")
    ]
    undercollateralization: Annotated[
        Literal["implied", "pro_rata", "reverse_order"],
        Field(description="notes in excess of pool that nobody pays"),
    ]
    original_pool: Annotated[
        Money | None, Field(description="USD, at closing; default the original notes")
    ] = None
    classes: Annotated[tuple[NoteClass, ...], Field(min_length=1, max_length=50, alias="class")]
    steps: Annotated[
        tuple[PaymentStep, ...],
        Field(
            min_length=1,
            max_length=200,
            alias="step",
            description="the order of payments, top to bottom",
        ),
    ]
    principal: Annotated[
        tuple[PrincipalRule, ...],
        Field(max_length=200, description="how principal is shared; default: all classes in order"),
    ] = (Sequential(rule="sequential"),)
    overcollateralization: Overcollateralization | None = None
    insurer: InsurerTerms | None = None
    clean_up_call: CleanUpCall | None = None
    sources: Annotated[
        dict[str, str], Field(default_factory=dict, description="where each term comes from")
    ]

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        faults = tuple(deal_faults(self))
        if faults:
            raise MisfitError(faults)
        return self

    @property
    def term_classes(self) -> tuple[NoteClass, ...]:
        """The classes that have a balance, in order of seniority."""
        return tuple(c for c in self.classes if c.kind != "notional")

    @property
    def notional_classes(self) -> tuple[NoteClass, ...]:
        """The classes whose interest runs on a schedule."""
        return tuple(c for c in self.classes if c.kind == "notional")

    @property
    def insured_classes(self) -> tuple[NoteClass, ...]:
        """The classes that the insurer covers; none without an insurer."""
        return tuple(c for c in self.classes if c.insured and self.insurer is not None)

    @property
    def original_notes(self) -> Decimal:
        """Original balance of all classes that have one, USD."""
        return sum((c.original_balance for c in self.term_classes), Decimal(0))

    @property
    def closing_pool(self) -> Decimal:
        """Pool at closing, USD: the basis of cumulative losses, floors and the clean-up call."""
        return self.original_notes if self.original_pool is None else self.original_pool

    @property
    def premium_rate(self) -> float | None:
        """Premium a year on all notes; None where no one rate applies to all of them."""
        steps = [step for step in self.steps if isinstance(step, Premium)]
        every = {c.name for c in self.term_classes}
        insured = tuple(c.name for c in self.insured_classes if c.kind != "notional")
        if len(steps) != 1 or set(steps[0].classes or insured) != every:
            return None
        return steps[0].rate

    def payment_number(self, date: dt.date) -> int:
        """Return the number of the payment made in the month of `date`; the first is 1."""
        first = self.first_payment_date
        return (date.year - first.year) * 12 + date.month - first.month + 1


def read_deal(path: Path) -> Deal:
    """Read a deal file; an InputError names the key, step or rule that does not fit."""
    return validate(Deal, read_toml(path, "a deal file (configs/deals/*.toml)"), path)
