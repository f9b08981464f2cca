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
    sum of net annual rate × opening balance. `state_balance` is the balance after the month of
    each live state of `hemc.states`.
    """

    interest: Floats  # [p, t]
    recoveries: Floats  # [p, t]
    scheduled: Floats  # [p, t]
    prepaid: Floats  # [p, t]
    proceeds: Floats  # [p, t]
    loss: Floats  # [p, t]
    balance: Floats  # [p, t + 1]
    net_rate_balance: Floats  # [p, t]
    state_balance: Floats  # [p, t, s]


class NoteFlows(NamedTuple):
    """What the priority of payments makes of a path's collections, each amount from its own step.

    All arrays are zero where nothing happens. `shortfall` is the interest still owed to a class
    after the month; `carryover` what the net WAC cap cut and nobody paid (without months where no
    class has a cap that is carried over). `writedown` and `write_up` are without cash.
    `draw_interest` and `draw_principal` come from the insurer. `largest_gap` is the largest
    absolute gap of any identity on the path.
    """

    balance: Floats  # [p, t + 1, k] column 0 at cut-off
    principal: Floats  # [p, t, k] draws of principal included
    interest: Floats  # [p, t, k] draws and paid carry-over included
    shortfall: Floats  # [p, t, k]
    carryover: Floats  # [p, t, k] owed after the month
    carryover_paid: Floats  # [p, t, k]
    writedown: Floats  # [p, t, k]
    write_up: Floats  # [p, t, k]
    step_paid: Floats  # [p, t, j] what each step of the deal took
    step_kind: Ints  # [j] as in DealTerms
    draw_interest: Floats  # [p, t]
    draw_principal: Floats  # [p, t]
    unreimbursed: Floats  # [p, t] owed to the insurer after the month
    oc: Floats  # [p, t + 1] pool minus notes, column 0 at cut-off
    oc_target: Floats  # [p, t] the target that applied
    largest_gap: Floats  # [p] of the identities, USD

    def paid(self, kind: int) -> Floats:
        """Return what the steps of a kind took together, float64[p, t] USD."""
        return np.asarray(self.step_paid[:, :, self.step_kind == kind].sum(axis=2))
