"""Prepayment, default, severity and lag vectors in place of the states' matrix."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.curve import Curve


class VectorSettings(Settings):
    """The deterministic projection of desk tables; settings/curve.py tells the notation."""

    cpr: Curve = assumed(
        "0.36 ramp 24 0.22",
        "prepayment vector, per year",
        "judgement: the present CPR of base and the one that it decays to",
    )
    cdr: Curve = assumed(
        "0.02", "default vector, per year, in addition to prepayments", "judgement"
    )
    severity: Curve = assumed("1.0", "severity vector", "the market's convention for second liens")
    lag_months: Annotated[int, Field(ge=0, le=60)] = assumed(
        6, "months from default to loss, without interest or advances", "the market's convention"
    )
