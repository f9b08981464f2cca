"""A folder's name → a folder that appears there whole or not at all, and errors of the disk."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polars.exceptions import PolarsError

from hemc.errors import InputError

#: The file by which a run's folder is known.
MANIFEST = "manifest.json"

# In the scratch folder: the run being written, and the one that it replaces.
_NEW, _EARLIER = "new", "earlier"

# Polars reports a full disk as an error of its own, with the system's number in the text or, at the
# end of a Parquet file, without.
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)|transport error")


@contextmanager
def whole_folder(folder: Path, scratch: Path | None = None) -> Iterator[Path]:
    """Give a folder to write in that becomes `folder` when all went well, and vanishes if not.

    It stands in `scratch`, which belongs to this process, or in a folder beside where None.
    """
    refuse_foreign(folder)
    with disk_errors(folder), _scratch_beside(folder, scratch) as room:
        try:
            new = room / _NEW
            new.mkdir()
            yield new
            if folder.exists():
                folder.rename(room / _EARLIER)
            new.rename(folder)
        finally:
            tidy_up(folder, room)


@contextmanager
def _scratch_beside(folder: Path, scratch: Path | None) -> Iterator[Path]:
    """Give `scratch`, or a folder beside `folder` that vanishes afterwards."""
    if scratch is not None:
        yield scratch
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def tidy_up(folder: Path, scratch: Path) -> None:
    """Remove what was under way to `folder`; an earlier run comes back if nothing replaced it."""
    if (scratch / _EARLIER).exists() and not folder.exists():
        (scratch / _EARLIER).rename(folder)
    for name in (_NEW, _EARLIER):
        shutil.rmtree(scratch / name, ignore_errors=True)


@contextmanager
def extended_folder(folder: Path, manifest: str) -> Iterator[Path]:
    """Give a folder to write in whose files join those of the run in `folder` when all went well.

    Where there is no run yet, `manifest` marks the folder as one of hemc.
    """
    refuse_foreign(folder)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as part:
            yield Path(part)
            for file in sorted(Path(part).iterdir()):
                file.replace(folder / file.name)
            if not (folder / MANIFEST).exists():
                (Path(part) / MANIFEST).write_text(manifest, encoding="utf-8")
                (Path(part) / MANIFEST).replace(folder / MANIFEST)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn the system's refusal to write at `place` into one InputError that tells its reason."""
    try:
        yield
    except OSError as error:
        raise _cannot_write(place, error.strerror or str(error)) from None
    except PolarsError as error:
        found = _SYSTEM_ERROR.search(str(error))
        if found is None:
            raise
        reason = os.strerror(int(found[1])) if found[1] else "the disk is full or fails"
        raise _cannot_write(place, reason) from None


def _cannot_write(place: Path, reason: str) -> InputError:
    """Return the error of a place that the system refuses to write to."""
    found = f"a place that cannot be written ({reason})"
    return InputError(place, "", found, "a folder to write in, or --out another")


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds something other than an earlier run of hemc."""
    with disk_errors(folder):
        if folder.is_dir() and (not any(folder.iterdir()) or (folder / MANIFEST).is_file()):
            return
        is_there = folder.exists() or folder.is_symlink()
    if is_there:
        raise InputError(folder, "", "something that is no run of hemc",
                         "a new folder or an earlier run; name one with --out")  # fmt: skip
