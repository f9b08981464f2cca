"""`[overcollateralization]` of a deal file → the OC target, what lowers it and what triggers do.

The target of a month, from its pool flows alone:

1. `target`, or from the step-down on clip(share × ending pool, floor, target);
2. while a "stop_step_down" trigger is tripped, no less than the month before;
3. while a "raise_target" trigger is tripped, no less than the trigger's target;
4. no less than `delinquency_multiple` × average delinquent balance.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hemc.inputs.by_payment import Money, Payment, Share, Shares
from hemc.inputs.toml import Settings
from hemc.states import CURRENT, N_LIVE, NAMES

DELINQUENT = NAMES[CURRENT + 1 : N_LIVE]


def _known_states(states: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a state that is none, or given twice."""
    unknown = [state for state in states if state not in DELINQUENT]
    if unknown or len(set(states)) != len(states):
        raise ValueError("each of these at most once: " + ", ".join(DELINQUENT))
    return states


States = Annotated[
    tuple[str, ...],
    AfterValidator(_known_states),
    Field(min_length=1, description="states whose balance counts as delinquent"),
]
Months = Annotated[int, Field(ge=1, le=60, description="months of the average")]


class StepDown(Settings):
    """From a payment on the target is a share of the current pool, within floor and target."""

    payment: Annotated[Payment, Field(description="first payment at which it applies")]
    share: Annotated[Share, Field(gt=0, description="of the ending pool")]
    floor: Annotated[Money | None, Field(description="USD; default 0")] = None
    floor_share: Annotated[Share | None, Field(description="of the original pool")] = None

    @model_validator(mode="after")
    def _one_floor(self) -> Self:
        if self.floor is not None and self.floor_share is not None:
            raise ValueError("'floor' or 'floor_share', not both")
        return self


class DelinquencyMultiple(Settings):
    """The target is at least a multiple of the average delinquent balance.

    Averages are over the last months of the projection, fewer at its beginning.
    """

    multiple: Annotated[float, Field(gt=0, le=100, description="of the average balance")]
    states: States
    average_months: Months = 3


class Trigger(Settings):
    """A measure of the pool against thresholds by payment number; tripped where it is above.

    delinquency: balance in `states` / ending pool, averaged over `average_months`.
    cumulative_loss: losses less recoveries to date, those before cut-off included, / original
    pool. `cures = false` keeps it tripped for good.
    """

    name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+%/-]*$", max_length=24, description="unique"),
    ]
    measure: Annotated[
        Literal["delinquency", "cumulative_loss"], Field(description="what is compared")
    ]
    thresholds: Annotated[Shares, Field(description="by payment number")] = ()
    threshold_after: Annotated[Share, Field(description="after the last entry")]
    effect: Annotated[
        Literal["stop_step_down", "raise_target"], Field(description="while it is tripped")
    ]
    target: Annotated[Money | None, Field(description="raise_target: USD")] = None
    target_share: Annotated[
        Share | None, Field(description="raise_target: of the original notes")
    ] = None
    cures: Annotated[bool, Field(description="false: once tripped, for good")] = True
    states: Annotated[
        tuple[str, ...],
        AfterValidator(_known_states),
        Field(description="delinquency: states whose balance counts"),
    ] = ()
    average_months: Months = 1

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if bool(self.states) != (self.measure == "delinquency"):
            raise ValueError("'states' exactly where measure = \"delinquency\"")
        given = (self.target is not None) + (self.target_share is not None)
        if given != (self.effect == "raise_target"):
            raise ValueError(
                "one of 'target' and 'target_share' exactly where effect = \"raise_target\""
            )
        return self


class Overcollateralization(Settings):
    """OC target, and the first payment that may build OC or release it."""

    target: Annotated[Money | None, Field(description="USD")] = None
    target_share: Annotated[Share | None, Field(description="of the original notes")] = None
    build_from_payment: Annotated[Payment, Field(description="before it OC is kept as it is")]
    step_down: StepDown | None = None
    delinquency_multiple: DelinquencyMultiple | None = None
    triggers: Annotated[tuple[Trigger, ...], Field(max_length=50, alias="trigger")] = ()

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.target is None) == (self.target_share is None):
            raise ValueError("one of 'target' and 'target_share'")
        return self


def dollars(amount: Decimal | None, share: float | None, base: Decimal) -> float:
    """Return an amount given in USD or as a share of `base`, zero where neither is given."""
    if amount is not None:
        return float(amount)
    return (share or 0.0) * float(base)
