"""A deal as the kernels read it: steps, rules and classes in arrays, terms by month.

Shapes: `t` months of the projection, `k` classes in order of seniority, `j` steps in order of
payment, `e` entries of the principal rules, `i` places in a list of classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats, Ints

Flags = NDArray[np.bool_]

#: Kinds of step. From COLLECTIONS on they pay principal; DRAW, the insurer's payment, comes last.
FEE, PREMIUM, REIMBURSEMENT, INTEREST, CAP_CARRYOVER, RESIDUAL = range(6)
COLLECTIONS, HOLD_OC, COVER, BUILD_OC, DRAW = range(6, 11)

#: Kinds of principal entry: what limits the amount that a class takes. PRO_RATA serves many.
ALL, LOCKOUT, FIXED_SHARE, TARGET_BALANCE, PRO_RATA = range(5)

#: What happens to notes in excess of the pool that nobody pays.
IMPLIED, SHARED, REVERSE_ORDER = range(3)


class DealTerms(NamedTuple):
    """Terms of a deal.

    `accrual` is coupon × year fraction of the month (a floating class has its index in it).
    `notional` is the scheduled balance of a notional class and `notional_rate` its coupon a year,
    0 for the others. A step has a row of `step_class`, the classes it is about, and of
    `step_order`, the same as a list ended by -1. A fee or premium is
    min(step_rate × base + step_amount, step_cap), its base the opening pool or opening notes.
    A principal entry is one class, or -1 and a row of `rule_classes` where it is pro rata.
    """

    accrual: Floats  # [t, k]
    notional: Floats  # [t, k] USD
    notional_rate: Floats  # [t, k] per year
    is_notional: Flags  # [k]
    has_cap: bool  # some class is capped
    is_capped: Flags  # [k] by the pool's net rate
    is_carried: Flags  # [k] what the cap cuts is carried over
    is_insured: Flags  # [k]
    balance_open: Floats  # [k] USD at cut-off, 0 for a notional class
    step_kind: Ints  # [j + 1] the last is DRAW
    step_class: Flags  # [j + 1, k]
    step_order: Ints  # [j + 1, i]
    is_sequential: Flags  # [j + 1] interest as listed, else pro rata
    is_on_pool: Flags  # [j + 1] base of a fee
    step_rate: Floats  # [j + 1] per month
    step_amount: Floats  # [j + 1] USD a month
    step_cap: Floats  # [j + 1] USD a month
    rule_kind: Ints  # [e]
    rule_class: Ints  # [e]
    rule_classes: Flags  # [e, k]
    rule_after: Ints  # [e] class that has to be retired first, or -1
    rule_amount: Floats  # [t, e] share of lockout or fixed share, scheduled balance in USD
    may_build: Flags  # [t] OC may be built and released
    reimbursement_monthly: Floats  # [t]
    undercollateralization: int
    round_to_cents: bool  # interest of each class, fees and premium, as a trustee does


class Collections(NamedTuple):
    """What the order of payments is fed with on each path."""

    interest: Floats  # [p, t] USD, recoveries included
    principal: Floats  # [p, t] USD
    loss: Floats  # [p, t] USD
    pool: Floats  # [p, t + 1] USD, column 0 at cut-off
    net_rate_balance: Floats  # [p, t] net annual rate × opening balance
    oc_target: Floats  # [p, t] USD
    default_month: Ints  # [p] first month, from 0, in which the insurer pays nothing
