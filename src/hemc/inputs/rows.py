"""A document → its rows: a label of the vocabulary and the words that stand where figures should.

Labels are found first and figures beside them, since in the text layout figures overwrite the
ends of long labels, and in the cells layout nothing marks where a row ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hemc.inputs.document import Document
from hemc.inputs.figures import Word, leading_figure, split_figures, stands_for_figure
from hemc.inputs.labels import GARBLED, LABELS, NOTE_COLUMNS, Kind, Label

#: A label that a figure overwrites is recognised by at least so many of its characters.
_SHORTEST_CUT = 12

_WIDEST_INDENT = 500

_LINE_START = re.compile(r"^[^\S\n]*\*?(?=[A-Za-z])", re.MULTILINE)
_WORD_START = re.compile(r"(?<![A-Za-z])(?=[A-Za-z])")
_BLANK = re.compile(r"[\s|]+")
_REST_IS_BLANK = re.compile(r"[\n |\t]*\Z")
_CHUNK = re.compile(r"[^\s|]+")
_NOTE_NAME = re.compile(
    r"(?:(?P<io>notional[\s|]+io(?:[\s|]+class)?|(?:class[\s|]+)?(?:notional[\s|]+)?io)"
    r"|(?:class[\s|]+)?(?P<name>[AMB]-?\d{1,2}[A-Z]?)|(?P<certificates>certificates?))"
    r"(?=[\s|]|$)",
    re.IGNORECASE,
)

#: Names of labels by their first letters, since a label may begin at every word.
_INDEXED = 3
_NAMES: dict[str, list[tuple[Label, str]]] = {}
for _label in LABELS:
    for _name in _label.names:
        _NAMES.setdefault(_name[:_INDEXED], []).append((_label, _name))


#: From late 2005 the other states are a table of their own: units and dollars of each.
_STATES = {"foreclosure": "FC", "bankruptc": "BK", "reo": "REO"}
_STATE = r"(foreclosure|bankruptc|reo)(?:s|y|ies)?[\s|]+"
_PAIR = r"(units|number|dollars|balance)[\s|]+"
_PAIRS = re.compile(_STATE * 3 + _PAIR * 6, re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """A label, the line it begins on and the words of its figures; `at_end`: the document ends."""

    label: Label
    line: int
    words: tuple[Word, ...]
    at_end: bool


@dataclass(frozen=True)
class _Match:
    """A label found at a place: where the label ends, where its figures end, and the figures."""

    label: Label
    end: int
    words_end: int
    words: tuple[Word, ...]


def find_rows(document: Document) -> Iterator[Row]:
    """Yield the rows of a document in its order."""
    section, position, line_start, seen = "", 0, 0, 0
    while (start := _next_start(document.text, position, section)) is not None:
        line_start = max(document.text.rfind("\n", seen, start) + 1, line_start)
        seen = start
        # A line that one would have to search far back is begun.
        indent = document.text[max(line_start, start - _WIDEST_INDENT) : start]
        is_line_start = start - line_start <= _WIDEST_INDENT and not indent.strip(" *\t\xa0")
        table_row = is_line_start and (
            _match_note(document, start) or _match_pairs(document, start)
        )
        match = table_row or _match_label(document, start, section, only_local=not is_line_start)
        if match is None:
            position = start + 1
            continue
        section = match.label.section
        at_end = _REST_IS_BLANK.match(document.text, match.words_end) is not None
        yield Row(match.label, document.line_at(start), match.words, at_end)
        position = max(match.words_end, match.end)


def _next_start(text: str, position: int, section: str) -> int | None:
    """Return where a label may begin next: at a line's start, in garbled sections at any word."""
    pattern = _WORD_START if section in GARBLED else _LINE_START
    match = pattern.search(text, position)
    return match.end() if match else None


def _match_note(document: Document, start: int) -> _Match | None:
    """Return the row of a class of notes (or of the certificates) that begins here."""
    found = _NOTE_NAME.match(document.text, start)
    if found is None:
        return None
    words, words_end = _words_after(document, found.end(), "notes")
    is_end = _REST_IS_BLANK.match(document.text, found.end()) is not None
    if not words and not is_end:
        return None
    name = "IO" if found["io"] else "Certificates" if found["certificates"] else found["name"]
    columns = tuple(
        (name.upper() if found["name"] else name, k, v) for k, v in NOTE_COLUMNS.items()
    )
    return _Match(Label("notes", (name,), columns), found.end(), words_end, words)


def _match_pairs(document: Document, start: int) -> _Match | None:
    """Return the table of pairs that begins here: three states, their headings, six figures."""
    found = _PAIRS.match(document.text, start)
    if found is None:
        return None
    states = [_STATES[word.lower()] for word in found.groups()[:3]]
    columns: list[tuple[str, str, Kind]] = []
    for i, heading in enumerate(found.groups()[3:]):
        is_units = heading.lower() in ("units", "number")
        state = states[i // 2]
        columns.append((state, "number", "count") if is_units else (state, "balance", "money"))
    words, words_end = _words_after(document, found.end(), "delinquencies")
    label = Label("delinquencies", ("units and dollars",), tuple(columns))
    return _Match(label, found.end(), words_end, words)


def _match_label(
    document: Document, start: int, section: str, *, only_local: bool
) -> _Match | None:
    """Return the label of the vocabulary that fits best here: with figures, then the longest."""
    found: dict[tuple[bool, int], list[_Match]] = {}
    first_letters = document.text[start : start + _INDEXED].lower()
    for label, name in _NAMES.get(first_letters, ()):
        is_elsewhere = label.section != section if label.is_local else only_local
        length, match = (0, None) if is_elsewhere else _match_name(document, start, label, name)
        if match:
            found.setdefault((bool(match.words), length), []).append(match)
    if not found:
        return None
    best = found[max(found)]
    local = [match for match in best if match.label.is_local]
    # What overwrites a label may leave two that fit: then it is open which one is meant.
    best = local or best
    return best[0] if len({id(match.label) for match in best}) == 1 else None


def _match_name(
    document: Document, start: int, label: Label, name: str
) -> tuple[int, _Match | None]:
    """Match one name of a label, whole or overwritten by its figure; also how much of it fits."""
    length, end = _common_prefix(document.text, start, name)
    following = document.text[end : end + 1]
    if length == len(name) and not following.isalpha():
        words, words_end = _words_after(document, end, label.section)
        return length, _Match(label, end, words_end, words)
    if label.columns and length >= _SHORTEST_CUT:
        match = _match_cut(
            document, end, label, is_in_word=" " not in name[length - 1 : length + 1]
        )
        return (length, match) if match else (0, None)
    return 0, None


def _match_cut(document: Document, end: int, label: Label, *, is_in_word: bool) -> _Match | None:
    """Match a label that its figure overwrites from `end` on.

    A name that ends between two words may be another, shorter label unless the figure touches it.
    """
    text = document.text
    # The parenthesis may be the label's own or open a negative figure.
    for cut in (end - 1, end) if text[end - 1] == "(" else (end,):
        touches = not text[cut - 1].isspace() and not text[cut : cut + 1].isspace()
        words, words_end = _words_after(document, cut, label.section)
        if (touches or is_in_word) and words and split_figures(words[0].text) is not None:
            return _Match(label, cut, words_end, words)
    return None


def _common_prefix(text: str, start: int, name: str) -> tuple[int, int]:
    """Return how many characters of `name` stand at `start`, and where they end.

    Capitals do not matter; a blank of the name is any run of white space and cell bars.
    """
    position = start
    for i, letter in enumerate(name):
        if letter == " ":
            blank = _BLANK.match(text, position)
            if blank is None:
                return i, position
            position = blank.end()
        elif text[position : position + 1].lower() == letter:
            position += 1
        else:
            return i, position
    return len(name), position


def _words_after(document: Document, start: int, section: str) -> tuple[tuple[Word, ...], int]:
    """Collect what stands for figures from `start` on, to the first other text; and where it ends.

    Two bars with nothing between them are an empty cell.
    """
    text, end, words = document.text, start, list[Word]()
    for chunk in _CHUNK.finditer(text, start):
        between = text[end : chunk.start()]
        if _leaves_row(document, between, section, bool(words)):
            break
        line = document.line_at(chunk.start())
        empty = [Word("", line)] * max(between.count("|") - 1, 0)
        read = _read_chunk(chunk.group(), words, is_garbled=section in GARBLED)
        if read is None:
            words += empty if words else []
            break
        figures, n_used = read
        end = chunk.start() + n_used
        words += empty
        is_cut = end == len(text)
        words += [Word(f, line, is_cut and i == len(figures) - 1) for i, f in enumerate(figures)]
        if n_used < len(chunk.group()):
            break
    return tuple(words), end


def _leaves_row(document: Document, between: str, section: str, has_words: bool) -> bool:
    """Tell whether a line break ends the row: in the text layout, except in garbled text."""
    if document.layout == "cells" or "\n" not in between:
        return False
    return section not in GARBLED or has_words


def _read_chunk(chunk: str, words: list[Word], *, is_garbled: bool) -> tuple[list[str], int] | None:
    """Return the figures in a run of characters and its used length; None if it is text."""
    if chunk in ("$", "%", "*", ":"):
        return [], len(chunk)
    if chunk == ")" and words and words[-1].text.startswith("("):
        words[-1] = Word(words[-1].text + ")", words[-1].line)
        return [], len(chunk)
    figures = split_figures(chunk.removeprefix("*"))
    if figures:
        return figures, len(chunk)
    figure = leading_figure(chunk) if is_garbled else None
    if figure:
        return [figure], len(figure)
    return ([chunk], len(chunk)) if stands_for_figure(chunk) else None
