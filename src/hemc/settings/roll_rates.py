"""How certificates update the product's prior, and how loans differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import Count, Positive, Share


class RollRateSettings(Settings):
    """How certificates update the product's prior; paths are relative to the configuration."""

    certificates: tuple[Path, ...] = ()
    deals: tuple[Path, ...] = ()
    posterior: Path | None = None
    classes: Annotated[int, Field(ge=1, le=2)] = assumed(
        1,
        "latent classes of loans, 1 or 2 (movers and chronic)",
        "judgement: 1 until data of the deal fit a second",
    )
    stock_weight: Share = assumed(
        0.25,
        "weight of the reported stocks as evidence on flows, which holds under stationarity only",
        "judgement: stocks of a young pool still grow",
    )
    draws: Annotated[int, Field(ge=1_000, le=1_000_000)] = 20_000
    seasoning_peak: Positive = assumed(
        1.5,
        "multiplier on current → 30 at the end of the seasoning ramp",
        "judgement; measured: the 30-day share of GMACM 2002-HE4 doubled in seven months",
    )
    seasoning_months: Count = assumed(18, "months of the seasoning ramp, from 1", "judgement")
    chronic_share: Share = assumed(
        0.4,
        "share of chronic loans in every delinquent state, bankruptcy and foreclosure (2 classes)",
        "shape of 65.7 million moves of 2014 first liens",
    )
    chronic_share_current: Share = assumed(
        0.04, "share of chronic loans among current ones (2 classes)", "judgement"
    )
    chronic_to_30: Share = assumed(
        0.025, "current → 30 of a chronic loan a month (2 classes)", "judgement"
    )
    chronic_improving: Share = assumed(
        0.2, "multiplier on improving moves of chronic loans (2 classes)", "2014 first-lien counts"
    )
    chronic_staying: Positive = assumed(
        1.5,
        "multiplier on staying of chronic loans, while worsening keeps its share (2 classes)",
        "2014 first-lien counts",
    )
