"""A deal file and a few round months → how the plain twin pays them, and how the kernel does."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hemc.inputs.calendar import payment_dates, previous_payment_date
from hemc.inputs.deal import Deal
from hemc.inputs.toml import validate
from reference.deal_twin import Paid, PoolMonth, pay_deal

FOLDER = Path(__file__).parents[1] / "data" / "deals"
#: The second payment of every test deal: the first accrues from closing.
SECOND_PAYMENT = dt.date(2003, 2, 25)
_LATE = ("30", "60", "90", "120", "150", "180+", "bankruptcy", "foreclosure", "reo")


class Month(NamedTuple):
    """What a month brings, USD; `late` is the balance after it by state, `net_rate` per year."""

    interest: float = 0.0
    principal: float = 0.0
    loss: float = 0.0
    recoveries: float = 0.0
    late: dict[str, float] = {}  # noqa: RUF012  read only
    net_rate: float = 0.0


def test_deal(name: str, **changes: Any) -> Deal:
    """Return a deal of tests/data/deals with top-level tables replaced, None removing one."""
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in values.items() if value is not None}
    return validate(Deal, kept, name)


test_deal.__test__ = False  # type: ignore[attr-defined]  # no test, whatever pytest thinks


def original_balances(deal: Deal) -> dict[str, float]:
    """Return the classes as they were at closing."""
    return {c.name: float(c.original_balance) for c in deal.term_classes}


def twin_months(
    deal: Deal, pool: float, months: list[Month], insurer_pays: bool = True,
    index_rate: float = 0.0, last: bool = False,
) -> list[PoolMonth]:  # fmt: skip
    """Lay months out for the twin, from the second payment on."""
    dates = [previous_payment_date(SECOND_PAYMENT, deal.payment_day)]
    dates += payment_dates(SECOND_PAYMENT, len(months), deal.payment_day)
    laid = []
    for t, month in enumerate(months):
        after = pool - month.principal - month.loss
        laid.append(
            PoolMonth(
                2 + t, (dates[t + 1] - dates[t]).days, month.interest, month.recoveries,
                month.principal, month.loss, pool, after, month.net_rate,
                dict.fromkeys(_LATE, 0.0) | month.late, insurer_pays, index_rate,
                last and t == len(months) - 1,
            )
        )  # fmt: skip
        pool = after
    return laid


def by_twin(deal: Deal, pool: float, months: list[Month], **terms: Any) -> list[Paid]:
    """Pay months by the twin, the classes at their original balances."""
    return pay_deal(deal, original_balances(deal), 0.0, twin_months(deal, pool, months, **terms))


PAYERS = {"twin": by_twin}
