"""The deterministic vector mode against a plain twin, by hand, and its laws."""

import numpy as np
import pytest

from hemc.config import load_config
from hemc.engine import build_model, calibrate, read_documents
from hemc.kernels.pool import Pool
from hemc.model.vectors import Vectors, vector_flows


def one_loan(balance=1_000.0, rate=0.12, fee=0.006, term=3, maturity=3):
    """Return a pool of one level-pay loan."""
    growth = 1.0 + rate / 12.0
    a = balance / (1.0 - growth**-term)
    floats = {"balance": balance, "scheduled_a": a, "scheduled_c": a * growth**-term,
              "growth": growth, "net_share": (rate - fee) / rate, "gross_rate": rate,
              "group_growth": growth}  # fmt: skip
    whole = {"loan": 0, "state": 0, "behind": 0, "maturity": maturity, "rate_group": 0}
    columns = {k: np.array([v]) for k, v in floats.items()}
    columns |= {k: np.array([v], dtype=np.int64) for k, v in whole.items()}
    return Pool(**columns)


def vectors(n_months, cpr=0.0, cdr=0.0, severity=1.0, lag=0):
    flat = [np.full((1, n_months), rate) for rate in (cpr, cdr, severity)]
    return Vectors(*flat, lag)


def twin(balance, rate, fee, term, maturity, cpr, cdr, severity, lag, n_months):
    """Follow one loan's performing part and its defaults in plain Python."""
    smm, mdr = 1 - (1 - cpr) ** (1 / 12), 1 - (1 - cdr) ** (1 / 12)
    payment_factor = (rate / 12) / (1 - (1 + rate / 12) ** -term)
    scheduled, performing, defaults, rows = balance, balance, [], []
    for t in range(1, n_months + 1):
        after = scheduled * (1 + rate / 12) - balance * payment_factor if t < maturity else 0.0
        default = mdr * performing
        left = performing - default
        interest = left * (rate - fee) / 12
        principal = left * (1 - after / scheduled) if scheduled > 0 else 0.0
        prepaid = smm * (left - principal)
        performing, scheduled = left - principal - prepaid, after
        defaults.append(default)
        falls = [d for m, d in enumerate(defaults, 1) if m + lag == t]
        if t == n_months:
            falls = [d for m, d in enumerate(defaults, 1) if m + lag >= t]
        waiting = sum(d for m, d in enumerate(defaults, 1) if m + lag > t) if t < n_months else 0.0
        resolved = sum(falls)
        rows.append((interest, principal, prepaid, (1 - severity) * resolved,
                     severity * resolved, performing + waiting))  # fmt: skip
    return np.array(rows).T


@pytest.mark.parametrize("lag", [0, 1, 6, 40])
@pytest.mark.parametrize(("cpr", "cdr", "severity"), [(0, 0, 1), (0.3, 0.1, 0.9), (0.9, 1.0, 0.5)])
def test_flows_equal_the_plain_twin(cpr, cdr, severity, lag):
    terms = {"balance": 5e4, "rate": 0.09, "fee": 0.005, "term": 30, "maturity": 24}
    flows = vector_flows(one_loan(**terms), vectors(32, cpr, cdr, severity, lag))
    ours = [flows.interest, flows.scheduled, flows.prepaid, flows.proceeds, flows.loss]
    expected = twin(**terms, cpr=cpr, cdr=cdr, severity=severity, lag=lag, n_months=32)
    np.testing.assert_allclose([f[0] for f in ours], expected[:5], atol=1e-8)
    np.testing.assert_allclose(flows.balance[0, 1:], expected[5], atol=1e-8)


def test_a_default_of_everything_by_hand():
    flows = vector_flows(one_loan(), vectors(6, cdr=1.0, severity=0.8, lag=2))
    assert flows.loss[0] == pytest.approx([0, 0, 800, 0, 0, 0])
    assert flows.proceeds[0] == pytest.approx([0, 0, 200, 0, 0, 0])
    assert flows.balance[0] == pytest.approx([1000, 1000, 1000, 0, 0, 0, 0])
    assert flows.interest.sum() == 0.0


@pytest.fixture(scope="module")
def base_pool(base_toml):
    loaded = load_config(base_toml)
    documents = read_documents(loaded)
    return build_model(loaded.config, documents, calibrate(loaded, documents)).pool.pool


def test_no_money_is_lost_and_losses_rise_with_cdr(base_pool):
    n = 250
    cdr = np.repeat(np.linspace(0.0, 0.5, 6)[:, None], n, axis=1)
    grid = Vectors(np.full_like(cdr, 0.3), cdr, np.ones_like(cdr), 6)
    flows = vector_flows(base_pool, grid)
    out = flows.scheduled + flows.prepaid + flows.proceeds + flows.loss
    assert np.abs(flows.balance[:, :-1] - flows.balance[:, 1:] - out).max() < 1e-5
    assert flows.balance[:, -1] == pytest.approx(0.0, abs=1e-6)
    assert flows.loss[0].sum() == 0.0
    assert (np.diff(flows.loss.sum(axis=1)) > 0).all()
