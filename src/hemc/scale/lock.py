"""A folder that one process at a time may hold, and the error that names the process that does."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hemc.errors import InputError


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Hold `folder`, made where there is none, against every other process.

    The system lets go of the lock of a process that has died: none is ever stale. Raises
    InputError where another process holds the folder, and OSError where it cannot be written.
    """
    descriptor = _hold(folder / "lock")
    try:
        yield
    finally:
        os.close(descriptor)


def _hold(file: Path) -> int:
    """Return the descriptor of a locked file, which `file` is the name of."""
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        # The holder before us may remove the folder at any moment: then once more.
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(descriptor, file)
                if os.path.samestat(os.fstat(descriptor), file.stat()):
                    _sign(descriptor)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)


def _lock(descriptor: int, file: Path) -> None:
    """Lock an open file, or raise the InputError that names who has locked it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        found = f"a run under way ({_holder(file)})"
        raise InputError(file.parent, "", found, "its end, or --out another folder") from None


def _sign(descriptor: int) -> None:
    """Write into the locked file who holds it."""
    since = dt.datetime.now().astimezone().isoformat(timespec="seconds")
    who = {"process": os.getpid(), "host": platform.node(), "since": since}
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(who).encode())


def _holder(file: Path) -> str:
    """Return who holds a locked file, for people."""
    try:
        who = json.loads(file.read_text(encoding="utf-8"))
        return f"process {who['process']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError):  # it has only just been locked
        return "another process"
