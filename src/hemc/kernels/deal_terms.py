"""A deal as the kernels read it: steps, rules and classes in arrays, terms by month.

Shapes: `t` months of the projection, `k` classes in order of seniority, `j` steps in order of
payment, `e` entries of the principal rules, `i` places in a list of classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import Floats, Ints
from hemc.kernels.records import Records

Flags = NDArray[np.bool_]

#: Kinds of step. INTEREST and CAP_CARRYOVER pay what stands in the books as owed; from COLLECTIONS
#: on they pay principal; DRAW, the insurer's payment, comes last.
FEE, PREMIUM, REIMBURSEMENT, INTEREST, CAP_CARRYOVER, RESIDUAL = range(6)
COLLECTIONS, HOLD_OC, COVER, BUILD_OC, DRAW = range(6, 11)

#: Kinds of principal entry: what limits the amount that a class takes. PRO_RATA serves many.
ALL, LOCKOUT, FIXED_SHARE, TARGET_BALANCE, PRO_RATA = range(5)

#: What happens to notes in excess of the pool that nobody pays.
IMPLIED, SHARED, REVERSE_ORDER = range(3)


class ClassTerms:
    """A class of notes."""

    balance_open: float  # USD at cut-off, 0 for a notional class
    is_notional: bool
    is_capped: bool  # by the pool's net rate
    is_carried: bool  # what the cap cuts is carried over
    is_insured: bool


class ClassMonth:
    """A class in a month."""

    accrual: float  # coupon × year fraction; a floating class has its index in it
    notional: float  # scheduled balance of a notional class, USD
    notional_rate: float  # coupon a year of a notional class


class MonthTerms:
    """A month of the projection."""

    may_build: bool  # OC may be built and released
    reimbursement: float  # rate a month at which draws accrue
    has_notional: bool  # a notional class has a balance


class StepTerms:
    """A step; a fee or premium is min(rate × base + amount, cap)."""

    kind: int
    rate: float  # per month
    amount: float  # USD a month
    cap: float  # USD a month
    is_on_pool: bool  # base of a fee, else the opening notes of its classes
    is_sequential: bool  # interest as listed, else pro rata


class RuleTerms:
    """An entry of the principal rules: one class, or -1 where it is pro rata."""

    kind: int
    k: int
    after: int  # class that has to be retired first, or -1


class DealTerms(NamedTuple):
    """Terms of a deal; row `j` of `in_step` and of `step_order` are the classes of a step."""

    classes: Records[ClassTerms]  # [k]
    class_months: Records[ClassMonth]  # [t, k]
    months: Records[MonthTerms]  # [t]
    steps: Records[StepTerms]  # [j + 1] the last is DRAW
    in_step: Flags  # [j + 1, k]
    step_order: Ints  # [j + 1, i] the same as lists ended by -1
    rules: Records[RuleTerms]  # [e]
    in_rule: Flags  # [e, k] classes that share pro rata
    rule_amount: Floats  # [t, e] share of lockout or fixed share, scheduled balance in USD
    has_cap: bool  # some class is capped
    undercollateralization: int
    round_to_cents: bool  # interest of each class, fees and premium, as a trustee does


class Month:
    """What the order of payments is fed with, USD: collections and the pool that they come from."""

    interest: float  # recoveries included
    principal: float
    loss: float
    pool_open: float
    pool_close: float
    net_rate_balance: float  # net annual rate × opening balance
    oc_target: float
    is_final: bool  # the last month: all notes are due
    pays: bool  # the insurer
