"""Quantiles by month from values on disk: those of the whole table, whatever the pieces."""

import numpy as np
import pytest

from hemc.outputs import bands
from hemc.outputs.bands import LEVELS, BandFiles

N_SERIES, N_MONTHS, N_PATHS = 3, 7, 500


@pytest.fixture(scope="module")
def values():
    """Return float32[series, t, p] with months that have no value on some, one or all paths."""
    generator = np.random.default_rng(5)
    values = generator.normal(size=(N_SERIES, N_MONTHS, N_PATHS)).astype(np.float32)
    values[1, 3, generator.random(N_PATHS) < 0.4] = np.nan
    values[1, 4, 1:] = np.nan
    values[1, 5] = np.nan
    return values


def plain_quantile(row, level):
    """Return the value of rank floor(n × level) among those present."""
    present = sorted(v for v in row.tolist() if v == v)
    return present[min(len(present) * level // 100, len(present) - 1)] if present else np.nan


@pytest.mark.parametrize("sizes", [[500], [64] * 7 + [52], [1, 499]])
@pytest.mark.parametrize("at_once", [1, 1_200, 2**23])
@pytest.mark.parametrize("blocks_a_file", [1, 3, 9])
def test_quantiles_are_those_of_the_whole_table(
    tmp_path, monkeypatch, values, sizes, at_once, blocks_a_file
):
    monkeypatch.setattr(bands, "_VALUES_AT_ONCE", at_once)
    files = BandFiles()
    for k, block in enumerate(np.split(values, np.cumsum(sizes)[:-1], axis=2)):
        files.append(tmp_path / f"bands{k // blocks_a_file}", block)
    files.append(tmp_path / "none", values[:, :, :0])  # a block beyond the paths of the bands
    for k in range(N_SERIES):
        found = files.quantiles(k)
        expected = [[plain_quantile(row, level) for row in values[k]] for level in LEVELS.values()]
        np.testing.assert_array_equal(found, expected)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == values.nbytes


def test_a_moved_file_is_read_where_it_is_now(tmp_path, values):
    files = BandFiles()
    for file, block in zip("ab", np.split(values, [200], axis=2), strict=True):
        files.append(tmp_path / file, block)
        shapes = files.shapes(tmp_path / file)
        (tmp_path / file).rename(tmp_path / f"{file}-final")
        files.adopt(tmp_path / f"{file}-final", shapes)
    files.adopt(tmp_path / "none", files.shapes(tmp_path / "none"))
    whole = BandFiles()
    whole.append(tmp_path / "whole", values)
    np.testing.assert_array_equal(files.quantiles(1), whole.quantiles(1))
