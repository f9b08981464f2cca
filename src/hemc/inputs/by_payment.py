"""Terms that change with the payment number: lists of values, each up to a payment."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from hemc.inputs.toml import Settings

Share = Annotated[float, Field(ge=0, le=1)]
Payment = Annotated[int, Field(ge=1, le=10_000)]
Money = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2)]
#: Multiples of a pro rata part: 3.00 is three times as much.
Multiple = Annotated[float, Field(ge=0, le=100)]


class UntilPayment(Settings):
    """Something that holds up to and including a payment number."""

    until_payment: Annotated[Payment, Field(description="last payment number, 1 is the first")]


class BalanceUntil(UntilPayment):
    """A balance up to a payment."""

    balance: Annotated[Money, Field(description="USD")]


class MultipleUntil(UntilPayment):
    """A multiple of a pro rata part up to a payment."""

    share: Annotated[Multiple, Field(description="of its pro rata part, 0 to 100")]


class ShareUntil(UntilPayment):
    """A share up to a payment."""

    value: Annotated[Share, Field(description="0 to 1")]


Until = TypeVar("Until", bound=UntilPayment)


def _rising(steps: tuple[Until, ...]) -> tuple[Until, ...]:
    """Refuse steps that do not rise in payment number."""
    numbers = [step.until_payment for step in steps]
    if numbers != sorted(set(numbers)):
        raise ValueError(f"'until_payment' rising from entry to entry, not {numbers}")
    return steps


Balances = Annotated[tuple[BalanceUntil, ...], AfterValidator(_rising)]
Multiples = Annotated[tuple[MultipleUntil, ...], AfterValidator(_rising)]
Shares = Annotated[tuple[ShareUntil, ...], AfterValidator(_rising)]


def in_force(steps: Sequence[Until], number: int) -> Until | None:
    """Return what holds at a payment number, None after the last entry."""
    return next((step for step in steps if number <= step.until_payment), None)
