"""A sampled posterior → the tables that `hemc calibrate` leaves in a run's folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hemc.outputs.tables import ROLL_RATE_SCHEMA, move_rows
from hemc.states import N_LIVE, N_STATES, NAMES, move_name

if TYPE_CHECKING:
    from hemc.engine import PosteriorCalibration
    from hemc.model.posterior import RatePosterior

_DIAGNOSTICS = {
    "deal": pl.String, "from_state": pl.String, "to_state": pl.String, "fitted": pl.Boolean,
    "r_hat": pl.Float64, "effective_draws": pl.Float64, "note": pl.String,
}  # fmt: skip

#: What certificates cannot tell and a fit takes from settings.
_FROM_SETTINGS = (
    "latent classes: the settings' (certificates show stocks, not loans)",
    "seasoning of current → 30: the settings' ramp by the deal's age",
    "common gamma of charge-offs, size and severity of losses: the settings'",
)


def calibrated_roll_rates(calibration: PosteriorCalibration) -> pl.DataFrame:
    """Return a row a deal and move, as in roll_rates.parquet of a run."""
    rows = [
        row
        for name, rates in zip(calibration.posterior.deals, calibration.rates, strict=True)
        for row in move_rows(name, rates)
    ]
    return pl.DataFrame(rows, schema=ROLL_RATE_SCHEMA, orient="row").fill_nan(None)


def posterior_table(posterior: RatePosterior, digest: str) -> pl.DataFrame:
    """Return a row a draw and deal: probabilities by move, and the loans at the last date."""
    n_draws = len(posterior.rows)
    per_chain = n_draws // posterior.chains
    support = posterior.rows.max(axis=(0, 1)) > 0.0
    parts = []
    for deal, name in enumerate(posterior.deals):
        rows = posterior.rows[:, deal]
        columns: dict[str, object] = {
            "inputs_digest": np.repeat(digest, n_draws),
            "deal": np.repeat(name, n_draws),
            "chain": np.arange(n_draws) // per_chain,
            "draw": np.arange(n_draws) % per_chain,
        }
        columns |= {move_name(s, to): rows[:, s, to] for s, to in np.argwhere(support)}
        columns |= {f"loans {NAMES[s]}": posterior.last_stock[:, deal, s] for s in range(N_LIVE)}
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def diagnostics_table(posterior: RatePosterior) -> pl.DataFrame:
    """Return a row a rate: how chains agree; then what was not fitted and what was left out."""
    return pl.DataFrame(list(_diagnostics(posterior)), schema=_DIAGNOSTICS, orient="row")


def _diagnostics(posterior: RatePosterior) -> Iterator[tuple[object, ...]]:
    shape = (len(posterior.deals), N_LIVE, N_STATES)
    r_hat = posterior.diagnostics.r_hat.reshape(shape)
    effective = posterior.diagnostics.effective.reshape(shape)
    for deal, s, to in np.argwhere(posterior.rows.max(axis=0) > 0.0):
        known = np.isfinite(r_hat[deal, s, to])
        figures = (float(r_hat[deal, s, to]), float(effective[deal, s, to]))
        yield (
            posterior.deals[deal], NAMES[s], NAMES[to], bool(known),
            *(figures if known else (None, None)), None if known else "fixed by the product",
        )  # fmt: skip
    for note in _FROM_SETTINGS:
        yield (None, None, None, False, None, None, note)
    for remark in posterior.remarks:
        yield (None, None, None, False, None, None, f"left out: {remark}")
