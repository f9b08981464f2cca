"""Text from anywhere → text that a terminal shows and does not obey; anyone may import it."""

from __future__ import annotations

import re

#: Control characters but for line break and tab, marks that turn the direction of writing, and
#: separators that some programs take for a line break, for polars.
OBEYED = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u{2028}-\u{202e}\u{2066}-\u{2069}]"
# The same for Python, and halves of a character, which JSON can write and no file can hold.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def obeyed_character(text: str) -> str | None:
    """Return the first character that a terminal would obey, if there is one."""
    found = _OBEYED.search(text)
    return found.group() if found else None


def printable(text: str) -> str:
    """Return a text with such characters written out, so that ESC stands there as \\x1b."""
    return _OBEYED.sub(lambda found: _written_out(found.group()), text)


def one_line(text: str, most: int = 300) -> str:
    """Return a text as one printable line, its middle left out where it is longer than `most`."""
    if len(text) > most:
        text = f"{text[: most - 60]} … {text[-40:]}"
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
