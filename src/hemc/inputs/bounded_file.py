"""A file's path → its bytes, text or JSON, never more than a limit; else one clear error.

A path may come from another file, so that it may lead to a pipe or a device, or hold anything.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hemc.errors import InputError
from hemc.printable import obeyed_character

#: Bytes that a file written by a person, or a table of some thousand rows, may have.
MOST_BYTES = 2_000_000

#: Levels of tables and lists within each other; the deepest of ours has six.
MOST_LEVELS = 24


def read_bytes(path: Path, expected: str, most: int = MOST_BYTES) -> bytes:
    """Read a file of at most `most` bytes; `expected` names what it should have been."""
    try:
        size = _size(path, expected)
        content = path.read_bytes() if size <= most else b""
    except FileNotFoundError:
        raise InputError(path, "", "no such file", expected) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(path, "", f"a file that cannot be read ({reason})", expected) from None
    if max(size, len(content)) > most:
        raise InputError(path, "", f"{size:,} bytes", f"{expected}, of at most {most:,} bytes")
    return content


def require_file(path: Path, expected: str) -> None:
    """Refuse what is no regular file; raises InputError."""
    try:
        _size(path, expected)
    except FileNotFoundError:
        raise InputError(path, "", "no such file", expected) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(path, "", f"a file that cannot be read ({reason})", expected) from None


def _size(path: Path, expected: str) -> int:
    """Return a file's size; refuse a pipe or a device, which may never end."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise InputError(path, "", kind, expected)
    return found.st_size


def read_text(path: Path, expected: str, most: int = MOST_BYTES) -> str:
    """Read a file of UTF-8 text, with or without a byte order mark."""
    content = read_bytes(path, expected, most)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            path, f"byte {error.start + 1}", "bytes that are not UTF-8 text", expected
        ) from None
    if "\0" in text:
        raise InputError(path, "", "a binary file", expected)
    return text


def read_json(path: Path, expected: str, most: int = MOST_BYTES) -> Any:
    """Read a JSON file whose texts are printable."""
    text = read_text(path, expected, most)
    try:
        content = json.loads(text)
    except RecursionError:
        raise _too_deep(path, "", expected) from None
    except ValueError as error:
        raise InputError(path, "", f"no JSON ({error})", expected) from None
    require_plain(path, content, expected)
    return content


def require_plain(path: Path, content: Any, expected: str) -> None:
    """Refuse parsed content that nests too deeply or holds a text that a terminal would obey."""
    for place, text, level in _texts(content, "", 0):
        if level > MOST_LEVELS:
            raise _too_deep(path, place, expected)
        character = obeyed_character(text)
        if character is not None:
            found = f"the control character {character!a}"
            raise InputError(path, place or "the whole file", found, f"plain text in {expected}")


def _too_deep(path: Path, place: str, expected: str) -> InputError:
    return InputError(path, place, f"more than {MOST_LEVELS} levels within each other", expected)


def _texts(value: object, place: str, level: int) -> Iterator[tuple[str, str, int]]:
    """Yield every text and key of parsed content with place and level, one level too many."""
    if isinstance(value, str):
        yield place, value, level
    elif isinstance(value, dict | list):
        yield place, "", level
        if level > MOST_LEVELS:
            return
        pairs = value.items() if isinstance(value, dict) else enumerate(value, start=1)
        for key, inner in pairs:
            inside = f"{place} {key}" if isinstance(value, list) else f"{place}.{key}".lstrip(".")
            yield inside, str(key), level
            yield from _texts(inner, inside, level + 1)
