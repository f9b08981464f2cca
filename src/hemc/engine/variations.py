"""A finished run goes in; what other assumptions would have changed comes out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from hemc.config import Config, LoadedConfig
from hemc.engine.calibration import Calibration, calibrate
from hemc.engine.documents import Documents
from hemc.engine.paths import simulate
from hemc.engine.run_model import build_model
from hemc.model.innovations import Sampling
from hemc.outputs.sensitivities import sensitivity_rows
from hemc.scale.store import RunStore


def vary(
    loaded: LoadedConfig,
    documents: Documents,
    calibration: Calibration,
    store: RunStore,
    sampling: Sampling,
) -> pl.DataFrame:
    """Run the first paths of `store` under other assumptions, on the same random numbers."""
    unit = loaded.config.simulation.unit_paths
    n_paths = loaded.config.outputs.sensitivity_paths // unit * unit
    base = store.paths.scan().head(max(n_paths, unit)).collect()
    rows = []
    for name, setting, config, terms in variations(loaded.config, documents):
        if n_paths == 0:
            break
        varied = loaded._replace(config=config)
        same = config is loaded.config  # other terms of the deal leave the calibration alone
        model = build_model(config, terms, calibration if same else calibrate(varied, terms))
        varied_store = RunStore(store.scratch)
        simulate(config, model.sampled(sampling), varied_store, len(base), _silent)
        paths = varied_store.paths.scan().collect()
        rows.append(sensitivity_rows(name, setting, base, paths, unit))
    return pl.concat(rows) if rows else sensitivity_rows("", "", base, base, unit).clear()


def variations(
    config: Config, documents: Documents
) -> Iterator[tuple[str, str, Config, Documents]]:
    """Yield assumption, its other setting, and configuration and documents that have it."""
    if config.roll_rates.posterior is None:  # whose draws know one class
        classes = 3 - config.roll_rates.classes
        other = config.roll_rates.model_copy(update={"classes": classes})
        yield (
            "roll_rates.classes", str(classes),
            config.model_copy(update={"roll_rates": other}), documents,
        )  # fmt: skip
    if config.tape.file is None:
        tape = config.tape.model_copy(update={"seed": config.tape.seed + 1})
        yield "tape.seed", str(tape.seed), config.model_copy(update={"tape": tape}), documents
    for convention in ("implied", "pro_rata", "reverse_order"):
        if convention != documents.deal.undercollateralization:
            deal = documents.deal.model_copy(update={"undercollateralization": convention})
            yield (
                "deal.undercollateralization", convention, config, documents._replace(deal=deal)
            )  # fmt: skip


def _silent(_: int) -> None:
    """Report no progress."""
