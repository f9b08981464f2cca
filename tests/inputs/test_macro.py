"""Federal Reserve files of any year: recognised by content, faults with line and column."""

import pytest
from inputs.macro_csv import HEADS, HISTORY, STRESS, csv_text, write_csv

from hemc.errors import InputError
from hemc.inputs.macro import MacroFile


def test_figures_are_read_by_heading(tmp_path):
    first, *_ = MacroFile(write_csv(tmp_path / "a.csv", HISTORY)).window(last="1976 Q2")
    assert first.quarter == "1976 Q1"
    assert first.unemployment_pct == 7.7
    assert (first.treasury_3m_pct, first.mortgage_pct, first.house_price_index) == (4.9, 8.9, 22.9)


def test_other_years_other_forms(tmp_path):
    """Quarter first, other order and case of the headings, further columns, 1 for 1.0, a mark."""
    heads = ("Extra", *(head.upper() for head in reversed(HEADS)))
    text = csv_text(STRESS, "Severely Adverse", date=lambda q: f"{q[5:]} {q[:4]}")
    lines = [line.split(",") for line in text.splitlines()]
    turned = "\n".join(",".join(["1", *reversed(line)]) for line in lines)
    turned = turned.replace(",".join(["1", *reversed(HEADS)]), ",".join(heads))
    file = tmp_path / "b.csv"
    file.write_bytes(b"\xef\xbb\xbf" + turned.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    source = MacroFile(file)
    assert source.scenarios() == ["Severely Adverse"]
    quarters = source.window()
    assert [q.quarter for q in quarters] == list(STRESS)
    assert quarters[0].unemployment_pct == 9.0
    assert source.before(quarters[1]) == quarters[0]


def test_blank_cells_matter_only_where_a_figure_is_needed(tmp_path):
    source = MacroFile(write_csv(tmp_path / "a.csv", HISTORY))
    assert source.window("Actual", "1976 Q4")[0].mortgage_pct == 8.8
    with pytest.raises(InputError) as caught:
        source.window()
    assert caught.value.place == "line 4, column 'Mortgage rate'"
    assert caught.value.found == "a blank cell"


def fault(tmp_path, quarters, act=lambda source: source.window(), **form):
    file = write_csv(tmp_path / "bad.csv", quarters, **form)
    with pytest.raises(InputError) as caught:
        act(MacroFile(file))
    assert caught.value.file == str(file)
    return caught.value


@pytest.mark.parametrize("missing", ["Unemployment rate", "Date", "House Price Index (Level)"])
def test_a_missing_column_is_named(tmp_path, missing):
    heads = tuple(head for head in HEADS if head != missing)
    error = fault(tmp_path, STRESS, heads=heads)
    assert (error.place, error.found) == ("line 1", f"no column '{missing}'")


@pytest.mark.parametrize(
    ("place", "cell", "column", "expected"),
    [
        (0, "275.1", "Unemployment rate", "an unemployment rate in per cent"),
        (0, "0.056", "Unemployment rate", "not a level or a fraction"),
        (1, "34508.6", "3-month Treasury rate", "an interest rate in per cent"),
        (2, "302.4", "Mortgage rate", "not a level"),
        (3, "-3.1", "House Price Index (Level)", "greater than 0"),
        (3, "n/a", "House Price Index (Level)", "number"),
    ],
)
def test_a_level_where_a_rate_belongs_is_refused(tmp_path, place, cell, column, expected):
    row = list(STRESS["1977 Q2"])
    row[place] = cell
    error = fault(tmp_path, STRESS | {"1977 Q2": row})
    assert error.place == f"line 3, column '{column}'"
    assert cell in error.found
    assert expected in error.expected


def test_dates_that_are_no_quarters(tmp_path):
    error = fault(tmp_path, STRESS, date=lambda q: q.replace("Q", "M"))
    assert (error.place, error.found) == ("line 2, column 'Date'", "'1977 M1'")


def test_a_short_line_is_named(tmp_path):
    file = write_csv(tmp_path / "c.csv", STRESS)
    file.write_text(file.read_text() + "Actual,1977 Q4\n")
    with pytest.raises(InputError, match="line 5: found 2 cells"):
        MacroFile(file)


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (lambda s: s.window("Baseline"), "no scenario 'Baseline'"),
        (lambda s: s.window(first="1999 Q1"), "no quarter from 1999 Q1 to 1977 Q3"),
        (lambda s: s.before(s.window()[0]), "no quarter before 1977 Q1"),
    ],
)
def test_what_a_file_does_not_hold(tmp_path, act, found):
    assert fault(tmp_path, STRESS, act).found == found


def test_of_several_scenarios_one_must_be_named(tmp_path):
    other = csv_text(STRESS, "Baseline").splitlines(keepends=True)[1:]
    file = write_csv(tmp_path / "two.csv", STRESS, "Severely Adverse")
    file.write_text(file.read_text() + "".join(other))
    source = MacroFile(file)
    assert len(source.window("Baseline")) == 3
    with pytest.raises(InputError, match="found 2 scenarios; expected one of Severely Adverse, B"):
        source.window()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00,\x00", b'"a,b\n' * 3])
def test_damaged_files_give_one_error(tmp_path, content):
    file = tmp_path / "d.csv"
    file.write_bytes(content)
    with pytest.raises(InputError):
        MacroFile(file)
    with pytest.raises(InputError, match="no such file"):
        MacroFile(tmp_path / "none.csv")
