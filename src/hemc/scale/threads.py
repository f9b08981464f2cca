"""Blocks of paths on threads, handed on in path order whatever order they finish in."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def thread_count(asked: int) -> int:
    """Return the number of threads to use; 0 asks for all that this process may run on."""
    if asked:
        return asked
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def block_ranges(n_paths: int, block_paths: int, first_path: int = 0) -> list[tuple[int, int]]:
    """Return first path and number of paths of each block, from `first_path` to `n_paths`."""
    return [(k, min(block_paths, n_paths - k)) for k in range(first_path, n_paths, block_paths)]


def map_blocks(
    work: Callable[[int, int], Result], blocks: list[tuple[int, int]], threads: int
) -> Iterator[Result]:
    """Yield the blocks' results in path order.

    At most twice as many blocks as threads are under way or waiting, which bounds memory. When
    the caller stops, by Ctrl-C or an error, blocks not yet begun are dropped.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="hemc")
    waiting: deque[Future[Result]] = deque()
    try:
        for first, n in blocks:
            waiting.append(pool.submit(work, first, n))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
