"""A certificate's flows and stocks → the evidence that roll rates are fitted to."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from hemc.config import Config
from hemc.errors import InputError
from hemc.inputs.certificate import Certificate
from hemc.inputs.tape_totals import TapeTotals
from hemc.kernels.pool import Pool
from hemc.model.roll_rates import Evidence
from hemc.states import CURRENT

#: What is left of the pool roll is the month's loss.
_POOL_ROLL = {
    "beginning_pool": 1, "beginning_pfa": 1, "principal_draws": 1,
    "principal_collections": -1, "ending_pool": -1, "ending_pfa": -1,
}  # fmt: skip


def gather_evidence(
    certificate: Certificate, totals: TapeTotals, pool: Pool, config: Config, mean_severity: float
) -> Evidence:
    """Read prepayment and loss of the month off the certificate, scheduled principal off the pool.

    A loss that is not printed is inferred from the pool roll where that is visible. Raises
    InputError where the principal flow is missing and the configuration names no CPR.
    """
    ending = float(totals.pool_balance)
    loss = _loss(certificate)
    collections = certificate.pool["principal_collections"].value
    months_of_pool = 1.0
    if collections is not None:
        months_of_pool = (ending + float(collections) + (loss or 0.0)) / ending
    return Evidence(
        loans=np.array(totals.count, dtype=np.float64),
        balance=np.array([float(balance) for balance in totals.balance]),
        months_of_pool=months_of_pool,
        smm_current=_payoff_rate(certificate, collections, pool, config, months_of_pool),
        loss=loss,
        mean_severity=mean_severity,
    )


def _loss(certificate: Certificate) -> float | None:
    """Return the month's gross loss: printed, else from the pool roll, else None."""
    printed = certificate.losses["current_month"].value
    if printed is not None:
        return float(printed)
    fall = Decimal(0)
    for name, sign in _POOL_ROLL.items():
        value = certificate.pool[name].value
        if value is None:
            return None
        fall += sign * value
    return float(fall)


def _payoff_rate(
    certificate: Certificate,
    collections: Decimal | None,
    pool: Pool,
    config: Config,
    months_of_pool: float,
) -> float:
    """Return the share of the current balance paid off in the month, scheduled principal aside."""
    if config.prepayment.cpr != "certificate":
        return float(1.0 - (1.0 - config.prepayment.cpr) ** (1 / 12))
    if collections is None:
        raise InputError(
            certificate.path,
            "principal collections",
            certificate.pool["principal_collections"].reason or "nothing",
            "the month's principal collections, or prepayment.cpr as a number",
        )
    is_current = pool.state == CURRENT
    scheduled = float((pool.scheduled_c * (pool.growth - 1.0))[is_current].sum()) * months_of_pool
    balance = float(pool.balance.sum()) * months_of_pool
    return max(float(collections) - scheduled, 0.0) / (balance - scheduled)
