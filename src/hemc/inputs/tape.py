"""A tape file → validated loan rows; and the settings of a tape, read or synthesised."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Self

import polars as pl
from pydantic import Field, model_validator

from hemc.errors import InputError
from hemc.inputs.tape_file import read_rows
from hemc.inputs.tape_schema import (
    HIGHEST_BALANCE,
    LONGEST_TERM,
    SCHEMA,
    first_fault,
    parse_columns,
)
from hemc.inputs.toml import Settings, assumed
from hemc.states import D180

Months = Annotated[int, Field(ge=1, le=LONGEST_TERM)]
Behind = Annotated[int, Field(ge=0, le=LONGEST_TERM)]


class LoanTerm(Settings):
    """A kind of loan: months from origination to maturity, months that level payments spread over.

    It is a balloon where the original term is the shorter. `share` is that of loans, a fraction.
    """

    original_term: Months
    amortization_term: Months
    share: Annotated[float, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _balloon(self) -> Self:
        if self.amortization_term < self.original_term:
            raise ValueError("'amortization_term' not below 'original_term'")
        return self


class InstalmentsBehind(Settings):
    """Instalments that a loan is behind at cut-off where its state does not say it."""

    d180: Annotated[int, Field(ge=D180, le=LONGEST_TERM)] = 7
    bankruptcy: Behind = 4
    foreclosure: Behind = 6
    reo: Behind = 9


DEFAULT_TERMS = (
    LoanTerm(original_term=120, amortization_term=120, share=0.10),
    LoanTerm(original_term=180, amortization_term=180, share=0.55),
    LoanTerm(original_term=180, amortization_term=360, share=0.20),
    LoanTerm(original_term=240, amortization_term=240, share=0.15),
)


class TapeSettings(Settings):
    """Where the loan rows come from; without a file, what is assumed to synthesise them."""

    file: Path | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = assumed(
        1, "seed of the synthetic tape", "any; the report shows what another one moves"
    )
    size_cv: Annotated[float, Field(ge=0, le=5)] = assumed(
        0.6, "sd / mean of loan balances within a state, lognormal", "judgement"
    )
    min_balance: Annotated[float, Field(ge=0.01, le=HIGHEST_BALANCE)] = assumed(
        1000.0, "smallest loan, USD", "judgement"
    )
    rate_sd: Annotated[float, Field(ge=0, le=0.1)] = assumed(
        0.0125, "standard deviation of gross loan rates, per year", "judgement"
    )
    rate_step: Annotated[float, Field(gt=1e-6, le=0.01)] = assumed(
        0.00125, "grid of gross loan rates, per year (eighths)", "market practice"
    )
    servicing_fee: Annotated[float, Field(ge=0, le=0.05)] = assumed(
        0.005, "servicing fee, per year: net rate = gross rate - fee", "market practice"
    )
    terms: Annotated[tuple[LoanTerm, ...], Field(min_length=1)] = assumed(
        DEFAULT_TERMS, "kinds of loans and their shares", "judgement"
    )
    lowest_age: Annotated[int, Field(ge=0)] = assumed(
        8, "months since origination, lowest", "judgement"
    )
    highest_age: Annotated[int, Field(ge=0)] = assumed(
        14, "months since origination, highest; uniform between", "judgement"
    )
    instalments_behind: InstalmentsBehind = assumed(
        InstalmentsBehind(), "instalments a loan is behind at cut-off, by state", "judgement"
    )

    @model_validator(mode="after")
    def _terms_fit(self) -> Self:
        if not math.isclose(sum(term.share for term in self.terms), 1.0, abs_tol=1e-9):
            raise ValueError("'share' of the terms adding up to 1")
        if self.highest_age < self.lowest_age:
            raise ValueError("'highest_age' not below 'lowest_age'")
        if self.highest_age >= min(term.original_term for term in self.terms):
            raise ValueError("'highest_age' below every 'original_term'")
        return self


def read_tape(path: Path) -> pl.DataFrame:
    """Read a tape from CSV or Parquet and check every value.

    Returns the columns of docs/tape.md with their types, ordered by loan number; other columns
    are not read. Raises InputError that names the line (CSV, the header is line 1) or row
    (Parquet, from 1) and column of the first fault, and counts the others.
    """
    rows, places = read_rows(path, list(SCHEMA))
    if rows.is_empty():
        raise InputError(path, "", "no loans", "at least one row below the column names")
    parsed = parse_columns(rows)
    fault = first_fault(rows, parsed)
    if fault:
        more = f" (and {fault.n_more:,} more)" if fault.n_more else ""
        place = f"{places[fault.row]}, column {fault.column}"
        raise InputError(path, place, fault.found, fault.allowed + more)
    return parsed.sort("loan")
