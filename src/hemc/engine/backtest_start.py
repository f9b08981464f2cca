"""A certificate and the posterior up to its date → the pool, roll rates and deal at its date."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.config import Config
from hemc.engine.calibration import shuffled, with_stated_payoff
from hemc.engine.documents import closing_balances
from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_series import Report
from hemc.inputs.deal import Deal
from hemc.inputs.hidden_stocks import count_hidden_as_current, place_hidden
from hemc.inputs.pool import build_pool
from hemc.inputs.product import Product
from hemc.inputs.published_totals import DELINQUENT_KEYS, totals_from_certificate
from hemc.inputs.synthetic_tape import behind_by_state, synthesise_tape
from hemc.inputs.tape_totals import TapeTotals
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.loans import ClassShares
from hemc.kernels.transitions import PathFactors
from hemc.model.cash_timing import CashFactors, CashTiming
from hemc.model.deal_terms import MonthlyDeal, compile_deal
from hemc.model.insurer import InsurerModel
from hemc.model.moves import MoveDraws, compile_moves
from hemc.model.posterior import RatePosterior
from hemc.model.reported_chain import ReportedMonth, chain_reported
from hemc.model.scenario import FactorModel, factor_model
from hemc.model.simulation import BlockFlows, PoolModel, loss_rules, simulate_block
from hemc.model.stress import stress_paths
from hemc.outputs.next_month import PrintedMonths, certificate_figures, pay_printed_months
from hemc.scale.threads import Workers, block_ranges
from hemc.states import N_LIVE


class BacktestStart(NamedTuple):
    """A deal at the date of a certificate, as a run would see it; month 1 is the next payment."""

    config: Config
    totals: TapeTotals
    tape: pl.DataFrame
    hidden: tuple[int, ...]  # states that the certificate does not show
    stocks: Ints  # [draw, live state]
    pool: PoolModel
    factors: FactorModel
    deal: MonthlyDeal
    insurer: InsurerModel
    timing: CashTiming
    loss_to_date: float | None

    @property
    def drawn_figures(self) -> frozenset[str]:
        """Figures of the stocks that the certificate does not show."""
        parts = ("balance", "number", "pct")
        keys = (DELINQUENT_KEYS[s - 1] for s in self.hidden)
        return frozenset(f"delinq.{key}.{part}" for key in keys for part in parts)


def prepare_start(
    config: Config,
    certificate: Certificate,
    report: Report,
    deal: Deal,
    product: Product,
    posterior: RatePosterior,
    timing: CashTiming,
    months: int,
) -> BacktestStart:
    """Lay out a deal at a certificate's date for a forecast of `months` months."""
    filled, hidden = count_hidden_as_current(certificate)
    totals = totals_from_certificate(filled)
    tape = synthesise_tape(totals, config.tape, config.tape.seed)
    n_months = months + 1  # the last is final maturity and not shown
    order = shuffled(len(posterior.rows), config)
    place = posterior.deals.index(deal.series)
    draws = with_stated_payoff(posterior.rows[order, place], config)
    seed = config.simulation.seed
    loss_to_date = None
    if report.loss_to_date_close is not None:
        loss_to_date = float(report.loss_to_date_close)
    shift = stress_paths(config.scenario, None, n_months).shift
    return BacktestStart(
        config, totals, tape, hidden, posterior.last_stock[order, place],
        PoolModel(
            build_pool(tape, config.tape.servicing_fee),
            compile_moves(draws.mean(axis=0)[None], product.order, config, n_months),
            loss_rules(config.loss), ClassShares(np.ones((N_LIVE, 1))),
            loss_to_date or 0.0, config.loss.recovery_monthly, config.loss.recovery_months, seed,
            MoveDraws(draws[:, None], product.order, config, n_months),
        ),
        factor_model(config.scenario, config.loss.lumpiness, n_months, seed),
        compile_deal(
            deal, _next_month(report.date), closing_balances(certificate, deal), n_months,
            index_rate(certificate, deal, config), loss_to_date or 0.0,
        ),
        InsurerModel(config.insurer, shift, seed), timing, loss_to_date,
    )  # fmt: skip


def _next_month(date: dt.date) -> dt.date:
    """Return the first day of the month after a date."""
    return (date.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def index_rate(certificate: Certificate, deal: Deal, config: Config) -> float:
    """Return the index per year that a printed coupon of a floating class shows, else the setting.

    Later months keep it: what was known at the date.
    """
    for note in deal.term_classes:
        row = certificate.notes.get(note.name)
        coupon = row["coupon_pct"].value if row else None
        if note.margin is not None and coupon:
            return float(coupon) / 100.0 - note.margin
    return config.scenario.index_rate


def forecast_figures(
    start: BacktestStart, months: list[int], n_paths: int, workers: Workers
) -> dict[int, pl.DataFrame]:
    """Simulate from a start; return a table for each month, a row a path, a column a figure."""
    blocks = block_ranges(n_paths, start.config.simulation.block_paths)
    printed = list(workers.map_blocks(partial(_print_block, start), blocks))
    return {
        month: pl.concat([certificate_figures(block, month - 1) for block in printed])
        for month in months
    }


def _print_block(start: BacktestStart, first_path: int, n_paths: int) -> PrintedMonths:
    """Simulate consecutive paths and pay the notes."""
    factors = start.factors.draw(first_path, n_paths)
    flows = _simulate(start, factors, first_path)
    timing = start.timing.draw(first_path, n_paths, start.deal.n_months)
    default_month = start.insurer.default_month(factors.credit, first_path)
    return pay_printed_months(flows, timing, start.deal, default_month, start.loss_to_date)


def _simulate(start: BacktestStart, factors: PathFactors, first_path: int) -> BlockFlows:
    """Simulate paths, each from stocks of its own where the certificate does not show all."""
    if not start.hidden:
        return simulate_block(start.pool, factors, first_path)
    paths = range(first_path, first_path + len(factors.credit))
    parts = [
        simulate_block(
            _with_drawn_stocks(start, path),
            PathFactors(*(factor[path - first_path, None] for factor in factors)), path,
        )
        for path in paths
    ]  # fmt: skip
    return _stacked(parts)


def _with_drawn_stocks(start: BacktestStart, path: int) -> PoolModel:
    """Return the pool model with the stocks of a path's draw in the hidden states."""
    drawn = start.stocks[path % len(start.stocks)]
    count = np.where(np.isin(np.arange(N_LIVE), start.hidden), drawn, 0)
    generator = np.random.Generator(np.random.Philox(key=[start.pool.seed, path]))
    tape = place_hidden(start.tape, count, behind_by_state(start.config.tape), generator)
    return start.pool._replace(pool=build_pool(tape, start.config.tape.servicing_fee))


def _stacked(parts: list[BlockFlows]) -> BlockFlows:
    """Return the flows of single paths as those of a block."""
    cash = type(parts[0].cash)(*map(np.concatenate, zip(*(p.cash for p in parts), strict=True)))
    others = zip(*(part[1:] for part in parts), strict=True)
    return BlockFlows(cash, *map(np.concatenate, others))


def chain_figures(
    start: BacktestStart, report: Report, interest: float | None, months: list[int]
) -> dict[int, dict[str, float]]:
    """Return the figures of each month if the certificate's own ratios went on as a chain.

    Nothing where the certificate lacks a flow. What it does not show at the start, and recoveries,
    of which ratios say nothing, are left out.
    """
    flows = (report.pool_open, report.principal, report.loss)
    if interest is None or any(flow is None for flow in flows):
        return {month: {} for month in months}
    opening, principal, loss = (float(flow or 0) for flow in flows)
    reported = ReportedMonth(
        opening, principal, loss, interest, float(start.totals.net_rate),
        _floats(start.totals.count), _floats(start.totals.balance),
    )  # fmt: skip
    path = chain_reported(reported, start.deal.n_months)
    default_month = start.insurer.default_month(np.zeros((1, start.deal.n_months)), 0)
    as_it_is = CashFactors(*np.ones((2, 1, start.deal.n_months)))
    printed = pay_printed_months(path, as_it_is, start.deal, default_month, start.loss_to_date)
    left_out = start.drawn_figures | {"losses.recoveries"}
    return {
        month: {
            name: value
            for name, value in certificate_figures(printed, month - 1).row(0, named=True).items()
            if name not in left_out
        }
        for month in months
    }


def _floats(values: tuple[object, ...]) -> Floats:
    """Return numbers of any kind as floats."""
    return np.array(values, dtype=np.float64)
