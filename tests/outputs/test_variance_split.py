"""The split of variance on losses made of three known parts."""

import numpy as np
import pytest

from hemc.outputs.variance_split import SOURCES, no_split, split_variance


def test_known_parts_are_found_within_their_errors():
    generator = np.random.default_rng(3)
    n = 4_000

    def part(sd):
        return sd * generator.standard_normal(n)

    rates, factors = part(2.0), part(3.0)
    loss, other_loans = rates + factors + part(1.0), rates + factors + part(1.0)
    same_rates = rates + part(3.0) + part(1.0)
    table = split_variance(loss, other_loans, same_rates, balance=100.0)
    assert table["source"].to_list() == list(SOURCES)
    assert table["share"].sum() == pytest.approx(1.0)
    z = (table["share"] - np.array([1.0, 4.0, 9.0]) / 14.0) / table["share_standard_error"]
    assert z.abs().max() < 3.5
    assert table["share_standard_error"].max() < 0.03
    assert table["variance"].sum() == pytest.approx(14.0, rel=0.1)


def test_held_rates_have_no_split():
    assert no_split().is_empty()
