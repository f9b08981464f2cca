"""The reported ratios as a chain, by hand."""

import numpy as np
import pytest

from hemc.model.reported_chain import ReportedMonth, chain_reported, chain_stocks


def stocks(**known):
    found = np.zeros(10)
    for place, value in known.items():
        found[int(place[1:])] = value
    return found


def test_a_bucket_follows_the_one_before():
    start = stocks(s0=900.0, s1=60.0, s2=30.0, s3=10.0)
    first, second, third = chain_stocks(start, 0.9, 3)
    assert first[1:4].tolist() == pytest.approx([60.0, 30.0, 10.0])  # one month: as reported
    assert first.sum() == pytest.approx(900.0)
    assert first[0] == pytest.approx(800.0)
    assert second[1] == pytest.approx(60.0 / 900.0 * 800.0)
    assert second[2] == pytest.approx(30.0)
    assert third[2] == pytest.approx(0.5 * 60.0 / 900.0 * 800.0)


def test_a_bucket_without_one_before_stays_and_bankruptcies_shrink_with_the_pool():
    found = chain_stocks(stocks(s0=100.0, s4=5.0, s7=8.0), 0.5, 2)
    assert found[:, 4].tolist() == [5.0, 5.0]
    assert found[:, 7].tolist() == [4.0, 2.0]


def test_flows_keep_their_shares_and_balance():
    month = ReportedMonth(
        1_000.0, 90.0, 10.0, 8.0, 0.09, stocks(s0=9.0, s7=1.0), stocks(s0=800.0, s7=100.0)
    )
    path = chain_reported(month, 3)
    cash = path.cash
    np.testing.assert_allclose(cash.balance[0], [900.0, 810.0, 729.0, 656.1])
    np.testing.assert_allclose(cash.prepaid[0], [81.0, 72.9, 65.61])
    np.testing.assert_allclose(cash.loss[0], [9.0, 8.1, 7.29])
    np.testing.assert_allclose(cash.interest[0], [7.2, 6.48, 5.832])
    np.testing.assert_allclose(cash.balance[0, :-1] - cash.balance[0, 1:],
                               (cash.prepaid + cash.loss)[0])  # fmt: skip
    np.testing.assert_allclose(cash.state_balance.sum(axis=2)[0], cash.balance[0, 1:])
    np.testing.assert_allclose(path.state_loans[0, :, 7], [0.9, 0.81, 0.729])
