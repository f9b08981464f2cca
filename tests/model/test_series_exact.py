"""The sampler of roll rates against posteriors that are small enough to enumerate."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from reference.move_tables import enumerate_tables, row_means
from scipy.special import betaln
from scipy.stats import beta as beta_law
from scipy.stats import dirichlet, poisson
from scipy.stats import gamma as gamma_law

from hemc.inputs.certificate_series import DealSeries, Report
from hemc.inputs.product import read_product
from hemc.kernels.calibration import Effort, run_chain
from hemc.kernels.row_rates import Prior
from hemc.model.chain_diagnostics import diagnose_chains
from hemc.model.move_cycles import move_cycles
from hemc.model.series_chains import empty_record, first_chain, typical_table
from hemc.model.series_months import LossSize, series_months
from hemc.model.series_prior import series_prior
from hemc.settings.calibration import CalibrationSettings
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    D60,
    D120,
    D150,
    D180,
    N_LIVE,
    N_STATES,
    PAID_OFF,
)

SETTINGS = CalibrationSettings()
EFFORT = Effort(exchanges=10, swaps=10, redraws=20, switches=10, thin=5, warm_up=0)


def report(month, counts, n_loans="all", **more):
    """A report of some months after January 2003; counts by state, all others 0, None hidden."""
    count = [counts.get(s, 0) for s in range(N_LIVE)]
    known = {"pool_open": None, "pool": None, "prefunding": 0, "principal": None, "loss": None,
             "loss_to_date_open": None, "loss_to_date_close": None, "repurchased": 0}  # fmt: skip
    total = sum(count) if n_loans == "all" else n_loans
    date = dt.date(2003 + month // 12, month % 12 + 1, 25)
    return Report(Path(f"{date}.txt"), date, total, tuple(count), **(known | more))


def months_of(*reports):
    deal = DealSeries("2003-X1", reports, ())
    n = reports[-1].month - reports[0].month + 1
    return series_months([deal], [np.ones(n)], SETTINGS, LossSize(0.9, 0.7))


def prior_of(months, rows, *, lumpiness=0.0, payoff=0.1, to_charged_off=0.0):
    """A prior with rows {state: {state: concentration}} and a current row that is all but known."""
    row = np.zeros((N_LIVE, N_STATES))
    for s, cells in rows.items():
        row[s, list(cells)] = list(cells.values())
    for s in range(1, N_LIVE):  # a row that no loan can be in
        if not row[s].any():
            row[s, s] = 1.0
    log_rate = np.array([[np.log(0.2), 1e-4], [np.log(0.1), 1e-4]])
    known = 1e9
    start = np.zeros((1, N_LIVE))
    payoff_prior = np.array([payoff * known, (1 - payoff) * known])
    return Prior(row, log_rate, 0.0, to_charged_off, payoff_prior, start, lumpiness)


def current_row(prior):
    row = np.zeros(N_STATES)
    row[D30], row[BANKRUPTCY] = np.exp(prior.log_rate[:, 0])
    row[CURRENT] = 1.0 - row.sum()
    payoff = prior.payoff[0] / prior.payoff.sum()
    row *= (1.0 - payoff) * (1.0 - prior.to_charged_off)
    row[PAID_OFF], row[CHARGED_OFF] = payoff, (1.0 - payoff) * prior.to_charged_off
    return row


def sample(months, prior, n, *, longest=N_LIVE, seed=1):
    """Return rows of `n` draws and a copy of the tables at each."""
    chain = first_chain(months, prior, seed, 0)
    cycles = move_cycles(typical_table(months, [chain]), longest)
    record, tables = empty_record(months, n), []
    for draw in range(n):
        run_chain(months.series, cycles, prior, EFFORT, chain, record, (draw, draw + 1))
        moves = chain.tables.moves.astype(np.int8)
        moves[0, range(N_LIVE), range(N_LIVE)] = chain.tables.stock[0]  # as the twin has it
        tables.append(moves.tobytes())
    return record.rows[:, 0], tables


def require_close(draws, exact, most=4.5):
    """Compare means of [draw, figure] with exact ones, in Monte Carlo errors of each."""
    flat = draws.reshape(1, len(draws), -1)
    effective = diagnose_chains(flat).effective
    varies = np.isfinite(effective)
    error = flat[0].std(axis=0)[varies] / np.sqrt(effective[varies])
    z = (flat[0].mean(axis=0)[varies] - np.ravel(exact)[varies]) / error
    assert np.abs(z).max() < most, z
    assert np.allclose(flat[0].mean(axis=0)[~varies], np.ravel(exact)[~varies], atol=1e-6)


def require_close_tables(tables, exact):
    """Compare the mean of all counts with the exact one."""
    moved = np.array([np.frombuffer(key, dtype=np.int8) for key in tables], dtype=float)
    all_tables = np.array([np.frombuffer(key, dtype=np.int8) for key in exact], dtype=float)
    require_close(moved, np.array(list(exact.values())) @ all_tables)


@pytest.fixture(scope="module")
def product(root):
    return read_product(root / "configs/products/closed-end-second-before.toml")


@pytest.fixture(scope="module")
def six_cycle(product):
    """Loans that only the cycle 120/150/bankruptcy × 30/150/180+ can exchange."""
    months = months_of(
        report(0, {D120: 3, D150: 3, BANKRUPTCY: 3}), report(1, {D30: 2, D150: 4, D180: 3})
    )
    return months, series_prior(product, months, SETTINGS, 0.0)


def test_tables_that_swaps_do_not_connect_have_their_probabilities(six_cycle):
    months, _ = six_cycle
    rows = {D120: {D30: 1.0, D150: 0.5}, D150: {D150: 1.0, D180: 2.0},
            BANKRUPTCY: {D30: 1.0, D180: 1.0}}  # fmt: skip
    prior = prior_of(months, rows)
    exact = enumerate_tables(months, prior, np.eye(N_STATES)[CURRENT])
    assert len(exact) == 3
    assert min(exact.values()) > 0.1
    _, tables = sample(months, prior, 4000)
    assert set(tables) == set(exact)
    require_close_tables(tables, exact)


def test_swaps_alone_stay_in_one_of_those_tables(six_cycle):
    few, all_cycles = (sample(*six_cycle, 4000, longest=n)[1] for n in (2, N_LIVE))
    assert len(set(few)) == 1
    assert len(set(all_cycles)) > 1


def test_a_month_in_which_nobody_is_left_has_its_one_table(product):
    months = months_of(report(0, {D30: 2}), report(1, {}), report(2, {}))
    prior = series_prior(product, months, SETTINGS, 0.0)
    _, tables = sample(months, prior, 100)
    moves = np.frombuffer(tables[-1], dtype=np.int8).reshape(3, N_LIVE, N_STATES)
    assert moves[1].sum() == moves[1, D30, [PAID_OFF, CHARGED_OFF]].sum() == 2
    assert not moves[2].any()


@pytest.fixture(scope="module")
def hidden_month():
    """Two months without a report between, states hidden at the end, and a loss in the second."""
    rows = {
        D30: {CURRENT: 2.0, D30: 1.0, D60: 2.0, PAID_OFF: 0.5},
        D60: {CURRENT: 1.0, D60: 1.0, BANKRUPTCY: 1.0, CHARGED_OFF: 1.5},
        BANKRUPTCY: {D30: 0.5, BANKRUPTCY: 3.0, PAID_OFF: 0.3, CHARGED_OFF: 0.5},
    }
    last = {CURRENT: None, D30: 1, D60: None, BANKRUPTCY: None}
    months = months_of(report(0, {CURRENT: 1, D30: 2, D60: 1}), report(2, last, 3))
    series = months.series
    fit = np.full((1, series.loss_fit.shape[1] or 401), -1e6)
    fit[0, :6] = [-1.0, 0.0, -0.5, -2.0, -3.0, -4.0]
    window = np.array([-1, -1, 0])
    months = months._replace(series=series._replace(loss_fit=fit, loss_window=window))
    return months, prior_of(months, rows, to_charged_off=0.05)


def test_hidden_months_and_states_have_their_probabilities(hidden_month):
    months, prior = hidden_month
    exact = enumerate_tables(months, prior, current_row(prior))
    assert len(exact) > 1_000
    rows, tables = sample(months, prior, 6000)
    assert set(tables) <= set(exact)
    shape = months.series.is_first.size, N_LIVE, N_STATES
    require_close(rows[:, 1:], row_means(exact, prior.row, shape)[1:])
    require_close_tables(tables, exact)


def expected_rows(evidence, loss):
    """Mean and mean square of delinquent rows, payoff a beta and other moves a Dirichlet."""
    rows = np.zeros((2, N_LIVE, N_STATES))
    for s in range(1, N_LIVE):
        stays = beta_law(evidence[s].sum() - evidence[s, PAID_OFF], evidence[s, PAID_OFF])
        moves = np.flatnonzero(evidence[s, :PAID_OFF])
        others = dirichlet(evidence[s, moves])
        for r in (1, 2):
            kept = stays.moment(r) if evidence[s, PAID_OFF] else 1.0
            rest = others.mean() if r == 1 else others.mean() ** 2 + others.var()
            rows[r - 1, s, moves] = kept * (1 - loss[s]) ** r * rest
            rows[r - 1, s, CHARGED_OFF] = kept * loss[s] ** r
            if evidence[s, PAID_OFF]:
                rows[r - 1, s, PAID_OFF] = beta_law(*stays.args[::-1]).moment(r)
    return rows


def test_sums_are_expectations_given_the_tables_of_each_sweep_after_the_warm_up(hidden_month):
    months, prior = hidden_month
    chain = first_chain(months, prior, 1, 0)
    cycles = move_cycles(typical_table(months, [chain]))
    effort, record = EFFORT._replace(thin=1, warm_up=5), empty_record(months, 20)
    expected = np.zeros((2, N_LIVE, N_STATES))
    for draw in range(20):
        run_chain(months.series, cycles, prior, effort, chain, record, (draw, draw + 1))
        if draw >= 5:
            evidence = prior.row + chain.tables.moves[1:].sum(axis=0)
            expected += expected_rows(evidence, chain.rates.loss)
    current = record.rows[5:, 0, CURRENT]
    expected[:, CURRENT] = current.sum(axis=0), (current**2).sum(axis=0)
    assert np.ptp(record.rows[5:, 0], axis=0).any()
    np.testing.assert_allclose(record.sums[:, 0], expected, rtol=1e-10, atol=1e-14)


def test_hidden_first_stocks_have_their_probabilities():
    rows = {
        D30: {CURRENT: 2.0, D30: 1.0, D60: 2.0, PAID_OFF: 0.5},
        D60: {CURRENT: 1.0, D60: 1.0, CHARGED_OFF: 1.5},
        BANKRUPTCY: {D30: 0.5, BANKRUPTCY: 3.0, PAID_OFF: 0.3, CHARGED_OFF: 0.5},
    }
    first = {CURRENT: None, D30: 1, D60: None, BANKRUPTCY: None}
    months = months_of(report(0, first, 4), report(1, {CURRENT: 1, D30: 1, D60: 1}))
    prior = prior_of(months, rows, to_charged_off=0.05)
    prior.start[0, [CURRENT, D60, BANKRUPTCY]] = 2.0, 1.0, 0.7
    exact = enumerate_tables(months, prior, current_row(prior))
    assert len(exact) > 20
    rows, tables = sample(months, prior, 6000)
    assert set(tables) <= set(exact)
    require_close(rows[:, 1:], row_means(exact, prior.row, (2, N_LIVE, N_STATES))[1:])
    require_close_tables(tables, exact)


def test_hidden_first_and_last_stocks_have_their_probabilities():
    """Where loans are bankrupt at either end is hidden, as is whether they left by a charge-off."""
    rows = {
        D30: {CURRENT: 2.0, D30: 1.0, BANKRUPTCY: 0.5, PAID_OFF: 0.5},
        BANKRUPTCY: {D30: 0.5, BANKRUPTCY: 3.0, PAID_OFF: 0.3, CHARGED_OFF: 1.5},
    }
    first = {CURRENT: None, D30: 1, BANKRUPTCY: None}
    months = months_of(report(0, first, 4), report(2, {CURRENT: None, BANKRUPTCY: None}, 3))
    fit = np.full((1, 401), -1e6)
    fit[0, :4] = [0.0, 0.5, -0.5, -2.0]
    series = months.series._replace(loss_fit=fit, loss_window=np.array([-1, 0, 0]))
    months = months._replace(series=series)
    prior = prior_of(months, rows, to_charged_off=0.01)
    prior.start[0, [CURRENT, BANKRUPTCY]] = 3.0, 0.7
    exact = enumerate_tables(months, prior, current_row(prior))
    assert len(exact) > 100
    rows, tables = sample(months, prior, 6000)
    assert set(tables) <= set(exact)
    require_close(rows[:, 1:], row_means(exact, prior.row, (3, N_LIVE, N_STATES))[1:])
    require_close_tables(tables, exact)


def test_payoffs_count_by_principal_where_loans_are_not_trusted():
    """Four current loans, the number after a month not known, principal for two payoffs."""
    months = months_of(
        report(0, {CURRENT: 4}, pool=400), report(1, {CURRENT: None}, None, pool=201)
    )
    assert months.total.tolist() == [4, -1]
    assert months.series.payoff_mean[0] == pytest.approx(1.98, abs=0.01)
    prior = prior_of(months, {D30: {CURRENT: 1.0}}, payoff=0.3)
    _, tables = sample(months, prior, 6000)
    paid = [np.frombuffer(key, dtype=np.int8).reshape(2, N_LIVE, N_STATES)[1, 0, PAID_OFF]
            for key in tables]  # fmt: skip
    k = np.arange(5)
    stay = 0.7 * (1.0 - 0.3)  # the other states are reported empty
    z = (k - months.series.payoff_mean[0]) / months.series.payoff_sd[0]
    exact = np.array([1, 4, 6, 4, 1]) * 0.3**k * stay ** (4 - k) * np.exp(-0.5 * z**2)
    require_close(np.eye(5)[paid], exact / exact.sum())


def test_additions_are_poisson_given_that_as_many_more_paid_off():
    months = months_of(
        report(0, {CURRENT: 5}, pool=500, prefunding=200), report(1, {CURRENT: 5}, pool=500)
    )
    assert months.series.additions.tolist() == [0.0, 2.0]
    prior = prior_of(months, {D30: {CURRENT: 1.0}}, payoff=0.3)
    chain = first_chain(months, prior, 1, 0)
    cycles = move_cycles(typical_table(months, [chain]))
    record, added = empty_record(months, 4000), []
    for draw in range(4000):
        run_chain(months.series, cycles, prior, EFFORT, chain, record, (draw, draw + 1))
        added.append(chain.tables.added[1])
    stay = 0.7 * (1.0 - 0.3)  # neither paid off nor delinquent, out of 5 that are all current now
    k = np.arange(6)
    choose = np.array([1, 5, 10, 10, 5, 1])
    exact = poisson.pmf(k, 2.0) * choose * 0.3**k * stay ** (5 - k)
    exact /= exact.sum()
    found = np.bincount(added, minlength=6) / 4000
    np.testing.assert_allclose(found, exact, atol=5 * (0.25 / 1500) ** 0.5)


@pytest.mark.parametrize(("repurchased", "gone"), [(0, 3), (2, 1)])
def test_repurchased_loans_have_not_paid_off(repurchased, gone):
    """Of six current loans two and a delinquent one are left; two may have been bought back."""
    after = report(1, {CURRENT: 2, D30: 1}, repurchased=repurchased)
    months = months_of(report(0, {CURRENT: 6}), after)
    prior = prior_of(months, {D30: {CURRENT: 1.0}}, payoff=0.3)
    _, tables = sample(months, prior, 50)
    moves = [np.frombuffer(key, dtype=np.int8).reshape(2, N_LIVE, N_STATES)[1] for key in tables]
    assert {(int(m[CURRENT, PAID_OFF]), int(m[CURRENT].sum())) for m in moves} == {
        (gone, 6 - repurchased)
    }


def test_lumpy_charge_offs_have_their_probabilities():
    months = months_of(report(0, {D60: 4}), report(1, {D60: 2}))
    prior = prior_of(months, {D60: {D60: 2.0, PAID_OFF: 1.0, CHARGED_OFF: 1.5}}, lumpiness=4.0)
    rows, tables = sample(months, prior, 6000)
    loss = (np.arange(4000) + 0.5) / 4000
    g = gamma_law.ppf((np.arange(400) + 0.5) / 400, 4.0, scale=0.25)
    h = 4.0 * ((1.0 - loss) ** -0.25 - 1.0)
    density = loss**0.5 * (1.0 - loss)
    out, kept = -np.expm1(-np.outer(h, g)).T, np.exp(-np.outer(h, g)).T
    weight, mean_loss = [], []
    for k in range(3):  # charged off; 2 − k paid off
        by_loss = (out**k * kept**2).mean(axis=0) * density
        choose = (1, 2, 1)[k]
        weight.append(choose * by_loss.sum() * np.exp(betaln(1.0 + 2 - k, 3.5 + 2 + k)))
        mean_loss.append((by_loss * loss).sum() / by_loss.sum())
    weight = np.array(weight) / sum(weight)
    charged_off = np.array([
        np.frombuffer(key, dtype=np.int8).reshape(2, N_LIVE, N_STATES)[1, D60, CHARGED_OFF]
        for key in tables
    ])  # fmt: skip
    require_close(np.eye(3)[charged_off], weight)
    found = rows[:, D60, CHARGED_OFF] / (1.0 - rows[:, D60, PAID_OFF])
    require_close(found[:, None], [weight @ mean_loss])


def test_rows_without_loans_keep_their_prior(product):
    months = months_of(report(0, {CURRENT: 50}), report(1, {CURRENT: 50}))
    prior = series_prior(product, months, SETTINGS, 4.0)
    rows, _ = sample(months, prior, 3000)
    mean = prior.row[1:] / prior.row[1:].sum(axis=1, keepdims=True)
    require_close(rows[:, 1:], mean)
