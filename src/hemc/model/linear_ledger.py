"""Rates of cells → the ledger (docs/model.md, section 2) as rules on sums over loans.

A loan's month is linear in its balance b and level payment m: an instalment makes b into
(1 + ρ)·b − m. So is what n instalments bring: principal is what b falls by, interest n·m less it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.expected import (
    ALWAYS,
    BALANCE,
    BALANCE_BEHIND,
    CHARGE_OFFS,
    FIRST_FLOW,
    INTEREST,
    LOANS,
    LOSS,
    NET_RATE_BALANCE,
    PAYMENT,
    PAYMENT_BEHIND,
    PAYOFFS,
    PREPAID,
    PROCEEDS,
    SCHEDULED,
    Cells,
    Ledger,
    Rule,
)
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.records import column, records
from hemc.states import BANKRUPTCY, CHARGED_OFF, CURRENT, N_LIVE, N_STATES, PAID_OFF, PAYING

Moves = NDArray[np.bool_]


class RuleBook:
    """Rules in the making; `support[s, d]` tells which moves exist."""

    def __init__(self, cells: Cells, support: Moves) -> None:
        self.cells, self.support = cells, support
        self.ends: list[tuple[int, int, int]] = []
        self.factors: list[Floats] = []

    def add(self, q: int, s: int, target: int, when: int, factor: Floats | float = 1.0) -> None:
        """Take sum `q` of state `s`, times a factor by cell, to a row when a move happens."""
        if when == ALWAYS or self.support.flat[when]:
            self.ends.append((row(q, s), target, when))
            self.factors.append(np.broadcast_to(factor, self.cells.growth.shape))

    def carry(self, s: int, to: int, *sums: int, share: float = 1.0) -> None:
        """Take sums from a state to another as they are."""
        for q in sums:
            self.add(q, s, row(q, to), move(s, to), share)


def row(q: int, s: int) -> int:
    """Return the row of a sum over a state."""
    return q * N_LIVE + s


def move(s: int, to: int) -> int:
    """Return the number of a move."""
    return s * N_STATES + to


def flow(j: int) -> int:
    """Return the row of a flow."""
    return FIRST_FLOW + j


def linear_ledger(cells: Cells, support: Moves, severity: Floats, paying_share: float) -> Ledger:
    """Write the ledger for cells; `severity[state]` is the mean of a charge-off from there.

    `paying_share` of the loans that stay in bankruptcy pay an instalment before maturity.
    """
    scheduled, matured = RuleBook(cells, support), RuleBook(cells, support)
    maturing = RuleBook(cells, support)
    for s in range(N_LIVE):
        for book in (scheduled, matured):
            earn(book, s)
            charge_off(book, s, severity[s])
        behind = s if s in PAYING else None
        pay_off(scheduled, s, PAID_OFF, behind)
        move_scheduled(scheduled, s, paying_share)
        pay_off(matured, s, PAID_OFF)
        for to in range(N_LIVE):
            if to in PAYING and (s not in PAYING or to < s):
                pay_off(matured, s, to)
            else:
                stand_still(matured, s, to)
    mature(maturing)
    return in_phases(scheduled, matured, maturing)


def in_phases(*books: RuleBook) -> Ledger:
    """Put the rules of each phase into one ledger, equal factors stored once."""
    source, target, moves = np.array([end for book in books for end in book.ends]).T
    rows = np.array([factor for book in books for factor in book.factors])
    factors, factor = np.unique(rows, axis=0, return_inverse=True)
    rules = records(len(rows), Rule, source=source, target=target, move=moves, factor=factor)
    return Ledger(rules, np.cumsum([0, *(len(book.ends) for book in books)]), factors)


def earn(book: RuleBook, s: int) -> None:
    """Count net annual rate × opening balance."""
    rate = 12.0 * (book.cells.growth - 1.0) * book.cells.net_share
    book.add(BALANCE, s, flow(NET_RATE_BALANCE), ALWAYS, rate)


def charge_off(book: RuleBook, s: int, severity: float) -> None:
    """Lose severity × balance; the rest comes in."""
    out = move(s, CHARGED_OFF)
    book.add(BALANCE, s, flow(LOSS), out, severity)
    book.add(BALANCE, s, flow(PROCEEDS), out, 1.0 - severity)
    book.add(LOANS, s, flow(CHARGE_OFFS), out)


def pay_off(book: RuleBook, s: int, to: int, behind: int | None = None) -> None:
    """Repay the balance, with interest of the arrears and of half a month.

    `behind` is None where it differs from loan to loan.
    """
    out = move(s, to)
    rate = (book.cells.growth - 1.0) * book.cells.net_share
    book.add(BALANCE, s, flow(PREPAID), out)
    book.add(LOANS, s, flow(PAYOFFS), out)
    book.add(BALANCE, s, flow(INTEREST), out, rate * ((behind or 0) + 0.5))
    if behind is None:
        book.add(BALANCE_BEHIND, s, flow(INTEREST), out, rate)


def move_scheduled(book: RuleBook, s: int, paying_share: float) -> None:
    """Move a state among live states before maturity."""
    for to in range(N_LIVE):
        if to in PAYING and s in PAYING:
            book.carry(s, to, LOANS)
            pay_instalments(book, s, to, max(1 + s - to, 0))
        elif to in PAYING:  # a re-age: no cash, balance unchanged
            book.carry(s, to, LOANS, PAYMENT, BALANCE)
        elif s in PAYING:
            book.carry(s, to, LOANS, PAYMENT, BALANCE)
            book.add(BALANCE, s, row(BALANCE_BEHIND, to), move(s, to), s + 1.0)
            book.add(PAYMENT, s, row(PAYMENT_BEHIND, to), move(s, to), s + 1.0)
        else:
            pays = paying_share if s == to == BANKRUPTCY else 0.0
            stand_still(book, s, to, 1.0 - pays)
            owe_payments(book, s, to, 1.0 - pays)
            if pays > 0.0:
                pay_in_bankruptcy(book, pays)


def stand_still(book: RuleBook, s: int, to: int, share: float = 1.0) -> None:
    """Carry a share of a state to another, nothing paid, a month further behind."""
    book.carry(s, to, LOANS, BALANCE, BALANCE_BEHIND, share=share)
    book.add(BALANCE, s, row(BALANCE_BEHIND, to), move(s, to), share)


def owe_payments(book: RuleBook, s: int, to: int, share: float = 1.0) -> None:
    """Carry level payments along where nothing is paid, for a later re-age or instalment."""
    book.carry(s, to, PAYMENT, PAYMENT_BEHIND, share=share)
    book.add(PAYMENT, s, row(PAYMENT_BEHIND, to), move(s, to), share)


def pay_instalments(book: RuleBook, s: int, to: int, n: int, share: float = 1.0) -> None:
    """Let a share of those who move pay n instalments; loans are carried elsewhere."""
    here = move(s, to)
    grown = book.cells.growth**n  # 1 USD of balance after n instalments
    paid = sum(book.cells.growth**j for j in range(n)) + 0.0 * grown  # by 1 USD of payment each
    net = book.cells.net_share
    book.carry(s, to, PAYMENT, share=share)
    book.add(BALANCE, s, row(BALANCE, to), here, share * grown)
    book.add(PAYMENT, s, row(BALANCE, to), here, -share * paid)
    if n > 0:
        book.add(BALANCE, s, flow(SCHEDULED), here, share * (1.0 - grown))
        book.add(PAYMENT, s, flow(SCHEDULED), here, share * paid)
        book.add(BALANCE, s, flow(INTEREST), here, share * net * (grown - 1.0))
        book.add(PAYMENT, s, flow(INTEREST), here, share * net * (n - paid))


def pay_in_bankruptcy(book: RuleBook, share: float) -> None:
    """Let a share of those who stay in bankruptcy pay one instalment, as far behind as before."""
    s, here = BANKRUPTCY, move(BANKRUPTCY, BANKRUPTCY)
    behind = row(BALANCE_BEHIND, s)
    pay_instalments(book, s, s, 1, share)
    book.carry(s, s, LOANS, PAYMENT_BEHIND, share=share)
    book.add(BALANCE_BEHIND, s, behind, here, share * book.cells.growth)
    book.add(PAYMENT_BEHIND, s, behind, here, -share)


def mature(book: RuleBook) -> None:
    """Repay what is current at maturity and record how far behind the buckets are.

    Applied to the rows that it reads: what is current is repaid by taking it away.
    """
    book.add(BALANCE, CURRENT, flow(SCHEDULED), ALWAYS)
    for q in (BALANCE, PAYMENT, LOANS):
        book.add(q, CURRENT, row(q, CURRENT), ALWAYS, -1.0)
    for s in PAYING:
        if s != CURRENT:
            book.add(BALANCE, s, row(BALANCE_BEHIND, s), ALWAYS, float(s))


def loss_ledger(ledger: Ledger) -> Ledger:
    """Return the rules between payments, balances and loss, source and target exchanged."""
    matter = [*range(row(PAYMENT, 0), row(BALANCE, N_LIVE)), flow(LOSS)]
    source, target = column(ledger.rules, "source"), column(ledger.rules, "target")
    kept = np.isin(source, matter) & np.isin(target, matter)
    rules = records(
        int(kept.sum()), Rule, source=target[kept], target=source[kept],
        move=column(ledger.rules, "move")[kept], factor=column(ledger.rules, "factor")[kept],
    )  # fmt: skip
    return Ledger(rules, np.append(0, kept.cumsum())[ledger.first], ledger.factors)


def repaid_at_maturity() -> Ints:
    """Return the rows that are repaid at maturity and lose nothing more."""
    return np.array([row(BALANCE, CURRENT), row(PAYMENT, CURRENT)])
