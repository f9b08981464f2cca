"""Tables of counts: what is read is what was written; faults name their row."""

import numpy as np
import polars as pl
import pytest

from hemc.errors import InputError
from hemc.inputs.move_counts import MoveCounts, can_happen, move_counts_table, read_move_counts
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    D60,
    D180,
    FORECLOSURE,
    N_LIVE,
    N_STATES,
    NAMES,
    PAID_OFF,
    REO,
)


def some_counts():
    """Return counts of one and three months without bankruptcy and foreclosure."""
    counts = np.arange(2 * N_LIVE * N_STATES).reshape(2, N_LIVE, N_STATES)
    counts[:, [BANKRUPTCY, FORECLOSURE]] = 0
    counts[:, :, [BANKRUPTCY, FORECLOSURE]] = 0
    return MoveCounts({1: counts[0], 3: counts[1]}, (BANKRUPTCY, FORECLOSURE))


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_table_is_read_back_as_it_was_written(tmp_path, form):
    moves = some_counts()
    table = move_counts_table(moves)
    file = tmp_path / "counts"
    table.write_parquet(file) if form == "parquet" else table.write_csv(file)
    read = read_move_counts(file)
    assert read.hidden == moves.hidden
    assert all((read.counts[months] == moves.counts[months]).all() for months in (1, 3))


def test_the_shipped_counts(root):
    moves = read_move_counts(root / "configs" / "counts" / "first-liens-2014.csv")
    assert moves.hidden == (BANKRUPTCY, FORECLOSURE, PAID_OFF, CHARGED_OFF)
    assert moves.counts[1].sum() == 65_656_051, "65.7 million moves"
    assert moves.counts[1][CURRENT, D30] == 291_929
    far = moves.counts[6][CURRENT, D180]
    assert far == 17_994 + 218 + 72 + 38 + 26 + 19 + 88, "buckets from 180 days are one state"
    assert moves.counts[1][REO, REO] == 13_585
    names = {name for name, _, _, _ in moves.impossible()}
    assert names == {"more than one bucket worse a month"}


def test_what_can_happen():
    one, six = can_happen(1), can_happen(6)
    assert one[CURRENT, D30]
    assert not one[CURRENT, D60]
    assert six[CURRENT, D180]
    assert one[D180, CURRENT]
    assert one[CURRENT, [BANKRUPTCY, FORECLOSURE, REO, PAID_OFF, CHARGED_OFF]].all()
    assert one[REO].sum() == 3, "REO stays, or its loan ends"


FAULTS = {
    "1,current,31,5": "to_state '31'",
    "1,currant,30,5": "from_state 'currant'",
    "0,current,30,5": "months 0",
    "1.5,current,30,5": "months 1.5",
    "1,current,30,-5": "count -5",
    "1,current,30,many": "count many",
    "1,current,current,7": "current → current a second time",
}


@pytest.mark.parametrize("line", FAULTS)
def test_a_faulty_row_is_named(tmp_path, line):
    file = tmp_path / "counts.csv"
    file.write_text(f"# source\nmonths,from_state,to_state,count\n1,current,current,9\n{line}\n")
    with pytest.raises(InputError) as caught:
        read_move_counts(file)
    assert caught.value.place == "row 2"
    assert caught.value.found == FAULTS[line]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("months,from,to_state,count\n", "no column from_state"),
        ("months,from_state,to_state,count\n3,current,30,5\n", "no moves of one month"),
        ("PAR1 damaged", "PAR1|parquet|Parquet"),
        ("", "empty"),
    ],
)
def test_a_file_that_is_no_table_of_counts(tmp_path, content, found):
    file = tmp_path / "counts"
    file.write_text(content)
    with pytest.raises(InputError, match=found):
        read_move_counts(file)
    with pytest.raises(InputError, match="no such file"):
        read_move_counts(tmp_path / "none")


def test_absorbing_states_start_no_move(tmp_path):
    file = tmp_path / "counts.csv"
    rows = [(1, "current", "30", 4), (1, "paid off", "paid off", 9)]
    schema = ["months", "from_state", "to_state", "count"]
    pl.DataFrame(rows, schema=schema, orient="row").write_csv(file)
    moves = read_move_counts(file)
    assert moves.counts[1].sum() == moves.counts[1][CURRENT, D30] == 4
    assert NAMES[PAID_OFF] not in [NAMES[s] for s in moves.hidden]
