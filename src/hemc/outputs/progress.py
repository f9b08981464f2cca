"""Paths done → a bar with the time left on a terminal; silence when piped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hemc.kernels.jit import is_cold


@contextmanager
def show_progress(n_paths: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function to be called with the number of paths just done."""
    if is_cold() and not quiet:
        print("hemc: compiling kernels, once, under half a minute", file=sys.stderr)
    if quiet or not sys.stderr.isatty():
        yield lambda n: None
        return
    # A bar that nobody sees need not be imported.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("paths"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("paths", total=n_paths)

        def advance(n: int) -> None:
            bar.advance(task, n)

        yield advance
