"""How loans pay off, what a charged-off loan loses and what comes back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import Count, NotNegative, Positive, Share


class PrepaymentSettings(Settings):
    """Payoff of current loans over time; delinquent states follow the same curve."""

    cpr: Annotated[float, Field(ge=0, lt=1)] | Literal["certificate"] = assumed(
        "certificate",
        'CPR now, per year, net of schedule; "certificate" takes it from the principal flow',
        "the certificate",
    )
    long_run_cpr: Annotated[float, Field(ge=0, lt=1)] = assumed(
        0.22, "CPR that the present one decays to, per year", "judgement"
    )
    half_life_months: Positive = assumed(12.0, "months in which the gap halves", "judgement")


class LossSettings(Settings):
    """What a charged-off loan loses and what comes back later."""

    settled_share: Share = assumed(
        0.10, "share of charge-offs that settle for less than the balance", "judgement"
    )
    settled_beta: tuple[Positive, Positive] = assumed(
        (4.0, 3.0), "beta distribution of the severity of settled charge-offs", "judgement"
    )
    foreclosure_beta: tuple[Positive, Positive] = assumed(
        (6.0, 1.5), "beta distribution of the severity from foreclosure and REO", "judgement"
    )
    lumpiness: NotNegative = assumed(
        4.0,
        "shape of the gamma common to all charge-offs of a month; 0 switches it off",
        "judgement from the uneven losses of GMACM 2002-HE4",
    )
    recovery_monthly: Share = assumed(
        0.0025,
        "recoveries a month as a share of what was charged off in the recovery window",
        "measured 0.06 % on 2003-HE2 and 0.41 % on 2002-HE4",
    )
    recovery_lumpiness: NotNegative = assumed(
        0.5,
        "shape of the gamma of a coming certificate's recoveries; 0 switches it off",
        "judgement: one borrower pays in a month, an exponential amount: variance 2 / payments",
    )
    recovery_months: Count = assumed(36, "months a charge-off goes on recovering", "judgement")
    bankruptcy_paying_share: Share = assumed(
        0.0, "share of loans in bankruptcy that pay an instalment a month", "judgement"
    )
