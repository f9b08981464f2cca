"""A deal and the name of one of its unknown terms go in; the deal under another term comes out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hemc.errors import InputError
from hemc.inputs.by_payment import Balances
from hemc.inputs.deal import Deal, NoteClass
from hemc.inputs.overcollateralization import StepDown
from hemc.inputs.payment_order import Lockout

#: The market's usual step-down of closed-end second liens of these years.
_STANDARD = StepDown(payment=31, share=0.025, floor_share=0.005)

#: A schedule that never steps down reaches beyond any horizon.
_LAST_PAYMENT = 1_000

_CONVENTIONS = ("implied", "pro_rata", "reverse_order")


def vary_deal(
    deal: Deal, term: str, value: str, next_payment: int, asked_in: str = "sensitivities.tornado"
) -> Deal | None:
    """Return the deal with a term changed, None where that changes nothing.

    `next_payment` is the number of the projection's first payment. Raises InputError for an
    unknown term or value, which names `asked_in`.
    """
    if term not in _TERMS:
        known = ", ".join(f"deal.{name}" for name in _TERMS)
        raise InputError(asked_in, "setting", f"deal.{term}", f"one of {known}")
    values, change = _TERMS[term]
    if value not in values:
        expected = " or ".join(values)
        raise InputError(asked_in, f"deal.{term}", f"'{value}'", expected)
    varied = change(deal, value, next_payment)
    return None if varied == deal else varied


def _convention(deal: Deal, value: str, next_payment: int) -> Deal:
    return deal.model_copy(update={"undercollateralization": value})


def _lockout(deal: Deal, value: str, next_payment: int) -> Deal:
    rules = tuple(rule for rule in deal.principal if not isinstance(rule, Lockout))
    return deal.model_copy(update={"principal": rules})


def _step_down(deal: Deal, value: str, next_payment: int) -> Deal:
    oc = deal.overcollateralization
    if oc is None or oc.step_down is not None:
        return deal
    changed = oc.model_copy(update={"step_down": _STANDARD})
    return deal.model_copy(update={"overcollateralization": changed})


def _notional_schedule(deal: Deal, value: str, next_payment: int) -> Deal:
    classes = tuple(
        _rescheduled(note, value, next_payment) if note.kind == "notional" else note
        for note in deal.classes
    )
    return deal.model_copy(update={"classes": classes})


def _rescheduled(note: NoteClass, value: str, next_payment: int) -> NoteClass:
    """Return a notional class that has ended, or keeps the balance of the next payment."""
    now = [entry for entry in note.schedule if entry.until_payment >= next_payment][:1]
    if not now:
        return note
    balance = Decimal(0) if value == "ends" else now[0].balance
    entry = now[0].model_copy(update={"until_payment": _LAST_PAYMENT, "balance": balance})
    schedule: Balances = (entry,)
    return note.model_copy(update={"schedule": schedule})


_TERMS: dict[str, tuple[tuple[str, ...], Callable[[Deal, str, int], Deal]]] = {
    "undercollateralization": (_CONVENTIONS, _convention),
    "lockout": (("none",), _lockout),
    "notional_schedule": (("ends", "level"), _notional_schedule),
    "step_down": (("standard",), _step_down),
}
