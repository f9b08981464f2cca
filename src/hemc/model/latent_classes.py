"""One matrix of roll rates → a matrix for each latent class whose mix at cut-off is the matrix."""

from __future__ import annotations

import numpy as np

from hemc.errors import InputError
from hemc.inputs.class_fractions import ClassFractions
from hemc.kernels.flows import Floats, Ints
from hemc.model.class_moves import LatentClasses, split_by_fractions
from hemc.settings.roll_rates import RollRateSettings
from hemc.states import CURRENT, D30, N_LIVE, NAMES, PAID_OFF, REO


def split_classes(
    mean: Floats, order: Ints, settings: RollRateSettings, fitted: ClassFractions | None = None
) -> LatentClasses:
    """Split a matrix into movers and chronic loans so that their mix at cut-off is the matrix.

    Fitted fractions say how, where there are any; a state that they do not list has both classes
    alike. Else the settings do: chronic rows improve less and stay more; movers' rows are what is
    left, and an InputError says so where that would be negative. `order` lists destinations other
    than payoff, worst first.
    """
    if settings.classes == 1:
        return LatentClasses(mean[None].copy(), np.ones((N_LIVE, 1)))
    if fitted is not None:
        return split_by_fractions(mean, order, fitted.array(settings.chronic_share))
    chronic_share = np.full(N_LIVE, settings.chronic_share)
    chronic_share[CURRENT] = settings.chronic_share_current
    chronic = np.stack([_chronic_row(mean[s], s, order, settings) for s in range(N_LIVE)])
    share = chronic_share[:, None]
    movers = (mean - share * chronic) / (1.0 - share)
    if movers.min() < -1e-12:
        s, to = np.unravel_index(np.argmin(movers), movers.shape)
        raise InputError(
            "roll_rates", f"chronic_share and multipliers, {NAMES[s]} → {NAMES[to]}",
            f"movers' rate {movers.min():.4f}", "settings that leave movers non-negative rates",
        )  # fmt: skip
    rates = np.stack([np.maximum(movers, 0.0), chronic])
    return LatentClasses(rates, np.column_stack([1.0 - chronic_share, chronic_share]))


def _chronic_row(row: Floats, state: int, order: Ints, settings: RollRateSettings) -> Floats:
    """Return the chronic loans' row of one state.

    Improving moves × `chronic_improving`, staying × `chronic_staying`, the rest to worsening moves
    in proportion; staying grows only while the worsening moves keep at least their own share (a
    bankruptcy, which stays with 94 %, could not stay half as often again).
    """
    if state == REO:
        return row.copy()
    if state == CURRENT:
        chronic = row.copy()
        chronic[CURRENT] -= settings.chronic_to_30 - row[D30]
        chronic[D30] = settings.chronic_to_30
        return chronic
    rank = {int(to): place for place, to in enumerate(order)}
    improving = [to for to in rank if rank[to] > rank[state]]
    worsening = [to for to in rank if rank[to] < rank[state]]
    chronic = row.copy()
    chronic[improving] *= settings.chronic_improving
    left = 1.0 - row[PAID_OFF] - chronic[improving].sum()
    worse = row[worsening].sum()
    chronic[state] = min(row[state] * settings.chronic_staying, left - worse)
    chronic[worsening] *= (left - chronic[state]) / worse if worse > 0 else 0.0
    if worse <= 0:
        chronic[state] = left
    return chronic
