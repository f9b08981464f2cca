"""A small run by its command line: few loans of two years, thousands of paths in seconds."""

import json
import os
import subprocess
import sys

import polars as pl
from polars.testing import assert_frame_equal

#: Fields of the manifest that tell about the machine and the moment, not about the run.
OF_THE_MOMENT = ("seconds", "peak_memory_mb", "kernels_compiled_in_this_run", "threads")


def write_tape(file):
    """Write a tape of 50 loans of two years that makes up the pool of the certificate."""
    header = "loan,state,balance,gross_rate,amortization_months,maturity_months,instalments_behind"
    states = ["current"] * 46 + ["30", "60", "90", "120"]
    rows = [
        f"{i},{state},7800000.00,0.0825,24,{20 + i % 5},{max(0, i - 45)}"
        for i, state in enumerate(states)
    ]
    file.write_text("\n".join([header, *rows]))
    return file


def command(base_toml, tape, out, *options):
    """Return the command line of a run of the tape."""
    settings = {
        "tape.file": f"'{tape}'", "simulation.tail_months": 0, "simulation.oracle_paths": 64,
        "outputs.sensitivity_paths": 0, "roll_rates.draws": 2_000,
    }  # fmt: skip
    pairs = [word for k, v in settings.items() for word in ("--set", f"{k}={v}")]
    return run_command(base_toml, out, *pairs, *options)


def run_command(config, out, *options):
    """Return the command line of a run."""
    words = [sys.executable, "-m", "hemc.cli", "run", config, "--quiet", "--out", out, *options]
    return [str(word) for word in words]


def start(words, environment=None):
    """Start a run in a process group of its own; `environment` is added to this process's."""
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | (environment or {}),
    )  # fmt: skip


def assert_same_run(one, other):
    """Assert that two folders hold the same files with the same values."""
    names = {path.name for path in one.iterdir()}
    assert names == {path.name for path in other.iterdir()}
    for name in sorted(name for name in names if name.endswith(".parquet")):
        frames = [pl.read_parquet(folder / name) for folder in (one, other)]
        assert_frame_equal(*frames, check_exact=True)
    for name in ("next_certificate.txt", "next_certificate.json", "summary.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (one, other)]
    for manifest in manifests:
        for field in OF_THE_MOMENT:
            del manifest[field]
    assert manifests[0] == manifests[1]
