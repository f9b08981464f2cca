"""Tables by month: means and deviations of all paths, bit for bit the same in any blocks."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hemc.outputs.months import MonthTables, Series, month_block

N_MONTHS, N_PATHS = 5, 320
SERIES = (Series("loss"), Series("late", has_bands=False), Series("balance", state="30"))


@pytest.fixture(scope="module")
def values():
    """Return float64[p, t] of every series; the last has no value on some paths."""
    generator = np.random.default_rng(8)
    loss, late, balance = generator.gamma(2.0, 1e6, size=(3, N_PATHS, N_MONTHS))
    balance[generator.random((N_PATHS, N_MONTHS)) < 0.3] = np.nan
    balance[:, -1] = np.nan
    return dict(zip(SERIES, (loss, (late > 2e6).astype(float), balance), strict=True))


def table(folder, values, block_paths, band_paths=N_PATHS):
    """Return months.parquet made of blocks of a given size."""
    months = MonthTables()
    for first in range(0, N_PATHS, block_paths):
        block = [(series, value[first : first + block_paths]) for series, value in values.items()]
        months.add(month_block(block, max(band_paths - first, 0)), folder / f"bands{block_paths}")
    return months.frame()


def statistic(months, series, name):
    rows = months.filter(
        pl.col("series") == series.name, pl.col("state").eq_missing(pl.lit(series.state)),
        pl.col("statistic") == name,
    )  # fmt: skip
    return rows.sort("month")["value"].to_numpy()


def test_means_and_deviations_are_those_of_the_paths_that_have_a_value(tmp_path, values):
    months = table(tmp_path, values, 64)
    for series, value in values.items():
        seen = value[:, :-1]
        mean, sd = (statistic(months, series, name)[:-1] for name in ("mean", "sd"))
        np.testing.assert_allclose(mean, np.nanmean(seen, axis=0), rtol=1e-12)
        np.testing.assert_allclose(sd, np.nanstd(seen, axis=0), rtol=1e-9)
    last = months.filter(pl.col("month") == N_MONTHS, pl.col("series") == "balance")
    assert last["value"].to_list() == [None] * 7


def test_an_indicator_has_no_bands(tmp_path, values):
    months = table(tmp_path, values, 64)
    found = months.filter(pl.col("series") == "late")["statistic"].unique(maintain_order=True)
    assert found.to_list() == ["mean", "sd"]


@pytest.mark.parametrize("band_paths", [N_PATHS, 150])
def test_blocks_change_no_bit(tmp_path, values, band_paths):
    small, large = (table(tmp_path, values, n, band_paths) for n in (64, 192))
    assert_frame_equal(small, large, check_exact=True)
    median = statistic(small, SERIES[0], "p50")
    ordered = np.sort(values[SERIES[0]][:band_paths].astype(np.float32), axis=0)
    np.testing.assert_array_equal(median, ordered[band_paths // 2])
