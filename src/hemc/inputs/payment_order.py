"""`[[step]]` and `[[principal]]` of a deal file → the order of payments as settings.

A month's cash is interest and principal collections and recoveries, in one pot. Each step takes
the smaller of what is left and what is due to it. A `classes` key left out means every class that
the step can pay; where order matters it is the order in which `classes` lists them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hemc.inputs.by_payment import Balances, Money, Multiple, Multiples, Share
from hemc.inputs.toml import Settings

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+%/-]*$", max_length=24)]
Names = Annotated[tuple[str, ...], Field(max_length=50)]
SomeNames = Annotated[Names, Field(min_length=1)]


class Step(Settings):
    """One step of the order of payments; `name` stands in traces and errors."""

    name: Annotated[Name, Field(description="unique; default: the kind")] = ""

    @property
    def label(self) -> str:
        """The step's name, or its kind."""
        return self.name or self.kind

    @property
    def kind(self) -> str:
        """The kind of the step, the value of `pay`."""
        return str(getattr(self, "pay", ""))


class Fee(Step):
    """A fee: rate / 12 × opening pool or opening notes, or an amount a month; not carried forward.

    The pool's interest is net of the servicing fee already.
    """

    pay: Literal["fee"]
    base: Annotated[
        Literal["pool", "notes", "fixed"], Field(description="what the fee is taken on")
    ]
    rate: Annotated[Share | None, Field(description="per year, with base pool or notes")] = None
    amount: Annotated[Money | None, Field(description="USD a month, with base fixed")] = None
    cap: Annotated[Money | None, Field(description="at most so many USD a month")] = None
    classes: Annotated[Names, Field(description="base notes: these; default all")] = ()

    @model_validator(mode="after")
    def _base_fits(self) -> Self:
        if (self.amount is not None) != (self.base == "fixed"):
            raise ValueError("'amount' exactly where base = \"fixed\"")
        if (self.rate is not None) == (self.base == "fixed"):
            raise ValueError('\'rate\' exactly where base is "pool" or "notes"')
        if self.classes and self.base != "notes":
            raise ValueError("'classes' only where base = \"notes\"")
        return self


class Premium(Step):
    """The insurer's premium: rate / 12 × opening balance; nothing once the insurer has failed."""

    pay: Literal["premium"]
    rate: Annotated[Share, Field(description="per year")]
    classes: Annotated[Names, Field(description="default: the insured classes")] = ()


class Interest(Step):
    """Interest that classes are entitled to; what is unpaid is carried forward with interest."""

    pay: Literal["interest"]
    classes: Annotated[Names, Field(description="default: all, notional classes too")] = ()
    order: Annotated[
        Literal["pro_rata", "sequential"],
        Field(description="pro rata to what is owed, or as listed"),
    ] = "pro_rata"


class CapCarryover(Step):
    """Interest that the net WAC cap cut this month and before, with interest at the full rate.

    Paid pro rata. It is no shortfall and never drawn on the insurer.
    """

    pay: Literal["cap_carryover"]
    classes: Annotated[Names, Field(description="default: the classes with a cap")] = ()


class Collections(Step):
    """Principal collections to principal, as far as the classes have a balance."""

    pay: Literal["collections"]
    classes: Annotated[Names, Field(description="default: all; the others get none of it")] = ()


class HoldOc(Step):
    """Principal that keeps OC, clip(notes − (ending pool − min(OC before, target)), 0, notes).

    `notes` are those left by earlier steps. Until the build date OC is kept as it is, above its
    target too.
    """

    pay: Literal["hold_oc"]


class Cover(Step):
    """Principal until the classes together are no more than the ending pool."""

    pay: Literal["cover"]
    classes: Annotated[SomeNames, Field(description="whose deficiency is cured")]


class BuildOc(Step):
    """Principal that lifts OC to its target, from the build date only."""

    pay: Literal["build_oc"]


class Reimbursement(Step):
    """The insurer's claim for draws with interest; still owed to an insurer that has failed."""

    pay: Literal["reimbursement"]


class Residual(Step):
    """Everything left, to the certificates: the last step, exactly once."""

    pay: Literal["residual"]


PaymentStep = Annotated[
    Fee | Premium | Interest | CapCarryover | Collections | HoldOc | Cover | BuildOc
    | Reimbursement | Residual,
    Field(discriminator="pay"),
]  # fmt: skip


class OneClass(Settings):
    """A rule that gives some principal to one class."""

    class_name: Annotated[str, Field(alias="class", description="a class with a balance")]


class Lockout(OneClass):
    """min(balance, amount, share × its part of beginning notes × amount), by payment number."""

    rule: Literal["lockout"]
    shares: Annotated[Multiples, Field(min_length=1, description="of its pro rata part")]
    share_after: Annotated[Multiple, Field(description="after the last entry")]


class FixedShare(OneClass):
    """A share of every amount, from the month at whose beginning another class was retired."""

    rule: Literal["fixed_share"]
    share: Annotated[Share, Field(description="of the amount, 0 to 1")]
    after_retired: Annotated[str | None, Field(description="a class; default: always")] = None


class TargetBalance(OneClass):
    """Principal until the class is down to its scheduled balance, zero after the schedule."""

    rule: Literal["target_balance"]
    schedule: Annotated[Balances, Field(min_length=1, description="balance after the payment")]


class Sequential(Settings):
    """One class after the other, as listed."""

    rule: Literal["sequential"]
    classes: Annotated[Names, Field(description="default: all, in the file's order")] = ()


class ProRata(Settings):
    """Pro rata to beginning balances; what one class cannot take goes to the others."""

    rule: Literal["pro_rata"]
    classes: Annotated[Names, Field(description="default: all")] = ()


PrincipalRule = Annotated[
    Lockout | FixedShare | TargetBalance | Sequential | ProRata, Field(discriminator="rule")
]
