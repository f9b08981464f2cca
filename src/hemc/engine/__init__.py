"""Where all stages meet: each command on one screen, one call a stage, and nothing else."""

from hemc.engine.backtest import BacktestResult, run_backtest
from hemc.engine.calibration import Calibration, calibrate
from hemc.engine.documents import Documents, closing_balances, next_payment, read_documents
from hemc.engine.paths import (
    Progress,
    check_flows,
    choose_sampling,
    refine_mean_loss,
    simulate,
    simulate_rounds,
)
from hemc.engine.posterior import PosteriorCalibration, calibrate_posterior
from hemc.engine.run_model import build_model
from hemc.engine.single_run import RunResult, run
from hemc.engine.variations import variations, vary

__all__ = [
    "BacktestResult",
    "Calibration",
    "Documents",
    "PosteriorCalibration",
    "Progress",
    "RunResult",
    "build_model",
    "calibrate",
    "calibrate_posterior",
    "check_flows",
    "choose_sampling",
    "closing_balances",
    "next_payment",
    "read_documents",
    "refine_mean_loss",
    "run",
    "run_backtest",
    "simulate",
    "simulate_rounds",
    "variations",
    "vary",
]
