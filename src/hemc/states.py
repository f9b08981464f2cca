"""Delinquency states of a loan: their order, names and which of them pay; anyone may import it.

Indices are the order of columns in every array of the project. The first ten are states of a
live loan; the last two are absorbing.
"""

from __future__ import annotations

CURRENT, D30, D60, D90, D120, D150, D180, BANKRUPTCY, FORECLOSURE, REO = range(10)
PAID_OFF, CHARGED_OFF = 10, 11

N_LIVE = 10
N_STATES = 12

#: Names in tables, files and reports.
NAMES = (
    "current", "30", "60", "90", "120", "150", "180+",
    "bankruptcy", "foreclosure", "reo", "paid off", "charged off",
)  # fmt: skip

#: Keys of product files (priors).
KEYS = ("C", "30", "60", "90", "120", "150", "180", "BK", "FC", "REO", "P", "L")


def move_name(state: int, to: int) -> str:
    """Return the name of a move, as columns of posterior.parquet have it."""
    return f"{NAMES[state]} → {NAMES[to]}"


#: Current and the five buckets: a loan in state `s` of these is `s` instalments behind and pays.
PAYING = range(CURRENT, D180)
