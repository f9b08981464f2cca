"""Pool flows and a deal's OC terms go in, targets and trigger states by path and month come out.

All of it depends on the pool alone, so that it is known before the notes are paid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemc.inputs.by_payment import in_force
from hemc.inputs.deal import Deal
from hemc.inputs.overcollateralization import Overcollateralization, Trigger, dollars
from hemc.kernels.flows import Floats, PoolFlows
from hemc.states import NAMES


class StepDownTerms(NamedTuple):
    """From where on the target follows the pool."""

    is_on: NDArray[np.bool_]  # [t]
    was_on: bool  # in the month before the first
    share: float  # of the ending pool
    floor: float  # USD


class TriggerTerms(NamedTuple):
    """One trigger by month of the projection."""

    name: str
    threshold: Floats  # [t]
    states: tuple[int, ...]  # whose balance is measured; none: cumulative loss
    average_months: int
    raised_target: float  # USD while tripped, 0 where it stops the step-down
    cures: bool


class OcTerms(NamedTuple):
    """What the OC target is made of; amounts USD."""

    target: float
    step_down: StepDownTerms | None = None
    multiple: tuple[float, tuple[int, ...], int] | None = None  # of balance in states, months
    triggers: tuple[TriggerTerms, ...] = ()
    loss_to_date: float = 0.0
    original_pool: float = 0.0


class TriggerFlows(NamedTuple):
    """A trigger on each path and month."""

    name: str
    value: Floats  # [p, t]
    threshold: Floats  # [t]
    is_tripped: NDArray[np.bool_]  # [p, t]


def compile_oc_target(
    deal: Deal, first_payment: int, n_months: int, loss_to_date: float
) -> OcTerms:
    """Lay out a deal's OC terms by month; `first_payment` is the number of month 1's payment.

    `loss_to_date` is what the pool lost by cut-off less recoveries, USD.
    """
    oc = deal.overcollateralization
    if oc is None:
        return OcTerms(0.0)
    numbers = np.arange(first_payment, first_payment + n_months)
    multiple = oc.delinquency_multiple
    return OcTerms(
        dollars(oc.target, oc.target_share, deal.original_notes),
        _step_down(deal, oc, numbers),
        None
        if multiple is None
        else (multiple.multiple, _indices(multiple.states), multiple.average_months),
        tuple(_trigger(deal, trigger, numbers) for trigger in oc.triggers),
        loss_to_date,
        float(deal.closing_pool),
    )


def _step_down(
    deal: Deal, oc: Overcollateralization, numbers: NDArray[np.int64]
) -> StepDownTerms | None:
    """Return the step-down by month."""
    down = oc.step_down
    if down is None:
        return None
    is_on = numbers >= down.payment
    floor = dollars(down.floor, down.floor_share, deal.closing_pool)
    return StepDownTerms(is_on, bool(numbers[0] > down.payment), down.share, floor)


def _trigger(deal: Deal, trigger: Trigger, numbers: NDArray[np.int64]) -> TriggerTerms:
    """Return a trigger by month."""
    entries = [in_force(trigger.thresholds, int(number)) for number in numbers]
    return TriggerTerms(
        trigger.name,
        np.array([trigger.threshold_after if e is None else e.value for e in entries]),
        _indices(trigger.states),
        trigger.average_months,
        dollars(trigger.target, trigger.target_share, deal.original_notes),
        trigger.cures,
    )


def _indices(states: tuple[str, ...]) -> tuple[int, ...]:
    """Return the positions of states in PoolFlows."""
    return tuple(NAMES.index(state) for state in states)


def oc_targets(terms: OcTerms, flows: PoolFlows) -> Floats:
    """Return the OC target of every path and month, float64[p, t] USD."""
    target = np.full(flows.loss.shape, terms.target)
    tripped = trigger_flows(terms, flows)
    if terms.step_down is not None:
        stops = [
            state.is_tripped
            for state, trigger in zip(tripped, terms.triggers, strict=True)
            if trigger.raised_target == 0.0
        ]
        _step_target_down(terms.step_down, target, flows.balance, stops)
    for state, trigger in zip(tripped, terms.triggers, strict=True):
        np.maximum(target, np.where(state.is_tripped, trigger.raised_target, 0.0), out=target)
    if terms.multiple is not None:
        multiple, states, months = terms.multiple
        balance = flows.state_balance[:, :, list(states)].sum(axis=2)
        np.maximum(target, multiple * _average(balance, months), out=target)
    return target


def trigger_flows(terms: OcTerms, flows: PoolFlows) -> list[TriggerFlows]:
    """Return value, threshold and state of each trigger on every path and month."""
    found = []
    for trigger in terms.triggers:
        value = _value(terms, trigger, flows)
        is_tripped = value > trigger.threshold
        if not trigger.cures:
            is_tripped = np.logical_or.accumulate(is_tripped, axis=1)
        found.append(TriggerFlows(trigger.name, value, trigger.threshold, is_tripped))
    return found


def _value(terms: OcTerms, trigger: TriggerTerms, flows: PoolFlows) -> Floats:
    """Return what a trigger measures, float64[p, t]; no pool has no delinquency."""
    if not trigger.states:
        lost = np.cumsum(flows.loss - flows.recoveries, axis=1)
        return np.asarray((terms.loss_to_date + lost) / terms.original_pool)
    balance = flows.state_balance[:, :, list(trigger.states)].sum(axis=2)
    pool = flows.balance[:, 1:]
    share = np.divide(balance, pool, out=np.zeros_like(balance), where=pool > 0.0)
    return _average(share, trigger.average_months)


def _average(values: Floats, n_months: int) -> Floats:
    """Return the mean of the last `n_months` months, of fewer at the beginning, float64[p, t]."""
    total = np.cumsum(values, axis=1)
    total[:, n_months:] -= total[:, :-n_months].copy()
    return np.asarray(total / np.minimum(np.arange(1, values.shape[1] + 1), n_months))


def _step_target_down(
    terms: StepDownTerms, target: Floats, pool: Floats, stops: list[NDArray[np.bool_]]
) -> None:
    """Let the target follow the pool within its limits, but stay where a trigger stops it."""
    full = target[:, 0].copy()
    before = np.where(terms.was_on, _stepped(terms, pool[:, 0], full), full)
    for t in np.flatnonzero(terms.is_on):
        stepped = _stepped(terms, pool[:, t + 1], full)
        for is_tripped in stops:
            stepped = np.where(is_tripped[:, t], np.maximum(stepped, before), stepped)
        target[:, t] = before = stepped


def _stepped(terms: StepDownTerms, pool: Floats, full: Floats) -> Floats:
    """Return the target after the step-down, float64[p] USD."""
    return np.asarray(np.clip(terms.share * pool, terms.floor, full))
