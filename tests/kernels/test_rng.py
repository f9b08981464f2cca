"""Philox against the published vectors, its plain twin, and what a stream must look like."""

import numpy as np
import pytest
from reference.philox import philox, uniform

from hemc.kernels import rng

# Random123's known-answer file, philox4x32 with 10 rounds: counter, key, words.
VECTORS = [
    ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0_A4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "seed", "words"), VECTORS)
def test_known_answers(counter, seed, words):
    assert tuple(rng.philox4x32(*counter, np.uint64(seed))) == words
    assert tuple(philox(counter, seed)) == words


def test_equals_plain_twin_on_random_counters():
    generator = np.random.default_rng(1)
    for counter in generator.integers(0, 2**32, size=(200, 4)):
        seed = int(generator.integers(0, 2**63)) * 2 + 1
        counter = tuple(int(c) for c in counter)
        assert list(rng.philox4x32(*counter, np.uint64(seed))) == philox(counter, seed)


def test_loan_draw_is_the_first_word_of_its_counter():
    draw = rng.draw_loan(np.uint64(5), rng.SEVERITY, 11, 7, 3)
    assert draw == uniform(philox((7, 3, 11, rng.SEVERITY), 5)[0])


def test_path_uniforms_do_not_depend_on_the_block():
    whole, part = np.empty((6, 40)), np.empty((2, 40))
    rng.draw_uniforms_paths(np.uint64(9), rng.CREDIT, 0, whole)
    rng.draw_uniforms_paths(np.uint64(9), rng.CREDIT, 3, part)
    assert np.array_equal(whole[3:5], part)


def test_path_uniforms_are_uniform_and_differ_between_streams():
    u, v = np.empty((200, 500)), np.empty((200, 500))
    rng.draw_uniforms_paths(np.uint64(9), rng.CREDIT, 0, u)
    rng.draw_uniforms_paths(np.uint64(9), rng.PREPAYMENT, 0, v)
    n = u.size
    assert 0.0 < u.min() < u.max() < 1.0
    assert abs(u.mean() - 0.5) < 4 / (12 * n) ** 0.5
    assert abs(np.corrcoef(u.ravel(), v.ravel())[0, 1]) < 4 / n**0.5
    counts = np.histogram(u, bins=100, range=(0, 1))[0]
    chi2 = ((counts - n / 100) ** 2 / (n / 100)).sum()
    assert abs(chi2 - 99) < 5 * (2 * 99) ** 0.5
