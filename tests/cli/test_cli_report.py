"""`hemc report`: page and workbook made anew from what is in the folder."""

import shutil
import zipfile

import polars as pl
import pytest
from click.testing import CliRunner
from outputs.report_page import Page
from outputs.report_sample import write_sample

from hemc.cli import main


def invoke(folder):
    return CliRunner().invoke(main, ["report", str(folder)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("report") / "base")


def test_both_files_are_made_of_what_is_there(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "base")
    (copy / "sensitivities.parquet").unlink()
    assert invoke(copy).exit_code == 0
    without = Page((copy / "report.html").read_text())
    shutil.copy(folder / "sensitivities.parquet", copy)
    result = invoke(copy)
    assert result.exit_code == 0, result.output
    assert str(copy / "report.html") in result.output
    with_it = Page((copy / "report.html").read_text())
    assert {h.split(" ", 1)[1] for h in with_it.headings} - {
        h.split(" ", 1)[1] for h in without.headings
    } == {"Sensitivities"}
    assert zipfile.is_zipfile(copy / "report.xlsx")


def test_another_table_replaces_its_section_and_sheet(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "base")
    invoke(copy)
    before = (copy / "report.xlsx").read_bytes()
    table = pl.read_parquet(copy / "tieout.parquet")
    table.with_columns(pl.lit("another note").alias("note")).write_parquet(copy / "tieout.parquet")
    assert invoke(copy).exit_code == 0
    assert "another note" in (copy / "report.html").read_text()
    assert (copy / "report.xlsx").read_bytes() != before


def test_a_folder_without_a_run_is_one_clear_error(tmp_path):
    result = invoke(tmp_path)
    assert result.exit_code == 2
    assert "no manifest.json" in result.output
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "base")
    (copy / "report.xlsx").mkdir()
    result = invoke(copy)
    assert result.exit_code == 2
    assert "report.xlsx" in result.output
    assert "cannot be written" in result.output
