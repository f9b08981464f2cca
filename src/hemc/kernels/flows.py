"""What passes between the kernels: NamedTuples of contiguous arrays, described once, here.

Shapes: `p` paths of a block, `t` months (row 0 is month 1 unless said otherwise), `k` classes,
`s` states. Amounts are USD, float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class PoolFlows(NamedTuple):
    """Cash and balances of the pool on each path.

    `interest` is net of the servicing fee; `scheduled`, `prepaid` and `proceeds` together are the
    month's principal collections; `proceeds` is what a charged-off loan still brings. `balance`
    has a column more than the others: column 0 is the balance at cut-off, column t the balance
    after month t, summed over loans and never derived from the flows. `net_rate_balance` is the
    sum of net annual rate × opening balance.
    """

    interest: Floats  # [p, t]
    recoveries: Floats  # [p, t]
    scheduled: Floats  # [p, t]
    prepaid: Floats  # [p, t]
    proceeds: Floats  # [p, t]
    loss: Floats  # [p, t]
    balance: Floats  # [p, t + 1]
    net_rate_balance: Floats  # [p, t]


class DealTerms(NamedTuple):
    """Terms of a deal laid out by month of the projection; `t` as in PoolFlows.

    `accrual` is coupon × year fraction of the month for each class (for a floating class the
    index is already in it); `year_fraction` is the day-count fraction alone. `notional` is the
    scheduled balance of a notional class and 0 for the others. `balance_open` holds the balances
    at cut-off (0 for a notional class). `is_insured` marks classes whose shortfalls the insurer
    pays. `lockout_class` is -1 where there is none. Monthly rates are per month.
    """

    accrual: Floats  # [t, k]
    year_fraction: Floats  # [t, k]
    notional: Floats  # [t, k]
    is_notional: NDArray[np.bool_]  # [k]
    is_insured: NDArray[np.bool_]  # [k]
    balance_open: Floats  # [k]
    lockout_class: int
    lockout_share: Floats  # [t]
    target: Floats  # [t] fixed target before any step-down
    step_down_share: Floats  # [t] share of the current pool, 0 before the step-down
    target_floor: float
    may_build: NDArray[np.bool_]  # [t]
    has_net_wac_cap: bool
    premium_monthly: float
    fee_monthly: float  # on the opening pool, after what the net rate already covers
    reimbursement_monthly: Floats  # [t]
    undercollateralization: int  # 0 implied, 1 pro rata, 2 reverse order


class NoteFlows(NamedTuple):
    """What the priority of payments makes of a path's PoolFlows, every amount from its own step.

    `shortfall` is the interest still owed to a class after the month; `writedown` and `write_up`
    are without cash. `draw_interest` and `draw_principal` come from the insurer. `balance` has
    column 0 for cut-off. `oc` is pool minus notes after the month, `oc_target` the target that
    applied. `largest_gap` is the largest absolute gap of any
    identity on the path.
    """

    balance: Floats  # [p, t + 1, k]
    principal: Floats  # [p, t, k] draws of principal included
    interest: Floats  # [p, t, k] draws of interest included
    shortfall: Floats  # [p, t, k]
    writedown: Floats  # [p, t, k]
    write_up: Floats  # [p, t, k]
    premium: Floats  # [p, t]
    fees: Floats  # [p, t]
    draw_interest: Floats  # [p, t]
    draw_principal: Floats  # [p, t]
    reimbursement: Floats  # [p, t]
    unreimbursed: Floats  # [p, t] owed to the insurer after the month
    residual: Floats  # [p, t]
    oc: Floats  # [p, t + 1]
    oc_target: Floats  # [p, t]
    largest_gap: Floats  # [p] of the identities, USD
