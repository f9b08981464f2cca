"""The order of payments as `hemc validate` prints it."""

from __future__ import annotations

import pytest
from reference.deal_cases import test_deal

from hemc.outputs.deal_text import order_of_payments


@pytest.mark.parametrize("name", ["subordinated", "target-balance", "net-wac-cap"])
def test_every_step_and_rule_is_a_readable_line(name):
    deal = test_deal(name)
    text = order_of_payments(deal)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    for i, step in enumerate(deal.steps, start=1):
        assert any(line.startswith(f"{i:3}  {step.label}") for line in lines)
    assert sum(line.startswith("  1  ") for line in lines) == 2


def test_terms_stand_beside_their_step():
    text = " ".join(order_of_payments(test_deal("target-balance")).split())
    assert "cap" in text
    assert "schedule" in text
    assert "order sequential" in text
