"""A desk's vector notation → a number for every month.

`0.06` holds for good; `0.02 ramp 10 0.20` rises linearly from the first value in month 1 to the
second in month 10; `0.05 for 12 0.10 for 24 0.03` holds each value for so many months and the last
for good; `0.20 hep` is the home equity prepayment ramp: a tenth of the rate for every month of
age, the whole rate from the tenth on.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

_HEP_MONTHS = 10


def curve_values(text: str, n_months: int, age: int = 0) -> NDArray[np.float64]:
    """Return a curve's values for `n_months` months, float64[t].

    `age` is the age in months before the first of them, for a ramp that starts at origination.
    Raises ValueError for a text that is no curve.
    """
    words = text.split()
    if len(words) == 2 and words[1].lower() == "hep":
        months = age + np.arange(1, n_months + 1)
        return _number(words[0]) * np.minimum(months / _HEP_MONTHS, 1.0)
    values: list[float] = []
    while words:
        value = _number(words.pop(0))
        if not words:
            values.append(value)
            break
        word, length = words.pop(0).lower(), _length(words)
        if word == "for":
            values += [value] * length
        elif word == "ramp" and words:
            values += list(np.linspace(value, _number(words[0]), length))
        else:
            raise ValueError(f"'for' or 'ramp' with a value after it, not '{word}'")
    values += [values[-1]] * (n_months - len(values))
    return np.array(values[:n_months])


def _number(word: str) -> float:
    """Return a rate or share from 0 to 1."""
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"a number, not '{word}'") from None
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"a number from 0 to 1, not {word}")
    return value


def _length(words: list[str]) -> int:
    """Take the number of months off the front of the words."""
    word = words.pop(0) if words else "nothing"
    if not word.isdecimal() or not 0 < int(word) <= 1_000:
        raise ValueError(f"a number of months after 'for' or 'ramp', not '{word}'")
    return int(word)


def _require_curve(text: str) -> str:
    """Refuse a text that is no curve."""
    if not text.strip():
        raise ValueError("a number or a vector such as '0.02 ramp 10 0.20'")
    curve_values(text, 1)
    return text


#: A number or a vector in a desk's notation, kept as text.
Curve = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value),
    AfterValidator(_require_curve),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
