"""Tape files: what is read, and how each fault is named."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemc.errors import InputError
from hemc.inputs.tape import read_tape
from hemc.inputs.tape_schema import SCHEMA

HEADER = "loan,state,balance,gross_rate,amortization_months,maturity_months,instalments_behind"
STATES = "a state: current, 30, 60, 90, 120, 150, 180+, bankruptcy, foreclosure, reo"
BALANCE = "USD, 0.01 to 1,000,000,000"
RATE = "a fraction per year, 0 to 0.5"
GOOD = (
    "1,current,34018.22,0.0825,169,169,0",
    "2,30,21777.50,0.09125,349,169,1",
    "3,bankruptcy,28990.01,0.085,109,109,4",
)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "tape.csv"
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return path


def good_frame() -> pl.DataFrame:
    rows = [
        (1, "current", 34018.22, 0.0825, 169, 169, 0),
        (2, "30", 21777.50, 0.09125, 349, 169, 1),
        (3, "bankruptcy", 28990.01, 0.085, 109, 109, 4),
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_a_csv_is_read_with_its_types(tmp_path: Path) -> None:
    tape = read_tape(write(tmp_path, *GOOD))
    assert tape.equals(good_frame())
    assert tape.schema == SCHEMA


def test_the_example_of_the_manual_is_read(tmp_path: Path) -> None:
    manual = Path(__file__).parents[2] / "docs" / "tape.md"
    lines = manual.read_text(encoding="utf-8").splitlines()
    example = [line.strip() for line in lines if line.startswith("    ")]
    path = tmp_path / "tape.csv"
    path.write_text("\n".join(example), encoding="utf-8")
    assert read_tape(path).equals(good_frame())


def test_order_of_rows_and_columns_other_columns_blanks_and_quotes_do_not_matter(
    tmp_path: Path,
) -> None:
    path = tmp_path / "any.name"
    tape = good_frame().reverse().with_columns(zip_code=pl.lit("a,\nb"))
    text = (
        tape.select("state", *reversed(tape.columns[2:]), "loan")
        .write_csv()
        .replace("30", " 30 ", 1)
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n \r\n")
    assert read_tape(path).equals(good_frame())


def test_parquet_is_read_whatever_its_number_types(tmp_path: Path) -> None:
    path = tmp_path / "tape.parquet"
    good_frame().reverse().write_parquet(path)
    assert read_tape(path).equals(good_frame())
    other = good_frame().cast({"loan": pl.UInt16, "maturity_months": pl.Float64})
    other = other.cast({"state": pl.Categorical, "balance": pl.Decimal(18, 2)})
    other.cast({"amortization_months": pl.Decimal(10, 0)}).write_parquet(path)
    assert read_tape(path).equals(good_frame())


@pytest.mark.parametrize(
    ("row", "column", "found", "allowed"),
    [
        ("x,current,1.00,0.08,9,9,0", "loan", "'x'", "a whole number"),
        ("1.5,current,1.00,0.08,9,9,0", "loan", "'1.5'", "a whole number"),
        ("2,current,1.00,0.08,9,9,0", "loan", "'2'", "each loan once"),
        ("9,,1.00,0.08,9,9,0", "state", "nothing", STATES),
        ("9, ,1.00,0.08,9,9,0", "state", "nothing", STATES),
        ("9,paid off,1.00,0.08,9,9,0", "state", "'paid off'", STATES),
        ("9,current,,0.08,9,9,0", "balance", "nothing", "a number"),
        ("9,current,0,0.08,9,9,0", "balance", "'0'", BALANCE),
        ("9,current,-5.00,0.08,9,9,0", "balance", "'-5.00'", BALANCE),
        ("9,current,nan,0.08,9,9,0", "balance", "'nan'", "a number"),
        ("9,current,inf,0.08,9,9,0", "balance", "'inf'", "a number"),
        ('9,current,"1,000.00",0.08,9,9,0', "balance", "'1,000.00'", "a number"),
        (
            "9,current,1.00,8.25,9,9,0",
            "gross_rate",
            "'8.25'",
            f"{RATE}; as a fraction 8.25 per cent is 0.0825",
        ),
        ("9,current,1.00,825,9,9,0", "gross_rate", "'825'", RATE),
        ("9,current,1.00,-0.01,9,9,0", "gross_rate", "'-0.01'", RATE),
        ("9,current,1.00,0.08,0,9,0", "amortization_months", "'0'", "1 to 600 months (and 1 more)"),
        ("9,current,1.00,0.08,601,9,0", "amortization_months", "'601'", "1 to 600 months"),
        ("9,current,1.00,0.08,9,0,0", "maturity_months", "'0'", "1 to 600 months"),
        ("9,current,1.00,0.08,9,10,0", "maturity_months", "'10'", "at most amortization_months"),
        ("9,current,1.00,0.08,9,9,1", "instalments_behind", "'1'", "0 in state current"),
        ("9,150,1.00,0.08,9,9,4", "instalments_behind", "'4'", "5 in state 150"),
        ("9,180+,1.00,0.08,9,9,5", "instalments_behind", "'5'", "at least 6 in state 180+"),
        ("9,reo,1.00,0.08,9,9,-1", "instalments_behind", "'-1'", "0 to 600 instalments"),
    ],
)
def test_a_fault_names_line_column_found_and_allowed(
    tmp_path: Path, row: str, column: str, found: str, allowed: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_tape(write(tmp_path, *GOOD, "", row))
    fault = caught.value
    assert (fault.place, fault.found) == (f"line 6, column {column}", found)
    assert fault.expected == allowed


def test_the_first_of_several_faults_is_named_and_the_others_counted(tmp_path: Path) -> None:
    bad = ("7,150,1.00,800,9,9,4", "8,current,x,0.08,9,9,0")
    with pytest.raises(InputError) as caught:
        read_tape(write(tmp_path, *GOOD, *bad))
    assert caught.value.place == "line 5, column gross_rate"
    assert caught.value.expected == f"{RATE} (and 2 more)"


def test_a_line_is_counted_as_a_person_counts(tmp_path: Path) -> None:
    path = tmp_path / "tape.csv"
    good = GOOD[0] + ',"two\nlines"'
    path.write_text(f"{HEADER},note\n{good}\n9,current,x,0.08,9,9,0,\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 4, column balance"):
        read_tape(path)


@pytest.mark.parametrize(
    ("column", "place"),
    [
        (pl.lit(None, dtype=pl.Int64).alias("loan"), "row 1, column loan"),
        (pl.col("loan") + 0.5, "row 1, column loan"),
        (pl.col("balance") > 0, "row 1, column balance"),
        (
            pl.when(pl.col("loan") > 2).then(float("nan")).otherwise(0.1).alias("gross_rate"),
            "row 3, column gross_rate",
        ),
    ],
)
def test_parquet_faults_name_the_row(tmp_path: Path, column: pl.Expr, place: str) -> None:
    path = tmp_path / "tape.parquet"
    good_frame().with_columns(column).write_parquet(path)
    with pytest.raises(InputError) as caught:
        read_tape(path)
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b" \n\n", "an empty file"),
        (HEADER.encode(), "no loans"),
        (b",,\n,,\n", "no column names"),
        (b"\x00\x01\x02", "a binary file"),
        (b"\xff\xfe\x00\x89", "not UTF-8 text"),
        (b"PAR1 and nothing more", "a damaged Parquet file"),
        (HEADER.replace(",", ";").encode() + b"\n", "no loan, no state, no balance"),
        (HEADER.encode() + b",loan\n", "line 1: found a column name twice"),
        (HEADER.encode() + b"\n1,current,5.00\n", "line 2: found 3 fields; expected 7"),
        (HEADER.encode() + b'\n1,"current\n', "line 2: found unexpected end of data"),
    ],
)
def test_a_file_that_is_no_tape_gives_one_clear_error(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "tape.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_tape(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_tape(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="a folder"):
        read_tape(tmp_path)


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damage_is_refused_or_harmless_but_never_a_traceback(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "tape"
    if data.draw(st.booleans()):
        good_frame().write_parquet(path)
    else:
        path.write_text("\n".join((HEADER, *GOOD)), encoding="utf-8")
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path.write_bytes(content)
    try:
        tape = read_tape(path)
    except InputError:
        return
    assert tape.schema == SCHEMA
    assert tape.null_count().sum_horizontal().item() == 0
