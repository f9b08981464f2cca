"""Whether the insurer pays, and how draws are discounted."""

from __future__ import annotations

from typing import Literal

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import Share


class InsurerSettings(Settings):
    """Whether the insurer pays in the wrapped pass, and how draws are discounted."""

    mode: Literal["performing", "absent"] = assumed(
        "performing", "the insurer in the wrapped pass", "judgement"
    )
    discount_rate: Share = assumed(
        0.04, "discount rate of draws, per year, compounded monthly", "judgement"
    )
