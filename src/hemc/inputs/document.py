"""A file of any kind → the plain text of a document, each piece knowing its line in the file."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hemc.errors import InputError
from hemc.inputs.bounded_file import read_bytes
from hemc.inputs.html_tokens import Token, html_tokens

Layout = Literal["text", "cells"]

#: A certificate is a few kilobytes; this much is something else.
_MOST_BYTES = 1_000_000

_HTML_CELL = re.compile(r"<t[dr][\s>]", re.IGNORECASE)
_LONE_BAR = re.compile(r"^\s*\|\s*$")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_EXPECTED = "a servicing certificate (text or HTML)"


@dataclass(frozen=True)
class Document:
    """The text of a file; in the cells layout a line holding a lone bar stands between cells.

    `starts` are the offsets in `text` at which its lines begin, `lines` their 1-based numbers in
    the file (an HTML cell takes the number of the line on which its words begin).
    """

    path: Path
    layout: Layout
    text: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]

    def line_at(self, offset: int) -> int:
        """Return the line of the file on which the character at `offset` stands."""
        return self.lines[bisect.bisect_right(self.starts, offset) - 1]

    @property
    def last_line(self) -> int:
        """The last line of the file that is not blank."""
        return self.line_at(max(len(self.text.rstrip()) - 1, 0))

    @property
    def ends_in_line(self) -> bool:
        """Whether the file ends without a line break, so that its last figure may be cut."""
        return not self.text.endswith("\n")


def read_document(path: Path) -> Document:
    """Read a file as text; an InputError if it is missing, empty, too large or binary."""
    text = (
        _decode(path, read_bytes(path, _EXPECTED, _MOST_BYTES))
        .replace("\r\n", "\n")
        .replace("\r", "\n")
    )
    if not text.strip():
        raise InputError(path, "", "an empty file", _EXPECTED)
    if _HTML_CELL.search(text):
        return _from_html(path, text)
    lines = text.split("\n")
    layout: Layout = "cells" if any(_LONE_BAR.match(line) for line in lines) else "text"
    return _assemble(path, layout, list(enumerate(lines, start=1)))


def _decode(path: Path, data: bytes) -> str:
    """Decode UTF-8, else Windows-1252 as old filings are; refuse what holds control characters."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    control = _CONTROL.search(text.removesuffix("\x1a"))
    if control:
        place = f"line {text.count(chr(10), 0, control.start()) + 1}"
        raise InputError(path, place, "binary data", _EXPECTED)
    return text


def _assemble(path: Path, layout: Layout, pieces: list[tuple[int, str]]) -> Document:
    """Join (line, text) pieces and note at which offset each begins."""
    starts, offset = [], 0
    for _, piece in pieces:
        starts.append(offset)
        offset += len(piece) + 1
    text = "\n".join(piece for _, piece in pieces)
    return Document(path, layout, text, tuple(starts), tuple(line for line, _ in pieces))


def _from_html(path: Path, text: str) -> Document:
    """Reduce HTML to the cells layout: one cell a line, a lone bar between cells."""
    parser = _Cells()
    for token in html_tokens(text):
        parser.add(token)
    parser.end_cell()
    if not any(cell for _, cell in parser.cells):
        raise InputError(path, "", "HTML without text", _EXPECTED)
    pieces: list[tuple[int, str]] = []
    for line, cell in parser.cells:
        pieces += [(line, cell), (line, "|")]
    # A cell that its end tag closed is whole, so the text ends with a line break.
    last_line = pieces[-1][0]
    return _assemble(path, "cells", pieces[:-1] + [(last_line, "")] * parser.is_closed)


class _Cells:
    """Collects (line, text) of each table cell and of each paragraph outside a table."""

    _BLOCKS = frozenset(
        ("td", "th", "tr", "table", "p", "div", "title", "h1", "h2", "h3", "h4", "h5", "li", "pre")
    )

    def __init__(self) -> None:
        self.cells: list[tuple[int, str]] = []
        self.is_closed = True
        self._words: list[str] = []
        self._line = 0

    def add(self, token: Token) -> None:
        """Begin or end a cell or paragraph, an empty cell counts; or add words to the open one."""
        tag = token.tag.removeprefix("/")
        if not tag:
            self._add_words(token)
        elif tag in self._BLOCKS:
            is_end = token.tag != tag
            if is_end and tag in ("td", "th") and not self._words:
                self.cells.append((token.line, ""))
            self.end_cell()
            self.is_closed |= is_end

    def _add_words(self, token: Token) -> None:
        """Add a text's words."""
        words = token.text.split()
        if not words:
            return
        if not self._words:
            before = token.text[: len(token.text) - len(token.text.lstrip())]
            self._line = token.line + before.count("\n")
        self._words += words
        self.is_closed = False

    def end_cell(self) -> None:
        """Close the cell that is open, if any words have come."""
        if self._words:
            self.cells.append((self._line, " ".join(self._words)))
        self._words = []
