"""What a panel's moves leave out, by name and number, and what makes a panel unusable."""

import polars as pl
import pytest
from inputs.panel_files import fannie_line, freddie_line, naive_counts, write_lines
from inputs.test_panel_layouts import left_out, moves_of

from hemc.errors import InputError
from hemc.inputs import panel_file, panel_rows
from hemc.inputs.panel import read_panel
from hemc.states import CURRENT, D30, NAMES, PAID_OFF


def plain(tmp_path, rows):
    """Write rows of loan, month, status as a plain panel."""
    lines = ["loan,month,status", *(",".join(row) for row in rows)]
    return write_lines(tmp_path / "panel.csv", lines)


def history(loan, statuses):
    """Return monthly rows of a loan from January 2015; None is a missing month."""
    rows = ((loan, f"2015-{m:02d}", s) for m, s in enumerate(statuses, 1))
    return [row for row in rows if row[2] is not None]


@pytest.mark.parametrize(
    ("start", "end"), [("current", "60"), ("30", "90"), ("90", "150"), ("120", "180+")]
)
def test_two_buckets_worse_in_a_month_is_impossible(tmp_path, start, end):
    rows = history("a", [start, end]) + history("b", ["current", "30"])
    panel = read_panel([plain(tmp_path, rows)])
    assert moves_of(panel) == {(CURRENT, D30): 1}
    (row,) = panel.exclusions.rows()
    assert row == (
        "more than one bucket worse a month",
        "move over 1 month",
        1,
        f"{start} → {end} 1",
    )


def test_two_buckets_worse_in_three_months_is_possible(tmp_path):
    panel = read_panel([plain(tmp_path, history("a", ["current", "current", "30", "60"]))])
    assert moves_of(panel, 3) == {(CURRENT, 2): 1}


@pytest.mark.parametrize("end", ["current", "30", "180+", "foreclosure"])
def test_property_taken_is_not_given_back(tmp_path, end):
    rows = history("a", ["reo", end]) + history("b", ["current", "30"])
    panel = read_panel([plain(tmp_path, rows)])
    assert moves_of(panel) == {(CURRENT, D30): 1}
    assert left_out(panel) == {"out of REO to a live state": 1}


@pytest.mark.parametrize("end", ["paid off", "charged off", "removed"])
def test_rows_after_the_end_are_left_out_of_their_loan_alone(tmp_path, end):
    rows = history("a", ["current", "30", end, "current", "30"])
    rows += history("b", ["current", "current"])
    panel = read_panel([plain(tmp_path, rows)])
    moves = {(CURRENT, D30): 1, (CURRENT, CURRENT): 1}
    assert moves_of(panel) == moves | ({(D30, NAMES.index(end)): 1} if end != "removed" else {})
    assert left_out(panel)["row after the loan's end"] == 2


def test_a_loan_may_end_in_its_first_row(tmp_path):
    rows = history("a", ["paid off", "current", "30"]) + history("b", ["current", "30"])
    panel = read_panel([plain(tmp_path, rows)])
    assert moves_of(panel) == {(CURRENT, D30): 1}
    assert left_out(panel) == {"row after the loan's end": 2}


def test_repeated_and_conflicting_rows(tmp_path):
    rows = history("a", ["current", "30", "current", "current"])
    rows += [rows[0], rows[0], ("a", "2015-03", "60")]
    panel = read_panel([plain(tmp_path, rows)])
    assert moves_of(panel) == {(CURRENT, D30): 1}, "March has two statuses, so none"
    assert left_out(panel) == {"row repeated": 2, "two statuses for one loan and month": 2}


def test_three_statuses_of_one_month_are_all_left_out(tmp_path):
    rows = history("a", ["current", "30"])
    rows += [("b", "2015-02", status) for status in ("current", "30", "60")]
    assert left_out(read_panel([plain(tmp_path, rows)])) == {
        "two statuses for one loan and month": 3
    }


def test_gaps_are_counted_and_bridged_only_by_moves_of_their_length(tmp_path):
    rows = history("a", ["current", None, None, "30", "60", None, "60"])
    panel = read_panel([plain(tmp_path, rows)])
    assert moves_of(panel) == {(D30, 2): 1}
    assert moves_of(panel, 3) == {(CURRENT, D30): 1, (D30, 2): 1}
    assert left_out(panel) == {"months missing between rows": 2}
    assert panel.exclusions["detail"].to_list() == ["first: loan a, 2015-04"]


def test_a_loan_that_ended_counts_as_ended_until_the_last_month(tmp_path):
    rows = history("a", ["current", "paid off"]) + history("b", ["current"] * 5)
    panel = read_panel([plain(tmp_path, rows)])
    assert moves_of(panel, 3) == {(CURRENT, PAID_OFF): 1, (CURRENT, CURRENT): 2}
    late = history("a", [None, None, None, "current", "paid off"]) + history("b", ["current"] * 5)
    panel = read_panel([plain(tmp_path, late)])
    assert moves_of(panel, 3) == {(CURRENT, CURRENT): 2}, "no one is seen three months after April"


def test_blocks_of_loans_change_nothing(tmp_path, monkeypatch):
    rows = []
    for i in range(7):
        rows += history(f"loan {i}", ["current", "30", "30", "60", "current", "paid off"][: 2 + i])
    file = plain(tmp_path, rows)
    whole = read_panel([file])
    for size in (1, 2, 3, 5):
        monkeypatch.setattr(panel_rows, "_BLOCK_ROWS", size)
        split = read_panel([file])
        assert split.n_loans == whole.n_loans == 7
        assert all((split.moves.counts[h] == whole.moves.counts[h]).all() for h in (1, 3, 6))
        assert split.exclusions.equals(whole.exclusions)


@pytest.mark.parametrize("layout", ["plain", "parquet", "freddie"])
def test_pieces_of_files_change_nothing(tmp_path, monkeypatch, layout):
    rows = [row for i in range(9) for row in history(f"loan {i}", ["current", "30", "60", "?"])]
    file = plain(tmp_path, rows)
    if layout == "parquet":
        file = tmp_path / "panel.parquet"
        pl.DataFrame(rows, schema=["loan", "month", "status"], orient="row").write_parquet(file)
    elif layout == "freddie":
        codes = {"current": "0", "30": "1", "60": "2"}
        lines = [freddie_line(a, m.replace("-", ""), codes.get(s, s)) for a, m, s in rows]
        file = write_lines(tmp_path / "panel.txt", lines)
    whole = read_panel([file])
    monkeypatch.setattr(panel_file, "_PIECE_ROWS", 5)
    monkeypatch.setattr(panel_file, "_PIECE_BYTES", 50)
    split = read_panel([file])
    assert (split.n_rows, split.n_loans) == (whole.n_rows, whole.n_loans) == (36, 9)
    assert all((split.moves.counts[h] == whole.moves.counts[h]).all() for h in (1, 3, 6))
    assert split.exclusions.equals(whole.exclusions)


def test_the_twin_agrees_on_a_case_checked_by_eye():
    histories = {"a": {0: CURRENT, 1: D30, 2: 3, 3: PAID_OFF}, "b": {0: CURRENT, 4: CURRENT}}
    assert naive_counts(histories, 1) == {(CURRENT, D30): 1, (3, PAID_OFF): 1}
    assert naive_counts(histories, 3) == {(CURRENT, PAID_OFF): 1, (D30, PAID_OFF): 1}


def unusable(tmp_path):
    """Yield files that are no panel, where the error points and what it says was found."""
    loan = "F14Q10000001"
    good = freddie_line(loan, "201501", "0")
    origination = "|".join(["700"] * 19 + [loan] + [""] * 12)
    yield "bad month", [good, freddie_line(loan, "201513", "0")], "line 2", "month '201513'"
    yield "no month", [good, freddie_line(loan, "", "0")], "line 2", "month ''"
    yield "no loan", [freddie_line(" ", "201501", "0"), good], "line 1", "no loan number"
    yield "US months", [fannie_line("1", "201501", "00")] * 2, "line 1", "month '201501'"
    yield "shifted", [good, "|" + good, good], "line 2", "33 columns"
    yield "cut off", [good, good[:30]], "last line", "columns"
    yield "origination", [origination], "", "origination file"
    yield "31 columns", [good[:-1]], "", "31 columns between vertical bars"
    yield "header", ["loan,date,status", "a,2015-01,0"], "", "no column month"
    yield "text month", ["loan,month,status", "a,May,0"], "line 2", "month 'May'"
    yield "no rows", ["loan,month,status"], "", "no rows"
    yield "one month", ["loan,month,status", "a,2015-01,0"], "", "no move from one month"
    yield "no status", [good, freddie_line(loan, "201502", "XX")], "", "status not given"
    yield "empty", [""], "", "an empty file"


@pytest.mark.parametrize("case", range(14))
def test_an_unusable_file_is_one_error(tmp_path, case):
    name, lines, place, found = list(unusable(tmp_path))[case]
    file = write_lines(tmp_path / name, lines)
    with pytest.raises(InputError) as caught:
        read_panel([file])
    assert caught.value.file == str(file)
    assert caught.value.place == place
    assert found in caught.value.found


def test_files_that_are_no_text(tmp_path):
    for content, found in (
        (b"PK\x03\x04 zip", "packed archive"),
        (b"\x1f\x8b gzip", "packed archive"),
        (b"PAR1 not really", "damaged Parquet"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ):
        file = tmp_path / "file"
        file.write_bytes(content)
        with pytest.raises(InputError, match=found):
            read_panel([file])


def test_a_missing_file_and_an_empty_pattern(tmp_path):
    for pattern in ("none.txt", "none*.txt"):
        with pytest.raises(InputError, match="no such file"):
            read_panel([tmp_path / pattern])


def test_two_layouts_at_once_are_refused(tmp_path):
    first = write_lines(tmp_path / "a", [freddie_line("F14Q10000001", "201501", "0")])
    second = write_lines(tmp_path / "b", [fannie_line("1", "012015", "00")])
    with pytest.raises(InputError) as caught:
        read_panel([first, second])
    assert (caught.value.file, caught.value.found) == (
        str(second), "a Fannie Mae performance file",
    )  # fmt: skip
    assert "Freddie Mac performance file" in caught.value.expected


def test_a_faulty_row_of_a_parquet_panel_is_named(tmp_path):
    rows = {"loan": ["a", "a"], "month": ["2015-01", "2015-00"], "status": ["0", "0"]}
    pl.DataFrame(rows).write_parquet(tmp_path / "panel")
    with pytest.raises(InputError, match="row 2: found month '2015-00'"):
        read_panel([tmp_path / "panel"])
