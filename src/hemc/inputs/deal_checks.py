"""A deal whose keys are each right → what does not fit between them, each fault with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import BaseModel

from hemc.inputs.overcollateralization import Trigger, dollars
from hemc.inputs.payment_order import (
    BuildOc,
    CapCarryover,
    Collections,
    Cover,
    FixedShare,
    HoldOc,
    Interest,
    Lockout,
    Premium,
    ProRata,
    Reimbursement,
    Residual,
    Sequential,
    Step,
    TargetBalance,
)
from hemc.inputs.toml import Fault

if TYPE_CHECKING:
    from hemc.inputs.deal import Deal

_ONCE = (HoldOc, BuildOc, Reimbursement)
_ANY_CLASS = (Interest,)  # the other steps are about balances, which notional classes lack
_SINGLE = (Lockout, FixedShare, TargetBalance)


def deal_faults(deal: Deal) -> Iterator[Fault]:
    """Yield every fault; later checks run only on names that the earlier found right."""
    for checks in (_NAMES, _CONTENTS):
        faults = [fault for check in checks for fault in check(deal)]
        yield from faults
        if faults:
            return


def _class_names(deal: Deal) -> Iterator[Fault]:
    """Each class once, one of them with a balance."""
    for name in _repeated([c.name for c in deal.classes]):
        yield Fault(f"class {name}", "the name twice", "each class once")
    if not deal.term_classes:
        yield Fault("class", "notional classes only", "at least one class with a balance")


def _step_names(deal: Deal) -> Iterator[Fault]:
    """Each step has a name of its own."""
    for label in _repeated([step.label for step in deal.steps]):
        yield Fault(f"step {label}", "two steps of this name", "a 'name' for each of them")


def _known_classes(deal: Deal) -> Iterator[Fault]:
    """Steps and rules name classes of the deal, those with a balance where it matters."""
    every = [c.name for c in deal.classes]
    term = [c.name for c in deal.term_classes]
    for place, names, notional_too in _named(deal):
        allowed = every if notional_too else term
        for name in _repeated(names):
            yield Fault(place, f"class {name} twice", "each class once")
        for name in names:
            if name not in every:
                yield Fault(place, f"unknown class {name}", "one of " + ", ".join(allowed))
            elif name not in allowed:
                expected = "a class with a balance: " + ", ".join(term)
                yield Fault(place, f"class {name}, which is notional", expected)


def _named(deal: Deal) -> Iterator[tuple[str, Sequence[str], bool]]:
    """Yield place, classes named there, and whether notional classes may be."""
    for step in deal.steps:
        names = getattr(step, "classes", ())
        yield f"step {step.label}, classes", names, isinstance(step, _ANY_CLASS)
    for i, rule in enumerate(deal.principal, start=1):
        place = f"principal {i} ({rule.rule})"
        if isinstance(rule, _SINGLE):
            yield f"{place}, class", (rule.class_name,), False
        else:
            yield f"{place}, classes", rule.classes, False
        if isinstance(rule, FixedShare) and rule.after_retired is not None:
            yield f"{place}, after_retired", (rule.after_retired,), False


def _residual(deal: Deal) -> Iterator[Fault]:
    """Whatever the other steps leave goes to the certificates, in the last step."""
    places = [i for i, step in enumerate(deal.steps) if isinstance(step, Residual)]
    last = deal.steps[-1].label
    if not places:
        yield Fault("step", f"{last} as the last step: cash that no step takes",
                    'a last step with pay = "residual"')  # fmt: skip
    elif len(places) > 1:
        yield Fault("step", f"{len(places)} residual steps", "one, the last")
    elif places[0] != len(deal.steps) - 1:
        label = deal.steps[places[0]].label
        yield Fault(f"step {label}", f"step {last} after it, which gets nothing",
                    "the residual as the last step")  # fmt: skip


def _once(deal: Deal) -> Iterator[Fault]:
    """Steps whose claim is one for the whole deal are given once."""
    for kind in _ONCE:
        labels = [step.label for step in deal.steps if isinstance(step, kind)]
        if len(labels) > 1:
            yield Fault(f"step {labels[1]}", f"a second step of this kind after {labels[0]}", "one")


def _interest(deal: Deal) -> Iterator[Fault]:
    """Every class finds its interest in one step."""
    every = tuple(c.name for c in deal.classes)
    paid = Counter(
        name for s in deal.steps if isinstance(s, Interest) for name in s.classes or every
    )
    for name in every:
        if paid[name] != 1:
            found = "no interest step that pays it" if not paid[name] else "two interest steps"
            yield Fault(f"class {name}", found, "one interest step for each class")


def _principal(deal: Deal) -> Iterator[Fault]:
    """Every class with a balance is reached by steps, and by rules that take all that is left."""
    term = tuple(c.name for c in deal.term_classes)
    reached: set[str] = set()
    for step in deal.steps:
        if isinstance(step, Collections | Cover):
            reached |= set(step.classes or term)
        elif isinstance(step, HoldOc | BuildOc):
            reached |= set(term)
    served = {
        name
        for rule in deal.principal
        if isinstance(rule, Sequential | ProRata)
        for name in rule.classes or term
    }
    for name in term:
        if name not in reached:
            yield Fault(f"class {name}", "no step that pays its principal",
                        "a step collections, hold_oc, build_oc or cover")  # fmt: skip
        if name not in served:
            yield Fault(f"class {name}", "no principal rule that pays it off",
                        "the class in a sequential or pro_rata rule")  # fmt: skip


def _fixed_shares(deal: Deal) -> Iterator[Fault]:
    """Shares of one amount are no more than the whole."""
    shares = [rule.share for rule in deal.principal if isinstance(rule, FixedShare)]
    if sum(shares) > 1.0 + 1e-9:
        found = f"fixed shares that add up to {sum(shares):g}"
        yield Fault("principal", found, "at most 1 in all")


def _circles(deal: Deal) -> Iterator[Fault]:
    """No class waits for itself, directly or through others."""
    waits: dict[str, set[str]] = {}
    for rule in deal.principal:
        if isinstance(rule, FixedShare) and rule.after_retired is not None:
            waits.setdefault(rule.class_name, set()).add(rule.after_retired)
    for name in waits:
        circle = _way_back(name, waits)
        if circle:
            found = "a circle: " + " waits for ".join(circle)
            yield Fault("principal, after_retired", found, "classes that wait for others only")
            return


def _way_back(start: str, waits: dict[str, set[str]]) -> list[str]:
    """Return a way along `waits` from a class back to itself, empty where there is none."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in sorted(waits.get(way[-1], ())):
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _target_balances(deal: Deal) -> Iterator[Fault]:
    """A scheduled balance falls from the original balance or below."""
    original = {c.name: c.original_balance for c in deal.classes}
    for i, rule in enumerate(deal.principal, start=1):
        if not isinstance(rule, TargetBalance):
            continue
        balances = [original[rule.class_name], *(entry.balance for entry in rule.schedule)]
        for before, balance in pairwise(balances):
            if balance > before:
                place = f"principal {i} (target_balance), schedule"
                yield Fault(place, f"{balance:,}", f"no more than {before:,}, the balance before")


def _overcollateralization(deal: Deal) -> Iterator[Fault]:
    """Steps that look at the OC target have one, its floor is below it, triggers can act."""
    oc, place = deal.overcollateralization, "overcollateralization"
    if oc is None:
        for step in deal.steps:
            if isinstance(step, HoldOc | BuildOc):
                yield Fault(f"step {step.label}", "no OC target", f"a table [{place}]")
        return
    target = dollars(oc.target, oc.target_share, deal.original_notes)
    if oc.step_down is not None:
        floor = dollars(oc.step_down.floor, oc.step_down.floor_share, deal.closing_pool)
        if floor > target:
            expected = f"at most the target of {target:,.2f} USD"
            yield Fault(f"{place}.step_down.floor", f"{floor:,.2f} USD", expected)
    for name in _repeated([trigger.name for trigger in oc.triggers]):
        yield Fault(f"{place}.trigger {name}", "the name twice", "each trigger once")
    for trigger in oc.triggers:
        yield from _trigger(deal, trigger, target, oc.step_down is not None)


def _trigger(deal: Deal, trigger: Trigger, target: float, steps_down: bool) -> Iterator[Fault]:
    """A trigger changes the target when it is tripped."""
    place = f"overcollateralization.trigger {trigger.name}"
    if trigger.effect == "stop_step_down" and not steps_down:
        yield Fault(place, "stop_step_down without a step-down", "a table step_down")
    raised = dollars(trigger.target, trigger.target_share, deal.original_notes)
    if trigger.effect == "raise_target" and raised <= target:
        yield Fault(place, f"a target of {raised:,.2f} USD", f"more than {target:,.2f} USD")


def _insurer(deal: Deal) -> Iterator[Fault]:
    """Premium is for insured classes, once each; nothing is for an insurer that is not there."""
    insured = [c.name for c in deal.insured_classes if c.kind != "notional"]
    charged: list[str] = []
    for step in deal.steps:
        if isinstance(step, Premium | Reimbursement) and deal.insurer is None:
            yield Fault(f"step {step.label}", "a deal without insurer", "a table [insurer]")
        elif isinstance(step, Premium):
            charged += step.classes or insured
            for name in set(step.classes) - set(insured):
                expected = "insured classes: " + (", ".join(insured) or "there is none")
                yield Fault(f"step {step.label}, classes", f"class {name}", expected)
    for name in _repeated(charged):
        yield Fault(f"class {name}", "two premium steps that charge it", "one")
    for note in deal.classes:
        if deal.insurer is None and note.insured and "insured" in note.model_fields_set:
            yield Fault(
                f"class {note.name}, insured", "a deal without insurer", "a table [insurer]"
            )


def _cap_carryover(deal: Deal) -> Iterator[Fault]:
    """What a cap cuts is carried over for classes with a cap, once each."""
    capped = [c.name for c in deal.classes if c.net_wac_cap]
    carried: list[str] = []
    for step in deal.steps:
        if not isinstance(step, CapCarryover):
            continue
        carried += step.classes or capped
        wrong = [name for name in step.classes if name not in capped]
        if wrong or not capped:
            found = f"class {wrong[0]}" if wrong else "no class with a cap"
            expected = "classes with net_wac_cap = true" + (": " if capped else "")
            yield Fault(f"step {step.label}, classes", found, expected + ", ".join(capped))
    for name in _repeated(carried):
        yield Fault(f"class {name}", "two cap_carryover steps that pay it", "one")


def _sources(deal: Deal) -> Iterator[Fault]:
    """A source is that of a term which there is."""
    for key in deal.sources:
        if find_term(deal, key) is None:
            yield Fault(f"sources.{key}", "no such term", "the dotted key of a term of this file")


_Check = Callable[["Deal"], Iterator[Fault]]
_NAMES: tuple[_Check, ...] = (_class_names, _step_names, _known_classes)
_CONTENTS: tuple[_Check, ...] = (
    _residual, _once, _interest, _principal, _fixed_shares, _circles, _target_balances,
    _overcollateralization, _insurer, _cap_carryover, _sources,
)  # fmt: skip


def find_term(deal: Deal, key: str) -> list[object] | None:
    """Return the values of a dotted key, one for each element of a list; None where none is.

    A value that is absent counts: `overcollateralization.step_down` may have a source that says
    that there is none.
    """
    found: list[object] = [deal]
    for part in key.split("."):
        found = [value for one in found for value in _inside(one, part)]
        if not found:
            return None
    return found


def _inside(value: object, part: str) -> list[object]:
    """Return the term of a name, the elements of a list of that name, or that term of each."""
    if isinstance(value, tuple):
        named = [one for one in value if part in _element_names(one)]
        return named or [term for one in value for term in _inside(one, part)]
    fields = type(value).model_fields if isinstance(value, BaseModel) else {}
    attribute = next((n for n, f in fields.items() if part in (n, f.alias)), None)
    return [] if attribute is None else [getattr(value, attribute)]


def _element_names(one: object) -> tuple[object, ...]:
    """Return the names by which an element of a list is known."""
    if isinstance(one, Step):
        return (one.label, one.kind)
    return tuple(getattr(one, key, None) for key in ("name", "class_name", "rule"))


def _repeated(names: Sequence[str]) -> list[str]:
    """Return the names that occur more than once."""
    return [name for name, number in Counter(names).items() if number > 1]
