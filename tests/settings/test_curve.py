"""The desk's vector notation, value by value."""

import pytest
from pydantic import ValidationError

from hemc.settings.curve import curve_values
from hemc.settings.vector import VectorSettings


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.06", [0.06] * 5),
        ("0.02 ramp 4 0.08", [0.02, 0.04, 0.06, 0.08, 0.08]),
        ("0.5 for 2 0.25 for 1 0.1", [0.5, 0.5, 0.25, 0.1, 0.1]),
        ("0.1 for 2 0.2 ramp 3 0.4", [0.1, 0.1, 0.2, 0.3, 0.4]),
        ("0.1 for 1 0.2 for 1", [0.1, 0.2, 0.2, 0.2, 0.2]),
        ("0.20 hep", [0.02, 0.04, 0.06, 0.08, 0.10]),
    ],
)
def test_a_curve_by_hand(text, values):
    assert curve_values(text, 5) == pytest.approx(values)


def test_the_hep_ramp_goes_on_from_the_pools_age():
    assert curve_values("0.20 hep", 4, age=8) == pytest.approx([0.18, 0.20, 0.20, 0.20])


def test_a_number_is_a_curve():
    assert VectorSettings(cdr=0.05).cdr == "0.05"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a number or a vector"),
        ("fast", "a number, not 'fast'"),
        ("1.2", "from 0 to 1, not 1.2"),
        ("nan", "from 0 to 1, not nan"),
        ("0.1 for", "after 'for' or 'ramp', not 'nothing'"),
        ("0.1 for 0 0.2", "after 'for' or 'ramp', not '0'"),
        ("0.1 ramp 3", "not 'ramp'"),
        ("0.1 until 3 0.2", "not 'until'"),
        ("0.1 for 3 0.2 hep", "not 'nothing'"),
    ],
)
def test_what_is_no_curve_is_refused(text, expected):
    with pytest.raises(ValidationError, match=expected):
        VectorSettings(cdr=text)
