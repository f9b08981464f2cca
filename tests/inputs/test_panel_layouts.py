"""Each layout with every code: what it is taken for, and what is left out and why."""

import polars as pl
import pytest
from inputs.panel_files import fannie_line, freddie_line, write_lines

from hemc.inputs.panel import read_panel
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    D60,
    D150,
    D180,
    FORECLOSURE,
    KEYS,
    NAMES,
    PAID_OFF,
    REO,
)


def moves_of(panel, months=1):
    """Return the moves that occur, {(from, to): count}."""
    table = panel.moves.possible(months)
    return {(s, to): int(table[s, to]) for s, to in zip(*table.nonzero(), strict=True)}


def left_out(panel):
    """Return {name: count} of what was left out."""
    return {name: count for name, _, count, _ in panel.exclusions.iter_rows()}


@pytest.mark.parametrize(
    ("before", "status", "state"),
    [
        ("0", "0", CURRENT),
        ("0", "1", D30),
        ("0", "01", D30),
        ("4", "5", D150),
        ("5", "6", D180),
        ("46", "47", D180),
        ("6", "RA", REO),
    ],
)
def test_freddie_mac_statuses(tmp_path, before, status, state):
    rows = ("201412", before), ("201501", status)
    lines = [freddie_line("F14Q10000001", *row) for row in rows]
    panel = read_panel([write_lines(tmp_path / "any.name", lines)])
    assert moves_of(panel) == {(min(int(before), D180), state): 1}
    assert panel.layout == "Freddie Mac performance file"
    assert panel.moves.hidden == (BANKRUPTCY, FORECLOSURE)
    assert panel.months == ("2014-12", "2015-01")


@pytest.mark.parametrize(
    ("code", "state"),
    [("01", PAID_OFF), ("02", CHARGED_OFF), ("03", CHARGED_OFF), ("09", CHARGED_OFF)],
)
def test_zero_balance_codes_end_a_loan(tmp_path, code, state):
    freddie = [
        freddie_line("F14Q10000001", "201501", "3"),
        freddie_line("F14Q10000001", "201502", "4", code, "0.00"),
    ]
    fannie = [fannie_line("100", "012015", "03"), fannie_line("100", "022015", "04", code)]
    for lines in (freddie, fannie):
        panel = read_panel([write_lines(tmp_path / "panel", lines)])
        assert moves_of(panel) == {(3, state): 1}


@pytest.mark.parametrize("code", ["15", "16", "96"])
def test_sold_and_repurchased_loans_leave_without_a_move(tmp_path, code):
    lines = [
        freddie_line("F14Q10000001", "201501", "0"),
        freddie_line("F14Q10000001", "201502", "0"),
        freddie_line("F14Q10000001", "201503", "0", code, "0.00"),
    ]
    panel = read_panel([write_lines(tmp_path / "panel", lines)])
    assert moves_of(panel) == {(CURRENT, CURRENT): 1}
    assert left_out(panel) == {"loan sold or repurchased: left the panel": 1}


@pytest.mark.parametrize("code", ["06", "97", "98"])
def test_fannie_mae_has_removals_of_its_own(tmp_path, code):
    lines = [fannie_line("100", f"0{m}2015", "00", width=108) for m in (1, 2)]
    lines.append(fannie_line("100", "032015", "00", code, width=108))
    panel = read_panel([write_lines(tmp_path / "panel", lines)])
    assert moves_of(panel) == {(CURRENT, CURRENT): 1}
    assert left_out(panel) == {"loan sold or repurchased: left the panel": 1}
    freddie = [freddie_line("F14Q10000001", f"20150{m}", "0") for m in (1, 2)]
    freddie.append(freddie_line("F14Q10000001", "201503", "0", code))
    panel = read_panel([write_lines(tmp_path / "freddie", freddie)])
    (row,) = panel.exclusions.rows()
    assert row[0] == "zero-balance code that the layout does not define"
    assert row[3] == f"zero-balance code '{code}' 1 times"


def test_unknown_and_missing_statuses_break_the_history(tmp_path):
    statuses = ["0", "XX", "1", "", "1", "R", "R", "0", "1"]
    lines = [freddie_line("F14Q10000001", f"2015{m:02d}", s) for m, s in enumerate(statuses, 1)]
    panel = read_panel([write_lines(tmp_path / "panel", lines)])
    assert moves_of(panel) == {(CURRENT, D30): 1}
    assert left_out(panel) == {
        "status not given (XX or blank)": 2,
        "status that the layout does not define": 2,
    }
    assert "status 'R' 2 times" in panel.exclusions["detail"].to_list()


def test_fannie_mae_property_is_taken_in_the_month_of_foreclosure(tmp_path):
    lines = [
        fannie_line("100", "112014", "06"),
        fannie_line("100", "122014", "07", foreclosed="122014"),
        fannie_line("100", "012015", "08", foreclosed="122014"),
        fannie_line("100", "022015", "08", "09", foreclosed="122014"),
    ]
    panel = read_panel([write_lines(tmp_path / "panel", lines)])
    assert moves_of(panel) == {(D180, REO): 1, (REO, REO): 1, (REO, CHARGED_OFF): 1}
    assert panel.layout == "Fannie Mae performance file"


@pytest.mark.parametrize("words", [NAMES, KEYS])
def test_the_plain_layout_knows_every_state(tmp_path, words):
    rows = []
    for i, word in enumerate(words):
        rows += [("bankruptcy", 1, i), (word.upper(), 2, i)]
    frame = pl.DataFrame(
        {
            "Loan": [f"loan {i}" for _, _, i in rows],
            "Month": [f"2015-0{m}" for _, m, _ in rows],
            "Status": [word for word, _, _ in rows],
            "balance": 1.0,
        }
    )
    frame.write_csv(tmp_path / "panel.csv")
    panel = read_panel([tmp_path / "panel.csv"])
    assert moves_of(panel) == {(BANKRUPTCY, to): 1 for to in range(12)}
    assert panel.moves.hidden == ()


@pytest.mark.parametrize(
    "months",
    [
        ["2015-01", "2015-02"],
        ["2015-01-31", "2015-02-28"],
        ["201501", "201502"],
        [201501, 201502],
        pl.Series(["2015-01-01", "2015-02-01"]).str.to_date(),
        pl.Series(["2015-01-01", "2015-02-01"]).str.to_datetime("%Y-%m-%d"),
    ],
)
def test_plain_months_in_any_form_and_loans_as_numbers(tmp_path, months):
    frame = pl.DataFrame({"loan": [7, 7], "month": months, "status": ["current", "30"]})
    frame.write_parquet(tmp_path / "panel")
    assert moves_of(read_panel([tmp_path / "panel"])) == {(CURRENT, D30): 1}
    frame.write_csv(tmp_path / "panel.csv")
    assert moves_of(read_panel([tmp_path / "panel.csv"])) == {(CURRENT, D30): 1}


def test_several_files_are_one_panel_whatever_their_order(tmp_path):
    for month, status in (("201502", "1"), ("201501", "0"), ("201503", "2")):
        write_lines(tmp_path / f"part-{month}.txt", [freddie_line("F14Q10000001", month, status)])
    panel = read_panel([tmp_path / "part-*.txt"])
    assert moves_of(panel) == {(CURRENT, D30): 1, (D30, D60): 1}
    assert (len(panel.files), panel.n_rows, panel.n_loans) == (3, 3, 1)
    again = read_panel([tmp_path / "part-*.txt", tmp_path / "part-201501.txt"])
    assert again.n_rows == 3, "a file that is named twice is read once"


def test_fannie_mae_files_of_both_widths_are_one_panel(tmp_path):
    write_lines(tmp_path / "a", [fannie_line("100", "012015", "00", width=108)])
    write_lines(tmp_path / "b", [fannie_line("100", "022015", "01", width=110)])
    assert moves_of(read_panel([tmp_path / "a", tmp_path / "b"])) == {(CURRENT, D30): 1}
