"""One month of one path, cut out of the arrays of a block: what the priority of payments works on.

Steps take these few rows and amounts instead of all arrays of a block, so that they can be tried
on one month by hand and their formulas carry no indices of path and month.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.kernels.flows import DealTerms, Floats, NoteFlows, PoolFlows
from hemc.kernels.step import step


class Month(NamedTuple):
    """Terms and pool flows of the month, as in DealTerms and PoolFlows."""

    accrual: Floats  # [k]
    year_fraction: Floats  # [k]
    notional: Floats  # [k]
    is_notional: NDArray[np.bool_]  # [k]
    is_insured: NDArray[np.bool_]  # [k]
    lockout_class: int
    lockout_share: float
    target: float  # before any step-down
    step_down_share: float
    target_floor: float
    may_build: bool
    has_net_wac_cap: bool
    premium_monthly: float
    fee_monthly: float
    reimbursement_monthly: float
    undercollateralization: int
    is_final: bool  # the last month: all notes are due
    interest: float  # interest collections and recoveries
    principal: float  # principal collections
    loss: float
    pool_open: float
    pool_close: float
    net_rate_balance: float


class Rows(NamedTuple):
    """The month's rows of NoteFlows, [k], and the path's writedowns not yet written up."""

    balance_open: Floats
    balance: Floats  # at the end of the month
    shortfall_open: Floats
    shortfall: Floats  # at the end of the month
    interest: Floats
    principal: Floats
    writedown: Floats
    write_up: Floats
    unreversed: Floats


class Payments(NamedTuple):
    """The month's amounts that are not by class, as in NoteFlows."""

    fees: float
    premium: float
    reimbursement: float
    residual: float
    draw_interest: float
    draw_principal: float
    unreimbursed: float  # at the end of the month
    oc: float  # at the end of the month
    oc_target: float


@step
def total(amounts: Floats) -> float:
    """Sum over classes in order (numpy's pairwise sum is slower on six numbers)."""
    result = 0.0
    for k in range(amounts.size):
        result += amounts[k]
    return result


@step
def cut_month(terms: DealTerms, flows: PoolFlows, p: int, t: int) -> Month:
    """Cut out terms and pool flows."""
    return Month(
        accrual=terms.accrual[t],
        year_fraction=terms.year_fraction[t],
        notional=terms.notional[t],
        is_notional=terms.is_notional,
        is_insured=terms.is_insured,
        lockout_class=terms.lockout_class,
        lockout_share=terms.lockout_share[t],
        target=terms.target[t],
        step_down_share=terms.step_down_share[t],
        target_floor=terms.target_floor,
        may_build=terms.may_build[t],
        has_net_wac_cap=terms.has_net_wac_cap,
        premium_monthly=terms.premium_monthly,
        fee_monthly=terms.fee_monthly,
        reimbursement_monthly=terms.reimbursement_monthly[t],
        undercollateralization=terms.undercollateralization,
        is_final=t == flows.loss.shape[1] - 1,
        interest=flows.interest[p, t] + flows.recoveries[p, t],
        principal=flows.scheduled[p, t] + flows.prepaid[p, t] + flows.proceeds[p, t],
        loss=flows.loss[p, t],
        pool_open=flows.balance[p, t],
        pool_close=flows.balance[p, t + 1],
        net_rate_balance=flows.net_rate_balance[p, t],
    )


@step
def cut_rows(notes: NoteFlows, nothing: Floats, unreversed: Floats, p: int, t: int) -> Rows:
    """Cut out the rows of the notes; `nothing` is the shortfall at cut-off."""
    return Rows(
        balance_open=notes.balance[p, t],
        balance=notes.balance[p, t + 1],
        shortfall_open=notes.shortfall[p, t - 1] if t > 0 else nothing,
        shortfall=notes.shortfall[p, t],
        interest=notes.interest[p, t],
        principal=notes.principal[p, t],
        writedown=notes.writedown[p, t],
        write_up=notes.write_up[p, t],
        unreversed=unreversed,
    )


@step
def read_payments(notes: NoteFlows, p: int, t: int) -> Payments:
    """Cut out the amounts that are not by class."""
    return Payments(
        fees=notes.fees[p, t],
        premium=notes.premium[p, t],
        reimbursement=notes.reimbursement[p, t],
        residual=notes.residual[p, t],
        draw_interest=notes.draw_interest[p, t],
        draw_principal=notes.draw_principal[p, t],
        unreimbursed=notes.unreimbursed[p, t],
        oc=notes.oc[p, t + 1],
        oc_target=notes.oc_target[p, t],
    )


@step
def write_payments(payments: Payments, notes: NoteFlows, p: int, t: int) -> None:
    """Put the amounts that are not by class in their places."""
    notes.fees[p, t] = payments.fees
    notes.premium[p, t] = payments.premium
    notes.reimbursement[p, t] = payments.reimbursement
    notes.residual[p, t] = payments.residual
    notes.draw_interest[p, t] = payments.draw_interest
    notes.draw_principal[p, t] = payments.draw_principal
    notes.unreimbursed[p, t] = payments.unreimbursed
    notes.oc[p, t + 1] = payments.oc
    notes.oc_target[p, t] = payments.oc_target
