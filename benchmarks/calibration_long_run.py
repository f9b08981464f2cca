"""The certificates of 2002-HE4, fitted as by default and for twenty times as long → a table."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from hemc.config import Config, Inputs
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.deal import read_deal
from hemc.inputs.product import read_product
from hemc.inputs.shipped import configs_dir
from hemc.model.posterior import RatePosterior
from hemc.model.series_fit import fit_series
from hemc.settings.calibration import CalibrationSettings
from hemc.states import N_LIVE, N_STATES, move_name

_TIMES = 20
_MOST_Z, _MOST_SD = 4.0, 0.10
#: The seed that counts, that of the long run, and some to show how much is chance.
_FIRST, _LONG, _OTHERS = 1, 2, (3, 4)


def fit_2002_he4(settings: CalibrationSettings, seed: int, threads: int) -> RatePosterior:
    """Fit the six certificates of 2002-HE4 from the prior that has not seen them."""
    folder = configs_dir()
    certificates = [
        read_document_or_record(path)
        for path in sorted((folder / "certificates").glob("gmacm-2002-he4_*.json"))
    ]
    deal = read_deal(folder / "deals" / "gmacm-2002-he4.toml")
    product = read_product(folder / "products" / "closed-end-second-before.toml")
    inputs = Inputs(certificate=Path("-"), deal=Path("-"), product=Path("-"))
    config = Config(name="study", inputs=inputs, calibration=settings)
    return fit_series(certificates, {deal.series: deal}, product, config, seed, threads)


def long_run_text(threads: int) -> str:
    """Return the comparison with a run of twenty times as many sweeps."""
    settings = CalibrationSettings()
    start = time.perf_counter()
    short = fit_2002_he4(settings, _FIRST, threads)
    seconds = time.perf_counter() - start
    longer = settings.model_copy(update={"sweeps_per_draw": _TIMES * settings.sweeps_per_draw})
    long = fit_2002_he4(longer, _LONG, threads)
    moves = [
        (s, to)
        for s in range(N_LIVE)
        for to in range(N_STATES)
        if np.isfinite(short.diagnostics.r_hat[s * N_STATES + to])
    ]
    z, ratio = np.array([_compare(short, long, s, to) for s, to in moves]).T
    others = [_largest(fit_2002_he4(settings, seed, threads), long, moves) for seed in _OTHERS]
    order = np.argsort(-np.abs(z))
    apart = np.abs(ratio - 1.0)
    lines = [
        f"{settings.chains} chains of {settings.draws:,} kept draws, "
        f"{settings.sweeps_per_draw} sweeps each: {seconds:.0f} s on {threads} threads with what "
        f"else ran. Of {len(moves)} rates {np.sum(np.abs(z) > _MOST_Z)} means are more than "
        f"{_MOST_Z:.0f} Monte Carlo errors apart and {np.sum(apart > _MOST_SD)} standard "
        f"deviations more than {_MOST_SD:.0%}; the largest are "
        f"{_largest(short, long, moves)}. From other seeds the largest are {', '.join(others)}.",
        "",
        "| move | mean, % | long run | apart, errors | sd ratio to long | sd / prior sd |",
        "|---|---|---|---|---|---|",
    ]
    prior_sd = short.prior_rows.std(axis=0)
    for i in order[:12]:
        s, to = moves[i]
        mean, long_mean = (100.0 * p.mean[0, s, to] for p in (short, long))
        informed = short.sd[0, s, to] / prior_sd[s, to]
        lines.append(
            f"| {move_name(s, to)} | {mean:.3f} | {long_mean:.3f} | {z[i]:+.1f} | {ratio[i]:.3f} "
            f"| {informed:.2f} |"
        )
    return "\n".join(lines)


def _largest(short: RatePosterior, long: RatePosterior, moves: list[tuple[int, int]]) -> str:
    """Return the largest differences of means and of standard deviations in words."""
    z, ratio = np.array([_compare(short, long, s, to) for s, to in moves]).T
    apart = np.abs(ratio - 1.0)
    name = move_name(*moves[int(apart.argmax())])
    return f"{np.abs(z).max():.1f} and {apart.max():.1%} ({name})"


def _compare(short: RatePosterior, long: RatePosterior, s: int, to: int) -> tuple[float, float]:
    """Return the difference of the draws' means in Monte Carlo errors, and the ratio of sds."""
    place = s * N_STATES + to
    one, other = short.rows[:, 0, s, to], long.rows[:, 0, s, to]
    error = np.sqrt(
        one.var() / short.diagnostics.effective[place]
        + other.var() / long.diagnostics.effective[place]
    )
    return float((one.mean() - other.mean()) / error), float(short.sd[0, s, to] / long.sd[0, s, to])
