"""Accounts of a path and a month's rates go in, interest owed and paid comes out."""

from __future__ import annotations

import math
from typing import NamedTuple

from hemc.kernels.deal_terms import CAP_CARRYOVER, Collections, DealTerms
from hemc.kernels.flows import Floats, NoteFlows
from hemc.kernels.step import step

#: Rows of `Accounts.owed`: interest, and what the net WAC cap cut.
SHORTFALL, CARRYOVER = range(2)


class Accounts(NamedTuple):
    """What stands in the books of a path while a month is being paid, USD."""

    balance: Floats  # [k]
    owed: Floats  # [2, k] interest and carry-over
    unreversed: Floats  # [k] writedowns not yet written up


@step
def rounded(amount: float, to_cents: bool) -> float:
    """Return the amount, or what a trustee makes of it: half a cent counts as one.

    What float64 leaves below an exact half, 1e-8 on a million, is less than the hair added.
    """
    return math.floor(amount * 100.0 + 0.5 + 1e-5) / 100.0 if to_cents else amount


@step
def rate_cap(terms: DealTerms, flows: Collections, p: int, t: int) -> float:
    """Return the highest rate of the month: the pool's net rate less the notional coupons.

    The cap is a twelfth of an annual rate for every class: 30/actual days times actual/360.
    """
    pool = flows.pool[p, t]
    if pool <= 0.0:
        return math.inf
    coupons, pool_left = 0.0, pool
    for k in range(terms.is_notional.size):
        notional = min(terms.notional[t, k], pool_left)
        pool_left -= notional
        coupons += notional * terms.notional_rate[t, k]
    return max(flows.net_rate_balance[p, t] - coupons, 0.0) / pool / 12.0


@step
def accrue_interest(
    terms: DealTerms, flows: Collections, accounts: Accounts, p: int, t: int
) -> None:
    """Add to the interest owed its own interest and the month's.

    What the cap cuts is not owed; it is carried over with interest at the full rate where the
    deal says so. A notional balance is its schedule, at most the pool.
    """
    cap = rate_cap(terms, flows, p, t) if terms.has_cap else math.inf
    pool_left = flows.pool[p, t]
    for k in range(terms.is_notional.size):
        base, rate, full = accounts.balance[k], terms.accrual[t, k], terms.accrual[t, k]
        if terms.is_notional[k]:
            base = min(terms.notional[t, k], pool_left)
            pool_left -= base
        if terms.is_capped[k]:
            rate = min(rate, cap)
        base += accounts.owed[SHORTFALL, k]
        owed = accounts.owed[SHORTFALL, k] + base * rate
        accounts.owed[SHORTFALL, k] = rounded(owed, terms.round_to_cents)
        if terms.is_carried[k]:
            accounts.owed[CARRYOVER, k] += accounts.owed[CARRYOVER, k] * full
            accounts.owed[CARRYOVER, k] += base * (full - rate)


@step
def pay_owed(
    cash: float, terms: DealTerms, accounts: Accounts, notes: NoteFlows, j: int, p: int, t: int
) -> float:
    """Pay a step's classes pro rata to what they are owed, or as listed; return the cash taken."""
    kind = CARRYOVER if terms.step_kind[j] == CAP_CARRYOVER else SHORTFALL
    due = 0.0
    for k in range(terms.is_notional.size):
        if terms.step_class[j, k]:
            due += accounts.owed[kind, k]
    share, left = cash / due if cash < due else 1.0, cash
    for i in range(terms.step_order.shape[1]):
        k = terms.step_order[j, i]
        if k < 0:
            break
        owed = accounts.owed[kind, k]
        paid = min(owed, left) if terms.is_sequential[j] else share * owed
        left -= paid
        accounts.owed[kind, k] = owed - paid
        notes.interest[p, t, k] += paid
        if kind == CARRYOVER:
            notes.carryover_paid[p, t, k] = paid
    return min(cash, due)
