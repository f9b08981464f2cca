"""The ledger: kernel against its plain twin, cases checkable by hand, and laws."""

import numpy as np
import polars as pl
import pytest
from reference.loans import Loan, diary
from reference.philox import philox, uniform

from hemc.config import Config, Inputs, LossSettings
from hemc.inputs.pool import build_pool
from hemc.inputs.product import read_product
from hemc.kernels import loans, rng
from hemc.kernels.jit import plain
from hemc.kernels.loans import ClassShares, LoanTerms
from hemc.kernels.transitions import PathFactors, cumulate_path
from hemc.model.latent_classes import split_classes
from hemc.model.moves import compile_moves
from hemc.model.simulation import class_shares, loss_rules
from hemc.states import KEYS, N_LIVE, NAMES, PAID_OFF

SEED = np.uint64(77)
MONTHS = 150


def product_rates(root):
    """Prior means with a current row made up for the tests."""
    product = read_product(root / "configs/products/closed-end-second-2003.toml")
    rates = product.row_means()
    rates[0, [1, 7, 8, PAID_OFF, 11]] = 0.05, 0.01, 0.002, 0.03, 0.001
    rates[0, 0] = 1 - rates[0, 1:].sum()
    return product, rates


def config(**settings):
    return Config(name="t", inputs=Inputs(certificate="a", deal="b", product="c"), **settings)


def tape(n=120, seed=3):
    """Loans in every state with terms that end inside the projection, balloons among them."""
    generator = np.random.default_rng(seed)
    state = generator.integers(0, N_LIVE, n)
    amortization = generator.integers(20, 200, n)
    return pl.DataFrame(
        {
            "loan": np.arange(1, n + 1),
            "state": np.array(NAMES)[state],
            "balance": generator.integers(500_000, 9_000_000, n) / 100,
            "gross_rate": generator.integers(0, 90, n) / 800,
            "amortization_months": amortization,
            "maturity_months": np.minimum(amortization, generator.integers(1, 140, n)),
            "instalments_behind": np.where(state < 6, state, generator.integers(6, 12, n)),
        }
    )


def one_path(n_months=MONTHS):
    """Factors of one eventful path."""
    generator = np.random.default_rng(8)
    z = 0.3 * generator.standard_normal((1, n_months)).cumsum(axis=1) / 10
    return PathFactors(z, np.exp(z), generator.gamma(4, 0.25, (1, n_months)))


def simulate(root, tape, n_months=MONTHS, classes=1, factors=None, path=5, fee=0.005):
    """Run the kernel on one path; return months, loss by origin, pool and moves."""
    product, rates = product_rates(root)
    settings = config(roll_rates={"classes": classes, "chronic_to_30": 0.2})
    split = split_classes(rates, product.order, settings.roll_rates)
    moves = compile_moves(split.rates, product.order, settings, n_months)
    pool = build_pool(tape, fee)
    factors = factors or one_path(n_months)
    out = (np.zeros((1, n_months, loans.N_COLUMNS)), np.zeros((1, N_LIVE, classes)))
    rules = loss_rules(LossSettings())
    loans.simulate_paths(pool, moves, factors, rules, class_shares(split), (SEED, path), out)
    return out[0][0], out[1][0], pool, moves


def plain_months(root, tape, path=5):
    """The same month table from the plain twin, loan by loan."""
    _, _, _, moves = simulate(root, tape)
    factors = one_path()
    cumulative = np.empty((1, N_LIVE, MONTHS, moves.destination.shape[1]))
    z, y, g = (f[0] for f in factors)
    cumulate_path(moves, z, y, g, cumulative)
    rules = loss_rules(LossSettings())
    table = np.zeros((MONTHS, loans.N_COLUMNS))
    for number, row in enumerate(tape.iter_rows(named=True)):
        loan = Loan(
            row["balance"], row["gross_rate"], row["amortization_months"],
            row["maturity_months"], row["state"], row["instalments_behind"],
        )  # fmt: skip

        def move(state, month, number=number):
            u = uniform(philox((number, month // 4, path, rng.MOVE), int(SEED))[month % 4])
            s = NAMES.index(state)
            place = int(np.searchsorted(cumulative[0, s, month - 1, : moves.n_destinations[s] + 1],
                                        u, side="right"))  # fmt: skip
            return NAMES[moves.destination[s, place]]

        def severity(state, month, number=number):
            u = uniform(philox((number, month, path, rng.SEVERITY), int(SEED))[0])
            route = 1 if state in ("foreclosure", "reo") else 0
            return rules.severity[route, int(u * rules.severity.shape[1])]

        add_diary(table, loan, diary(loan, MONTHS, move, severity))
    return table


def add_diary(table, loan, rows):
    """Add one loan's diary to a table in the kernel's columns."""
    opening = loan.balance
    for t, row in enumerate(rows):
        table[t, loans.NET_RATE_BALANCE] += 12 * loan.rate * loan.keep * opening
        for column, name in enumerate(("interest", "scheduled", "prepaid", "proceeds", "loss")):
            table[t, column] += row[name]
        if row["state"] in NAMES[:N_LIVE]:
            s = NAMES.index(row["state"])
            table[t, loans.BALANCE + s] += row["balance"]
            table[t, loans.COUNT + s] += 1
        opening = row["balance"]


def test_kernel_equals_plain_twin(root):
    months, _, _, _ = simulate(root, tape())
    expected = plain_months(root, tape())
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


def test_balloon_is_due_at_maturity(root):
    data = tape(1).with_columns(
        pl.lit("current").alias("state"), pl.lit(360).alias("amortization_months"),
        pl.lit(1).alias("maturity_months"), pl.lit(0).alias("instalments_behind"),
    )  # fmt: skip
    for path in range(40):  # at least one path on which the loan stays current
        months, _, _, _ = simulate(root, data, path=path)
        if months[0, loans.SCHEDULED]:
            break
    assert months[0, loans.SCHEDULED] == pytest.approx(data["balance"][0], rel=1e-12)
    assert not months[1:].any()


def test_money_is_conserved_and_loss_by_origin_adds_up(root):
    months, by_origin, pool, _ = simulate(root, tape(), classes=2)
    balance = months[:, loans.BALANCE : loans.COUNT].sum(axis=1)
    opening = np.concatenate([[pool.balance.sum()], balance[:-1]])
    flows = months[:, [loans.SCHEDULED, loans.PREPAID, loans.PROCEEDS, loans.LOSS]].sum(axis=1)
    np.testing.assert_allclose(opening - balance, flows, atol=1e-6)
    assert by_origin.sum() == pytest.approx(months[:, loans.LOSS].sum(), rel=1e-12)
    assert (by_origin > 0).sum() > 5


def test_a_longer_horizon_has_the_same_beginning(root):
    factors = one_path()
    short = PathFactors(*(f[:, :90].copy() for f in factors))
    long_months, _, _, _ = simulate(root, tape(), factors=factors)
    months, _, _, _ = simulate(root, tape(), n_months=90, factors=short)
    assert np.array_equal(months, long_months[:90])


def test_dollars_scale(root):
    months, _, _, _ = simulate(root, tape())
    doubled, _, _, _ = simulate(root, tape().with_columns(pl.col("balance") * 2))
    expected = months.copy()
    expected[:, : loans.COUNT] *= 2
    np.testing.assert_allclose(doubled, expected, rtol=1e-10, atol=1e-6)


def test_order_of_the_loans_is_irrelevant(root):
    months, _, pool, moves = simulate(root, tape())
    shuffle = np.random.default_rng(1).permutation(pool.balance.size)
    shuffled = pool._replace(
        **{name: getattr(pool, name)[shuffle] for name in pool._fields if name != "group_growth"}
    )
    out = (np.zeros((1, MONTHS, loans.N_COLUMNS)), np.zeros((1, N_LIVE, 1)))
    shares = ClassShares(np.ones((N_LIVE, 1)))
    rules = loss_rules(LossSettings())
    loans.simulate_paths(shuffled, moves, one_path(), rules, shares, (SEED, 5), out)
    np.testing.assert_allclose(out[0][0], months, rtol=1e-10, atol=1e-6)


def test_paying_in_bankruptcy_reduces_the_balance(root):
    data = tape(60).with_columns(
        pl.lit("bankruptcy").alias("state"), pl.lit(8).alias("instalments_behind"),
        pl.lit(140).alias("maturity_months"), pl.lit(200).alias("amortization_months"),
    )  # fmt: skip
    _, _, pool, moves = simulate(root, data)
    results = []
    for share in (0.0, 1.0):
        out = (np.zeros((1, MONTHS, loans.N_COLUMNS)), np.zeros((1, N_LIVE, 1)))
        rules = loss_rules(LossSettings(bankruptcy_paying_share=share))
        shares = ClassShares(np.ones((N_LIVE, 1)))
        loans.simulate_paths(pool, moves, one_path(), rules, shares, (SEED, 5), out)
        results.append(out[0][0])
    silent, paying = results
    assert silent[0, loans.SCHEDULED] == 0.0 < paying[0, loans.SCHEDULED]
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
    _, _, pool, moves = simulate(root, data)
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


def test_every_kernel_compiles_once(root):
    simulate(root, tape())
    simulate(root, tape(50), classes=1)
    assert len(loans.simulate_paths.signatures) == 1


def test_state_names_match_keys():
    assert len(KEYS) == len(NAMES) == 12
