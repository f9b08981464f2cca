"""report.xlsx: its numbers are those of the run's tables, its texts are texts, its names hold."""

import csv
import json
import shutil
import subprocess

import polars as pl
import pytest
from report_sample import N_MONTHS, N_PATHS, manifest, write_sample
from workbook_sheets import Book

from hemc.outputs.labels import HEADLINE_NAMES, HEADLINES, STATISTICS
from hemc.outputs.numbers import show_probability
from hemc.outputs.report.document import write_report
from hemc.outputs.run_files import RunFiles
from hemc.outputs.workbook.cells import Number, estimate_cells, words

SHEETS = ["Summary", "Classes", "Pool and insurer", "Months", "Roll rates", "Next certificate",
          "Tie-out", "Assumptions"]  # fmt: skip


def scenario_table(measures):
    """Return scenarios.parquet: the base run and one that loses twice as much."""
    nothing = dict.fromkeys(
        ("difference", "difference_standard_error", "independent_standard_error"), pl.lit(None)
    )
    base = measures.with_columns(
        pl.lit("base").alias("scenario"), pl.lit(None, pl.String).alias("weights"), **nothing
    )
    twice = base.with_columns(
        pl.lit("adverse").alias("scenario"), pl.col("value") * 2.0,
        difference=pl.col("value"), difference_standard_error=pl.lit(0.25),
        independent_standard_error=pl.lit(0.5),
    )  # fmt: skip
    return pl.concat([base.cast(dict.fromkeys(nothing, pl.Float64)), twice])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = write_sample(tmp_path_factory.mktemp("workbook") / "base")
    table = scenario_table(pl.read_parquet(made / "measures.parquet"))
    table.write_parquet(made / "scenarios.parquet")
    write_report(made)
    return made


@pytest.fixture(scope="module")
def book(folder):
    return Book(folder / "report.xlsx")


def test_headlines_have_names_and_their_values(book, folder):
    assert set(HEADLINE_NAMES) == set(HEADLINES)
    for row in json.loads((folder / "summary.json").read_text()):
        name = HEADLINE_NAMES[row["measure"], row["statistic"]]
        factor = 0.01 if row["unit"].startswith("%") else 1.0
        assert book.named(name) == pytest.approx(factor * row["value"], rel=1e-12)
        error = book.named(f"{name}_error")
        assert error == pytest.approx(factor * row["standard_error"], rel=1e-12)


def test_every_measure_stands_in_a_sheet(book, folder):
    found = {}
    for sheet in ("Classes", "Pool and insurer"):
        for row in book.rows(sheet):
            for statistic, label in STATISTICS.items():
                key = (row["measure"], row.get("insurer"), row.get("class"), statistic)
                found[key] = (row.get(label), row.get(f"± {label}"))
    measures = pl.read_parquet(folder / "measures.parquet")
    assert len(measures) > 200
    for row in measures.iter_rows(named=True):
        value, error = found[row["measure"], row["insurer"], row["note"], row["statistic"]]
        factor = 0.01 if row["unit"].startswith("%") else 1.0
        for shown, exact in ((value, row["value"]), (error, row["standard_error"])):
            assert shown == (None if exact is None else pytest.approx(factor * exact, rel=1e-12))


def test_months_are_those_of_the_table(book, folder):
    rows = book.rows("Months")
    assert [row["month"] for row in rows] == list(range(1, N_MONTHS + 1))
    assert rows[0]["paid in"] == 38047.0  # 1 March 2004, in days of a spreadsheet
    table = pl.read_parquet(folder / "months.parquet")
    for series, heading in (("oc", "oc"), ("note_balance", "note_balance A-2")):
        of_series = table.filter(
            pl.col("series") == series, pl.col("note").is_null() | (pl.col("note") == "A-2")
        )
        for statistic, label in {"mean": "mean", "p95": "95 %"}.items():
            wanted = of_series.filter(pl.col("statistic") == statistic).sort("month")["value"]
            found = [row[f"{heading}, {label}"] for row in rows]
            assert found == pytest.approx(wanted.to_list(), rel=1e-12)


def test_scenarios_and_differences(book, folder):
    table = pl.read_parquet(folder / "scenarios.parquet")
    rows = book.rows("Differences")
    assert len(rows) == table["difference"].count()
    key = ("adverse", "pool_loss_pct", "mean")
    row = next(r for r in rows if (r["scenario"], r["measure"], r["statistic"]) == key)
    exact = table.filter(scenario=key[0], measure=key[1], statistic=key[2]).row(0, named=True)
    assert row["difference"] == pytest.approx(0.01 * exact["difference"])
    assert row["± on common paths"] == pytest.approx(0.0025)
    means = {r["scenario"]: r["mean"] for r in book.rows("Scenarios")
             if r["measure"] == "pool_loss"}  # fmt: skip
    assert means["adverse"] == pytest.approx(2.0 * means["base"])


def test_roll_rates_tie_out_and_assumptions_are_numbers(book, folder):
    rates = book.rows("Roll rates")
    assert rates[1]["reported ratio"] == 0.0037
    assert [row["prior-driven"] for row in rates] == ["no", "no", "yes", "yes"]
    lines = {row["identity"]: row for row in book.rows("Tie-out")}
    assert lines["pool roll"]["printed"] == 390719522.22
    assert lines["factor A-1"]["difference"] == 0.0
    assert "printed" not in lines["day count"]
    assumed = {row["name"]: row["value"] for row in book.rows("Assumptions")}
    assert assumed == {"loss.lumpiness": 4.0, "deal.undercollateralization": "implied"}


def test_headings_stay_in_view(book):
    for sheet, pane in book.panes.items():
        assert (pane["state"], pane["ySplit"]) == ("frozen", "2"), sheet


def test_sheets_without_a_table_are_absent(folder, tmp_path):
    part = tmp_path / "part"
    part.mkdir()
    for name in ("manifest.json", "summary.json", "months.parquet"):
        (part / name).write_bytes((folder / name).read_bytes())
    write_report(part)
    assert list(Book(part / "report.xlsx").sheets) == ["Summary", "Months"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "{=", "https://"])
def test_texts_are_never_formulas_or_links(tmp_path, begin):
    attack = f"{begin}cmd|' /C calc'!A1"
    copy = write_sample(tmp_path / "attack")
    (copy / "manifest.json").write_text(json.dumps(manifest() | {"series": attack}))
    for name, column in (("tieout", "name"), ("assumptions", "value"), ("roll_rates", "to_state")):
        table = pl.read_parquet(copy / f"{name}.parquet")
        table.with_columns(pl.lit(attack).alias(column)).write_parquet(copy / f"{name}.parquet")
    write_report(copy)
    book = Book(copy / "report.xlsx")
    assert (book.formulas, book.links) == ([], [])
    assert book.rows("Tie-out")[0]["identity"] == attack
    assert book.rows("Assumptions")[0]["value"] == attack


def test_no_hit_is_shown_as_its_bound():
    row = {"statistic": "probability", "value": 0.0, "standard_error": None, "unit": "fraction"}
    value, error = estimate_cells(row, N_PATHS)
    assert value == Number(0.0, f'"{show_probability(0.0, None, N_PATHS)}"')
    assert "< 0.25 %" in value.shape
    assert error is None
    assert estimate_cells(row | {"value": 0.1}, N_PATHS)[0] == Number(0.1, "0.00%")


def test_words_that_write_numbers_are_numbers():
    assert words("4.0") == Number(4.0)
    assert words("-1e-5") == Number(-1e-5)
    for text in ("nan", "inf", "-infinity", "judgement", "4.0; 3.0", ""):
        assert words(text) == text


@pytest.mark.slow
def test_libreoffice_opens_it_without_repair_and_reads_the_same(folder, tmp_path):
    """Every sheet as CSV; a damaged workbook would end in an error or in the repair dialogue."""
    soffice = shutil.which("soffice")
    assert soffice, "no soffice on the PATH; install Debian's libreoffice-calc"
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
    command = [soffice, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
               "--convert-to", every_sheet, "--outdir", str(tmp_path),
               str(folder / "report.xlsx")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    found = {path.stem.removeprefix("report-"): path for path in tmp_path.glob("*.csv")}
    book = Book(folder / "report.xlsx")
    assert set(found) == set(book.sheets) == {*SHEETS, "Scenarios", "Differences"}
    for sheet, path in found.items():
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        shown = [cell for row in rows for cell in row if cell]
        assert len(shown) == sum(value not in (None, "") for value in book.sheets[sheet].values())
        assert not [cell for cell in shown if cell.startswith(("#", "Err:"))]
    run = RunFiles(folder)
    with found["Summary"].open(encoding="utf-8", newline="") as file:
        summary = list(csv.reader(file))[2:8]
    values = [float(row[1].rstrip("%")) / (100.0 if "%" in row[1] else 1.0) for row in summary]
    exact = [row["value"] * (0.01 if row["unit"].startswith("%") else 1.0) for row in run.headlines]
    assert values == pytest.approx(exact, rel=1e-9)


def test_columns_are_wide_enough_for_their_numbers(book):
    """A number wider than its column shows as ####."""
    for sheet, column, shown in (
        ("Tie-out", "B", "390,719,522.22"),
        ("Classes", "I", show_probability(0.0, None, N_PATHS)),
        ("Months", "C", "345,678,901"),
    ):
        assert book.widths[sheet][column] > len(shown)
