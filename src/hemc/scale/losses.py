"""One block of paths → what the pool and, without insurer, the classes lose: nothing else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats, NoteFlows
from hemc.model.insurer import absent
from hemc.model.waterfall import pay_paths
from hemc.scale.block import RunModel, pool_flows


class Losses(NamedTuple):
    """What is lost on each path, USD."""

    weight: Floats  # [p]
    pool: Floats  # [p]
    notes: Floats  # [p, k] writedowns less write-ups without insurer


def lose_block(model: RunModel, first_path: int, n_paths: int) -> Losses:
    """Run consecutive paths without insurer and without anything that only a report needs."""
    factors = model.factors.draw(first_path, n_paths)
    cash = pool_flows(model, factors, first_path).cash
    notes = pay_paths(model.deal, cash, absent(n_paths), first_path)
    weight = model.factors.draw_weights(first_path, n_paths)
    return Losses(weight, cash.loss.sum(axis=1), net_writedown(notes))


def net_writedown(notes: NoteFlows) -> Floats:
    """Return writedowns less write-ups of each class over the deal's life, float64[p, k] USD."""
    return np.asarray((notes.writedown - notes.write_up).sum(axis=1))


def join_losses(blocks: list[Losses]) -> Losses:
    """Return the losses of all blocks, in path order."""
    return Losses(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
