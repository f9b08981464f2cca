"""A deal of a portfolio goes in; its run in the portfolio's world, ready to simulate, comes out.

A portfolio's sections stand in place of the deal's own. Factors are functions of seed, path and
month, hence the same in every deal; what loans draw on their own follows from seed and deal's name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hemc.config import Assumption, LoadedConfig, load_config, overridden
from hemc.engine.calibration import calibrate
from hemc.engine.deal_variants import vary_deal
from hemc.engine.documents import Documents, closing_balances, next_payment, read_documents
from hemc.engine.run_model import build_model
from hemc.errors import InputError
from hemc.inputs.deal import Deal
from hemc.inputs.toml import read_toml, validate
from hemc.model.innovations import Sampling
from hemc.scale.block import RunModel
from hemc.scale.deal_block import Position
from hemc.settings.portfolio import WORLD, PortfolioDeal, PortfolioFile

_TERM = "deal."
#: Paths in [scenario], which start at the portfolio file.
_SCENARIO_FILES = ("file", "index_path")


class Portfolio(NamedTuple):
    """A portfolio file and what stands in it."""

    file: Path
    settings: PortfolioFile

    @property
    def n_paths(self) -> int:
        """Number of paths of every deal."""
        return self.settings.simulation.paths


class DealFacts(NamedTuple):
    """What is known of a deal before it is simulated; amounts are of all copies, USD."""

    name: str
    series: str
    copies: int
    n_loans: int
    n_months: int
    pool: float
    notes: float
    held: float
    holdings: dict[str, float]
    inputs: dict[str, Path]
    warnings: tuple[str, ...]
    assumptions: tuple[Assumption, ...]


class ReadyDeal(NamedTuple):
    """A deal that can be simulated."""

    facts: DealFacts
    model: RunModel
    position: Position


def read_portfolio(file: Path, overrides: Mapping[str, Any]) -> Portfolio:
    """Read a portfolio file with dotted keys set over it; raises InputError with every fault."""
    values = read_toml(file, "a portfolio file (configs/portfolio.toml)")
    return Portfolio(file, validate(PortfolioFile, overridden(values, overrides), file))


def loan_seed(seed: int, name: str) -> int:
    """Return the seed of the loans' own draws of a deal: whatever other deals there are."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def deal_config(portfolio: Portfolio, entry: PortfolioDeal) -> LoadedConfig:
    """Return the configuration of a deal's run in the portfolio's world.

    `hemc run` of the same settings simulates the same paths. Raises InputError for a fault in
    the configuration or in the keys set over it.
    """
    settings = portfolio.settings
    file = portfolio.file.parent / entry.config
    scenario = settings.scenario.model_dump(mode="json", exclude_unset=True)
    for key in _SCENARIO_FILES:
        if isinstance(scenario.get(key), str):
            path = portfolio.file.parent / scenario[key]
            scenario[key] = os.path.relpath(path, file.parent)
    simulation = settings.simulation.model_dump(mode="json", exclude_unset=True)
    simulation["loan_seed"] = loan_seed(settings.simulation.seed, entry.name)
    world = (scenario, simulation, {"discount_rate": settings.insurer.discount_rate})
    own = {key: value for key, value in entry.set.items() if not key.startswith(_TERM)}
    return load_config(file, own, dict(zip(WORLD, world, strict=True)))


def prepare_deal(portfolio: Portfolio, entry: PortfolioDeal, strict: bool) -> ReadyDeal:
    """Read, calibrate and compile a deal.

    Raises InputError for anything that does not fit, and TieOutError where `strict` and the
    certificate does not tie out.
    """
    loaded = deal_config(portfolio, entry)
    documents = read_documents(loaded, strict)
    _require_month(portfolio, documents)
    documents = documents._replace(deal=_varied(portfolio, entry, documents))
    calibration = calibrate(loaded, documents)
    model = build_model(loaded.config, documents, calibration)
    model = model.sampled(Sampling(loaded.config.simulation.sampling))
    held = _held(portfolio, entry, documents.deal, model.deal.class_names)
    insurer = portfolio.settings.insurer
    position = Position(entry.copies, held, insurer.discount_rate, insurer.premium_share)
    balances = closing_balances(documents.certificate, documents.deal)
    facts = DealFacts(
        entry.name, documents.deal.series, entry.copies, len(calibration.tape), model.n_months,
        entry.copies * float(model.pool.pool.balance.sum()),
        entry.copies * sum(balances.values()),
        entry.copies * sum(entry.holdings.get(note, 0.0) * b for note, b in balances.items()),
        entry.holdings, documents.paths, tuple(calibration.warnings),
        tuple(_placed(portfolio.file.name, one) for one in loaded.assumptions()),
    )  # fmt: skip
    return ReadyDeal(facts, model, position)


def _require_month(portfolio: Portfolio, documents: Documents) -> None:
    """Refuse a certificate of another month: deals meet the same factors in the same month."""
    date, month = documents.certificate.payment_date, portfolio.settings.payment_month
    if date is None or f"{date:%Y-%m}" != month:
        raise InputError(
            documents.certificate.path, "payment date", str(date or "none that can be read"),
            f"one in {month}, the portfolio's payment_month",
        )  # fmt: skip


def _varied(portfolio: Portfolio, entry: PortfolioDeal, documents: Documents) -> Deal:
    """Return the deal with the terms that the entry sets."""
    deal, number = documents.deal, documents.deal.payment_number(next_payment(documents))
    for key, value in entry.set.items():
        if key.startswith(_TERM):
            term = key.removeprefix(_TERM)
            deal = vary_deal(deal, term, str(value), number, portfolio.file.name) or deal
    return deal


def _held(
    portfolio: Portfolio, entry: PortfolioDeal, deal: Deal, names: tuple[str, ...]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the shares held in the deal's order of classes, float64[k]."""
    for note in entry.holdings:
        if note not in names:
            raise InputError(
                portfolio.file, f"deal {entry.name}, holdings", f"class '{note}'",
                f"one of {', '.join(names)}",
            )  # fmt: skip
    return np.array([entry.holdings.get(note, 0.0) for note in names])


def _placed(file: str, assumption: Assumption) -> Assumption:
    """Say of an assumption that the portfolio file set that it did."""
    in_world = assumption.name.split(".")[0] in WORLD and assumption.where_set != "default"
    by_deal = assumption.where_set == "command line"
    if not (in_world or by_deal):
        return assumption
    return assumption._replace(where_set=f"{file}, set of the deal" if by_deal else file)
