"""Documents and calibration go in; what a block of paths needs comes out."""

from __future__ import annotations

from hemc.config import Config
from hemc.engine.calibration import Calibration
from hemc.engine.documents import Documents, closing_balances, next_payment
from hemc.inputs.pool import build_pool
from hemc.model.expected import large_pool
from hemc.model.moves import MoveDraws, compile_moves
from hemc.model.scenario import factor_model
from hemc.model.simulation import PoolModel, class_shares, loss_rules
from hemc.model.stress import stress_paths
from hemc.model.waterfall import compile_terms
from hemc.scale.block import RunModel

_LONGEST_HORIZON = 360
_MONTHS_SHOWN = 2  # the next certificate's month and one more, so that it is not final maturity


def build_model(config: Config, documents: Documents, calibration: Calibration) -> RunModel:
    """Compile roll rates, scenario, pool and deal into what the kernels read."""
    pool = build_pool(calibration.tape, config.tape.servicing_fee)
    n_months = min(_LONGEST_HORIZON, int(pool.maturity.max()) + config.simulation.tail_months)
    macro = documents.macro
    moves = compile_moves(
        calibration.classes.rates, documents.product.order, config, n_months, macro
    )
    draws = None
    if calibration.draws is not None:
        draws = MoveDraws(
            calibration.draws[:, None], documents.product.order, config, n_months, macro
        )
    index = stress_paths(config.scenario, macro, max(n_months, _MONTHS_SHOWN)).index_rate
    certificate, deal = documents.certificate, documents.deal
    loss_to_date = certificate.losses["ending"].value
    pool_model = PoolModel(
        pool, moves, loss_rules(config.loss), class_shares(calibration.classes),
        float(loss_to_date or 0), config.loss.recovery_monthly, config.loss.recovery_months,
        config.simulation.seed, draws,
    )  # fmt: skip
    performing = config.insurer.mode == "performing"
    terms, next_terms = (
        compile_terms(
            deal, next_payment(documents), closing_balances(certificate, deal), n,
            index[:n], config.insurer.mode,
        )
        for n in (n_months, _MONTHS_SHOWN)
    )  # fmt: skip
    method, expected = config.simulation.method, None
    if method == "large-pool":  # what is simulated beside it is so by the form of production
        method, expected = "event-driven", large_pool(pool_model)
    return RunModel(
        pool_model,
        factor_model(
            config.scenario, config.loss.lumpiness, n_months, config.simulation.seed, macro
        ),
        terms, next_terms, method, performing, tuple(c.name for c in deal.classes),
        config.insurer.discount_rate, None if loss_to_date is None else float(loss_to_date),
        expected,
    )  # fmt: skip
