"""A finished run goes in; what other assumptions would have changed comes out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from hemc.config import LoadedConfig
from hemc.engine.calibration import Calibration
from hemc.engine.cases import Case, case_model, compare_models
from hemc.engine.documents import Documents
from hemc.engine.run_model import with_deal
from hemc.model.innovations import Sampling
from hemc.outputs.sensitivities import compared_columns, sensitivity_rows
from hemc.scale.block import RunModel
from hemc.scale.store import RunStore
from hemc.scale.threads import Workers


def vary(
    loaded: LoadedConfig,
    documents: Documents,
    calibration: Calibration,
    store: RunStore,
    model: RunModel,
    sampling: Sampling,
    workers: Workers,
) -> pl.DataFrame:
    """Run the first paths of `store` under other assumptions, on the same random numbers.

    `model` and `sampling` are those of the run; where only the deal is another, pool and factors
    serve again.
    """
    config, unit = loaded.config, loaded.config.simulation.unit_paths
    n_paths = config.outputs.sensitivity_paths // unit * unit
    base = compared_columns(store.paths.scan().head(max(n_paths, unit)).collect())
    empty = sensitivity_rows("", "", base, base, unit).clear()
    if n_paths == 0:
        return empty
    cases = list(variations(loaded, documents))
    own = model.sampled(sampling)
    models = tuple(
        with_deal(own, config, case.documents)
        if case.loaded is loaded
        else case_model(case, (loaded, calibration), sampling)
        for case in cases
    )
    varied = compare_models(models, len(base), config.simulation.block_paths, workers)
    return pl.concat([empty] + [
        sensitivity_rows(case.name, case.setting, base, paths, unit)
        for case, paths in zip(cases, varied, strict=True)
    ])  # fmt: skip


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
