"""A scenario's settings and macroeconomic path → its paths by month, and the factor in history."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hemc.inputs.index_path import IndexPath
from hemc.inputs.quarters import MacroPath
from hemc.inputs.shipped import shipped_replay
from hemc.kernels.flows import Floats
from hemc.model.crisis import MATCHED_MONTHS
from hemc.model.factor_history import HISTORY_SD, HISTORY_SOURCE, factor_history, find_replay
from hemc.model.stress import FIGURES, macro_months, stress_paths
from hemc.settings.scenario import ScenarioSettings


def scenario_table(
    settings: ScenarioSettings,
    macro: MacroPath | None,
    n_months: int,
    own_index: IndexPath | None = None,
) -> pl.DataFrame:
    """Return scenario_paths.parquet: a row a month.

    Macroeconomic figures are null without a path and after its last quarter; the multiplier is
    null where the credit factor itself shuts refinancing.
    """
    stress = stress_paths(settings, macro, n_months, own_index)
    figures: dict[str, Floats] = {}
    if macro is not None:
        figures = macro_months(macro, settings.mapping.interpolation, settings.index_rate).figures
    none = np.zeros(0)
    multiplier = none if stress.prepayment_multiplier is None else stress.prepayment_multiplier
    columns = {name: _padded(figures.get(name, none), n_months) for name in FIGURES}
    columns |= {
        "stress_shift": stress.shift,
        "prepayment_multiplier": _padded(multiplier, n_months),
        "index_rate": stress.index_rate,
    }
    return pl.DataFrame({"month": np.arange(1, n_months + 1), **columns}).with_columns(
        pl.exclude("month").fill_nan(None)
    )


def factor_record(settings: ScenarioSettings) -> dict[str, Any]:
    """Return how the credit factor, without crises and with them, lies to US history."""
    replay = find_replay(*shipped_replay(), settings)
    return {
        "crises": settings.crisis.component == "on" and settings.factors == "on",
        "replay": replay._asdict(),
        "months": list(MATCHED_MONTHS),
        "history_sd": list(HISTORY_SD),
        "history_source": HISTORY_SOURCE,
        "forms": [factor_history(settings, crises, replay)._asdict() for crises in (False, True)],
    }


def _padded(values: Floats, n_months: int) -> Floats:
    """Return values by month, nan after the last."""
    out = np.full(n_months, np.nan)
    out[: values.size] = values[:n_months]
    return out
