"""Whether the insurer pays, and how its cash flows are discounted."""

from __future__ import annotations

from typing import Literal

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import NotNegative, Share


class InsurerSettings(Settings):
    """Whether the insurer pays in the wrapped pass, and how its cash flows are discounted."""

    mode: Literal["performing", "absent", "may_default"] = assumed(
        "performing", "the insurer in the wrapped pass", "judgement"
    )
    default_hazard: NotNegative = assumed(
        0.005,
        'with mode "may_default", its hazard per year where credit is at its mean',
        "judgement",
    )
    default_sensitivity: NotNegative = assumed(
        2.0,
        "its log hazard per probit unit of credit factor and stress: wrong-way risk",
        "judgement",
    )
    discount_rate: Share = assumed(
        0.04, "discount rate of draws, reimbursement and premium, per year", "judgement"
    )
