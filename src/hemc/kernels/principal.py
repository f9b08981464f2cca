"""An amount of principal and the deal's rules go in, class balances that it reduces come out."""

from __future__ import annotations

from hemc.kernels.deal_terms import (
    FIXED_SHARE,
    IMPLIED,
    LOCKOUT,
    PRO_RATA,
    SHARED,
    TARGET_BALANCE,
    Collections,
    DealTerms,
)
from hemc.kernels.flows import NoteFlows
from hemc.kernels.note_interest import Accounts
from hemc.kernels.step import step

# USD. Less is nothing: notes that exceed the pool by less are neither drawn nor written down, and
# so is a residual. float64 leaves some 1e-7 on a pool of a billion, which would count as a draw.
DUST = 1e-4


@step
def without_dust(amount: float) -> float:
    """Return the amount, or zero where it is only rounding."""
    return amount if abs(amount) > DUST else 0.0


@step
def entry_limit(
    amount: float, terms: DealTerms, accounts: Accounts, notes: NoteFlows, e: int, p: int, t: int
) -> float:
    """Return the most that a principal entry's class takes of an amount."""
    kind, k, term = terms.rule_kind[e], terms.rule_class[e], terms.rule_amount[t, e]
    if kind == LOCKOUT:
        outstanding = 0.0
        for other in range(terms.is_notional.size):
            outstanding += notes.balance[p, t, other]
        part = term * notes.balance[p, t, k] / outstanding if outstanding > 0.0 else 0.0
        return min(part, 1.0) * amount
    if kind == FIXED_SHARE:
        after = terms.rule_after[e]
        is_early = after >= 0 and notes.balance[p, t, after] > DUST
        return 0.0 if is_early else term * amount
    return max(accounts.balance[k] - term, 0.0) if kind == TARGET_BALANCE else amount


@step
def share_pro_rata(
    amount: float, terms: DealTerms, accounts: Accounts, notes: NoteFlows, at: tuple[int, ...]
) -> float:
    """Share an amount pro rata to beginning balances; return what no class can take.

    A class paid off leaves its part to the others; each round pays off one or uses everything up.
    """
    e, j, p, t = at
    left = amount
    for _ in range(terms.is_notional.size):
        weight = 0.0
        for k in range(terms.is_notional.size):
            if terms.rule_classes[e, k] and terms.step_class[j, k] and accounts.balance[k] > 0.0:
                weight += notes.balance[p, t, k]
        if left <= 0.0 or weight <= 0.0:
            break
        share = left / weight
        for k in range(terms.is_notional.size):
            if terms.rule_classes[e, k] and terms.step_class[j, k]:
                paid = min(share * notes.balance[p, t, k], accounts.balance[k], left)
                accounts.balance[k] -= paid
                notes.principal[p, t, k] += paid
                left -= paid
    return left


@step
def distribute_principal(
    amount: float, terms: DealTerms, accounts: Accounts, notes: NoteFlows, j: int, p: int, t: int
) -> None:
    """Share what step `j` pays among its classes: each entry takes from what the former left."""
    left = amount
    for e in range(terms.rule_kind.size):
        if left <= 0.0:
            break
        if terms.rule_kind[e] == PRO_RATA:
            left = share_pro_rata(left, terms, accounts, notes, (e, j, p, t))
            continue
        k = terms.rule_class[e]
        if terms.step_class[j, k]:
            limit = entry_limit(amount, terms, accounts, notes, e, p, t)
            paid = min(limit, accounts.balance[k], left)
            accounts.balance[k] -= paid
            notes.principal[p, t, k] += paid
            left -= paid


@step
def write_up(oc: float, accounts: Accounts, notes: NoteFlows, p: int, t: int) -> None:
    """Reverse earlier writedowns without cash as far as OC reaches, most senior first."""
    left = max(oc, 0.0)
    for k in range(accounts.balance.size):
        amount = min(left, accounts.unreversed[k])
        accounts.balance[k] += amount
        accounts.unreversed[k] -= amount
        notes.write_up[p, t, k] = amount
        left -= amount


@step
def write_down(
    terms: DealTerms, flows: Collections, accounts: Accounts, notes: NoteFlows, p: int, t: int
) -> None:
    """Take the notes in excess of the pool off the balances: last class first, or pro rata.

    Classes that an insurer pays for are spared. `implied` notes keep their balance until final
    maturity; then no convention leaves any.
    """
    is_final, spares = t == flows.loss.shape[1] - 1, t < flows.default_month[p]
    outstanding, exposed = 0.0, 0.0
    for k in range(accounts.balance.size):
        outstanding += accounts.balance[k]
        exposed += 0.0 if spares and terms.is_insured[k] else accounts.balance[k]
    excess = without_dust(outstanding - (0.0 if is_final else flows.pool[p, t + 1]))
    if excess <= 0.0 or (terms.undercollateralization == IMPLIED and not is_final):
        return
    left, share = excess, excess / exposed if exposed > 0.0 else 0.0
    for k in range(accounts.balance.size - 1, -1, -1):
        if spares and terms.is_insured[k]:
            continue
        balance = accounts.balance[k]
        amount = min(share * balance if terms.undercollateralization == SHARED else left, balance)
        accounts.balance[k] -= amount
        accounts.unreversed[k] += amount
        notes.writedown[p, t, k] = amount
        left -= amount
