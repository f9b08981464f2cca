"""Philox4x32-10 in Python integers, written from the paper's definition."""

from __future__ import annotations

MASK = 2**32 - 1


def philox(counter: tuple[int, int, int, int], seed: int) -> list[int]:
    """Return the four words of a counter under a 64-bit key."""
    word = list(counter)
    key = [seed & MASK, seed >> 32]
    for _ in range(10):
        left, right = 0xD2511F53 * word[0], 0xCD9E8D57 * word[2]
        word = [
            (right >> 32) ^ word[1] ^ key[0],
            right & MASK,
            (left >> 32) ^ word[3] ^ key[1],
            left & MASK,
        ]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return word


def uniform(word: int) -> float:
    """Return the midpoint of a word's cell in (0, 1)."""
    return (word + 0.5) / 2**32
