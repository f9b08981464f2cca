"""What `hemc sensitivities` varies: multiples of heat maps, and a tornado's swings."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from hemc.inputs.toml import Settings
from hemc.settings.bounds import NotNegative, Positive

Multiples = Annotated[tuple[NotNegative, ...], Field(min_length=1)]


class Swing(Settings):
    """An assumption with a low and a high value, one of which may be left out."""

    setting: Annotated[str, Field(description="a dotted key, or a term of engine/deal_variants")]
    low: float | str | None = None
    high: float | str | None = None
    source: str

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("'low' or 'high' or both")
        return self


_PLAIN = "judgement"
_SWINGS = (
    ("scenario.multiples.roll_rate", 0.9, 1.1, "a tenth of all moves to a worse state"),
    ("scenario.multiples.prepayment", 0.8, 1.2, "a fifth of payoffs"),
    ("scenario.credit_sd", 0.2, 0.42, "low: judgement; high: Basel's residential correlation 0.15"),
    ("scenario.credit_persistence", 0.97, 0.99, _PLAIN),
    ("scenario.crisis.component", None, "on", "crises beside the Gaussian factor"),
    ("scenario.prepayment_sd", 0.0, 0.5, _PLAIN),
    ("scenario.refinancing_floor", 0.1, 0.5, _PLAIN),
    ("scenario.index_rate", 0.005, 0.03, _PLAIN),
    ("roll_rates.seasoning_peak", 1.0, 2.0, "none, and twice the rates of new loans"),
    ("roll_rates.classes", None, 2, "shape of 2014 first liens"),
    ("roll_rates.stock_weight", 0.0, 1.0, "reported stocks as no evidence and as full evidence"),
    ("roll_rates.chronic_share", 0.2, 0.5, _PLAIN),
    ("roll_rates.chronic_share_current", 0.01, 0.08, _PLAIN),
    ("tape.seed", 2, 3, "other synthetic tapes with the same totals"),
    ("tape.size_cv", 0.4, 0.8, _PLAIN),
    ("prepayment.long_run_cpr", 0.15, 0.3, _PLAIN),
    ("prepayment.half_life_months", 6.0, 24.0, _PLAIN),
    ("loss.settled_share", 0.0, 0.25, _PLAIN),
    ("loss.recovery_monthly", 0.0006, 0.0041, "measured on 2003-HE2 and on 2002-HE4"),
    ("loss.lumpiness", 0.0, 1.0, "independent charge-offs; judgement"),
    ("insurer.mode", None, "may_default", "hazard of [insurer]"),
    ("deal.undercollateralization", "pro_rata", "reverse_order", "the other conventions"),
    ("deal.lockout", None, "none", "no class locked out of principal"),
    ("deal.notional_schedule", "ends", "level", "no notional class from now on; never steps down"),
    ("deal.step_down", None, "standard", "2.5 % of the pool from payment 31, floor 0.5 %"),
)


class SensitivitySettings(Settings):
    """The study of assumptions; multiples are those of `[scenario.multiples]`."""

    paths: Annotated[int, Field(ge=64, le=1_000_000)] = 512
    prepayment: Multiples = (0.5, 1.0, 2.0)
    roll_rate: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.5, 1.0, 1.5, 2.0)
    severity: Multiples = (0.5, 0.75, 1.0)
    tornado: tuple[Swing, ...] = tuple(
        Swing(setting=setting, low=low, high=high, source=source)
        for setting, low, high, source in _SWINGS
    )
