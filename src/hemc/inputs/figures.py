"""The words beside a label → the figures of its row, each an exact Decimal or missing with why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from hemc.inputs.labels import Kind


@dataclass(frozen=True)
class Field:
    """One printed figure.

    `value` is None where the figure cannot be read, and then `reason` says why; `line` is the
    1-based line of the file where the figure stands (or its label, where the figure is missing).
    """

    value: Decimal | None
    line: int | None
    reason: str | None = None


@dataclass(frozen=True)
class Word:
    """What stands where a figure should: its text, its line, and whether the file ends in it."""

    text: str
    line: int
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether this is an empty cell."""
        return not self.text


_DASHES = "–—-"
_PLAIN = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_MONEY = rf"\(?\$?{_PLAIN}\.\d\d\)?"
_SINGLE = rf"\(?\$?-?{_PLAIN}(?:\.\d+)?%?\)?%?|\(?\$?\.\d+%?\)?"
#: One figure, or an amount that runs into the next: "17,111,694.71133,373.59".
_FIGURE = re.compile(
    rf"(?:{_SINGLE})(?![\d,.)%])|{_MONEY}(?=(?!0\d){_MONEY}(?![\d,.%]))|[{_DASHES}]%?(?![\w{_DASHES}])"
)
_GLUED_ZERO = re.compile(rf"([{_DASHES}])({_MONEY}|[{_DASHES}])")
_NOT_A_FIGURE = re.compile(rf"#.*|n/?a|[{_DASHES}]{{2}}", re.IGNORECASE)

#: Digits before and after the point of a figure, within which sums and products are exact.
MOST_DIGITS, MOST_DECIMALS = 15, 12

#: What a figure of each kind looks like, signs and commas removed. Amounts are exact to the cent;
#: only a zero may do without decimals.
_FORMS: dict[Kind, re.Pattern[str]] = {
    "money": re.compile(r"\d*\.\d\d|0"),
    "count": re.compile(r"\d+"),
    "factor": re.compile(r"\d+\.\d+"),
    "percent": re.compile(r"(100|\d{1,2})?\.\d+%?|\d+%"),
    "rate": re.compile(r"\d*\.\d+%?|\d+%"),
    "share": re.compile(r"\d*\.\d+%?|\d+%"),
}

#: The same where the file ends in the figure: it counts only if no digit can be missing.
_WHOLE_FORMS: dict[Kind, re.Pattern[str]] = {
    "money": re.compile(r"\d*\.\d\d"),
    "count": re.compile(r"(?!)"),
    "factor": re.compile(r"\d+\.\d{7}"),
    "percent": re.compile(r"(100|\d{1,2})?\.\d\d%?"),
    "rate": re.compile(r"\d*\.(\d+%|\d{5})"),
    "share": re.compile(r"\d*\.\d+%"),
}


def split_figures(chunk: str) -> list[str] | None:
    """Split a run of characters into the figures glued in it; None if anything else is there."""
    figures, position = [], 0
    while position < len(chunk):
        match = _FIGURE.match(chunk, position)
        if match is None:
            return None
        figures.append(match.group())
        position = match.end()
    return figures


def leading_figure(chunk: str) -> str | None:
    """Return the figure before the letters of a label that it was printed over, if there is one."""
    match = re.match(rf"({_MONEY}|{_SINGLE})(?=[A-Za-z])", chunk)
    return match.group(1) if match else None


def stands_for_figure(chunk: str) -> bool:
    """Tell whether a run of characters is a spoilt figure, such as `#DIV/0!`, and no text."""
    return bool(_NOT_A_FIGURE.fullmatch(chunk)) or bool(re.search(r"\d[\d,]*\.?\d", chunk))


def to_decimal(word: Word, kind: Kind) -> Decimal | None:
    """Return the figure as a Decimal; None where it is not a whole figure of this kind."""
    text = word.text.replace("$", "").replace(",", "")
    if text.rstrip("%") in tuple(_DASHES):
        return Decimal(0)
    if split_figures(word.text) != [word.text] or text.startswith("(") != (")" in text):
        return None
    digits = re.sub(r"[()-]", "", text)
    if not (_WHOLE_FORMS if word.is_cut else _FORMS)[kind].fullmatch(digits):
        return None
    whole, _, decimals = digits.rstrip("%").partition(".")
    if len(whole) > MOST_DIGITS or len(decimals) > MOST_DECIMALS:
        return None
    value = Decimal(digits.rstrip("%"))
    # Unary minus of a decimal zero is zero, as (0.00) means.
    return -value if text.startswith(("(", "-")) else value


def read_field(word: Word, kind: Kind) -> Field:
    """Return the figure of a word, or why it is missing."""
    if word.is_empty:
        return Field(None, word.line, "its cell is empty")
    value = to_decimal(word, kind)
    if value is not None:
        return Field(value, word.line)
    if word.is_cut:
        return Field(None, word.line, f"the document ends in the figure, after '{word.text}'")
    return Field(None, word.line, f"'{_shorten(word.text)}' stands in its place")


def read_row(
    words: Sequence[Word], kinds: Sequence[Kind], line: int, *, at_end: bool
) -> list[Field]:
    """Assign the words of a row to its columns; where that is not certain, they are missing.

    A short row is read only where the kinds of its figures allow one reading, or where the
    document ends in it (`at_end`), since its beginning is then whole.
    """
    filled = [word for word in words if not word.is_empty]
    for row in (filled, _split_glued_zero(filled, len(kinds)), words):
        if len(row) == len(kinds):
            return [read_field(word, kind) for word, kind in zip(row, kinds, strict=True)]
    if len(filled) > len(kinds):
        reason = f"the row holds {len(filled)} figures in place of {len(kinds)}"
        return [Field(None, line, reason)] * len(kinds)
    return _read_short_row(filled, kinds, line, at_end=at_end)


def _read_short_row(
    words: Sequence[Word], kinds: Sequence[Kind], line: int, *, at_end: bool
) -> list[Field]:
    """Assign fewer words than columns."""
    columns = _readings(words, kinds)
    whole = [word for word in words if not word.is_cut]
    if at_end and _readings(whole, kinds[: len(whole)]):
        columns = [tuple(range(len(words)))]
    if any(_GLUED_ZERO.fullmatch(word.text) for word in words):
        columns = []  # a negative amount, or a zero and the amount of the next column
    if not words:
        reason = "the document ends before it" if at_end else "no figure beside its label"
    elif len(columns) > 1:
        reason = f"the row holds {len(words)} of {len(kinds)} figures and it is open which"
    elif at_end:
        reason = "the document ends in its row, before it"
    else:
        reason = f"the row holds {len(words)} of {len(kinds)} figures, not this one"
    fields = [Field(None, line, reason)] * len(kinds)
    if len(columns) == 1:
        for column, word in zip(columns[0], words, strict=True):
            fields[column] = read_field(word, kinds[column])
    return fields


def _readings(words: Sequence[Word], kinds: Sequence[Kind]) -> list[tuple[int, ...]]:
    """Return every way of placing the words, in their order, that fits the kinds of columns."""
    return [
        columns
        for columns in combinations(range(len(kinds)), len(words))
        if all(
            to_decimal(word, kinds[c]) is not None for c, word in zip(columns, words, strict=True)
        )
    ]


def _split_glued_zero(words: Sequence[Word], n_columns: int) -> list[Word]:
    """Part a hyphen (zero) from the amount glued to it, where the row is one figure short."""
    glued = [i for i, word in enumerate(words) if _GLUED_ZERO.fullmatch(word.text)]
    if len(words) != n_columns - 1 or len(glued) != 1:
        return []
    word = words[glued[0]]
    parts = [Word(word.text[0], word.line), Word(word.text[1:], word.line, word.is_cut)]
    return [*words[: glued[0]], *parts, *words[glued[0] + 1 :]]


def _shorten(text: str) -> str:
    return text if len(text) <= 24 else text[:21] + "..."
