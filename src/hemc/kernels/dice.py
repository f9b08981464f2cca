"""A running number → uniform, normal, gamma and beta draws, one after the other, for chains.

Chains of a sampler draw in the order of their steps; each draw is still a pure function of seed,
chain and running number.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from hemc.kernels import rng
from hemc.kernels.step import step
from hemc.kernels.transitions import Floats, Ints

_WORDS = 4
_LOW = 0xFFFFFFFF


class Dice(NamedTuple):
    """One chain's draws: what is left of the last counter, and which counter comes next."""

    seed: np.uint64
    chain: int
    words: Floats  # [4] uniforms of the last counter
    place: Ints  # [2] next of the words, next counter


def throw(seed: int, chain: int) -> Dice:
    """Return the dice of a chain before its first draw."""
    return Dice(np.uint64(seed), chain, np.empty(_WORDS), np.array([_WORDS, 0]))


@step
def roll(dice: Dice) -> float:
    """Return the next uniform."""
    if dice.place[0] == _WORDS:
        n = dice.place[1]
        a, b, c, d = rng.philox4x32(n & _LOW, n >> 32, dice.chain, rng.CALIBRATION, dice.seed)
        dice.words[0], dice.words[1] = rng.uniform(a), rng.uniform(b)
        dice.words[2], dice.words[3] = rng.uniform(c), rng.uniform(d)
        dice.place[0] = 0
        dice.place[1] = n + 1
    u = dice.words[dice.place[0]]
    dice.place[0] += 1
    return float(u)


@step
def roll_place(dice: Dice, n: int) -> int:
    """Return one of 0 … n − 1, equally likely."""
    return min(int(roll(dice) * n), n - 1)


@step
def roll_normal(dice: Dice) -> float:
    """Return a standard normal (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(roll(dice)))
    return radius * math.cos(2.0 * math.pi * roll(dice))


@step
def roll_gamma(dice: Dice, shape: float) -> float:
    """Return a gamma of scale 1 (Marsaglia and Tsang 2000); 0 for shape 0."""
    if shape <= 0.0:
        return 0.0
    boost = 1.0
    if shape < 1.0:
        boost = roll(dice) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = roll_normal(dice)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(roll(dice)) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            return d * v * boost


@step
def roll_beta(dice: Dice, a: float, b: float) -> float:
    """Return a beta; 0 for a = 0."""
    x = roll_gamma(dice, a)
    return x / (x + roll_gamma(dice, b)) if x > 0.0 else 0.0
