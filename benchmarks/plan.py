"""How much a bench run measures: sizes and rounds of the full, the short and the smallest form."""

from __future__ import annotations

from typing import NamedTuple


class Plan(NamedTuple):
    """Sizes of every measurement; `rounds` of which the best counts, after one that does not."""

    rounds: int
    paths: int  # of a comparison of methods, one thread
    twin_paths: int
    threaded_paths: int  # of a measurement on one and on two threads
    path_counts: tuple[int, ...]  # growth with paths, two threads
    loans_and_paths: tuple[tuple[int, int], ...]  # growth with loans
    horizons: tuple[int, ...]  # months
    command_paths: tuple[int, ...]
    command_rounds: int
    accuracy_paths: int
    accuracy_rounds: int
    long_paths: int  # of the run whose memory is bounded


FULL = Plan(
    rounds=7, paths=256, twin_paths=16, threaded_paths=1024,
    path_counts=(256, 512, 1024, 2048, 4096),
    loans_and_paths=((1_000, 512), (10_000, 128), (100_000, 64)),
    horizons=(60, 120, 180, 240), command_paths=(1_000, 10_000), command_rounds=7,
    accuracy_paths=16_384, accuracy_rounds=2, long_paths=1_000_000,
)  # fmt: skip

#: Every part in about two minutes: to see a change, not to be quoted.
QUICK = FULL._replace(
    rounds=3, paths=64, twin_paths=8, threaded_paths=256, path_counts=(256, 512, 1024),
    loans_and_paths=((1_000, 128), (10_000, 64), (100_000, 16)), command_rounds=1,
    accuracy_paths=2_048, accuracy_rounds=1,
)  # fmt: skip

#: Every part in seconds: to see that the parts work.
TINY = Plan(
    rounds=1, paths=2, twin_paths=2, threaded_paths=4, path_counts=(2, 4),
    loans_and_paths=((300, 2), (600, 2), (1_200, 2)), horizons=(12, 24), command_paths=(64,),
    command_rounds=1, accuracy_paths=1_024, accuracy_rounds=1, long_paths=128,
)  # fmt: skip
