"""The oracle: against every path of one loan, against both kernels on three pools, and mutated."""

import itertools

import numpy as np
import polars as pl
import pytest
from reference.ledger_cases import config, cumulative_rows, product_rates
from reference.loans import Loan, diary

from hemc.errors import InternalError
from hemc.inputs.pool import build_pool
from hemc.kernels.transitions import PathFactors
from hemc.model import linear_ledger, oracle
from hemc.model.expected import exact_pool, expect, expected_block, large_pool, oracle_pool
from hemc.model.latent_classes import split_classes
from hemc.model.moves import compile_moves
from hemc.model.oracle import LIFETIME, compare, largest_z, oracle_check, standardise
from hemc.model.simulation import PoolModel, class_shares, loss_rules, simulate_block
from hemc.settings.pool import LossSettings
from hemc.states import CHARGED_OFF, FORECLOSURE, N_LIVE, NAMES, PAID_OFF

MONTHS = 90
PATHS = 384


def model(root, tape, prepayment=1.0, classes=2, paying_share=0.0, months=MONTHS):
    """A pool under the prior's moves, payoffs times `prepayment`."""
    product, rates = product_rates(root)
    paid = rates[:, PAID_OFF].copy()
    rates[:, PAID_OFF] *= prepayment
    rates[:, :PAID_OFF] *= ((1 - rates[:, PAID_OFF]) / (1 - paid))[:, None]
    rates[:, CHARGED_OFF] *= (1 - rates[:, PAID_OFF]) / (1 - paid)
    settings = config(roll_rates={"classes": classes, "chronic_to_30": 0.2})
    split = split_classes(rates, product.order, settings.roll_rates)
    moves = compile_moves(split.rates, product.order, settings, months)
    rules = loss_rules(LossSettings(bankruptcy_paying_share=paying_share))
    pool = build_pool(tape, 0.005)
    return PoolModel(pool, moves, rules, class_shares(split), 1e6, 0.0025, 12, 20040225)


def factors(n_paths=PATHS, months=MONTHS, seed=4):
    """Factors that move, so that months differ and charge-offs come in lumps."""
    draw = np.random.default_rng(seed)
    z = 0.03 * draw.standard_normal((n_paths, months)).cumsum(axis=1)
    y = np.exp(0.2 * draw.standard_normal((n_paths, months)) - z)
    return PathFactors(z, y, draw.gamma(4, 0.25, (n_paths, months)))


def tape(delinquent=0.1, n=1_500, seed=1):
    """Loans of a few maturities inside and past the projection, balloons among them."""
    draw = np.random.default_rng(seed)
    state = np.where(draw.random(n) < delinquent, draw.integers(1, N_LIVE, n), 0)
    maturity = draw.choice([30, 55, 56, 80, 150], n)
    return pl.DataFrame(
        {
            "loan": np.arange(1, n + 1),
            "state": np.array(NAMES)[state],
            "balance": draw.integers(1_000_000, 6_000_000, n) / 100,
            "gross_rate": np.where(draw.random(n) < 0.03, 0.004, draw.integers(20, 90, n) / 800),
            "amortization_months": maturity + draw.choice([0, 0, 150], n),
            "maturity_months": maturity,
            "instalments_behind": np.where(state < 6, state, draw.integers(4, 12, n)),
        }
    )


POOLS = {
    "base": {"tape": tape()},
    "slow": {"tape": tape(), "prepayment": 0.2},
    "delinquent": {"tape": tape(0.7), "prepayment": 0.5, "paying_share": 0.3},
}


@pytest.fixture(scope="module", params=POOLS)
def pool_model(request, root):
    return model(root, **POOLS[request.param])


@pytest.mark.parametrize("method", ["month-stepping", "event-driven"])
def test_simulated_flows_are_the_expected_ones_within_errors(pool_model, method):
    drawn = factors()
    compared = compare(oracle_pool(pool_model), drawn, simulate_block(pool_model, drawn, 0, method))
    assert largest_z(oracle_check([compared])) < 3.5
    months = 0
    for flow in compared.flows():
        for t in np.flatnonzero(flow.events.sum(axis=0) >= oracle.FREQUENT):
            mean, expected, error, z = standardise(flow.simulated[:, t], flow.expected[:, t])
            certain = error < 1e-9 * mean and mean == pytest.approx(expected, rel=1e-9)
            assert certain or abs(z) < 5, (flow.flow, t + 1)
            months += 1
    assert months > 1_500


def test_identities_hold_and_origins_add_up(pool_model):
    flows = expected_block(exact_pool(pool_model), factors(8))
    assert flows.largest_gap.max() < 1e-4
    lost = flows.cash.loss.sum(axis=1)
    np.testing.assert_allclose(flows.loss_by_origin.sum(axis=(1, 2)), lost, rtol=1e-11)
    assert (flows.loss_by_origin > 0).all()


def test_loss_by_origin_is_that_of_the_loans_alone(pool_model):
    pool = pool_model.pool
    drawn = factors(3)
    by_origin = expected_block(exact_pool(pool_model), drawn).loss_by_origin
    for s in (0, 2, 7):
        alone = {
            name: getattr(pool, name)[pool.state == s]
            for name in pool._fields
            if name != "group_growth"
        }
        part = pool_model._replace(pool=pool._replace(**alone))
        lost = expected_block(exact_pool(part), drawn).cash.loss.sum(axis=1)
        np.testing.assert_allclose(by_origin[:, s].sum(axis=1), lost, rtol=1e-10)


LOANS = {
    "matures": Loan(30_000.0, 0.09, 40, 2, "current", 0),
    "late bucket": Loan(20_000.0, 0.11, 30, 2, "60", 2),
    "re-aged": Loan(25_000.0, 0.07, 60, 60, "bankruptcy", 7),
    "late re-age": Loan(25_000.0, 0.08, 60, 1, "foreclosure", 5),
}


def every_life(loan, chance, rules, months):
    """Expected months of one loan: its diary under every sequence of moves, times its chance.

    A diary ends when the loan is repaid, so that sequences that go on add up to their beginning.
    """
    names = ("interest", "scheduled", "prepaid", "proceeds", "loss", "balance")
    table = np.zeros((months, len(names)))

    def live(state, month, likelihood, moves):
        if month > months or state in ("paid off", "charged off"):
            rows = diary(loan, months, lambda _, m: moves[m - 1], mean_severity)
            for t, row in enumerate(rows):
                table[t] += likelihood * np.array([row[name] for name in names])
            return
        moving = chance[NAMES.index(state), month - 1]
        for to in np.flatnonzero(moving):
            live(NAMES[to], month + 1, likelihood * moving[to], (*moves, NAMES[to]))

    def mean_severity(state, _):
        return rules.severity[1 if state in ("foreclosure", "reo") else 0].mean()

    live(loan.state, 1, 1.0, ())
    return table


@pytest.mark.parametrize("name", LOANS)
def test_expected_flows_are_those_of_every_life_of_a_loan(root, name):
    loan, months = LOANS[name], 4
    row = {
        "loan": 1, "state": loan.state, "balance": loan.balance, "gross_rate": loan.gross_rate,
        "amortization_months": loan.n, "maturity_months": loan.maturity,
        "instalments_behind": loan.behind,
    }  # fmt: skip
    one = model(root, pl.DataFrame([row]), classes=1, months=months)
    drawn = factors(1, months)
    cumulative = cumulative_rows(one.moves, drawn)
    chance = np.zeros((N_LIVE, months, len(NAMES)))
    for s, t in itertools.product(range(N_LIVE), range(months)):
        n = one.moves.n_destinations[s] + 1
        step = np.diff(cumulative[s, t, :n], prepend=0.0)
        chance[s, t, one.moves.destination[s, :n]] = step
    table = every_life(loan, chance, one.rules, months)
    cash = expected_block(exact_pool(one), drawn).cash
    flows = (cash.interest, cash.scheduled, cash.prepaid, cash.proceeds, cash.loss)
    for j, flow in enumerate((*flows, cash.balance[:, 1:])):
        np.testing.assert_allclose(flow[0], table[:, j], rtol=1e-9, atol=1e-9)


def simulated_against(expected, pool_model):
    """Largest |z| of simulated flows against a mutated expectation."""
    drawn = factors()
    simulated = simulate_block(pool_model, drawn, 0)
    return largest_z(oracle_check([compare(expected, drawn, simulated)]))


def one_instalment_fewer_on_cure(original):
    def changed(book, s, to, n, share=1.0):
        original(book, s, to, n - 1 if to < s else n, share)

    return changed


def arrears_forgotten(original):
    def changed(book, s, to, behind=None):
        original(book, s, to, 0)

    return changed


def re_age_of_a_matured_loan(original):
    def changed(book, s, to, behind=None):
        if to == PAID_OFF:
            original(book, s, to, behind)
        else:
            linear_ledger.stand_still(book, s, to)

    return changed


@pytest.mark.parametrize(
    ("rule", "mutate"),
    [
        ("pay_instalments", one_instalment_fewer_on_cure),
        ("pay_off", arrears_forgotten),
        ("pay_off", re_age_of_a_matured_loan),
    ],
)
def test_a_wrong_rule_is_caught(root, monkeypatch, rule, mutate):
    delinquent = model(root, **POOLS["delinquent"])
    monkeypatch.setattr(linear_ledger, rule, mutate(getattr(linear_ledger, rule)))
    assert simulated_against(oracle_pool(delinquent), delinquent) > 6


def test_a_wrong_cell_of_the_matrix_is_caught(root):
    base = model(root, **POOLS["base"])
    threshold = base.moves.threshold.copy()
    worst_but_one = base.moves.n_destinations[1] - 2
    threshold[:, :, 1, worst_but_one] += 0.05  # 30 → current loses to 30 → 30
    wrong = base._replace(moves=base.moves._replace(threshold=threshold))
    assert simulated_against(oracle_pool(wrong), base) > 6


@pytest.mark.parametrize("route", [0, 1])
def test_a_wrong_severity_is_caught(root, route):
    delinquent = model(root, **POOLS["delinquent"])
    severity = delinquent.rules.severity.copy()
    severity[route] *= 0.97
    wrong = delinquent._replace(rules=delinquent.rules._replace(severity=severity))
    assert simulated_against(oracle_pool(wrong), delinquent) > 6


def test_events_are_the_payoffs_and_charge_offs(root):
    base = model(root, **POOLS["base"])
    found = expect(exact_pool(base), factors(2))
    live = found.flows.state_loans.sum(axis=2)
    left = np.diff(live, axis=1, prepend=float(base.pool.balance.size))
    matures = (-left - found.payoffs - found.charge_offs)[0]
    assert set(np.flatnonzero(matures > 1e-6) + 1) == {30, 55, 56, 80}
    assert np.abs(np.delete(matures, [29, 54, 55, 79])).max() < 1e-9


def test_a_factor_that_is_not_finite_stops_with_path_and_month(root):
    broken = factors(2)
    broken.credit[1, 7] = np.nan
    with pytest.raises(InternalError, match="credit factor is not finite on path 65, month 8"):
        expected_block(large_pool(model(root, **POOLS["base"])), broken, first_path=64)


def test_the_check_states_each_flow_and_its_errors():
    simulated = np.array([3.0, 5.0, 7.0, 9.0])
    expected = np.array([2.0, 5.0, 5.0, 8.0])
    mean, mean_expected, error, z = standardise(simulated, expected)
    assert (mean, mean_expected) == (6.0, 5.0)
    assert error == pytest.approx(np.sqrt(2 / 3) / 2)
    assert z == pytest.approx(1 / error)


def test_nothing_compared_gives_no_figure(root):
    assert largest_z(oracle_check([])) is None
    base = model(root, **POOLS["base"])
    drawn = factors(1)
    one_path = oracle_check([compare(oracle_pool(base), drawn, simulate_block(base, drawn, 0))])
    assert one_path["z"].null_count() == len(one_path)
    assert one_path.filter(months=LIFETIME)["expected"].min() > 0


def test_states_of_the_foreclosure_route(root):
    base = model(root, **POOLS["base"])
    lost = expected_block(exact_pool(base), factors(1)).loss_by_origin
    severity = base.rules.severity.copy()
    severity[1] = 0.0
    spared = base._replace(rules=base.rules._replace(severity=severity))
    less = expected_block(exact_pool(spared), factors(1)).loss_by_origin
    assert less[0, FORECLOSURE].sum() < 0.5 * lost[0, FORECLOSURE].sum()
    assert less[0, 5].sum() > 0.8 * lost[0, 5].sum()
