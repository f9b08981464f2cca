"""Loan rows as they stand in a file → rows of the documented types, or the first fault in them.

docs/tape.md describes the columns for people who write such a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hemc.states import D180, N_LIVE, NAMES, PAYING

#: Columns of a tape and their types; a file may hold others, which are not read.
SCHEMA = pl.Schema(
    {
        "loan": pl.Int64(),
        "state": pl.String(),
        "balance": pl.Float64(),
        "gross_rate": pl.Float64(),
        "amortization_months": pl.Int64(),
        "maturity_months": pl.Int64(),
        "instalments_behind": pl.Int64(),
    }
)

LONGEST_TERM = 600  # months
HIGHEST_RATE = 0.5  # per year; above it a rate is a per cent figure
HIGHEST_BALANCE = 1e9  # USD

_STATES_ALLOWED = "a state: " + ", ".join(NAMES[:N_LIVE])


@dataclass(frozen=True)
class Rule:
    """What a column may hold; `holds` is evaluated on parsed columns, a null there holds."""

    column: str
    holds: pl.Expr
    allowed: str
    hint: Callable[[str], str] = lambda found: ""


@dataclass(frozen=True)
class Fault:
    """The first value that breaks a rule, by row, and how many others do."""

    row: int  # from 0
    column: str
    found: str
    allowed: str
    n_more: int


def parse_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """Convert every column of the schema to its type; what does not convert becomes null."""
    return rows.select(_parsed(rows.schema[name], name) for name in SCHEMA)


def first_fault(rows: pl.DataFrame, parsed: pl.DataFrame) -> Fault | None:
    """Return the first fault of `parsed`, quoted as it stands in `rows`; None if there is none."""
    broken = [(_rows_breaking(parsed, rule), rule) for rule in _RULES]
    broken = [(where, rule) for where, rule in broken if len(where)]
    if not broken:
        return None
    where, rule = min(broken, key=lambda item: int(item[0][0]))
    row = int(where[0])
    value = rows[rule.column][row]
    return Fault(
        row,
        rule.column,
        "nothing" if value is None else f"'{value}'",
        rule.allowed + rule.hint(str(value)),
        sum(len(where) for where, _ in broken) - 1,
    )


def _rows_breaking(parsed: pl.DataFrame, rule: Rule) -> NDArray[np.intp]:
    """Return the rows (from 0) that break a rule, in order."""
    holds = parsed.select(rule.holds.fill_null(True)).to_series()
    return np.flatnonzero(~holds.to_numpy())


def _parsed(found: pl.DataType, name: str) -> pl.Expr:
    """Return the expression that reads a column of type `found` as the schema's type."""
    column, wanted = pl.col(name), SCHEMA[name]
    if isinstance(wanted, pl.String):
        if not (found.is_numeric() or found in (pl.String, pl.Categorical, pl.Enum)):
            return pl.lit(None, dtype=wanted).alias(name)
        return column.cast(pl.String, strict=False).str.strip_chars()
    if isinstance(found, pl.String):
        return _finite(column.str.strip_chars().cast(wanted, strict=False), wanted)
    if not found.is_numeric():
        return pl.lit(None, dtype=wanted).alias(name)
    whole = pl.lit(True) if wanted.is_float() else column == column.floor()
    return _finite(pl.when(whole).then(column).cast(wanted, strict=False), wanted).alias(name)


def _finite(column: pl.Expr, wanted: pl.DataType) -> pl.Expr:
    """Turn NaN and infinities into null, which the readability rules report."""
    return pl.when(column.is_finite()).then(column) if wanted.is_float() else column


def _percent_hint(found: str) -> str:
    """Suggest the fraction where a rate looks like a per cent figure."""
    fraction = float(found) / 100
    likely = 0 < fraction <= HIGHEST_RATE
    return f"; as a fraction {found.strip()} per cent is {fraction:.6g}" if likely else ""


def _readable(name: str) -> Rule:
    """Return the rule that a column holds a value of its type."""
    wanted = SCHEMA[name]
    if isinstance(wanted, pl.String):
        return Rule(name, pl.col(name).is_not_null(), _STATES_ALLOWED)
    kind = "a number" if wanted.is_float() else "a whole number"
    return Rule(name, pl.col(name).is_not_null(), kind)


def _range_rules() -> list[Rule]:
    """Return the rules on the value of each column alone."""
    loan = pl.col("loan")
    term = f"1 to {LONGEST_TERM} months"
    return [
        Rule("loan", loan.is_first_distinct() | loan.is_null(), "each loan once"),
        Rule("state", pl.col("state").is_in(NAMES[:N_LIVE]), _STATES_ALLOWED),
        Rule(
            "balance",
            pl.col("balance").is_between(0.01, HIGHEST_BALANCE),
            f"USD, 0.01 to {HIGHEST_BALANCE:,.0f}",
        ),
        Rule(
            "gross_rate",
            pl.col("gross_rate").is_between(0.0, HIGHEST_RATE),
            f"a fraction per year, 0 to {HIGHEST_RATE}",
            _percent_hint,
        ),
        Rule(
            "amortization_months", pl.col("amortization_months").is_between(1, LONGEST_TERM), term
        ),
        Rule("maturity_months", pl.col("maturity_months").is_between(1, LONGEST_TERM), term),
        Rule(
            "instalments_behind",
            pl.col("instalments_behind").is_between(0, LONGEST_TERM),
            f"0 to {LONGEST_TERM} instalments",
        ),
    ]


def _cross_rules() -> list[Rule]:
    """Return the rules between two columns of a row."""
    state, behind = pl.col("state"), pl.col("instalments_behind")
    allowed = {NAMES[s]: (behind.eq(s), f"{s} in state {NAMES[s]}") for s in PAYING}
    allowed[NAMES[D180]] = (behind.ge(D180), f"at least {D180} in state {NAMES[D180]}")
    return [
        Rule(
            "maturity_months",
            pl.col("maturity_months") <= pl.col("amortization_months"),
            "at most amortization_months",
        ),
        *(
            Rule("instalments_behind", state.ne(name) | holds, text)
            for name, (holds, text) in allowed.items()
        ),
    ]


_RULES = (*(_readable(name) for name in SCHEMA), *_range_rules(), *_cross_rules())
