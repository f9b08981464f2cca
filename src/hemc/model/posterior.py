"""Draws of roll rates, whatever they were inferred from, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemc.kernels.flows import Floats, Ints
from hemc.model.chain_diagnostics import FEWEST_EFFECTIVE, HIGHEST_R_HAT, ChainDiagnostics


@dataclass(frozen=True)
class RatePosterior:
    """Draws of roll rates given certificates, chain after chain, and how far to trust them.

    Where there is one certificate its draws are independent and make up one chain.
    """

    deals: tuple[str, ...]
    rows: Floats  # [draw, deal, live state, state] mean monthly moves at each deal's last date
    mean: Floats  # [deal, live state, state] over every sweep, of which the draws are some
    sd: Floats  # [deal, live state, state]
    last_stock: Ints  # [draw, deal, live state] stocks at each deal's last date
    payoff: Floats  # [draw, interval] payoff rate of current loans, a month
    intervals: tuple[tuple[str, str], ...]  # the months after which and up to which it held
    chains: int
    prior_rows: Floats  # [draw, live state, state] draws of the prior
    diagnostics: ChainDiagnostics  # [deal × live state × state]
    remarks: tuple[str, ...]

    @property
    def warnings(self) -> list[str]:
        """Say where chains disagree or too few draws are worth anything."""
        found = [f"certificates: {remark}" for remark in self.remarks]
        r_hat = np.nanmax(self.diagnostics.r_hat)
        effective = np.nanmin(self.diagnostics.effective)
        if r_hat > HIGHEST_R_HAT or effective < FEWEST_EFFECTIVE:
            found.append(
                f"chains have not converged: split-R̂ up to {r_hat:.3f} (at most "
                f"{HIGHEST_R_HAT}), effective draws down to {effective:.0f} (at least "
                f"{FEWEST_EFFECTIVE:.0f}); raise calibration.draws or sweeps_per_draw"
            )
        return found
