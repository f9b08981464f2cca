"""The ledger: kernel against its plain twin, cases checkable by hand, and laws."""

import numpy as np
import polars as pl
import pytest
from reference.ledger_cases import (
    MONTHS,
    SEED,
    BySojourn,
    Monthly,
    add_diary,
    config,
    cumulative_rows,
    one_path,
    product_rates,
    tape,
)
from reference.loans import Loan, diary
from reference.philox import uniform

from hemc.inputs.pool import build_pool
from hemc.kernels import events, loans, movers
from hemc.kernels.jit import plain
from hemc.kernels.loans import ClassShares, LoanTerms
from hemc.kernels.records import records
from hemc.kernels.transitions import PathFactors
from hemc.model.latent_classes import split_classes
from hemc.model.moves import compile_moves
from hemc.model.simulation import class_shares, loss_rules
from hemc.settings.pool import LossSettings
from hemc.states import KEYS, N_LIVE, NAMES

KERNELS = {"month-stepping": loans.simulate_paths, "event-driven": events.simulate_paths}
COMPILED = {"month-stepping": loans.simulate_paths, "event-driven": events.follow_paths}
MOVERS = {"month-stepping": Monthly, "event-driven": BySojourn}


@pytest.fixture(params=KERNELS)
def method(request):
    return request.param


def simulate(root, tape, method, n_months=MONTHS, classes=1, factors=None, path=5):
    """Run a kernel on one path; return months, loss by origin, pool and moves."""
    product, rates = product_rates(root)
    settings = config(roll_rates={"classes": classes, "chronic_to_30": 0.2})
    split = split_classes(rates, product.order, settings.roll_rates)
    moves = compile_moves(split.rates, product.order, settings, n_months)
    pool = build_pool(tape, 0.005)
    shares = class_shares(split)
    months, by_origin = run_kernel(method, pool, moves, factors or one_path(n_months), shares, path)
    return months, by_origin, pool, moves


def run_kernel(method, pool, moves, factors, shares, path=5, loss=None):
    """Call a kernel on one path; return its month table and its loss by origin."""
    n_months, n_classes = moves.threshold.shape[:2]
    out = (np.zeros((1, n_months, loans.N_COLUMNS)), np.zeros((1, N_LIVE, n_classes)))
    rules = loss_rules(loss or LossSettings())
    KERNELS[method](pool, moves, factors, rules, shares, (SEED, path), out)
    return out[0][0], out[1][0]


def plain_months(root, tape, method, path=5):
    """The same month table from the plain twin, loan by loan."""
    _, _, _, moves = simulate(root, tape, method)
    rows = cumulative_rows(moves)
    rules = loss_rules(LossSettings())
    table = np.zeros((MONTHS, loans.N_COLUMNS))
    for number, row in enumerate(tape.iter_rows(named=True)):
        loan = Loan(
            row["balance"], row["gross_rate"], row["amortization_months"],
            row["maturity_months"], row["state"], row["instalments_behind"],
        )  # fmt: skip

        mover = MOVERS[method](rows, moves, path, number)

        def severity(state, month, mover=mover):
            u = uniform(mover.severity_word(month))
            route = 1 if state in ("foreclosure", "reo") else 0
            return rules.severity[route, int(u * rules.severity.shape[1])]

        add_diary(table, loan, diary(loan, MONTHS, mover, severity))
    return table


def test_kernel_equals_plain_twin(root, method):
    months, _, _, _ = simulate(root, tape(), method)
    expected = plain_months(root, tape(), method)
    assert np.array_equal(months[:, loans.COUNT :], expected[:, loans.COUNT :])
    assert months[:, loans.PREPAID].sum() > 0 < months[:, loans.LOSS].sum()
    np.testing.assert_allclose(months, expected, rtol=1e-9, atol=1e-6)


def terms(balance=100_000.0, rate=0.12, n=120, behind=0, maturity=120, fee=0.005):
    growth = 1 + rate / 12
    c = balance / (growth**n - growth**-behind)
    return LoanTerms(c * growth**n, c, growth, (rate - fee) / rate, maturity)


def power(loan, behind):
    return loan.growth**-behind


@pytest.mark.parametrize(
    ("state", "to", "instalments"),
    [(0, 0, 1), (0, 1, 0), (1, 1, 1), (2, 1, 2), (1, 0, 2), (2, 0, 3), (5, 5, 1), (3, 4, 0)],
)
def test_instalments_paid_are_months_elapsed_plus_improvement(state, to, instalments):
    loan = terms(behind=state)
    cash, _, behind = loans.settle_loan(loan, power(loan, state), state, 1, state, to)
    payment = (loan.growth - 1) * loan.scheduled_a
    gross = cash.interest / loan.net_share
    assert cash.scheduled + gross == pytest.approx(instalments * payment, rel=1e-12)
    assert behind == to


@pytest.mark.parametrize("state", [6, 7, 8])
@pytest.mark.parametrize("to", range(6))
def test_re_age_carries_no_cash_and_leaves_the_balance(state, to):
    loan = terms(behind=8)
    before = power(loan, 8)
    cash, after, behind = loans.settle_loan(loan, before, 8, 1, state, to)
    assert cash == (0.0, 0.0, 0.0)
    assert after == before
    assert behind == to


@pytest.mark.parametrize("to", [6, 7, 8, 9])
@pytest.mark.parametrize("state", [0, 5, 6, 7])
def test_nothing_is_paid_on_the_way_into_180_bankruptcy_foreclosure_reo(state, to):
    loan = terms(behind=2)
    cash, after, behind = loans.settle_loan(loan, power(loan, 2), 2, 1, state, to)
    assert cash == (0.0, 0.0, 0.0)
    assert (after, behind) == (power(loan, 2), 3)


def test_first_instalment_by_hand():
    # 100,000 at 12 % over 120 months: 1,434.71 a month, of which 1,000.00 is interest.
    loan = terms()
    cash, _ = loans.pay_instalments(loan, power(loan, 0), 1)
    assert cash.scheduled == pytest.approx(434.71, abs=0.005)
    assert cash.interest == pytest.approx(1_000.00 * 11.5 / 12, abs=0.005)


def test_a_schedule_that_is_paid_takes_no_further_instalments():
    loan = terms(n=3)
    payment = (loan.growth - 1) * loan.scheduled_a
    cash, after = loans.pay_instalments(loan, loan.growth, 5)  # one paid, two are left
    assert cash.scheduled + cash.interest / loan.net_share == pytest.approx(2 * payment)
    assert loan.scheduled_a - loan.scheduled_c * after == pytest.approx(0.0, abs=1e-6)


def test_a_schedule_moved_forward_ends_before_maturity():
    loan = terms(n=100, maturity=100)
    powers = loan.growth ** np.arange(121.0)

    def last_month(instalments_paid, maturity, powers=powers):
        power = loan.scheduled_c * loan.growth**instalments_paid
        of_loan = records(1, movers.Mover, scheduled_a=loan.scheduled_a, power=power)
        of_loan["maturity"] = maturity
        return movers.last_month(of_loan[0], powers)

    assert last_month(0, 100) == 100
    assert last_month(3, 100) == 97
    assert last_month(3, 90) == 90
    assert last_month(0, 500, powers[:81]) == 500
    assert last_month(3, 500, powers[:101]) == 97


def test_payoff_pays_arrears_and_half_a_month_by_hand():
    loan = terms()
    cash = loans.pay_off(loan, 100_000.0, 2)
    assert cash.prepaid == 100_000.0
    assert cash.interest == pytest.approx(2_500.00 * 11.5 / 12, abs=1e-9)


@pytest.mark.parametrize(
    ("state", "to", "repaid"),
    [(2, 1, True), (2, 2, False), (2, 3, False), (1, 0, True), (7, 0, True), (6, 4, True),
     (5, 6, False), (7, 7, False), (8, 9, False)],
)  # fmt: skip
def test_after_maturity_only_a_cure_repays(state, to, repaid):
    assert loans.is_cure_after_maturity(state, to) is repaid
    loan = terms()
    if not repaid:
        cash, _, behind = loans.settle_loan(loan, power(loan, 0), 2, 121, state, to)
        assert cash == (0.0, 0.0, 0.0)
        assert behind == 3


def test_balloon_is_due_at_maturity(root, method):
    data = tape(1).with_columns(
        pl.lit("current").alias("state"), pl.lit(360).alias("amortization_months"),
        pl.lit(1).alias("maturity_months"), pl.lit(0).alias("instalments_behind"),
    )  # fmt: skip
    for path in range(40):  # at least one path on which the loan stays current
        months, _, _, _ = simulate(root, data, method, path=path)
        if months[0, loans.SCHEDULED]:
            break
    assert months[0, loans.SCHEDULED] == pytest.approx(data["balance"][0], rel=1e-12)
    assert not months[1:].any()


def test_money_is_conserved_and_loss_by_origin_adds_up(root, method):
    months, by_origin, pool, _ = simulate(root, tape(), method, classes=2)
    balance = months[:, loans.BALANCE : loans.COUNT].sum(axis=1)
    opening = np.concatenate([[pool.balance.sum()], balance[:-1]])
    flows = months[:, [loans.SCHEDULED, loans.PREPAID, loans.PROCEEDS, loans.LOSS]].sum(axis=1)
    np.testing.assert_allclose(opening - balance, flows, atol=1e-6)
    assert by_origin.sum() == pytest.approx(months[:, loans.LOSS].sum(), rel=1e-12)
    assert (by_origin > 0).sum() > 5


def test_a_longer_horizon_has_the_same_beginning(root, method):
    factors = one_path()
    short = PathFactors(*(f[:, :90].copy() for f in factors))
    long_months, _, _, _ = simulate(root, tape(), method, factors=factors)
    months, _, _, _ = simulate(root, tape(), method, n_months=90, factors=short)
    np.testing.assert_allclose(months, long_months[:90], rtol=1e-12, atol=1e-7)


def test_dollars_scale(root, method):
    months, _, _, _ = simulate(root, tape(), method)
    doubled, _, _, _ = simulate(root, tape().with_columns(pl.col("balance") * 2), method)
    expected = months.copy()
    expected[:, : loans.COUNT] *= 2
    np.testing.assert_allclose(doubled, expected, rtol=1e-10, atol=1e-6)


def test_order_of_the_loans_is_irrelevant(root, method):
    months, _, pool, moves = simulate(root, tape(), method)
    # Loans of one rate stay neighbours: the contract of Pool.
    key = np.random.default_rng(1).permutation(pool.group_growth.size)[pool.rate_group]
    shuffle = np.lexsort((np.random.default_rng(2).random(key.size), key))
    shuffled = pool._replace(
        **{name: getattr(pool, name)[shuffle] for name in pool._fields if name != "group_growth"}
    )
    shares = ClassShares(np.ones((N_LIVE, 1)))
    again, _ = run_kernel(method, shuffled, moves, one_path(), shares)
    np.testing.assert_allclose(again, months, rtol=1e-10, atol=1e-6)


def test_paying_in_bankruptcy_reduces_the_balance(root, method):
    data = tape(60).with_columns(
        pl.lit("bankruptcy").alias("state"), pl.lit(8).alias("instalments_behind"),
        pl.lit(140).alias("maturity_months"), pl.lit(200).alias("amortization_months"),
    )  # fmt: skip
    _, _, pool, moves = simulate(root, data, method)
    results = []
    for share in (0.0, 1.0):
        shares = ClassShares(np.ones((N_LIVE, 1)))
        loss = LossSettings(bankruptcy_paying_share=share)
        months, _ = run_kernel(method, pool, moves, one_path(), shares, loss=loss)
        results.append(months)
    silent, paying = results
    assert silent[0, loans.SCHEDULED] == 0.0 < paying[0, loans.SCHEDULED]
    if method == "month-stepping":  # the other form then asks bankruptcies month by month
        assert np.array_equal(silent[:, loans.COUNT :], paying[:, loans.COUNT :])
    balance = paying[:, loans.BALANCE : loans.COUNT].sum(axis=1)
    flows = paying[:, [loans.SCHEDULED, loans.PREPAID, loans.PROCEEDS, loans.LOSS]].sum(axis=1)
    np.testing.assert_allclose(-np.diff(balance), flows[1:], atol=1e-6)


def test_recoveries_by_hand():
    loss = np.array([[100.0, 0.0, 50.0, 0.0, 0.0, 0.0]])
    out = np.empty_like(loss)
    loans.recover_paths(loss, 1_000.0, 0.01, 3, out)
    #  stock for months 1–3; month 1's 100 in months 2–4; month 3's 50 in months 4–6
    np.testing.assert_allclose(out, [[10.0, 11.0, 11.0, 1.5, 0.5, 0.5]], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("pay_instalments", lambda loan, p, n: (loans.Cash(1.0, 1.0, 0.0), p)),
        ("pay_off", lambda loan, balance, behind: loans.Cash(0.0, 0.0, balance - 1.0)),
        ("charge_off", lambda balance, severity: (severity * balance, 0.0)),
    ],
)
def test_pool_identity_catches_a_broken_rule(root, monkeypatch, name, broken):
    """Principal and loss of the events against the fall of balances, one rule broken at a time."""
    data = tape(40)
    _, _, pool, moves = simulate(root, data, "month-stepping")
    monkeypatch.setattr(loans, name, broken)
    for callee in ("simulate_path", "simulate_loan", "settle_loan"):
        monkeypatch.setattr(loans, callee, plain(getattr(loans, callee)))
    out = (np.zeros((1, MONTHS, loans.N_COLUMNS)), np.zeros((1, N_LIVE, 1)))
    rules, shares = loss_rules(LossSettings()), ClassShares(np.ones((N_LIVE, 1)))
    plain(loans.simulate_paths)(pool, moves, one_path(), rules, shares, (SEED, 5), out)
    months = out[0][0]
    balance = months[:, loans.BALANCE : loans.COUNT].sum(axis=1)
    flows = months[:, [loans.SCHEDULED, loans.PREPAID, loans.PROCEEDS, loans.LOSS]].sum(axis=1)
    assert np.abs(-np.diff(balance) - flows[1:]).max() > 0.01


def test_every_kernel_compiles_once(root, method):
    simulate(root, tape(), method)
    simulate(root, tape(50), method, classes=1)
    assert len(COMPILED[method].signatures) == 1


def test_state_names_match_keys():
    assert len(KEYS) == len(NAMES) == 12
