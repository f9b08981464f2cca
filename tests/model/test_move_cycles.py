"""Cycles of a support: all chordless ones, and tables that swaps do not connect."""

import itertools

import numpy as np
import pytest

from hemc.inputs.product import read_product
from hemc.model.move_cycles import move_cycles
from hemc.states import BANKRUPTCY, CURRENT, D30, D120, D150, D180, PAID_OFF


def walks(cycles):
    return [
        [tuple(cell) for cell in cells[:n].tolist()]
        for cells, n in zip(cycles.cells, cycles.length, strict=True)
    ]


@pytest.fixture(scope="module")
def support(root):
    product = read_product(root / "configs/products/closed-end-second-before.toml")
    mean = product.row_means()
    mean[CURRENT, [CURRENT, D30, BANKRUPTCY, 8, PAID_OFF, 11]] = 0.9, 0.05, 0.02, 0.01, 0.01, 0.01
    return mean


def test_the_product_has_swaps_and_longer_cycles(support):
    found = walks(move_cycles(support))
    assert np.bincount([len(walk) for walk in found]).tolist() == [0] * 4 + [660, 0, 14]
    cells = {frozenset(walk) for walk in found}
    assert len(cells) == len(found)
    assert frozenset(
        {(D120, D30), (D120, D150), (D150, D150), (D150, D180), (BANKRUPTCY, D180),
         (BANKRUPTCY, D30)}
    ) in cells  # fmt: skip


def test_every_cycle_closes_inside_the_support_without_a_chord(support):
    for walk in walks(move_cycles(support)):
        rows, columns = {s for s, _ in walk}, {to for _, to in walk}
        inside = [(s, to) for s in rows for to in columns if support[s, to] > 0]
        assert sorted(inside) == sorted(walk)  # each row and column has its two cells, no other
        for (s, to), (t, other) in itertools.pairwise([*walk, walk[0]]):
            assert (s == t) != (to == other)


def test_a_ring_of_four_has_one_cycle_of_eight():
    ring = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 1]], dtype=float)
    assert move_cycles(ring).length.tolist() == [8]
    assert move_cycles(ring, longest=3).length.size == 0


def test_cycles_with_more_loans_are_tried_more_often(support):
    expected = support * np.array([10_000, 50, 25, 14, 12, 8, 5, 80, 5, 1])[:, None]
    cycles = move_cycles(expected)
    often = np.bincount(cycles.ticket, minlength=len(cycles.length))
    assert often.min() >= 1
    entries_and_cures = {(CURRENT, CURRENT), (CURRENT, D30), (D30, CURRENT), (D30, D30)}
    place = [set(walk) for walk in walks(cycles)].index(entries_and_cures)
    assert often[place] == often.max()
