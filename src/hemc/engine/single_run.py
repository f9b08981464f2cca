"""A run on one screen: certificate, deal and product in, measured distributions out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple, TypeVar

import polars as pl

from hemc.config import Config, LoadedConfig
from hemc.engine.calibration import Calibration, calibrate
from hemc.engine.documents import Documents, next_payment, read_documents
from hemc.engine.paths import (
    Progress,
    check_flows,
    choose_sampling,
    refine_mean_loss,
    simulate_rounds,
)
from hemc.engine.run_model import build_model
from hemc.engine.stage_times import timed
from hemc.engine.variance import split_loss_variance
from hemc.engine.variations import vary
from hemc.kernels.jit import is_cold
from hemc.kernels.valuation import Quotes
from hemc.model.innovations import Sampling
from hemc.outputs.measures import measure_paths
from hemc.outputs.results import headline_rows
from hemc.outputs.sample_size import SampleSize, sample_size
from hemc.outputs.two_level import with_two_level_mean
from hemc.outputs.weights import WeightCheck, check_weights, weight_warnings
from hemc.scale.block import RunModel
from hemc.scale.identity import run_identity
from hemc.scale.pieces import Work
from hemc.scale.store import RunStore
from hemc.scale.threads import Threads, Workers

Result = TypeVar("Result")


@dataclass(frozen=True)
class RunResult:
    """Tables of a finished run and what it took; `store` holds those with a row a path."""

    loaded: LoadedConfig
    documents: Documents
    calibration: Calibration
    n_months: int
    first_payment: dt.date
    store: RunStore
    months: pl.DataFrame
    measures: pl.DataFrame
    sensitivities: pl.DataFrame
    threads: int
    was_cold: bool
    seconds: dict[str, float]
    sampling: Sampling
    sample_size: SampleSize
    weights: WeightCheck | None  # None where all paths weigh the same
    relative_error: float | None  # of the target's figure, where there is a target
    oracle: pl.DataFrame
    quotes: Quotes
    variance: pl.DataFrame  # by source; without a row where roll rates are held

    @property
    def warnings(self) -> list[str]:
        """What the reader of any figure should know."""
        return self.calibration.warnings + weight_warnings(self.weights)

    @property
    def summary(self) -> pl.DataFrame:
        """The headline figures, the records of summary.json."""
        return pl.DataFrame(headline_rows(self.measures))

    def _repr_html_(self) -> str:
        """Show the headline figures in a notebook."""
        deal, date = self.documents.deal, self.documents.certificate.payment_date
        title = f"{deal.issuer} {deal.series}, certificate of {date}, {self.n_paths:,} paths"
        table = self.summary.select("measure", "statistic", "value", "standard_error", "unit")
        return f"<b>{escape(title)}</b>{table._repr_html_()}"

    @property
    def n_paths(self) -> int:
        """Number of paths simulated."""
        return len(self.store)

    @property
    def paths(self) -> pl.DataFrame:
        """All rows of paths.parquet in memory."""
        return self.store.paths.scan().collect()

    @property
    def next_month(self) -> pl.DataFrame:
        """All rows of next_month.parquet in memory."""
        return self.store.next_month.scan().collect()


def run(
    loaded: LoadedConfig,
    progress: Progress,
    strict: bool = False,
    work: Work | None = None,
    workers: Workers | None = None,
) -> RunResult:
    """Run a configuration from documents to measures.

    What is simulated is kept in `work`, from which an interrupted run is resumed; without it files
    are temporary. `workers` are the configuration's threads where None.
    Raises InputError for input that cannot be used, TieOutError where `strict` and an identity of
    the certificate fails, InternalError for a broken cash identity.
    """
    seconds: dict[str, float] = {}
    was_cold = is_cold()
    workers = workers or Threads(loaded.config.simulation.threads)
    with timed(seconds, "read"):
        documents = read_documents(loaded, strict)
    with timed(seconds, "calibrate"):
        calibration = calibrate(loaded, documents)
    with timed(seconds, "simulate"):
        model = build_model(loaded.config, documents, calibration)
        store = _open_store(loaded, documents, work)
        sampling = choose_sampling(loaded.config, model, workers)
        original = float(documents.deal.original_notes)
        reached = simulate_rounds(
            loaded, model.sampled(sampling), store, original, progress, workers
        )
    config, drawn = loaded.config, model.sampled(sampling)
    # Beside another stage, what keeps one core busy for a while costs no time.
    with ThreadPoolExecutor(max(workers.n_threads, 1)) as beside:

        def stage(name: str, work: Callable[..., Result], *arguments: Any) -> Future[Result]:
            return beside.submit(timed(seconds, name)(work), *arguments)

        measuring = stage("measure", _measure, config, model, store, original, workers)
        checking = stage("oracle", check_flows, config, drawn, len(store), workers)
        splitting = stage("variance", split_loss_variance, config, model, workers)
        varying = stage(
            "sensitivities", vary, loaded, documents, calibration, store, model, sampling, workers
        )
    measured = measuring.result()
    return RunResult(
        loaded, documents, calibration, model.n_months, next_payment(documents),
        store, measured.months, measured.measures, varying.result(),
        workers.n_threads, was_cold, seconds, sampling, measured.sample_size, measured.weights,
        reached, checking.result(), model.quotes, splitting.result(),
    )  # fmt: skip


class _Measured(NamedTuple):
    """What the paths of a run add up to."""

    measures: pl.DataFrame
    sample_size: SampleSize
    weights: WeightCheck | None
    months: pl.DataFrame


def _measure(
    config: Config, model: RunModel, store: RunStore, original: float, workers: Workers
) -> _Measured:
    """Measure the paths in `store`; `original` is the notes' balance at closing, USD."""
    simulation, paths = config.simulation, store.paths.scan()
    measures = measure_paths(paths, original, simulation.unit_paths)
    refined = None
    if simulation.sampling == "two-level":
        refined = refine_mean_loss(config, model, store, workers)
        measures = with_two_level_mean(measures, refined)
    size = sample_size(paths, simulation, refined)
    weights = check_weights(paths, simulation.tail_probability)
    return _Measured(measures, size, weights, store.months.frame())


def _open_store(loaded: LoadedConfig, documents: Documents, work: Work | None) -> RunStore:
    """Return the store of a run, which holds the paths of the interrupted one to be resumed."""
    if work is None:
        return RunStore()
    return RunStore(work.open(run_identity(loaded.config, documents.paths)))
