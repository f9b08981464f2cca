"""States that a certificate does not show: left among current loans, then drawn."""

import numpy as np
import pytest

from hemc.inputs.certificate_record import read_record
from hemc.inputs.hidden_stocks import count_hidden_as_current, place_hidden
from hemc.inputs.published_totals import totals_from_certificate
from hemc.inputs.synthetic_tape import behind_by_state, synthesise_tape
from hemc.inputs.tape import TapeSettings
from hemc.states import BANKRUPTCY, CURRENT, D180, FORECLOSURE, NAMES, REO


@pytest.fixture(scope="module")
def november(root):
    record = root / "configs" / "certificates" / "gmacm-2003-he2_2003-11-25.json"
    return count_hidden_as_current(read_record(record))


def test_hidden_states_count_as_current(november):
    certificate, hidden = november
    assert hidden == (D180, BANKRUPTCY, FORECLOSURE, REO)
    totals = totals_from_certificate(certificate)
    assert totals.n_loans == 13_166
    assert totals.count[CURRENT] == 13_166 - 54 - 23 - 14 - 10 - 5
    assert totals.count[BANKRUPTCY] == 0


def test_a_certificate_that_shows_all_is_left_alone(root):
    record = read_record(root / "configs" / "certificates" / "gmacm-2002-he4_2003-11-25.json")
    certificate, hidden = count_hidden_as_current(record)
    assert hidden == ()
    assert certificate == record


def test_drawn_loans_leave_current_with_their_balance(november):
    settings = TapeSettings()
    tape = synthesise_tape(totals_from_certificate(november[0]), settings, 1)
    count = np.zeros(10, dtype=np.int64)
    count[BANKRUPTCY], count[REO] = 30, 2
    generator = np.random.default_rng(1)
    placed = place_hidden(tape, count, behind_by_state(settings), generator)
    assert placed.drop("state", "instalments_behind").equals(
        tape.drop("state", "instalments_behind")
    )
    moved = placed.filter(placed["state"] != tape["state"])
    assert moved.group_by("state", "instalments_behind").len().sort("len").rows() == [
        (NAMES[REO], 9, 2), (NAMES[BANKRUPTCY], 4, 30),
    ]  # fmt: skip
    was = tape.filter(placed["state"] != tape["state"])
    assert set(was["state"]) == {NAMES[CURRENT]}
