"""At which prices and rates the classes are valued, and when the trade settles."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import Positive

Rate = Annotated[float, Field(gt=-0.5, lt=10)]


class ValuationSettings(Settings):
    """Quotes by class name; what is not named has the default."""

    default_price: Positive = assumed(
        100.0,
        "clean price, % of the balance, at which yields and discount margins are computed",
        "market practice: par",
    )
    prices: dict[str, Positive] = assumed(
        {}, "prices by class; a notional class has no other", "none: default_price"
    )
    yields: dict[str, Rate] = assumed(
        {},
        "bond-equivalent yields by class at which prices and the wrap's value are computed",
        "none: a fixed class's own coupon",
    )
    discount_margins: dict[str, Rate] = assumed(
        {},
        "discount margins by floating class at which prices and the wrap's value are computed",
        "none: the class's own margin",
    )
    settlement_days: Annotated[int, Field(ge=0, le=25)] = assumed(
        0, "calendar days from the certificate's payment date to settlement", "judgement"
    )
    delay_days: Annotated[int, Field(ge=0, le=29)] = assumed(
        24,
        "days from the end of a 30/360 class's interest period to its payment",
        "judgement: the market's usual period, the calendar month before the payment's",
    )
    duration_shift: Annotated[float, Field(gt=0, le=0.01)] = assumed(
        0.0025, "shift of all rates, up and down, behind the effective duration", "market practice"
    )
