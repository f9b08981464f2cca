"""A deal file and a few round months → how the plain twin pays them, and how the kernel does."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from reference.deal_twin import Paid, PoolMonth, pay_deal

from hemc.inputs.calendar import payment_dates, previous_payment_date
from hemc.inputs.deal import Deal
from hemc.inputs.toml import validate
from hemc.kernels.flows import NoteFlows, PoolFlows
from hemc.model.deal_terms import MonthlyDeal, compile_deal
from hemc.model.oc_target import trigger_flows
from hemc.model.waterfall import pay_paths
from hemc.states import N_LIVE, NAMES

FOLDER = Path(__file__).parents[1] / "data" / "deals"
#: The second payment of every test deal: the first accrues from closing.
SECOND_PAYMENT = dt.date(2003, 2, 25)
_LATE = NAMES[1:N_LIVE]


class Month(NamedTuple):
    """What a month brings, USD; `late` is the balance after it by state, `net_rate` per year."""

    interest: float = 0.0
    principal: float = 0.0
    loss: float = 0.0
    recoveries: float = 0.0
    late: Mapping[str, float] = MappingProxyType({})
    net_rate: float = 0.0


def test_deal(name: str, **changes: Any) -> Deal:
    """Return a deal of tests/data/deals with top-level tables replaced, None removing one."""
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in values.items() if value is not None}
    return validate(Deal, kept, name)


test_deal.__test__ = False  # no test, whatever pytest thinks


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


def kernel_flows(months: list[PoolMonth], closing: bool) -> PoolFlows:
    """Lay the twin's months out as flows of one path.

    Where they are not the deal's last, a month in which the pool is repaid stands behind them,
    since the kernel takes the last month for final maturity.
    """
    left = months[-1].pool_close
    rest = [] if closing else [months[-1]._replace(
        interest=0.0, recoveries=0.0, principal=left, loss=0.0, pool_open=left, pool_close=0.0
    )]  # fmt: skip
    laid = [*months, *rest]

    def row(*names: str) -> np.ndarray:
        return np.array([[sum(getattr(month, name) for name in names) for month in laid]])

    nothing = np.zeros((1, len(laid)))
    states = np.zeros((1, len(laid), N_LIVE))
    for t, month in enumerate(laid):
        states[0, t, 1:] = [month.states[name] for name in _LATE]
    return PoolFlows(
        interest=row("interest"), recoveries=row("recoveries"), scheduled=nothing,
        prepaid=row("principal"), proceeds=nothing, loss=row("loss"),
        balance=np.array([[laid[0].pool_open, *(month.pool_close for month in laid)]]),
        net_rate_balance=np.array([[month.net_rate * month.pool_open for month in laid]]),
        state_balance=states,
    )  # fmt: skip


def by_kernel(
    deal: Deal, pool: float, months: list[Month], insurer_pays: bool = True,
    index_rate: float = 0.0, last: bool = False,
) -> list[Paid]:  # fmt: skip
    """Pay months by the kernel, in the words of the twin."""
    flows = kernel_flows(twin_months(deal, pool, months), last)
    n_months = flows.loss.shape[1]
    monthly = compile_deal(deal, SECOND_PAYMENT, original_balances(deal), n_months, index_rate)
    default = np.array([n_months if insurer_pays else 0])
    notes = pay_paths(monthly, flows, default)
    return told(deal, monthly, flows, notes, 0)[: len(months)]


def told(
    deal: Deal, monthly: MonthlyDeal, flows: PoolFlows, notes: NoteFlows, p: int
) -> list[Paid]:
    """Put one path of the kernel's note flows in the words of the twin."""
    names = [c.name for c in deal.classes]
    terms = [c.name for c in deal.term_classes]
    triggers = trigger_flows(monthly.oc, flows)

    def by_class(rows: np.ndarray, t: int, kept: list[str]) -> dict[str, float]:
        if rows.shape[1] <= t:  # the kernel keeps no carry-over for a deal without
            return dict.fromkeys(kept, 0.0)
        return {name: float(rows[p, t, k]) for k, name in enumerate(names) if name in kept}

    story = []
    for t in range(flows.loss.shape[1]):
        carried = by_class(notes.carryover_paid, t, names)
        interest = by_class(notes.interest, t, names)
        story.append(Paid(
            steps={s.label: float(notes.step_paid[p, t, j]) for j, s in enumerate(deal.steps)},
            interest={name: interest[name] - carried[name] for name in names},
            principal=by_class(notes.principal, t, terms),
            carryover=carried,
            writedown=by_class(notes.writedown, t, terms),
            write_up=by_class(notes.write_up, t, terms),
            balance=by_class(notes.balance, t + 1, terms),
            shortfall=by_class(notes.shortfall, t, names),
            draw_interest=float(notes.draw_interest[p, t]),
            draw_principal=float(notes.draw_principal[p, t]),
            claim=float(notes.unreimbursed[p, t]),
            oc=float(notes.oc[p, t + 1]),
            oc_target=float(notes.oc_target[p, t]),
            triggers={g.name: (float(g.value[p, t]), float(g.threshold[t]),
                               bool(g.is_tripped[p, t])) for g in triggers},
        ))  # fmt: skip
    return story


PAYERS = {"twin": by_twin, "kernel": by_kernel}


def path_months(
    flows: PoolFlows, deal: Deal, p: int, default_month: int, index_rate: float
) -> list[PoolMonth]:
    """Lay one path of pool flows out for the twin; the last month is the deal's."""
    n_months = flows.loss.shape[1]
    dates = [previous_payment_date(SECOND_PAYMENT, deal.payment_day)]
    dates += payment_dates(SECOND_PAYMENT, n_months, deal.payment_day)
    principal = flows.scheduled + flows.prepaid + flows.proceeds
    laid = []
    for t in range(n_months):
        opening = float(flows.balance[p, t])
        rate = float(flows.net_rate_balance[p, t]) / opening if opening else 0.0
        states = dict(zip(NAMES, map(float, flows.state_balance[p, t]), strict=False))
        laid.append(
            PoolMonth(
                2 + t, (dates[t + 1] - dates[t]).days, float(flows.interest[p, t]),
                float(flows.recoveries[p, t]), float(principal[p, t]), float(flows.loss[p, t]),
                opening, float(flows.balance[p, t + 1]), rate, states, t < default_month,
                index_rate, t == n_months - 1,
            )
        )  # fmt: skip
    return laid
