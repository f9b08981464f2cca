"""Quantiles by month from values on disk: those of the whole table, whatever the pieces."""

import numpy as np
import pytest

from hemc.outputs import bands
from hemc.outputs.bands import LEVELS, BandFile

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
def test_quantiles_are_those_of_the_whole_table(tmp_path, monkeypatch, values, sizes, at_once):
    monkeypatch.setattr(bands, "_VALUES_AT_ONCE", at_once)
    file = BandFile(tmp_path / "bands")
    for piece in np.split(values, np.cumsum(sizes)[:-1], axis=2):
        file.append(piece)
    file.append(values[:, :, :0])  # a block beyond the paths of the bands
    for k in range(N_SERIES):
        found = file.quantiles(k)
        expected = [[plain_quantile(row, level) for row in values[k]] for level in LEVELS.values()]
        np.testing.assert_array_equal(found, expected)
    assert (tmp_path / "bands").stat().st_size == values.nbytes
