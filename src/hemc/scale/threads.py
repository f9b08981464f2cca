"""Blocks of paths on threads, handed on in path order whatever order they finish in."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Workers(Protocol):
    """What works on blocks of paths: threads of this process, or processes of a cluster."""

    @property
    def n_threads(self) -> int:
        """Number of blocks worked on at a time."""

    def map_blocks(
        self, work: Callable[[int, int], Result], blocks: list[tuple[int, int]]
    ) -> Iterator[Result]:
        """Yield the results of `work(first_path, n_paths)` for blocks, in path order.

        Few blocks are under way or waiting at a time, which bounds memory. When the caller stops,
        by Ctrl-C or an error, blocks not yet begun are dropped.
        """


class Threads:
    """Threads of this process as Workers; 0 asks for one a core that it may run on."""

    def __init__(self, asked: int = 0) -> None:
        self.n_threads = asked or _cores()

    def map_blocks(
        self, work: Callable[[int, int], Result], blocks: list[tuple[int, int]]
    ) -> Iterator[Result]:
        """Yield the blocks' results in path order; twice as many as threads are under way."""
        pool = ThreadPoolExecutor(self.n_threads, thread_name_prefix="hemc")
        waiting: deque[Future[Result]] = deque()
        try:
            for first, n in blocks:
                waiting.append(pool.submit(work, first, n))
                if len(waiting) >= 2 * self.n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def block_ranges(n_paths: int, block_paths: int, first_path: int = 0) -> list[tuple[int, int]]:
    """Return first path and number of paths of each block, from `first_path` to `n_paths`."""
    return [(k, min(block_paths, n_paths - k)) for k in range(first_path, n_paths, block_paths)]
