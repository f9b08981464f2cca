"""A study goes in; what each assumption moves, alone and in grids of multiples, comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from hemc.config import LoadedConfig
from hemc.engine.cases import Case, case_model, compare_models
from hemc.engine.deal_variants import vary_deal
from hemc.engine.documents import Documents, next_payment, read_documents
from hemc.engine.paths import Progress
from hemc.engine.study import Study
from hemc.outputs.estimates import design_of
from hemc.outputs.heat_maps import Multiples, heat_map_rows
from hemc.outputs.sensitivities import sensitivity_rows
from hemc.settings.sensitivities import SensitivitySettings, Swing

_DEAL = "deal."
#: Settings that only a run with two latent classes reads.
_OF_TWO_CLASSES = "roll_rates.chronic_"


class Sensitivities(NamedTuple):
    """Rows of tornado.parquet and of heat_maps.parquet."""

    tornado: pl.DataFrame
    heat_maps: pl.DataFrame


class Side(NamedTuple):
    """One end of a swing as a case."""

    swing: Swing
    side: str
    case: Case


def explore_assumptions(study: Study, progress: Progress) -> Sensitivities:
    """Play every side of the tornado and every cell of the heat maps on the same paths."""
    return Sensitivities(play_tornado(study, progress), play_heat_maps(study, progress))


def explored_paths(study: Study) -> int:
    """Return the number of paths of all cases together."""
    s = study.loaded.config.sensitivities
    cells = len(s.prepayment) * len(s.roll_rate) * len(s.severity) + 1
    return (len(list(sides(study))) + 1 + cells) * study.whole_units(s.paths)


def play_tornado(study: Study, progress: Progress) -> pl.DataFrame:
    """Play each side of each swing; a side that is the base already is left out."""
    own = Case("", "", study.loaded, study.documents)
    base = _play(study, own, progress)
    tables = [
        sensitivity_rows(
            case.name, case.setting, base, _play(study, case, progress), study.unit_paths
        ).with_columns(pl.lit(side).alias("side"), pl.lit(swing.source).alias("source"))
        for swing, side, case in sides(study)
    ]
    empty = sensitivity_rows("", "", base, base).clear()
    return pl.concat([empty, *tables], how="diagonal")


def sides(study: Study) -> Iterator[Side]:
    """Yield every side of every swing that the run knows; raises InputError for one unknown."""
    config = study.loaded.config
    for swing in config.sensitivities.tornado:
        if swing.setting.startswith(_OF_TWO_CLASSES) and config.roll_rates.classes == 1:
            continue
        for side, value in (("low", swing.low), ("high", swing.high)):
            if value is not None and (case := _case(study, swing.setting, value)) is not None:
                yield Side(swing, side, case)


def play_heat_maps(study: Study, progress: Progress) -> pl.DataFrame:
    """Simulate every combination of multiples, and compare it with the run."""
    settings = study.loaded.config.sensitivities
    n_paths = study.whole_units(settings.paths)
    base = study.lose(study.model, n_paths, progress)
    design = design_of(base.weight, study.unit_paths)
    balance = float(study.model.pool.pool.balance.sum())
    tables = []
    for multiples in _grid(settings):
        model = study.under({f"scenario.multiples.{k}": v for k, v in multiples._asdict().items()})
        lost = study.lose(model, n_paths, progress)
        figures = [(100.0 * x.pool / balance, x.notes.sum(axis=1)) for x in (base, lost)]
        tables.append(heat_map_rows(multiples, figures[0], figures[1], design))
    return pl.concat(tables)


def _grid(settings: SensitivitySettings) -> Iterator[Multiples]:
    for severity in settings.severity:
        for roll_rate in settings.roll_rate:
            for prepayment in settings.prepayment:
                yield Multiples(prepayment, roll_rate, severity)


def _case(study: Study, key: str, value: float | str) -> Case | None:
    """Return the run with one assumption changed, None where that changes nothing."""
    shown = value if isinstance(value, str) else f"{value:g}"
    if key.startswith(_DEAL):
        number = study.documents.deal.payment_number(next_payment(study.documents))
        deal = vary_deal(study.documents.deal, key.removeprefix(_DEAL), str(value), number)
        if deal is None:
            return None
        return Case(key, shown, study.loaded, study.documents._replace(deal=deal))
    loaded = study.loaded.replaced({key: _whole(value)})
    if loaded.config == study.loaded.config:
        return None
    return Case(key, shown, loaded, _documents(study, loaded, key))


def _documents(study: Study, loaded: LoadedConfig, key: str) -> Documents:
    """Return the documents of a case: those of the study but for a changed path."""
    reads = key.startswith(("inputs.", "scenario.file", "scenario.index_path", "tape.file"))
    return read_documents(loaded) if reads else study.documents


def _whole(value: float | str) -> float | int | str:
    """Return a whole number as such: settings that count refuse 2.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _play(study: Study, case: Case, progress: Progress) -> pl.DataFrame:
    """Return what is compared of the paths of a case."""
    n_paths = study.whole_units(study.loaded.config.sensitivities.paths)
    model = case_model(case, (study.loaded, study.calibration), study.sampling)
    block_paths = study.loaded.config.simulation.block_paths
    return compare_models((model,), n_paths, block_paths, study.workers, progress)[0]
