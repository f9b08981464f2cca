"""A certificate → the totals that the loan rows of its pool must meet."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from hemc.errors import InputError
from hemc.inputs.tape_totals import TapeTotals
from hemc.states import CURRENT, NAMES

#: The certificate's names of the delinquent states, in the order of hemc.states.
DELINQUENT_KEYS = ("30", "60", "90", "120", "150", "180+", "BK", "FC", "REO")

# Figures beyond these are damage of the document, not a pool of second liens.
MOST_LOANS = Decimal(5_000_000)
HIGHEST_POOL_BALANCE = Decimal(10) ** 12  # USD
HIGHEST_NET_RATE_PCT = Decimal(25)
MOST_RATE_DIGITS = 8

_OWN_ROWS = "; or loan rows of your own in tape.file"


class PrintedField(Protocol):
    """What is needed of one figure of a certificate; `reason` says why there is no value."""

    @property
    def value(self) -> Decimal | None: ...

    @property
    def line(self) -> int | None: ...

    @property
    def reason(self) -> str | None: ...


class BucketFootnote(Protocol):
    """Which of "BK", "FC", "REO" the 30 to 180+ day buckets include; empty where not said."""

    @property
    def includes(self) -> Mapping[str, bool]: ...


class PoolCertificate(Protocol):
    """What is needed of a certificate: its pool lines, delinquency table and its footnote."""

    @property
    def path(self) -> Path: ...

    @property
    def pool(self) -> Mapping[str, PrintedField]: ...

    @property
    def delinquencies(self) -> Mapping[str, Mapping[str, PrintedField]]: ...

    @property
    def footnote(self) -> BucketFootnote: ...


def totals_from_certificate(certificate: PoolCertificate) -> TapeTotals:
    """Take the pool totals at cut-off from a certificate; current = pool - delinquent states.

    Buckets are taken to exclude bankruptcy, foreclosure and REO unless the footnote says
    otherwise. Raises InputError that names every figure the document lacks, or the first that no
    set of loans can meet.
    """
    fields = _needed_fields(certificate)
    printed = _require_printed(certificate.path, fields)
    _require_plausible(certificate.path, fields, printed)
    _require_apart(certificate, printed)
    number = _by_state(printed, "pool.active_loan_count", "number")
    balance = _by_state(printed, "pool.ending_pool", "balance")
    for s, (n, amount) in enumerate(zip(number, balance, strict=True)):
        fault = _state_fault(n, amount)
        if fault:
            place = _state_place(fields, s)
            found = f"{n} loans of {amount} USD"
            raise InputError(certificate.path, place, found, fault + _OWN_ROWS)
    rate = printed["pool.net_loan_rate_pct"]
    return TapeTotals(tuple(map(int, number)), balance, rate.scaleb(-2), _decimals(rate))


def _needed_fields(certificate: PoolCertificate) -> dict[str, PrintedField | None]:
    """Return every field the totals need by its name; None where the table lacks it."""
    fields: dict[str, PrintedField | None] = {
        f"pool.{key}": certificate.pool.get(key)
        for key in ("ending_pool", "active_loan_count", "net_loan_rate_pct")
    }
    for state in DELINQUENT_KEYS:
        row = certificate.delinquencies.get(state, {})
        for key in ("balance", "number"):
            fields[f"delinquencies.{state}.{key}"] = row.get(key)
    return fields


def _require_printed(path: Path, fields: Mapping[str, PrintedField | None]) -> dict[str, Decimal]:
    """Return all values, or name every figure that is missing and why."""
    values = {name: field.value if field else None for name, field in fields.items()}
    reasons = [
        f"no {name} ({(field.reason if field else None) or 'not printed'})"
        for name, field in fields.items()
        if values[name] is None
    ]
    if reasons:
        raise InputError(path, "", ", ".join(reasons), "every total of the pool" + _OWN_ROWS)
    return {name: value for name, value in values.items() if value is not None}


def _require_plausible(
    path: Path, fields: Mapping[str, PrintedField | None], printed: Mapping[str, Decimal]
) -> None:
    """Refuse a loan count, pool or rate that no pool of this kind has."""
    limits = {
        "pool.active_loan_count": (Decimal(1), MOST_LOANS),
        "pool.ending_pool": (Decimal("0.01"), HIGHEST_POOL_BALANCE),
        "pool.net_loan_rate_pct": (Decimal("0.01"), HIGHEST_NET_RATE_PCT),
    }
    for name, (lowest, highest) in limits.items():
        if not lowest <= printed[name] <= highest:
            expected = f"{lowest:f} to {highest:,f}" + _OWN_ROWS
            raise InputError(path, _place(fields, name), str(printed[name]), expected)
    digits = _decimals(printed["pool.net_loan_rate_pct"])
    if digits > MOST_RATE_DIGITS:
        place = _place(fields, "pool.net_loan_rate_pct")
        raise InputError(path, place, f"{digits} decimals", f"at most {MOST_RATE_DIGITS}")


def _require_apart(certificate: PoolCertificate, printed: Mapping[str, Decimal]) -> None:
    """Refuse buckets that also hold the loans of another row: what overlaps is not printed."""
    for key, included in certificate.footnote.includes.items():
        number = printed[f"delinquencies.{key}.number"]
        if included and number:
            raise InputError(
                certificate.path,
                "footnote of the delinquencies",
                f"buckets that include the {number} loans of {key}",
                "buckets without bankruptcy, foreclosure and REO" + _OWN_ROWS,
            )


def _by_state(printed: Mapping[str, Decimal], total: str, key: str) -> tuple[Decimal, ...]:
    """Return a figure per live state; current is the total less the delinquent states."""
    delinquent = [printed[f"delinquencies.{state}.{key}"] for state in DELINQUENT_KEYS]
    return (printed[total] - sum(delinquent), *delinquent)


def _state_fault(number: Decimal, balance: Decimal) -> str:
    """Say what a state's count and balance break, or return an empty text."""
    if not 0 <= number <= MOST_LOANS or number != number.to_integral_value():
        return "a whole number of loans, not below zero (delinquent loans within the loan count)"
    if not 0 <= balance <= HIGHEST_POOL_BALANCE or balance != round(balance, 2):
        return "a balance in USD and cents, not below zero (delinquent loans within the pool)"
    if (number == 0) != (balance == 0):
        return "loans and a balance, or neither"
    if balance * 100 < number:
        return "at least a cent for each loan"
    return ""


def _state_place(fields: Mapping[str, PrintedField | None], s: int) -> str:
    """Say where a state's figures come from."""
    if s == CURRENT:
        return "loans current (pool less delinquent)"
    return _place(fields, f"delinquencies.{DELINQUENT_KEYS[s - 1]}.number") + f" ({NAMES[s]})"


def _place(fields: Mapping[str, PrintedField | None], name: str) -> str:
    """Name a figure and, where it is known, its line."""
    field = fields[name]
    return f"line {field.line}, {name}" if field and field.line else name


def _decimals(value: Decimal) -> int:
    """Return the number of printed decimals."""
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
