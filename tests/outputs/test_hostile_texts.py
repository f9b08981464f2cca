"""Names of inputs that mean something to a browser, a spreadsheet or a terminal stay names."""

import json
import re

import polars as pl
import pytest
from click.testing import CliRunner
from outputs.report_page import Page
from outputs.report_sample import write_sample
from outputs.workbook_sheets import Book

from hemc.cli import main
from hemc.errors import InputError
from hemc.outputs.report.document import write_report
from hemc.outputs.run_files import RunFiles
from hemc.outputs.screen import Screen
from hemc.printable import obeyed_character, one_line, printable

SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://example.invalid")')


def rename(folder, old, new):
    """Call a class, trigger or state otherwise in every table of a run, columns included."""
    for file in folder.glob("*.parquet"):
        table = pl.read_parquet(file)
        table = table.with_columns(pl.col(pl.String).replace(old, new))
        table.rename(lambda name: re.sub(rf"_{old}$", f"_{new}", name)).write_parquet(file)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = write_sample(tmp_path_factory.mktemp("hostile") / "plain")
    return Page(write_report(folder).read_text(encoding="utf-8"))


def hostile_run(folder, name):
    """Write a run whose class A-2, trigger and titles are all called `name`."""
    write_sample(folder)
    for old in ("A-2", "losses"):
        rename(folder, old, name)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= dict.fromkeys(("name", "series", "issuer"), name) | {"warnings": [name]}
    manifest["quotes"][1]["note"] = name
    manifest["scenario"] = dict.fromkeys(("name", "meaning", "source"), name)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_class_called_a_script_is_no_script(tmp_path, plain):
    html = write_report(hostile_run(tmp_path / "run", SCRIPT)).read_text(encoding="utf-8")
    page = Page(html)
    assert "alert(1)</script>" not in html
    assert "49" not in page.tables  # no template is filled in
    assert page.tags.count("script") == plain.tags.count("script")
    assert page.tags.count("img") == plain.tags.count("img")
    assert len(page.charts) == len(plain.charts)
    assert any(SCRIPT in json.dumps(chart) for chart in map(str, page.charts))


@pytest.mark.parametrize("name", FORMULAS)
def test_a_class_called_a_formula_is_no_formula(tmp_path, name):
    folder = hostile_run(tmp_path / "run", name)
    write_report(folder)
    book = Book(folder / "report.xlsx")
    assert book.formulas == []
    assert book.links == []
    assert name in {row["class"] for row in book.rows("Classes")}


@pytest.mark.parametrize("word", ["[bold]x[/bold]", "[/]", ":smile:", "[link=http://a]b[/link]"])
def test_a_screen_reads_no_markup(word):
    screen = Screen()
    screen.print(word)
    assert screen.text == f"{word}\n"


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\x07", "\r", "\x7f", "\u202e", "\u2028"])
def test_what_a_terminal_obeys_is_written_out(character):
    text = f"a{character}[31mb"
    shown = printable(text)
    assert obeyed_character(text) == character
    assert obeyed_character(shown) is None
    assert shown.startswith("a\\")
    screen = Screen()
    screen.print(text)
    assert character not in screen.text
    error = InputError(f"file{character}", f"key{character}", f"'{text}'", "something")
    assert character not in str(error)


def test_an_error_stays_one_line_and_short():
    error = InputError("file", "place\nhemc: all is well", "x" * 10_000, "a word")
    assert "\n" not in str(error)
    assert len(str(error)) < 1_000
    assert one_line("a\tb") == "a\\tb"


def test_a_control_character_in_a_stored_run_is_refused(tmp_path):
    folder = write_sample(tmp_path / "run")
    rename(folder, "A-2", "A\x1b[2J")
    with pytest.raises(InputError, match="found a control character"):
        RunFiles(folder).table("measures")
    manifest = json.loads((folder / "manifest.json").read_text()) | {"issuer": "\x1b]0;x\x07"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="issuer: found the control character"):
        RunFiles(folder)


@pytest.mark.parametrize(
    ("table", "column", "value", "found"),
    [
        ("months", "month", 0, "a month that is none"),
        ("measures", "value", float("inf"), "a figure that is not finite"),
        ("measures", "value", "1", "String"),
        ("tieout", "printed", 1.0, "Float64"),
    ],
)
def test_a_column_of_another_kind_is_named(tmp_path, table, column, value, found):
    folder = write_sample(tmp_path / "run")
    frame = pl.read_parquet(folder / f"{table}.parquet").with_columns(pl.lit(value).alias(column))
    frame.write_parquet(folder / f"{table}.parquet")
    with pytest.raises(InputError) as caught:
        RunFiles(folder).table(table)
    assert caught.value.place == f"column {column}"
    assert caught.value.found == found


def test_tables_that_do_not_fit_together_are_one_error(tmp_path):
    folder = write_sample(tmp_path / "run")
    table = pl.read_parquet(folder / "months.parquet").filter(pl.col("month") < 7)
    table.write_parquet(folder / "months.parquet")
    result = CliRunner().invoke(main, ["report", str(folder)])
    assert result.exit_code == 2
    assert "files that do not fit together" in result.output
    assert len(result.output.splitlines()) == 1


def test_a_report_is_not_written_through_a_link(tmp_path):
    folder, victim = write_sample(tmp_path / "run"), tmp_path / "victim"
    victim.write_text("mine")
    for name in ("report.html", "report.xlsx"):
        (folder / name).symlink_to(victim)
    write_report(folder)
    assert victim.read_text() == "mine"
    assert not (folder / "report.html").is_symlink()
