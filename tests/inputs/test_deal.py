"""Deal files that do not fit are refused with the place of the mistake."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hemc.errors import InputError
from hemc.inputs.deal import Deal, read_deal
from hemc.inputs.toml import validate

DEALS = Path(__file__).parents[2] / "configs/deals"
VALUES = tomllib.loads((DEALS / "gmacm-2003-he2.toml").read_text(encoding="utf-8"))
Change = Callable[[dict[str, Any]], Any]


def step(deal: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the step of a kind."""
    return next(s for s in deal["step"] if s["pay"] == kind)


def add_step(at: int, **keys: Any) -> Change:
    """Return a change that inserts a step."""
    return lambda deal: deal["step"].insert(at, keys)


def add_rule(**keys: Any) -> Change:
    """Return a change that puts a principal rule first."""
    return lambda deal: deal["principal"].insert(0, keys)


def set_oc(**keys: Any) -> Change:
    """Return a change of the OC terms."""
    return lambda deal: deal["overcollateralization"].update(keys)


def remove(*keys: str) -> Change:
    """Return a change that removes top-level keys."""
    return lambda deal: [deal.pop(key) for key in keys]


TRIGGER = {"name": "losses", "measure": "cumulative_loss", "threshold_after": 0.1,
           "effect": "stop_step_down"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "place", "found"),
    [
        (lambda d: step(d, "interest").update(classes=["A-9"]),
         "step interest, classes", "unknown class A-9"),
        (lambda d: d["principal"][0].update({"class": "M-1"}),
         "principal 1 (lockout), class", "unknown class M-1"),
        (lambda d: d["principal"][0].update({"class": "IO"}),
         "principal 1 (lockout), class", "class IO, which is notional"),
        (lambda d: d["step"].pop(), "step", "cash that no step takes"),
        (add_step(0, pay="residual", name="early"), "step", "2 residual steps"),
        (lambda d: d["step"].insert(0, d["step"].pop()), "step residual", "build_oc after it"),
        (add_step(2, pay="hold_oc", name="again"), "step hold_oc", "a second step"),
        (lambda d: d["step"].insert(2, dict(step(d, "interest"))),
         "step interest", "two steps of this name"),
        (lambda d: step(d, "interest").update(classes=[f"A-{n}" for n in range(1, 6)]),
         "class IO", "no interest step"),
        (add_step(2, pay="interest", name="more", classes=["A-2"]),
         "class A-2", "two interest steps"),
        (lambda d: d["principal"][1].update(classes=["A-1", "A-2", "A-3", "A-4"]),
         "class A-5", "no principal rule that pays it off"),
        (lambda d: d["step"].__setitem__(slice(2, 5), [
            {"pay": "cover", "classes": ["A-1", "A-2", "A-3", "A-4"]}]),
         "class A-5", "no step that pays its principal"),
        (lambda d: [add_rule(rule="fixed_share", share=0.6, **{"class": c})(d)
                    for c in ("A-1", "A-2")], "principal", "add up to 1.2"),
        (add_rule(rule="fixed_share", share=0.5, after_retired="A-1", **{"class": "A-1"}),
         "principal, after_retired", "A-1 waits for A-1"),
        (lambda d: [add_rule(rule="fixed_share", share=0.1, after_retired=b, **{"class": a})(d)
                    for a, b in (("A-1", "A-2"), ("A-2", "A-3"), ("A-3", "A-1"))],
         "principal, after_retired", "waits for"),
        (add_rule(rule="target_balance", **{"class": "A-2"},
                  schedule=[{"until_payment": 9, "balance": "2000000000.00"}]),
         "principal 1 (target_balance), schedule", "2,000,000,000"),
        (set_oc(step_down={"payment": 31, "share": 0.025, "floor": "9000000.00"}),
         "overcollateralization.step_down.floor", "9,000,000.00"),
        (set_oc(trigger=[TRIGGER]), "overcollateralization.trigger losses", "without a step-down"),
        (set_oc(trigger=[TRIGGER | {"effect": "raise_target", "target": "5.00"}]),
         "overcollateralization.trigger losses", "a target of 5.00 USD"),
        (set_oc(trigger=[TRIGGER | {"states": ["30"]}]), "overcollateralization.trigger 1",
         "losses"),
        (remove("overcollateralization", "sources"), "step hold_oc", "no OC target"),
        (remove("insurer", "sources"), "step premium", "a deal without insurer"),
        (lambda d: d["class"][0].update(insured=False) or step(d, "premium").update(
            classes=["A-1"]), "step premium, classes", "class A-1"),
        (add_step(1, pay="premium", name="more", rate=0.001), "class A-1", "two premium steps"),
        (add_step(5, pay="cap_carryover"), "step cap_carryover, classes", "no class with a cap"),
        (lambda d: d["class"].append(dict(d["class"][0])), "class A-1", "the name twice"),
        (lambda d: d["sources"].update({"lockout.shares": "x"}),
         "sources.lockout.shares", "no such term"),
        (lambda d: step(d, "premium").update(pay="premuim"), "step 1, pay", "premuim"),
        (lambda d: step(d, "premium").update(rate=1.5), "step 1.premium.rate", "1.5"),
        (add_step(0, pay="fee", base="pool", amount="5.00"), "step 1.fee", "amount"),
        (lambda d: d.update(insuer=1), "insuer", "did you mean 'insurer'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(change: Change, place: str, found: str) -> None:
    values = copy.deepcopy(VALUES)
    change(values)
    with pytest.raises(InputError) as caught:
        validate(Deal, values, "deal.toml")
    assert caught.value.place == place
    assert found in caught.value.found


def test_every_fault_is_told_at_once() -> None:
    values = copy.deepcopy(VALUES)
    step(values, "interest")["classes"] = ["A-1", "A-2", "A-3"]
    with pytest.raises(InputError, match=r"class A-4.*\n.*class A-5.*\n.*class IO"):
        validate(Deal, values, "deal.toml")


@pytest.mark.parametrize("name", ["gmacm-2003-he2", "gmacm-2002-he4"])
def test_shipped_deals_are_read(name: str) -> None:
    deal = read_deal(DEALS / f"{name}.toml")
    assert deal.premium_rate == 0.001175
    assert {c.name for c in deal.insured_classes} == {c.name for c in deal.classes}


def test_a_premium_on_some_classes_is_no_rate_on_all_notes() -> None:
    values = copy.deepcopy(VALUES)
    step(values, "premium")["classes"] = ["A-1", "A-2"]
    assert validate(Deal, values, "deal.toml").premium_rate is None
