"""A portfolio file → deals in one world, what is held of them, and the insurer of them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import NotNegative, Share
from hemc.settings.scenario import ScenarioSettings
from hemc.settings.simulation import SimulationSettings

#: A name that is a file's name too.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]

#: Sections that a portfolio has in place of its deals.
WORLD = ("scenario", "simulation", "insurer")

#: Keys of the world that a deal may set: how it responds to factors that all deals share.
RESPONSES = (
    "scenario.credit_sd", "scenario.prepayment_sd", "scenario.stress_shift", "scenario.multiples",
)  # fmt: skip

#: Sampling that needs no pilot, which would find another direction for every deal.
_SAMPLING = ("plain", "antithetic")


class PortfolioInsurer(Settings):
    """The insurer of all deals; it fails when their claims have used up what it has."""

    capital: NotNegative  # USD, at the certificates' date
    source: str
    premium_share: Share = assumed(
        1.0, "share of premium that adds to the insurer's means; the rest is spent", "judgement"
    )
    discount_rate: Share = assumed(
        0.04, "discount rate of claims, draws, reimbursement and premium, per year", "judgement"
    )


class PortfolioDeal(Settings):
    """A deal: the configuration of its run, keys over it, copies in the book, shares held."""

    name: Name
    config: Path
    set: dict[str, Any] = Field(default_factory=dict)
    copies: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    holdings: dict[str, Share] = Field(default_factory=dict)  # by class, of its face

    @field_validator("set")
    @classmethod
    def _leaves_the_world_alone(cls, keys: dict[str, Any]) -> dict[str, Any]:
        """Return dotted keys; refuse those that are the same for all deals."""
        keys = dict(_dotted(keys, ""))
        for key in keys:
            free = any(key == name or key.startswith(f"{name}.") for name in RESPONSES)
            if key.split(".")[0] in WORLD and not free:
                raise ValueError(
                    f"A key of the deal, or one of {', '.join(RESPONSES)}: '{key}' is the same "
                    "for all deals and belongs to the portfolio's own sections"
                )
        return keys


class PortfolioFile(Settings):
    """Deals that meet the same factors; `[scenario]` and `[simulation]` rule all of them."""

    name: Name
    payment_month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    insurer: PortfolioInsurer
    scenario: ScenarioSettings = ScenarioSettings()
    simulation: SimulationSettings = SimulationSettings()
    deals: Annotated[
        tuple[PortfolioDeal, ...], Field(min_length=1, max_length=10_000, alias="deal")
    ]

    @field_validator("simulation")
    @classmethod
    def _one_world(cls, simulation: SimulationSettings) -> SimulationSettings:
        """Refuse what a portfolio cannot share among its deals."""
        if simulation.sampling not in _SAMPLING:
            raise ValueError(f"Sampling = {' or '.join(map(repr, _SAMPLING))} in a portfolio")
        if simulation.target is not None:
            raise ValueError("No target in a portfolio, whose deals have the same paths")
        if simulation.loan_seed is not None:
            raise ValueError("No loan_seed in a portfolio: it follows from seed and deal's name")
        return simulation

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        # File systems that fold letters would take two names for one file.
        counts = Counter(deal.name.lower() for deal in self.deals)
        twice = [name for name, n in counts.items() if n > 1]
        if twice:
            raise ValueError(f"Each deal's name once, whatever its case, not '{twice[0]}' again")
        return self


def _dotted(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the value of every leaf."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
