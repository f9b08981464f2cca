"""One block of paths → what the pool loses and the insurer is to pay: nothing else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats
from hemc.model.waterfall import pay_paths
from hemc.outputs.path_figures import present_value
from hemc.scale.block import RunModel, pool_flows


class Claims(NamedTuple):
    """Lifetime figures of paths, USD, from cut-off on."""

    pool_loss: Floats  # [p]
    draws: Floats  # [p]
    draws_pv: Floats  # [p, rate] at each of the discount rates asked for


def claim_block(
    model: RunModel, discount_rates: tuple[float, ...], first_path: int, n_paths: int
) -> Claims:
    """Run consecutive paths with the insurer; draws are discounted at each rate per year."""
    factors = model.factors.draw(first_path, n_paths)
    cash = pool_flows(model, factors, first_path).cash
    default_month = model.insurer.default_month(factors.credit, first_path)
    notes = pay_paths(model.deal, cash, default_month, first_path)
    draws = notes.draw_interest + notes.draw_principal
    values = [present_value(draws, rate) for rate in discount_rates]
    return Claims(cash.loss.sum(axis=1), draws.sum(axis=1), np.stack(values, axis=1))


def join_claims(blocks: list[Claims]) -> Claims:
    """Return the claims of all blocks, in path order."""
    return Claims(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
