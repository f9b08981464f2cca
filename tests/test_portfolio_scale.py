"""What scripts/portfolio writes, from made timings whose rates are known."""

import pytest

from benchmarks.portfolio_scale import Timed, measured_text, paper_text, rates

HEADLINES = [
    {"measure": "insurer_fails", "insurer": "wrapped", "statistic": "probability",
     "value": 0.1, "standard_error": 0.003, "unit": "fraction"},
    {"measure": "writedown", "insurer": "unwrapped", "statistic": "mean", "value": 3.1e8,
     "standard_error": 1.2e6, "unit": "USD"},
]  # fmt: skip


def timed(n_paths, fixed=0.4, path=2e-3, deals=50):
    """A run in which a deal takes `fixed` and a path of it `path` seconds of processors."""
    manifest = {
        "deals": [{"n_months": 300}] * deals, "threads": 2, "paths_run_again": 5 * n_paths,
        "seconds": {"first pass": 100.4, "second pass": 9.6},
    }  # fmt: skip
    cpu = deals * (fixed + path * n_paths)
    return Timed(n_paths, cpu / 2, cpu, 400.0, deals * n_paths * 5e-5, manifest, HEADLINES)


def test_rates_are_those_of_the_runs():
    found = rates(timed(1_000), timed(10_000))
    assert found == pytest.approx((0.4, 2e-3, 50.0, 300.0))


def test_the_paper_follows_from_the_rates():
    text = paper_text(rates(timed(1_000), timed(10_000)), timed(10_000))
    assert "| simulation and both passes of the notes | 278 core-hours |" in text  # 1e6 s
    assert "| reading, calibrating and compiling, one deal after the other | 0.6 hours |" in text
    assert "| wall time with 64 cores on workers | 4.9 hours |" in text
    assert "| claims by month that workers send to it | 1.2 TB, 0.07 GB/s |" in text
    assert "| paths by deal on disk | 25 GB |" in text


def test_figures_are_shown_with_their_errors():
    text = measured_text(timed(10_000))
    assert "first pass 100 s, second pass 10 s" in text
    assert "10.0 % of the paths of deals were run again" in text
    assert "| P(the insurer fails) | 10.00 ± 0.30 % |" in text
    assert "| Expected writedowns, no insurer | 310.0 ± 1.2 USD million |" in text
