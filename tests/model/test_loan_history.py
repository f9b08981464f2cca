"""Histories of single loans add up to the pool, and say what the states and the cash say."""

import numpy as np
import pytest

from hemc.config import load_config
from hemc.engine import build_model, calibrate, read_documents
from hemc.model.loan_history import PathDraws, loan_histories, loan_history, loan_losses
from hemc.model.simulation import simulate_block
from hemc.states import CHARGED_OFF, CURRENT, D30, PAID_OFF

PATH = 7


@pytest.fixture(scope="module", params=["event-driven", "month-stepping"])
def draws(request, base_toml):
    """Return one path of a pool of every fortieth loan, worse than base so that many lose."""
    loaded = load_config(base_toml, {"scenario.stress_shift": "0.2"})
    documents = read_documents(loaded)
    model = build_model(loaded.config, documents, calibrate(loaded, documents))
    pool = model.pool.pool
    few = np.arange(0, pool.balance.size, 40)
    cut = {n: x if n == "group_growth" else x[few] for n, x in pool._asdict().items()}
    return PathDraws(
        model.pool._replace(pool=type(pool)(**cut)), model.factors.draw(PATH, 1), PATH,
        request.param,
    )  # fmt: skip


@pytest.fixture(scope="module")
def flows(draws):
    return simulate_block(draws.model, draws.factors, PATH, draws.method)


@pytest.fixture(scope="module")
def histories(draws):
    return loan_histories(draws, draws.model.pool.balance.size)


def test_losses_of_loans_add_up_to_the_pool(draws, flows):
    losses = loan_losses(draws)
    assert losses.sum() == pytest.approx(flows.cash.loss.sum(), abs=1e-6)
    assert 5 < (losses > 0).sum() < losses.size / 2


def test_the_largest_losses_come_first(histories):
    losses = [history.loss.sum() for history in histories]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 0
    assert len({history.i for history in histories}) == len(histories)


@pytest.mark.parametrize("what", ["balance", "principal", "interest", "loss"])
def test_histories_add_up_to_the_pool_in_every_month(flows, histories, what):
    cash = flows.cash
    expected = {
        "balance": cash.balance[0],
        "principal": (cash.scheduled + cash.prepaid + cash.proceeds)[0],
        "interest": cash.interest[0],
        "loss": cash.loss[0],
    }[what]
    total = np.zeros(expected.size)
    for history in histories:
        amounts = getattr(history, what)
        total[: amounts.size] += amounts
    np.testing.assert_allclose(total, expected, atol=1e-5)


def test_states_count_the_pool_s_loans(flows, histories):
    counts = np.zeros_like(flows.state_loans[0])
    for history in histories:
        for t, state in enumerate(history.state[1:]):
            if state < counts.shape[1]:
                counts[t, state] += 1
    np.testing.assert_array_equal(counts, flows.state_loans[0])


def test_a_loan_ends_charged_off_exactly_where_it_loses(histories):
    for history in histories:
        lost = history.loss > 0.005
        assert lost.sum() == (history.state[-1] == CHARGED_OFF and history.loss[-1] > 0.005)
        assert not lost[:-1].any()
        assert CHARGED_OFF not in history.state[:-1]
        assert PAID_OFF not in history.state[:-1]


def test_a_loan_that_falls_behind_pays_nothing_that_month(histories):
    """From current to 30 days no instalment is paid (docs/model.md, section 2)."""
    moves = 0
    for history in histories:
        falls = (history.state[:-1] == CURRENT) & (history.state[1:] == D30)
        assert (np.abs(history.principal[falls]) < 0.005).all()
        moves += falls.sum()
    assert moves > 20


def test_a_history_is_that_of_the_loan_whatever_the_pool(draws, histories):
    alone = loan_history(draws, histories[3].i)
    for one, other in zip(alone, histories[3], strict=True):
        np.testing.assert_array_equal(one, other)
