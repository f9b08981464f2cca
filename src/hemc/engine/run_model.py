"""Documents and calibration go in; what a block of paths needs comes out."""

from __future__ import annotations

from typing import NamedTuple

from hemc.config import Config
from hemc.engine.calibration import Calibration
from hemc.engine.documents import Documents, closing_balances, next_payment
from hemc.inputs.pool import build_pool
from hemc.kernels.flows import Floats
from hemc.kernels.valuation import Quotes
from hemc.model.cash_timing import cash_timing
from hemc.model.deal_terms import MonthlyDeal, compile_deal
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


class _DealTerms(NamedTuple):
    """What a run's model takes from the deal; fields as in RunModel."""

    deal: MonthlyDeal
    next_deal: MonthlyDeal
    quotes: Quotes


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
    certificate = documents.certificate
    loss_to_date = certificate.losses["ending"].value
    pool_model = PoolModel(
        pool, moves, loss_rules(config.loss, config.scenario.multiples.severity),
        class_shares(calibration.classes),
        float(loss_to_date or 0), config.loss.recovery_monthly, config.loss.recovery_months,
        config.simulation.seed_of_loans, draws,
    )  # fmt: skip
    method, expected = config.simulation.method, None
    if method == "large-pool":  # what is simulated beside it is so by the form of production
        method, expected = "event-driven", large_pool(pool_model)
    factors = factor_model(
        config.scenario, config.loss.lumpiness, n_months, config.simulation.seed, macro,
        elapsed.scenario,
    )  # fmt: skip
    deal = _compile_terms(config, documents, stress.index_rate, n_months)
    return RunModel(
        pool=pool_model, factors=factors, **deal._asdict(), method=method,
        insurer=InsurerModel(config.insurer, stress.shift, config.simulation.seed),
        discount_rate=config.insurer.discount_rate,
        loss_to_date=None if loss_to_date is None else float(loss_to_date), large_pool=expected,
        timing=cash_timing(config, (*documents.earlier, certificate)),
    )  # fmt: skip


def with_deal(model: RunModel, config: Config, documents: Documents) -> RunModel:
    """Return the model with the deal of `documents`, on the same pool and factors."""
    n_index = max(model.n_months, _MONTHS_SHOWN)
    stress = stress_paths(config.scenario, documents.macro, n_index, documents.index_path)
    terms = _compile_terms(config, documents, stress.index_rate, model.n_months)
    return model._replace(**terms._asdict())


def _compile_terms(
    config: Config, documents: Documents, index_rate: Floats, n_months: int
) -> _DealTerms:
    """Compile the deal for the projection and for the next certificate, and what is quoted."""
    certificate, deal, payment = documents.certificate, documents.deal, next_payment(documents)
    loss_to_date = float(certificate.losses["ending"].value or 0)
    balances = closing_balances(certificate, deal)
    monthly, next_monthly = (
        compile_deal(deal, payment, balances, n, index_rate[:n], loss_to_date)
        for n in (n_months, min(_MONTHS_SHOWN, n_months))
    )
    quotes = compile_quotes(config.valuation, deal, payment, monthly, index_rate[:n_months])
    return _DealTerms(monthly, next_monthly, quotes)
