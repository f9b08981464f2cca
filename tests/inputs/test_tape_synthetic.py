"""The synthetic tape meets every published total exactly, whatever the totals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemc.errors import InternalError
from hemc.inputs import synthetic_tape
from hemc.inputs.synthetic_tape import synthesise_tape
from hemc.inputs.tape import LoanTerm, TapeSettings
from hemc.inputs.tape_schema import SCHEMA, first_fault, parse_columns
from hemc.inputs.tape_totals import TapeTotals
from hemc.states import N_LIVE, NAMES

BASE = TapeSettings()

# GMACM 2003-HE2, 25 February 2004, as printed; current is the pool less the delinquent states.
CERTIFICATE = TapeTotals(
    count=(11541, 43, 25, 7, 14, 8, 5, 58, 3, 0),
    balance=(
        Decimal("385381910.94"),
        Decimal("1451029.62"),
        Decimal("754849.24"),
        Decimal("233224.98"),
        Decimal("439258.41"),
        Decimal("284255.95"),
        Decimal("134295.14"),
        Decimal("1848459.36"),
        Decimal("192238.58"),
        Decimal(0),
    ),
    net_rate=Decimal("0.0777450"),
    net_rate_digits=5,
)


def cents_of(tape: pl.DataFrame) -> list[int]:
    """Return balances in cents, each required to be a whole number of them."""
    cents = [Decimal(repr(b)) * 100 for b in tape["balance"]]
    assert all(c == int(c) and c > 0 for c in cents)
    return [int(c) for c in cents]


def added_up(tape: pl.DataFrame, fee: float, digits: int) -> TapeTotals:
    """Add a tape up in exact decimals, loan by loan: the plain twin of totals_of_tape."""
    count, cents, interest = [0] * N_LIVE, [0] * N_LIVE, Decimal(0)
    for state, rate, balance in zip(tape["state"], tape["gross_rate"], cents_of(tape), strict=True):
        s = NAMES.index(state)
        count[s] += 1
        cents[s] += balance
        interest += Decimal(rate) * balance
    net = interest / sum(cents) - Decimal(fee)
    return TapeTotals(
        tuple(count),
        tuple(Decimal(c) / 100 for c in cents),
        net.quantize(Decimal(1).scaleb(-2 - digits), ROUND_HALF_UP),
        digits,
    )


def test_totals_of_the_complete_certificate_are_met() -> None:
    tape = synthesise_tape(CERTIFICATE, BASE, seed=1)
    ours = added_up(tape, BASE.servicing_fee, 5)
    print(f"\n{'':18}{'certificate':>18}{'tape':>18}")
    for s in range(N_LIVE):
        print(f"{'loans ' + NAMES[s]:18}{CERTIFICATE.count[s]:18,}{ours.count[s]:18,}")
        print(f"{'USD':18}{CERTIFICATE.balance[s]:18,.2f}{ours.balance[s]:18,.2f}")
    print(f"{'loans':18}{CERTIFICATE.n_loans:18,}{ours.n_loans:18,}")
    print(f"{'pool USD':18}{CERTIFICATE.pool_balance:18,.2f}{ours.pool_balance:18,.2f}")
    print(f"{'net rate':18}{CERTIFICATE.net_rate:18.5%}{ours.net_rate:18.5%}")
    assert ours == CERTIFICATE
    assert (ours.n_loans, ours.pool_balance) == (11704, Decimal("390719522.22"))


def test_all_rates_of_the_certificates_tape_lie_on_eighths() -> None:
    eighths = synthesise_tape(CERTIFICATE, BASE, seed=2)["gross_rate"].to_numpy() / 0.00125
    np.testing.assert_allclose(eighths, np.rint(eighths), atol=1e-9)


def test_the_assumed_shape_is_that_of_the_settings() -> None:
    tape = synthesise_tape(CERTIFICATE, BASE, seed=3)
    size = tape.filter(state="current")["balance"].to_numpy()
    assert size.std() / size.mean() == pytest.approx(0.6, abs=0.04)
    assert size.min() >= 1000.0
    assert tape["gross_rate"].to_numpy().std() == pytest.approx(0.0125, abs=0.0005)
    terms = tape.select("amortization_months", "maturity_months")
    balloon = terms.filter(pl.col("maturity_months") < pl.col("amortization_months"))
    assert balloon.height / tape.height == pytest.approx(0.20, abs=0.015)
    assert (balloon["amortization_months"] - balloon["maturity_months"]).unique().to_list() == [180]
    age = 120 - terms.filter(pl.col("maturity_months") <= 112)["maturity_months"]
    assert (age.min(), age.max()) == (8, 14)


def test_a_loan_is_as_far_behind_as_its_state() -> None:
    tape = synthesise_tape(CERTIFICATE, BASE, seed=1)
    behind = dict(tape.select("state", "instalments_behind").unique().rows())
    buckets = {name: s for s, name in enumerate(NAMES[:6])}
    assert behind == buckets | {"180+": 7, "bankruptcy": 4, "foreclosure": 6}


def test_the_seed_decides_the_rows() -> None:
    first, again, other = (synthesise_tape(CERTIFICATE, BASE, seed) for seed in (5, 5, 6))
    assert first.equals(again)
    assert not first["balance"].equals(other["balance"])


def in_current(count: int, balance: str, net_rate: str = "0.0777450") -> TapeTotals:
    """Return totals of a pool of current loans."""
    return TapeTotals(
        (count, *[0] * 9), (Decimal(balance), *[Decimal(0)] * 9), Decimal(net_rate), 5
    )


def test_one_loan_carries_the_rate_itself() -> None:
    tape = synthesise_tape(in_current(1, "33000.17"), BASE, seed=1)
    assert tape.height == 1
    assert tape["balance"][0] == 33000.17
    assert tape["gross_rate"][0] == pytest.approx(0.082745, abs=1e-12)


def test_one_cent_each_is_met() -> None:
    assert synthesise_tape(in_current(7, "0.07"), BASE, seed=1)["balance"].to_list() == [0.01] * 7


@pytest.mark.parametrize(("balance", "lowest"), [("33000000", 1000), ("1500000", 750)])
def test_the_smallest_loan_has_the_minimum_or_half_the_average(balance: str, lowest: int) -> None:
    wide = TapeSettings(size_cv=4.0)
    size = synthesise_tape(in_current(1000, balance), wide, seed=1)["balance"]
    assert lowest <= float(str(size.min())) < 1.2 * lowest


def test_in_a_small_pool_one_loan_leaves_the_grid_by_less_than_a_step() -> None:
    tape = synthesise_tape(in_current(40, "1320000.00"), BASE, seed=1)
    eighths = tape["gross_rate"].to_numpy() / 0.00125
    off_grid = np.flatnonzero(np.abs(eighths - np.rint(eighths)) > 1e-9)
    assert off_grid.tolist() == [int(tape["balance"].arg_max() or 0)]


@pytest.mark.parametrize(("fee", "lowest"), [(0.005, 0.005), (0.0045, 0.005)])
def test_rates_stay_at_the_fee_or_above(fee: float, lowest: float) -> None:
    low = TapeSettings(servicing_fee=fee)
    tape = synthesise_tape(in_current(5000, "165000000", "0.0100000"), low, seed=1)
    assert tape["gross_rate"].min() == lowest
    assert added_up(tape, fee, 5).net_rate == Decimal("0.0100000")


def test_a_grid_that_cannot_average_the_rate_fails_loudly() -> None:
    coarse = TapeSettings(rate_step=0.01, servicing_fee=0.015)
    with pytest.raises(InternalError, match="cannot average"):
        synthesise_tape(in_current(100, "3300000", "0.0001000"), coarse, seed=1)


def test_a_tape_that_misses_a_total_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_cent_more(total: int, weight: np.ndarray) -> np.ndarray:
        return split(total + 1, weight)

    split = synthetic_tape._split_cents
    monkeypatch.setattr(synthetic_tape, "_split_cents", one_cent_more)
    with pytest.raises(InternalError, match="are published"):
        synthesise_tape(CERTIFICATE, BASE, seed=1)


@st.composite
def random_totals(draw: st.DrawFn) -> TapeTotals:
    """Draw totals from one loan to hundreds, from a dollar to millions a loan.

    Loans of cents beside others cannot make up for the steps of their rates.
    """
    count = draw(
        st.lists(st.integers(0, 300), min_size=N_LIVE, max_size=N_LIVE).filter(lambda n: sum(n) > 0)
    )
    extra = st.one_of(st.integers(0, 10**4), st.integers(0, 10**9))
    cents = [100 * n + draw(extra) if n else 0 for n in count]
    digits = draw(st.integers(1, 7))
    unit = Decimal(1).scaleb(-2 - digits)
    rate = draw(st.decimals("0.005", "0.15", allow_nan=False)).quantize(unit)
    return TapeTotals(tuple(count), tuple(Decimal(c).scaleb(-2) for c in cents), rate, digits)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(totals=random_totals(), seed=st.integers(0, 2**63 - 1), cv=st.sampled_from([0.0, 0.6, 3.0]))
def test_any_totals_are_met_by_rows_that_a_tape_file_may_hold(
    totals: TapeTotals, seed: int, cv: float
) -> None:
    tape = synthesise_tape(totals, TapeSettings(size_cv=cv), seed)
    assert added_up(tape, BASE.servicing_fee, totals.net_rate_digits) == totals
    assert tape.schema == SCHEMA
    assert first_fault(tape, parse_columns(tape)) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"terms": [{"original_term": 180, "amortization_term": 180, "share": 0.9}]}, "up to 1"),
        ({"lowest_age": 15}, "'highest_age' not below 'lowest_age'"),
        ({"highest_age": 120}, "'highest_age' below every 'original_term'"),
        ({"instalments_behind": {"d180": 5}}, "greater than or equal to 6"),
    ],
)
def test_settings_that_do_not_fit_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TapeSettings.model_validate(values)


def test_a_loan_cannot_amortise_before_it_matures() -> None:
    with pytest.raises(ValueError, match="'amortization_term' not below"):
        LoanTerm(original_term=180, amortization_term=120, share=1.0)


def test_every_assumption_says_what_it_means_and_its_source() -> None:
    for name, field in TapeSettings.model_fields.items():
        if name != "file":
            assert field.description, name
            assert field.json_schema_extra["source"], name
