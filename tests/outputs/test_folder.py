"""Errors of the disk, as the system and as polars report them."""

import polars as pl
import pytest

from hemc.errors import InputError
from hemc.outputs.folder import disk_errors


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        pl.exceptions.ComputeError("parquet: underlying IO error: whatever (os error 28)"),
    ],
)
def test_a_full_disk_names_place_and_reason(tmp_path, error):
    reason = r"written \(No space left on device\)"
    with pytest.raises(InputError, match=reason) as raised, disk_errors(tmp_path):
        raise error
    assert raised.value.file == str(tmp_path)


def test_the_end_of_a_parquet_file_is_a_place_too(tmp_path):
    text = "parquet: File out of specification: Invalid thrift: transport error"
    with pytest.raises(InputError, match=r"the disk is full or fails"), disk_errors(tmp_path):
        raise pl.exceptions.ComputeError(text)


def test_an_error_without_a_system_number_keeps_its_words(tmp_path):
    with pytest.raises(InputError, match="3 requested and 2 written"), disk_errors(tmp_path):
        raise OSError("3 requested and 2 written")


def test_other_faults_of_polars_pass(tmp_path):
    with pytest.raises(pl.exceptions.SchemaError), disk_errors(tmp_path):
        raise pl.exceptions.SchemaError("columns differ")
