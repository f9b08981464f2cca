"""An amount of principal and the deal's rules go in, class balances that it reduces come out."""

from __future__ import annotations

from hemc.kernels.deal_terms import (
    FIXED_SHARE,
    LOCKOUT,
    PRO_RATA,
    SHARED,
    TARGET_BALANCE,
    ClassTerms,
    Flags,
    RuleTerms,
)
from hemc.kernels.flows import Floats
from hemc.kernels.note_interest import Book
from hemc.kernels.records import Records
from hemc.kernels.step import step

# USD. Less is nothing: notes that exceed the pool by less are neither drawn nor written down, and
# so is a residual. float64 leaves some 1e-7 on a pool of a billion, which would count as a draw.
DUST = 1e-4


@step
def without_dust(amount: float) -> float:
    """Return the amount, or zero where it is only rounding."""
    return amount if abs(amount) > DUST else 0.0


@step
def total_opening(books: Records[Book]) -> float:
    """Return the notes at the beginning of the month."""
    total = 0.0
    for k in range(books.size):
        total += books[k].opening
    return total


@step
def rule_limit(amount: float, rule: RuleTerms, term: float, books: Records[Book]) -> float:
    """Return the most that a rule's class takes of an amount.

    `term` is the share of a lockout or fixed share, or the scheduled balance.
    """
    if rule.kind == LOCKOUT:
        notes = total_opening(books)
        part = term * books[rule.k].opening / notes if notes > 0.0 else 0.0
        return min(part, 1.0) * amount
    if rule.kind == FIXED_SHARE:
        is_early = rule.after >= 0 and books[rule.after].opening > DUST
        return 0.0 if is_early else term * amount
    return max(books[rule.k].balance - term, 0.0) if rule.kind == TARGET_BALANCE else amount


@step
def share_pro_rata(
    amount: float, in_rule: Flags, in_step: Flags, books: Records[Book], e: int, j: int
) -> float:
    """Share an amount pro rata to beginning balances; return what no class can take.

    A class paid off leaves its part to the others; each round pays off one or uses everything up.
    """
    left = amount
    for _ in range(books.size):
        weight = 0.0
        for k in range(books.size):
            if in_rule[e, k] and in_step[j, k] and books[k].balance > 0.0:
                weight += books[k].opening
        if left <= 0.0 or weight <= 0.0:
            break
        share = left / weight
        for k in range(books.size):
            if in_rule[e, k] and in_step[j, k]:
                paid = min(share * books[k].opening, books[k].balance, left)
                books[k].balance -= paid
                books[k].principal += paid
                left -= paid
    return left


@step
def distribute_principal(
    amount: float, rules: Records[RuleTerms], rule_amount: Floats, in_rule: Flags, in_step: Flags,
    books: Records[Book], j: int, t: int,
) -> None:  # fmt: skip
    """Share what step `j` pays among its classes: each rule takes from what the former left."""
    left = amount
    for e in range(rules.size):
        if left <= 0.0:
            break
        rule = rules[e]
        if rule.kind == PRO_RATA:
            left = share_pro_rata(left, in_rule, in_step, books, e, j)
        elif in_step[j, rule.k]:
            limit = rule_limit(amount, rule, rule_amount[t, e], books)
            paid = min(limit, books[rule.k].balance, left)
            books[rule.k].balance -= paid
            books[rule.k].principal += paid
            left -= paid


@step
def write_up(oc: float, books: Records[Book]) -> None:
    """Reverse earlier writedowns without cash as far as OC reaches, most senior first."""
    left = max(oc, 0.0)
    for k in range(books.size):
        amount = min(left, books[k].unreversed)
        books[k].balance += amount
        books[k].unreversed -= amount
        books[k].write_up = amount
        left -= amount


@step
def write_down(
    excess: float, classes: Records[ClassTerms], books: Records[Book], convention: int, spares: bool
) -> None:
    """Take notes in excess of the pool off the balances: last class first, or pro rata.

    Classes that an insurer pays for are spared.
    """
    exposed = 0.0
    for k in range(classes.size):
        exposed += 0.0 if spares and classes[k].is_insured else books[k].balance
    left, share = excess, excess / exposed if exposed > 0.0 else 0.0
    for k in range(classes.size - 1, -1, -1):
        if spares and classes[k].is_insured:
            continue
        balance = books[k].balance
        amount = min(share * balance if convention == SHARED else left, balance)
        books[k].balance -= amount
        books[k].unreversed += amount
        books[k].writedown = amount
        left -= amount
