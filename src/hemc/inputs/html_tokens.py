"""HTML → its tags and texts in order, each with its line, in time that grows with the length only.

The standard library's parser takes hours over two megabytes of tags that nobody closes. Attributes
are not read; what a browser shows of a table and its cells is all that a certificate needs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9]{0,15}")
_SILENT = ("script", "style")


class Token(NamedTuple):
    """A tag's name in lower case, "/" before it where it ends something; "" before a text."""

    tag: str
    text: str
    line: int


def html_tokens(content: str) -> Iterator[Token]:
    """Yield tags and texts; comments, declarations, scripts and styles are left out."""
    line, counted = 1, 0
    for start, end, tag in _pieces(content):
        line, counted = line + content.count("\n", counted, start), start
        yield Token(tag, "" if tag else html.unescape(content[start:end]), line)


def _pieces(content: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and tag of every piece; the tag of a text is ""."""
    position, end = 0, len(content)
    lower = content.lower() if content.isascii() else _ascii_lower(content)
    while position < end:
        opening = _next_mark(content, position)
        if opening > position:
            yield position, opening, ""
        if opening == end:
            return
        name = _NAME.match(lower, opening + 1)
        closing = _find(content, "-->" if content.startswith("<!--", opening) else ">", opening)
        if name:
            yield opening, closing, name.group()
        if name and name.group() in _SILENT:
            closing = _find(lower, f"</{name.group()}", closing, at_start=True)
        position = closing


def _next_mark(content: str, position: int) -> int:
    """Return where the next tag, comment or declaration begins; a lone < is text."""
    while True:
        position = content.find("<", position)
        if position < 0:
            return len(content)
        following = content[position + 1 : position + 3].removeprefix("/")
        if following[:1] in ("!", "?") or (following[:1].isascii() and following[:1].isalpha()):
            return position
        position += 1


def _find(content: str, mark: str, start: int, *, at_start: bool = False) -> int:
    """Return where a mark ends, or begins, and the end of the content where there is none."""
    found = content.find(mark, start)
    if found < 0:
        return len(content)
    return found if at_start else found + len(mark)


def _ascii_lower(content: str) -> str:
    """Return a text of the same length with its plain letters in lower case."""
    return re.sub("[A-Z]+", lambda found: found.group().lower(), content)
