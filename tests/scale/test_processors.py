"""The same run by the code of older processors: the same bits from kernels, 1e-9 in all."""

import platform

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scale.run_of_a_tape import assert_same_run, run_command, start

#: Kernels compiled without any instruction that not every processor of the architecture has.
PLAIN_KERNELS = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}

#: The same of the libraries: NumPy's loops, OpenBLAS and the C library's mathematics.
PLAIN_LIBRARIES = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(np.show_config("dicts")["SIMD Extensions"]["found"]),
    "OPENBLAS_CORETYPE": "Prescott",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX,-AVX512F",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="names features of x86"),
]


def run(base_toml, out, environment=None):
    """Run base with an environment and return its folder."""
    words = run_command(base_toml, out, "--paths", "256", "--set", "outputs.sensitivity_paths=0")
    with start(words, environment) as process:
        _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return out


@pytest.fixture(scope="module")
def here(base_toml, tmp_path_factory):
    return run(base_toml, tmp_path_factory.mktemp("here") / "r")


def test_kernels_give_the_same_bits_without_vector_instructions(base_toml, here, tmp_path):
    assert_same_run(here, run(base_toml, tmp_path / "r", PLAIN_KERNELS))


def test_a_run_is_the_same_to_nine_digits_without_vector_instructions(base_toml, here, tmp_path):
    plain = run(base_toml, tmp_path / "r", PLAIN_KERNELS | PLAIN_LIBRARIES)
    for name in ("paths", "next_month", "months", "measures"):
        tables = [pl.read_parquet(folder / f"{name}.parquet") for folder in (here, plain)]
        if name == "months":
            # The square root of what cancels in sums of squares: 1e-8 of the level, not 1e-16.
            deviations = [table.filter(statistic="sd") for table in tables]
            assert_frame_equal(*deviations, rel_tol=1e-6, abs_tol=2.0)
            tables = [table.filter(pl.col("statistic") != "sd") for table in tables]
        # What is zero on one processor may be the rounding of 390 million USD on the other.
        assert_frame_equal(*tables, rel_tol=1e-9, abs_tol=1e-4)
    shares = [
        pl.read_parquet(folder / "measures.parquet").filter(pl.col("unit") != "USD")["value"]
        for folder in (here, plain)
    ]
    np.testing.assert_allclose(*(column.to_numpy() for column in shares), rtol=1e-9, atol=1e-12)
    rates = [pl.read_parquet(folder / "roll_rates.parquet") for folder in (here, plain)]
    assert not rates[0].equals(rates[1]), "the libraries were not told"
