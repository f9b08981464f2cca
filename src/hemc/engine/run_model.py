"""Documents and calibration go in; what a block of paths needs comes out."""

from __future__ import annotations

from hemc.config import Config
from hemc.engine.calibration import Calibration
from hemc.engine.documents import Documents, closing_balances, next_payment
from hemc.inputs.pool import build_pool
from hemc.model.cash_timing import cash_timing
from hemc.model.deal_terms import compile_deal
from hemc.model.expected import large_pool
from hemc.model.insurer import InsurerModel
from hemc.model.moves import NOW, Elapsed, MoveDraws, compile_moves
from hemc.model.scenario import factor_model
from hemc.model.simulation import PoolModel, class_shares, loss_rules
from hemc.model.stress import stress_paths
from hemc.model.valuation import compile_quotes
from hemc.scale.block import RunModel

LONGEST_HORIZON = 360
_MONTHS_SHOWN = 2  # the next certificate's month and one more, so that it is not final maturity


def build_model(
    config: Config, documents: Documents, calibration: Calibration, elapsed: Elapsed = NOW
) -> RunModel:
    """Compile roll rates, scenario, pool and deal into what the kernels read.

    Roll rates and scenario may have begun `elapsed` months before the certificate's date.
    """
    pool = build_pool(calibration.tape, config.tape.servicing_fee)
    n_months = min(LONGEST_HORIZON, int(pool.maturity.max()) + config.simulation.tail_months)
    macro = documents.macro
    moves = compile_moves(
        calibration.classes.rates, documents.product.order, config, n_months, macro, elapsed
    )
    draws = None
    if calibration.draws is not None:
        draws = MoveDraws(
            calibration.draws[:, None], documents.product.order, config, n_months, macro, elapsed
        )
    n_index = max(n_months, _MONTHS_SHOWN) + elapsed.scenario
    stress = stress_paths(config.scenario, macro, n_index, documents.index_path)
    stress = stress.after(elapsed.scenario)
    certificate, deal = documents.certificate, documents.deal
    loss_to_date = certificate.losses["ending"].value
    pool_model = PoolModel(
        pool, moves, loss_rules(config.loss, config.scenario.multiples.severity),
        class_shares(calibration.classes),
        float(loss_to_date or 0), config.loss.recovery_monthly, config.loss.recovery_months,
        config.simulation.seed_of_loans, draws,
    )  # fmt: skip
    monthly, next_monthly = (
        compile_deal(
            deal, next_payment(documents), closing_balances(certificate, deal), n,
            stress.index_rate[:n], float(loss_to_date or 0),
        )
        for n in (n_months, min(_MONTHS_SHOWN, n_months))
    )  # fmt: skip
    method, expected = config.simulation.method, None
    if method == "large-pool":  # what is simulated beside it is so by the form of production
        method, expected = "event-driven", large_pool(pool_model)
    return RunModel(
        pool_model,
        factor_model(
            config.scenario, config.loss.lumpiness, n_months, config.simulation.seed, macro,
            elapsed.scenario,
        ),
        monthly, next_monthly, method,
        InsurerModel(config.insurer, stress.shift, config.simulation.seed),
        config.insurer.discount_rate, None if loss_to_date is None else float(loss_to_date),
        compile_quotes(
            config.valuation, deal, next_payment(documents), monthly, stress.index_rate[:n_months]
        ),
        cash_timing(config, (*documents.earlier, certificate)),
        expected,
    )  # fmt: skip
