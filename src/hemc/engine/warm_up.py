"""Two processes in, and the kernels of a run, which they compile at the same time, in the cache.

numba compiles one function at a time in a process. One half of the kernels is the pool's, the
other the notes'; what either leaves out, a run of one path compiles after them.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from hemc.config import load_config
from hemc.engine.calibration import calibrate
from hemc.engine.documents import read_documents
from hemc.engine.run_model import build_model
from hemc.engine.single_run import run
from hemc.errors import InternalError
from hemc.inputs.shipped import configs_dir
from hemc.kernels.flows import PoolFlows
from hemc.kernels.jit import CACHE_DIR
from hemc.model.expected import oracle_pool
from hemc.model.insurer import absent
from hemc.model.valuation import value_notes
from hemc.model.waterfall import pay_paths
from hemc.scale.block import RunModel, compare_block
from hemc.scale.threads import Threads
from hemc.states import N_LIVE

_ONE_PATH = {"simulation.paths": "1", "outputs.sensitivity_paths": "0"}


#: The command that compiles the kernels of the notes.
_BESIDE = (sys.executable, "-m", "hemc.engine.warm_up")


def warm_up() -> None:
    """Compile all kernels, half of them in a process beside where there is a second core.

    Raises InternalError with what that process said where it failed.
    """
    if Threads().n_threads > 1 and os.access(CACHE_DIR, os.W_OK):
        with subprocess.Popen(_BESIDE, stderr=subprocess.PIPE, text=True) as beside:
            simulate_base()
            _, said = beside.communicate()
        if beside.returncode != 0:
            raise InternalError(f"compiling the kernels of the notes failed:\n{said}")
    run(load_config(configs_dir() / "base.toml", _ONE_PATH), lambda n_paths: None)


def simulate_base() -> None:
    """Simulate the pool of base on a path, beside its expected flows."""
    model = base_model()
    compare_block(model, oracle_pool(model.pool), 0, 1)


def base_model() -> RunModel:
    """Return the model of the shipped configuration."""
    loaded = load_config(configs_dir() / "base.toml", _ONE_PATH)
    documents = read_documents(loaded)
    return build_model(loaded.config, documents, calibrate(loaded, documents))


def pay_nothing(model: RunModel) -> None:
    """Pay and value the notes of a path on which the pool neither pays nor shrinks."""
    nothing = np.zeros((1, model.n_months))
    balance = np.full((1, model.n_months + 1), model.pool.pool.balance.sum())
    flows = PoolFlows(
        nothing, nothing, nothing, nothing, nothing, nothing, balance, nothing,
        np.zeros((1, model.n_months, N_LIVE)),
    )  # fmt: skip
    notes = pay_paths(model.deal, flows, absent(1))
    value_notes(model.quotes, notes, flows)


if __name__ == "__main__":
    pay_nothing(base_model())
