"""Figures of quarters → a path of consecutive ones after the quarter from which changes count.

Units are those of the Federal Reserve's files: rates in per cent, house prices as an index level.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from hemc.errors import InputError
from hemc.inputs.toml import Settings

_QUARTER = re.compile(r"(?:(\d{4})\s*[-:]?\s*Q([1-4])|Q([1-4])\s*[-:]?\s*(\d{4}))", re.IGNORECASE)


def quarter_name(text: str) -> str:
    """Return `YYYY Qn` for either order of year and quarter."""
    found = _QUARTER.fullmatch(text.strip())
    if found is None:
        raise ValueError("A quarter such as '2025 Q1' or 'Q1 2025'")
    year, number = found[1] or found[4], found[2] or found[3]
    return f"{year} Q{number}"


def _unemployment(value: float) -> float:
    """Refuse a level, and a fraction that is no per cent."""
    if not 0.5 <= value <= 40.0:
        raise ValueError("An unemployment rate in per cent, 0.5 to 40 (not a level or a fraction)")
    return value


def _interest(value: float) -> float:
    """Refuse a level."""
    if not -5.0 <= value <= 30.0:
        raise ValueError("An interest rate in per cent per year, -5 to 30 (not a level)")
    return value


InterestPct = Annotated[float, AfterValidator(_interest)]


class Quarter(Settings):
    """Macroeconomic figures of a quarter; `index_rate` states the deal's index, per year."""

    quarter: Annotated[str, AfterValidator(quarter_name)]
    unemployment_pct: Annotated[float, AfterValidator(_unemployment)]
    house_price_index: Annotated[float, Field(gt=0)]
    mortgage_pct: InterestPct
    treasury_3m_pct: InterestPct
    index_rate: Annotated[float, Field(ge=0, le=0.3)] | None = None

    @property
    def number(self) -> int:
        """Quarters since the year 0."""
        return place_in_time(self.quarter)


class MacroPath(NamedTuple):
    """Consecutive quarters after the jump-off, from which all changes count."""

    jump_off: Quarter
    quarters: tuple[Quarter, ...]


def place_in_time(quarter: str) -> int:
    """Return the number of quarters from the year 0 to `YYYY Qn`."""
    return 4 * int(quarter[:4]) + int(quarter[-1]) - 1


def macro_path(jump_off: Quarter, quarters: tuple[Quarter, ...], file: Path) -> MacroPath:
    """Check that quarters follow each other from the jump-off on, in time and in size.

    Raises InputError for a gap, and for an index whose level is that of a rate.
    """
    for before, after in pairwise((jump_off, *quarters)):
        place = f"quarter {after.quarter}"
        if after.number != before.number + 1:
            raise InputError(
                file, place, f"{after.quarter} after {before.quarter}",
                "consecutive quarters from the jump-off on",
            )  # fmt: skip
        if not 0.5 < after.house_price_index / before.house_price_index < 2.0:
            raise InputError(
                file, place,
                f"house prices of {after.house_price_index:g} after {before.house_price_index:g}",
                "the level of an index (not a rate) that neither doubles nor halves in a quarter",
            )  # fmt: skip
    stated = [quarter.index_rate is not None for quarter in quarters]
    if any(stated) and not all(stated):
        place = f"quarter {quarters[stated.index(False)].quarter}"
        raise InputError(file, place, "no index_rate", "one in every quarter or in none")
    return MacroPath(jump_off, quarters)
