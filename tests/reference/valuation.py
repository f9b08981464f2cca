"""Plain twin of kernels/valuation.py: lists of dated flows, sums of powers, roots by halving."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

LOWEST, HIGHEST = -1.0, 100.0


class Bond(NamedTuple):
    """One class on one path: amounts by month and what they are measured by, as in Quotes."""

    interest: list[float]
    principal: list[float]
    balance: list[float]  # at cut-off and after each month
    shortfall: list[float]
    lag: float = 0.0
    index: list[float] | None = None
    period: list[float] | None = None
    year_fraction: list[float] | None = None

    @property
    def months(self) -> range:
        return range(1, len(self.interest) + 1)

    @property
    def cash(self) -> list[float]:
        return [i + p for i, p in zip(self.interest, self.principal, strict=True)]


def called_in(bond: Bond, month: int) -> Bond:
    """Return the flows when the deal is called in a month (0: never)."""
    if month == 0:
        return bond
    rest = len(bond.interest) - month
    interest = bond.interest[:month]
    interest[-1] += bond.shortfall[month - 1]
    principal = bond.principal[:month]
    principal[-1] += bond.balance[month]
    return bond._replace(
        interest=interest + [0.0] * rest,
        principal=principal + [0.0] * rest,
        balance=bond.balance[:month] + [0.0] * (rest + 1),
    )


def price_at_yield(bond: Bond, rate: float) -> float:
    """Return the full price at a yield compounded twice a year."""
    years = [(t - bond.lag) / 12 for t in bond.months]
    return sum(c / (1 + rate / 2) ** (2 * y) for c, y in zip(bond.cash, years, strict=True))


def price_at_margin(bond: Bond, margin: float, shift: float = 0.0) -> float:
    """Return the full price at a discount margin, the index moved by `shift` after payment 1."""
    price = 0.0
    for t in bond.months:
        factors = [1 + (bond.index[s] + shift + margin) * bond.period[s] for s in range(t)]
        gain = shift * bond.balance[t - 1] * bond.year_fraction[t - 1] if t > 1 else 0.0
        price += (bond.cash[t - 1] + gain) / math.prod(factors)
    return price


def rate_at_price(value: Callable[[float], float], price: float) -> float:
    """Return the rate at which a falling value meets the price, by halving an interval."""
    low, high = LOWEST, HIGHEST
    if value(low) <= price:
        return LOWEST
    if value(high) >= price:
        return HIGHEST
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if value(middle) > price else (low, middle)
    return low


def slope_duration(value: Callable[[float], float], rate: float, step: float) -> float:
    """Return −(change of value / value) per unit of the rate, by a difference over ± step."""
    return (value(rate - step) - value(rate + step)) / (2 * step * value(rate))


def average_life(bond: Bond) -> float:
    """Return the years to principal, weighted by principal."""
    paid = sum(bond.principal)
    weighted = sum(t * p for t, p in zip(bond.months, bond.principal, strict=True))
    return weighted / 12 / paid if paid else math.nan


def window(bond: Bond) -> tuple[float, float]:
    """Return the first and the last month of principal, or of cash where none is owed."""
    flows = bond.principal if bond.balance[0] else bond.cash
    paid = [t for t, amount in zip(bond.months, flows, strict=True) if amount > 0.005]
    return (paid[0], paid[-1]) if paid else (math.nan, math.nan)


def clean_up_call(
    pool: list[float], claims: list[float], notes: list[float], largest: float
) -> int:
    """Return the first month whose closing pool is small and covers notes and claims, or 0."""
    for t, (balance, owed, held) in enumerate(zip(pool, claims, notes, strict=True), start=1):
        if balance <= largest and held > 0.005 and balance >= held + owed:
            return t
    return 0
