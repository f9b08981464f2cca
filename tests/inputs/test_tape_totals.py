"""Totals taken from a certificate, and a tape compared with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from hemc.errors import InputError
from hemc.inputs.published_totals import totals_from_certificate
from hemc.inputs.tape_totals import check_tape


@dataclass
class Figure:
    value: Decimal | None
    reason: str | None = None
    line: int | None = None


@dataclass
class Footnote:
    includes: dict[str, bool] = field(default_factory=dict)


@dataclass
class StandIn:
    """A certificate as far as totals need one."""

    path: Path
    pool: dict[str, Figure]
    delinquencies: dict[str, dict[str, Figure]]
    footnote: Footnote = field(default_factory=Footnote)


# Figures of 25 February 2004, GMACM 2003-HE2.
DELINQUENT = {
    "30": ("1451029.62", "43"),
    "60": ("754849.24", "25"),
    "90": ("233224.98", "7"),
    "120": ("439258.41", "14"),
    "150": ("284255.95", "8"),
    "180+": ("134295.14", "5"),
    "REO": ("0", "0"),
    "FC": ("192238.58", "3"),
    "BK": ("1848459.36", "58"),
}


def stand_in(**changed: str | None) -> StandIn:
    """Return the certificate's figures; `changed` overrides by name, `FC_number`, `ending_pool`."""
    pool = {
        "ending_pool": "390719522.22",
        "active_loan_count": "11704",
        "net_loan_rate_pct": "7.77450",
    }

    def figure(name: str, text: str) -> Figure:
        value = changed.get(name, text)
        return Figure(None, "cut off", 99) if value is None else Figure(Decimal(value), line=7)

    return StandIn(
        Path("certificate.txt"),
        {name: figure(name, text) for name, text in pool.items()},
        {
            state: {
                "balance": figure(f"{state}_balance", balance),
                "number": figure(f"{state}_number", number),
            }
            for state, (balance, number) in DELINQUENT.items()
        },
    )


def test_totals_follow_the_order_of_states() -> None:
    totals = totals_from_certificate(stand_in())
    assert totals.count == (11541, 43, 25, 7, 14, 8, 5, 58, 3, 0)
    assert totals.balance[0] == Decimal("385381910.94")
    assert [str(b) for b in totals.balance[6:]] == ["134295.14", "1848459.36", "192238.58", "0"]
    assert (totals.n_loans, totals.pool_balance) == (11704, Decimal("390719522.22"))
    assert (totals.net_rate, totals.net_rate_digits) == (Decimal("0.0777450"), 5)
    assert totals.net_rate_unit == Decimal("0.0000001")


def test_every_missing_figure_is_named_with_the_way_out() -> None:
    with pytest.raises(InputError) as caught:
        totals_from_certificate(stand_in(ending_pool=None, FC_number=None))
    message = str(caught.value)
    assert "no pool.ending_pool (cut off), no delinquencies.FC.number (cut off)" in message
    assert "tape.file" in message
    assert "net_loan_rate" not in message


def test_a_missing_row_is_missing_too() -> None:
    certificate = stand_in()
    del certificate.delinquencies["REO"]
    with pytest.raises(InputError, match=r"REO\.balance \(not printed\), no .*REO\.number"):
        totals_from_certificate(certificate)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"FC_number": "17418", "FC_balance": "0"}, r"loans current .*-5874 loans"),
        (
            {"FC_number": "17", "FC_balance": "0"},
            r"line 7, delinquencies.FC.number \(foreclosure\): found 17 loans of 0 USD",
        ),
        (
            {"FC_number": "0"},
            "found 0 loans of 192238.58 USD; expected loans and a balance, or neither",
        ),
        ({"30_balance": "400000000"}, "loans current .*below zero"),
        ({"30_number": "2.5"}, "a whole number of loans"),
        ({"30_balance": "100.005"}, "USD and cents"),
        ({"30_balance": "-1e40"}, "loans current .*USD and cents"),
        ({"60_balance": "0.24"}, "at least a cent for each loan"),
        (
            {"active_loan_count": "0"},
            "line 7, pool.active_loan_count: found 0; expected 1 to 5,000,000",
        ),
        ({"active_loan_count": "1170411704"}, "expected 1 to 5,000,000"),
        ({"ending_pool": "0"}, "pool.ending_pool: found 0"),
        ({"net_loan_rate_pct": "0"}, "pool.net_loan_rate_pct: found 0"),
        ({"net_loan_rate_pct": "777.45"}, "found 777.45; expected 0.01 to 25"),
        ({"net_loan_rate_pct": "7.774512345"}, "9 decimals"),
    ],
)
def test_totals_that_no_loans_can_meet_are_refused(changed: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        totals_from_certificate(stand_in(**changed))


def test_buckets_that_hold_another_rows_loans_too_are_refused() -> None:
    certificate = stand_in()
    certificate.footnote.includes = {"BK": True, "FC": False, "REO": False}
    with pytest.raises(InputError, match=r"include the 58 loans of BK.*tape\.file"):
        totals_from_certificate(certificate)
    certificate.footnote.includes = {"BK": False, "FC": False, "REO": True}  # no REO to overlap
    assert totals_from_certificate(certificate).n_loans == 11704


def small_tape() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "loan": [1, 2],
            "state": ["current", "30"],
            "balance": [300.10, 100.05],
            "gross_rate": [0.08, 0.09],
        }
    )


def test_a_tape_that_meets_the_totals_shows_no_difference() -> None:
    certificate = stand_in(
        **{f"{s}_{key}": "0" for s in DELINQUENT for key in ("balance", "number")}
        | {"30_balance": "100.05", "30_number": "1"},
        ending_pool="400.15",
        active_loan_count="2",
        net_loan_rate_pct="7.750",
    )
    totals = totals_from_certificate(certificate)
    # Gross (300.10 × 8 % + 100.05 × 9 %) / 400.15 = 8.25003 %, less 0.5 %.
    assert check_tape(small_tape(), totals, 0.005) == ()
    rows = {row.what: row for row in check_tape(small_tape(), totals, 0.0)}
    assert list(rows) == ["average net rate"]
    assert rows["average net rate"].difference == Decimal("0.00500")


def test_differences_of_a_tape_are_listed_with_their_amounts() -> None:
    totals = totals_from_certificate(stand_in())
    rows = {row.what: row for row in check_tape(small_tape(), totals, 0.005)}
    assert rows["loans"].difference == 2 - 11704
    assert rows["balance 30"] == (
        "balance 30",
        Decimal("1451029.62"),
        Decimal("100.05"),
        Decimal("-1450929.57"),
    )
    assert "loans reo" not in rows
