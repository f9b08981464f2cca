"""The path of the index: steps, files, and what is no path."""

import pytest

from hemc.config import load_config
from hemc.errors import InputError
from hemc.inputs.index_path import read_index_path, stepped_index

STEPS = "[{ until_month = 2, rate = 0.011 }, { until_month = 4, rate = 0.02 }]"


def write(folder, text):
    file = folder / "index.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_step_holds_up_to_its_month_and_the_last_to_the_end(base_toml):
    steps = load_config(base_toml, {"scenario.index_path": STEPS}).config.scenario.index_path
    path = stepped_index(steps).by_month(6)
    assert path.tolist() == [0.011, 0.011, 0.02, 0.02, 0.02, 0.02]


def test_a_file_is_linear_between_its_months_and_level_outside(tmp_path):
    path = read_index_path(write(tmp_path, "month, rate, note\n2, 0.01,\n\n6, 0.03, peak\n"))
    assert path.by_month(8).tolist() == pytest.approx(
        [0.01, 0.01, 0.015, 0.02, 0.025, 0.03, 0.03, 0.03]
    )


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("", "columns", "no month, no rate"),
        ("month,index\n1,0.01\n", "columns", "no rate"),
        ("month,rate\n", "", "no rows"),
        ("month,rate\n1,0.01\n1,0.02\n", "line 3", "month 1"),
        ("month,rate\n0,0.01\n", "line 2", "month 0"),
        ("month,rate\n1,1.10\n", "line 2", "rate 1.10"),
        ("month,rate\n1,nan\n", "line 2", "rate nan"),
        ("month,rate\n1,\n", "line 2", "rate ''"),
        ("month,rate\n1\n", "line 2", "rate 'None'"),
        ("month,rate\n1.5,0.01\n", "line 2", "month '1.5'"),
    ],
)
def test_a_file_that_is_no_path_names_its_line(tmp_path, text, place, found):
    with pytest.raises(InputError) as caught:
        read_index_path(write(tmp_path, text))
    assert caught.value.place == place
    assert found in caught.value.found


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_index_path(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("[]", "steps"),
        ("[{ until_month = 2, rate = 1.1 }]", "steps 1.rate"),
        ("[{ until_month = 0, rate = 0.1 }]", "steps 1.until_month"),
        (STEPS.replace("4", "2"), "steps"),
    ],
)
def test_steps_that_are_no_path_are_refused_once(base_toml, value, place):
    with pytest.raises(InputError) as caught:
        load_config(base_toml, {"scenario.index_path": value})
    assert caught.value.place == f"scenario.index_path.{place}"
    assert "also" not in str(caught.value)
