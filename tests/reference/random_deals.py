"""Hypothesis strategies for whole deals, as a deal file would hold them, and for pool flows.

Deals come from the schema: any kind of class, step, principal rule, trigger and insurer that the
validation lets pass. Figures are round, so that shrunken cases can be checked by hand.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from hypothesis import strategies as st

from hemc.inputs.deal import Deal
from hemc.inputs.toml import validate
from hemc.kernels.flows import PoolFlows
from hemc.states import N_LIVE

FIRST_PAYMENT = dt.date(2003, 1, 25)
N_MONTHS = 9


@st.composite
def deals(draw: st.DrawFn, **fixed: Any) -> Deal:
    """Return a valid deal; `fixed` replaces whole tables of the file."""
    classes = draw(_classes())
    if draw(st.booleans()):
        insurer = {"name": "an insurer", "reimbursement_margin": draw(rates(0.0, 0.05))}
    else:
        insurer = None
        for c in classes:
            c["insured"] = False
    record: dict[str, Any] = {
        "series": "RANDOM", "issuer": "TEST", "group": 1,
        "first_payment_date": FIRST_PAYMENT, "payment_day": 25,
        "undercollateralization": draw(
            st.sampled_from(["implied", "pro_rata", "reverse_order"])
        ),
        "class": classes,
        "overcollateralization": draw(_overcollateralization(classes)),
    }  # fmt: skip
    if insurer is not None:
        record["insurer"] = insurer
    record["step"] = draw(_steps(classes, insurer is not None))
    record["principal"] = draw(_principal(classes))
    return validate(Deal, record | fixed, "a random deal")


def rates(low: float, high: float) -> st.SearchStrategy[float]:
    """Return rates or shares in steps of a thousandth."""
    return st.integers(round(low * 1000), round(high * 1000)).map(lambda n: n / 1000)


def money(low: int, high: int) -> st.SearchStrategy[str]:
    """Return amounts in steps of a thousand USD, as a deal file writes them."""
    return st.integers(low // 1000, high // 1000).map(lambda n: f"{n * 1000}.00")


def term_names(classes: list[dict[str, Any]]) -> list[str]:
    """Return the classes that have a balance."""
    return [c["name"] for c in classes if c["kind"] != "notional"]


@st.composite
def _classes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return one to four classes with a balance and sometimes a notional one among them."""
    classes: list[dict[str, Any]] = []
    for k in range(draw(st.integers(1, 4))):
        note: dict[str, Any] = {
            "name": f"N{k + 1}",
            "kind": draw(st.sampled_from(["fixed", "floating"])),
            "day_count": draw(st.sampled_from(["30/360", "actual/360"])),
            "original_balance": draw(money(50_000, 400_000)),
            "insured": draw(st.booleans()),
            "net_wac_cap": draw(st.booleans()),
        }
        note["coupon" if note["kind"] == "fixed" else "margin"] = draw(rates(0.01, 0.12))
        classes.append(note)
    if draw(st.booleans()):
        schedule = [
            {"until_payment": 4, "balance": draw(money(0, 300_000))},
            {"until_payment": 7, "balance": draw(money(0, 300_000))},
        ]
        strip = {
            "name": "IO", "kind": "notional", "day_count": "30/360",
            "original_balance": "300000.00", "coupon": draw(rates(0.01, 0.08)),
            "schedule": schedule, "insured": draw(st.booleans()),
        }  # fmt: skip
        classes.insert(draw(st.integers(0, len(classes))), strip)
    return classes


@st.composite
def _steps(draw: st.DrawFn, classes: list[dict[str, Any]], insurer: bool) -> list[dict[str, Any]]:
    """Return an order of payments: what must be there and what may be, in any order."""
    terms = term_names(classes)
    steps = [
        {"pay": "hold_oc"} if draw(st.booleans()) else {"pay": "collections"},
        *(draw(_some(fee, 0.4)) for fee in _fees(terms)),
        draw(_some(st.just({"pay": "build_oc"}), 0.7)),
        draw(_some(_cover(terms), 0.4)),
        *draw(_interest(classes)),
    ]
    if insurer:
        steps.append(draw(_some(_premium(classes), 0.8)))
        steps.append(draw(_some(st.just({"pay": "reimbursement"}), 0.8)))
    capped = [c["name"] for c in classes if c.get("net_wac_cap")]
    if capped:
        steps.append(draw(_some(st.just({"pay": "cap_carryover"}), 0.7)))
    ordered = draw(st.permutations([step for step in steps if step is not None]))
    named = [{**step, "name": f"{step['pay']} {j + 1}"} for j, step in enumerate(ordered)]
    return [*named, {"pay": "residual"}]


@st.composite
def _some(draw: st.DrawFn, strategy: st.SearchStrategy[Any], share: float) -> Any:
    """Return a value in `share` of the cases, else None."""
    return draw(strategy) if draw(st.integers(0, 9)) < 10 * share else None


def _fees(terms: list[str]) -> list[st.SearchStrategy[dict[str, Any]]]:
    """Return a fee of each base."""
    fee = {"pay": "fee"}
    cap = st.none() | st.sampled_from(["100.00", "400.00"])
    return [
        st.builds(lambda a: fee | {"base": "fixed", "amount": a}, st.just("50.00")),
        st.builds(_fee_on("pool"), rates(0.0, 0.01), cap, st.none()),
        st.builds(_fee_on("notes"), rates(0.0, 0.01), cap, st.none() | _subset(terms)),
    ]


def _fee_on(base: str) -> Any:
    """Return what makes a fee of its rate, cap and classes."""

    def make(rate: float, cap: str | None, classes: list[str] | None) -> dict[str, Any]:
        fee = {"pay": "fee", "base": base, "rate": rate, "cap": cap, "classes": classes}
        return {key: value for key, value in fee.items() if value is not None}

    return make


def _subset(names: list[str]) -> st.SearchStrategy[list[str]]:
    """Return some of the names in any order, one at least."""
    return st.lists(st.sampled_from(names), min_size=1, unique=True)


@st.composite
def _cover(draw: st.DrawFn, terms: list[str]) -> dict[str, Any]:
    """Return a step that cures the deficiency of the most senior classes."""
    return {"pay": "cover", "classes": terms[: draw(st.integers(1, len(terms)))]}


@st.composite
def _interest(draw: st.DrawFn, classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return interest steps that pay each class once: one for all, or one for some and the rest."""
    names = draw(st.permutations([c["name"] for c in classes]))
    cut = draw(st.integers(0, len(names) - 1))
    order = st.sampled_from(["pro_rata", "sequential"])
    parts = [part for part in (names[:cut], names[cut:]) if part]
    return [{"pay": "interest", "classes": part, "order": draw(order)} for part in parts]


@st.composite
def _premium(draw: st.DrawFn, classes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return a premium on the insured classes with a balance, or on some of them."""
    insured = [c["name"] for c in classes if c["insured"] and c["kind"] != "notional"]
    if not insured:
        return None
    named = draw(st.none() | _subset(insured))
    return {"pay": "premium", "rate": draw(rates(0.0, 0.01))} | (
        {} if named is None else {"classes": named}
    )


@st.composite
def _principal(draw: st.DrawFn, classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return principal rules: some for single classes, then one that takes the rest."""
    terms = term_names(classes)
    one = st.sampled_from(terms)
    rules: list[dict[str, Any]] = []
    if draw(st.booleans()):
        shares = [{"until_payment": 4, "share": 0.0}, {"until_payment": 6, "share": 0.45}]
        after = draw(st.sampled_from([1.0, 3.0]))
        rules.append({"rule": "lockout", "class": draw(one), "shares": shares,
                      "share_after": after})  # fmt: skip
    if draw(st.booleans()):
        share = draw(st.sampled_from([0.25, 0.42233, 1.0]))
        rule = {"rule": "fixed_share", "class": draw(one), "share": share}
        other = draw(st.none() | one)
        if other not in (None, rule["class"]):
            rule["after_retired"] = other
        rules.append(rule)
    if draw(st.booleans()):
        schedule = [
            {"until_payment": 4, "balance": "40000.00"},
            {"until_payment": 7, "balance": "10000.00"},
        ]
        rules.append({"rule": "target_balance", "class": draw(one), "schedule": schedule})
    last = {"rule": draw(st.sampled_from(["sequential", "pro_rata"]))}
    if draw(st.booleans()):
        last["classes"] = draw(st.permutations(terms))
    return [*draw(st.permutations(rules)), last]


@st.composite
def _overcollateralization(draw: st.DrawFn, classes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an OC target, fixed or moving, with triggers or without."""
    oc: dict[str, Any] = {"build_from_payment": draw(st.integers(1, 6))}
    if draw(st.booleans()):
        oc["target"] = draw(money(0, 40_000))
    else:
        oc["target_share"] = draw(rates(0.0, 0.05))
    if draw(st.booleans()):
        oc["step_down"] = {"payment": draw(st.integers(1, 9)), "share": draw(rates(0.01, 0.2))}
    if draw(st.booleans()):
        oc["delinquency_multiple"] = {
            "multiple": draw(st.sampled_from([0.5, 2.0])), "states": ["90", "120"],
            "average_months": draw(st.integers(1, 3)),
        }  # fmt: skip
    oc["trigger"] = draw(_triggers("step_down" in oc))
    return oc


@st.composite
def _triggers(draw: st.DrawFn, steps_down: bool) -> list[dict[str, Any]]:
    """Return none, one or two triggers, one on each measure."""
    effects = [{"effect": "raise_target", "target": "100000.00"},
               {"effect": "raise_target", "target_share": 0.9}]  # fmt: skip
    if steps_down:
        effects.append({"effect": "stop_step_down"})
    triggers: list[dict[str, Any]] = []
    for measure in draw(st.sampled_from([[], ["delinquency"], ["cumulative_loss"],
                                         ["delinquency", "cumulative_loss"]])):  # fmt: skip
        trigger = {
            "name": measure, "measure": measure, "cures": draw(st.booleans()),
            "thresholds": [{"until_payment": 5, "value": draw(rates(0.0, 0.1))}],
            "threshold_after": draw(rates(0.0, 0.1)), **draw(st.sampled_from(effects)),
        }  # fmt: skip
        if measure == "delinquency":
            trigger |= {"states": ["60", "bankruptcy"], "average_months": draw(st.integers(1, 3))}
        triggers.append(trigger)
    return triggers


def opening_balances(deal: Deal, rng: np.random.Generator) -> dict[str, float]:
    """Return balances at cut-off, some classes being retired already, never all."""
    terms = deal.term_classes
    left = {c.name: float(c.original_balance) * float(rng.choice([0, 0.3, 1, 1])) for c in terms}
    if not any(left.values()):
        left[terms[-1].name] = float(terms[-1].original_balance)
    return left


def path_flows(
    rng: np.random.Generator, notes: float, n_paths: int, n_months: int = N_MONTHS
) -> PoolFlows:
    """Return flows of pools around the size of the notes: calm, ruinous, dry, soon exhausted.

    Balances follow from collections and losses; states share the balance at random.
    """
    shape = (n_paths, n_months)
    paid = rng.uniform(0.0, 0.3, shape) * (rng.random(shape) < 0.9)
    size = rng.choice([0.0, 0.02, 0.2], (n_paths, 1))
    lost = np.minimum(rng.gamma(0.5, 2.0, shape) * size, 0.7)
    balance = np.empty((n_paths, n_months + 1))
    balance[:, :1] = notes * rng.choice([0.9, 1.0, 1.02, 1.1], (n_paths, 1))
    balance[:, 1:] = balance[:, :1] * np.cumprod(1.0 - paid * (1 - lost) - lost, axis=1)
    gone = rng.random((n_paths, 1)) < 0.5
    balance[:, n_months - 1 :] = np.where(gone, 0.0, balance[:, n_months - 1 :])
    opening, fall = balance[:, :-1], -np.diff(balance, axis=1)
    weight = paid * (1 - lost) + lost
    loss = fall * np.divide(lost, weight, out=np.zeros_like(lost), where=weight > 0)
    parts = rng.dirichlet([1.0, 5.0, 1.0], shape) * (fall - loss)[..., None]
    rate = rng.uniform(0.0, 0.15, (n_paths, 1))
    share = rng.dirichlet(np.r_[8.0, np.full(N_LIVE - 1, 0.3)], shape)
    return PoolFlows(
        interest=opening * rate / 12 * (rng.random(shape) < 0.9),
        recoveries=rng.uniform(0.0, 2e-4, shape) * notes * (rng.random(shape) < 0.5),
        scheduled=parts[..., 0].copy(),
        prepaid=parts[..., 1].copy(),
        proceeds=parts[..., 2].copy(),
        loss=loss,
        balance=balance,
        net_rate_balance=opening * rate,
        state_balance=share * balance[:, 1:, None],
    )
