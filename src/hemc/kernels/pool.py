"""The pool as the kernels read it: one NamedTuple of contiguous arrays, one element per loan."""

from __future__ import annotations

from typing import NamedTuple

from hemc.kernels.flows import Floats, Ints


class Pool(NamedTuple):
    """Loans at cut-off, ordered by (gross rate, maturity, loan): loans of one rate are neighbours.

    The scheduled balance after m instalments counted from cut-off is
    b(m) = scheduled_a - scheduled_c * growth**m, so that b(-behind) = balance and b(N) = 0 at the
    end N of the amortisation term; the level payment is (growth - 1) * scheduled_a. `loan` is the
    counter of a loan's random numbers: its position in the tape, which the order here leaves
    alone. `net_share` is the part of interest left after the servicing fee. `rate_group` rises
    from 0 along the array and indexes `group_growth`.
    """

    loan: Ints  # [i] position in the tape ordered by loan number, from 0
    state: Ints  # [i] index in hemc.states
    behind: Ints  # [i] instalments
    balance: Floats  # [i] USD at cut-off
    scheduled_a: Floats  # [i] USD
    scheduled_c: Floats  # [i] USD
    growth: Floats  # [i] 1 + monthly rate
    net_share: Floats  # [i] in [0, 1]
    maturity: Ints  # [i] months from cut-off
    gross_rate: Floats  # [i] per year
    rate_group: Ints  # [i]
    group_growth: Floats  # [g] 1 + monthly rate of each distinct gross rate
