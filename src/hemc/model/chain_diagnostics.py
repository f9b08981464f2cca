"""Draws of several chains → split-R̂ and effective sample size of each figure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hemc.kernels.flows import Floats

#: Figures with a larger R̂, or fewer effective draws, are warned of (Vehtari et al. 2021).
HIGHEST_R_HAT = 1.05
FEWEST_EFFECTIVE = 100.0


class ChainDiagnostics(NamedTuple):
    """How far draws of several chains can be trusted; nan for a figure that does not vary."""

    r_hat: Floats  # [figure]
    effective: Floats  # [figure]


def diagnose_chains(draws: Floats) -> ChainDiagnostics:
    """Return split-R̂ and effective draws of float64[chain, draw, figure].

    Gelman et al. (2013), "Bayesian Data Analysis", 11.4 and 11.5, on halves of chains; the sum of
    autocorrelations ends where pairs of them turn negative (Geyer 1992).
    """
    n_chains, n_draws, n_figures = draws.shape
    half = n_draws // 2
    halves = draws[:, : 2 * half].reshape(2 * n_chains, half, n_figures)
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = half * halves.mean(axis=1).var(axis=0, ddof=1)
    pooled = within * (half - 1) / half + between / half
    varies = within > 1e-24
    safe = np.where(varies, within, 1.0)
    r_hat = np.sqrt(pooled / safe)
    covariance = _autocovariances(halves).mean(axis=0)
    correlation = 1.0 - (safe - covariance) / np.where(varies, pooled, 1.0)
    effective = halves.shape[0] * half / _correlation_time(correlation)
    return ChainDiagnostics(np.where(varies, r_hat, np.nan), np.where(varies, effective, np.nan))


def _autocovariances(chains: Floats) -> Floats:
    """Return autocovariances by lag, float64[chain, lag, figure]."""
    n = chains.shape[1]
    centred = chains - chains.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, n=2 * n, axis=1)
    return np.asarray(np.fft.irfft(spectrum * spectrum.conj(), axis=1)[:, :n] / n)


def _correlation_time(correlation: Floats) -> Floats:
    """Return 1 + 2·Σ autocorrelations of float64[lag, figure], of pairs while they are positive."""
    correlation[0] = 1.0
    n_pairs = correlation.shape[0] // 2
    pairs = correlation[: 2 * n_pairs].reshape(n_pairs, 2, -1).sum(axis=1)
    positive = np.logical_and.accumulate(pairs > 0.0, axis=0)
    decreasing = np.minimum.accumulate(np.where(positive, pairs, 0.0), axis=0)
    # Draws that alternate about the mean are worth more than independent ones, not without limit.
    least = 1.0 / np.log10(correlation.shape[0] + 10.0)
    return np.asarray(np.maximum(2.0 * decreasing.sum(axis=0) - 1.0, least))
