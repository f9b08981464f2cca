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

# Polars reports a full disk as an error of its own, with the system's number in the text.
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write in that becomes `folder` when all went well, and vanishes if not."""
    refuse_foreign(folder)
    part: Path | None = None
    try:
        with disk_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            yield part
            part.chmod(0o755)
            _put(part, folder)
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


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
            (folder / MANIFEST).write_text(manifest, encoding="utf-8")


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
        raise _cannot_write(place, os.strerror(int(found[1]))) from None


def _cannot_write(place: Path, reason: str) -> InputError:
    """Return the error of a place that the system refuses to write to."""
    found = f"a place that cannot be written ({reason})"
    return InputError(place, "", found, "a folder to write in, or --out another")


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds something other than an earlier run of hemc."""
    if folder.is_dir() and (not any(folder.iterdir()) or (folder / MANIFEST).is_file()):
        return
    if folder.exists() or folder.is_symlink():
        raise InputError(folder, "", "something that is no run of hemc",
                         "a new folder or an earlier run; name one with --out")  # fmt: skip


def _put(part: Path, folder: Path) -> None:
    """Put the new folder where it belongs, an earlier one aside first."""
    if not folder.exists():
        part.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    os.rename(folder, old / "run")
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
