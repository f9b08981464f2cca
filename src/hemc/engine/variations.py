"""A finished run goes in; what other assumptions would have changed comes out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from hemc.config import LoadedConfig
from hemc.engine.calibration import Calibration
from hemc.engine.cases import Case, play_case
from hemc.engine.documents import Documents
from hemc.model.innovations import Sampling
from hemc.outputs.sensitivities import sensitivity_rows
from hemc.scale.pieces import temporary_pieces
from hemc.scale.store import RunStore
from hemc.scale.threads import Workers


def vary(
    loaded: LoadedConfig,
    documents: Documents,
    calibration: Calibration,
    store: RunStore,
    sampling: Sampling,
    workers: Workers,
) -> pl.DataFrame:
    """Run the first paths of `store` under other assumptions, on the same random numbers."""
    unit = loaded.config.simulation.unit_paths
    n_paths = loaded.config.outputs.sensitivity_paths // unit * unit
    base = store.paths.scan().head(max(n_paths, unit)).collect()
    rows = []
    for case in variations(loaded, documents) if n_paths else ():
        pieces = temporary_pieces(store.scratch)
        varied = play_case(case, (loaded, calibration), sampling, len(base), pieces, workers)
        paths = varied.paths.scan().collect()
        rows.append(sensitivity_rows(case.name, case.setting, base, paths, unit))
    return pl.concat(rows) if rows else sensitivity_rows("", "", base, base, unit).clear()


def variations(loaded: LoadedConfig, documents: Documents) -> Iterator[Case]:
    """Yield the run under another setting of one assumption at a time."""
    config = loaded.config
    others: dict[str, object] = {}
    if config.roll_rates.posterior is None:  # whose draws know one class
        others["roll_rates.classes"] = 3 - config.roll_rates.classes
    if config.tape.file is None:
        others["tape.seed"] = config.tape.seed + 1
    for key, value in others.items():
        yield Case(key, str(value), loaded.replaced({key: value}), documents)
    for convention in ("implied", "pro_rata", "reverse_order"):
        if convention != documents.deal.undercollateralization:
            deal = documents.deal.model_copy(update={"undercollateralization": convention})
            terms = documents._replace(deal=deal)
            yield Case("deal.undercollateralization", convention, loaded, terms)
