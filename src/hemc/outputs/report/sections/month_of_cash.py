"""Expected figures of the next certificate → its cash through the waterfall, as a chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hemc.outputs.report import charts
from hemc.outputs.report.blocks import Chart
from hemc.outputs.report.formats import MILLION

_HALF_CENT = 0.005

_LEGEND = (("median fill", "comes in"), ("core", "is paid out"))

_NOTE = (
    "Means over all paths, which add up. Fees, premium and the insurer's reimbursement are what "
    "the certificate's lines leave of the cash."
)


class _Step(NamedTuple):
    """An amount of the month in USD, which comes in or goes out."""

    name: str
    amount: float
    is_inflow: bool = False


def month_of_cash(expected: Mapping[str, float], month: str) -> Chart | None:
    """Return the month's cash step by step; `expected` by figure of the certificate, USD."""
    steps = [step for step in _steps(expected) if step.amount > _HALF_CENT]
    if not steps:
        return None
    title = f"Expected cash of {month} through the waterfall"
    return Chart(title, charts.cascade(list(_bars(steps)), "USD million"), _LEGEND, _NOTE)


def _steps(expected: Mapping[str, float]) -> Iterator[_Step]:
    """Yield what comes in, then what is paid, in the certificate's lines."""
    inflows = [
        _Step("interest collections", expected.get("pool.interest_collections", 0.0), True),
        _Step("principal collections", expected.get("pool.principal_collections", 0.0), True),
        _Step("draw on the insurer", expected.get("credit_enhancement.draw", 0.0), True),
    ]
    outflows = [
        _Step(f"{part}, class {name}", expected[f"notes.{name}.{part}"])
        for part in ("interest", "principal")
        for name in dict.fromkeys(key.split(".")[1] for key in expected if key[:6] == "notes.")
        if f"notes.{name}.{part}" in expected
    ]
    outflows.append(_Step("certificates", expected.get("oc.certificates_paid", 0.0)))
    left = sum(step.amount for step in inflows) - sum(step.amount for step in outflows)
    yield from inflows
    yield _Step("fees, premium, reimbursement", left)
    yield from outflows


def _bars(steps: list[_Step]) -> Iterator[dict[str, Any]]:
    """Yield a bar a step in USD million: inflows pile up, outflows take away."""
    held = 0.0
    for name, amount, is_inflow in steps:
        before, held = held, held + amount if is_inflow else held - amount
        low, high = sorted((before / MILLION, held / MILLION))
        yield {
            "step": name, "style": "median" if is_inflow else "core",
            "low": round(low, 5) + 0.0, "high": round(high, 5) + 0.0,
            "amount": round(amount / MILLION, 6), "shown": f"{amount / MILLION:,.3f}",
        }  # fmt: skip
