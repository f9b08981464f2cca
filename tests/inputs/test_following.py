"""Which certificate is the next one of a deal, and what one that is not is told."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

import pytest

from hemc.errors import InputError
from hemc.inputs.certificate_record import read_record
from hemc.inputs.deal import read_deal
from hemc.inputs.figures import Field
from hemc.inputs.following import next_payment_date, require_following


@pytest.fixture(scope="module")
def deal(root):
    return read_deal(root / "configs" / "deals" / "gmacm-2002-he4.toml")


@pytest.fixture(scope="module")
def months(root):
    """The certificates of October 2003 to February 2004, each the next of the one before."""
    names = ("2003-10-27", "2003-11-25", "2003-12-26", "2004-01-26", "2004-02-25")
    folder = root / "configs" / "certificates"
    return [read_record(folder / f"gmacm-2002-he4_{name}.json") for name in names]


def with_figure(certificate, table, key, value):
    """Return a certificate on which one figure of pool or OC is another, or missing."""
    figures = getattr(certificate, table)
    field = Field(None, None, "torn off") if value is None else Field(Decimal(value), 7)
    return replace(certificate, **{table: MappingProxyType({**figures, key: field})})


def refusal(certificate, before, deal):
    with pytest.raises(InputError) as error:
        require_following(certificate, before, deal)
    return str(error.value)


def test_each_month_follows_the_one_before(months, deal):
    for before, after in pairwise(months):
        require_following(after, before, deal)
        assert next_payment_date(before.payment_date, deal) == after.payment_date


def test_a_month_left_out_or_the_same_again_is_refused(months, deal):
    text = refusal(months[2], months[0], deal)
    assert "found payment date 2003-12-26" in text
    assert "expected 2003-11-25, the payment after 2003-10-27, which the run forecast" in text
    assert "found payment date 2003-10-27" in refusal(months[0], months[0], deal)


def test_a_day_of_the_month_that_differs_is_no_other_month(months, deal):
    early = replace(months[1], payment_date=dt.date(2003, 11, 24))
    require_following(early, months[0], deal)


def test_another_deal_or_group_is_refused(months, deal, root):
    other = read_record(root / "configs" / "certificates" / "gmacm-2003-he2_2003-11-25.json")
    text = refusal(other, months[0], deal)
    assert "found series 2003-HE2; expected series 2002-HE4, the deal of the run" in text
    assert "found group 2; expected group 1" in refusal(
        replace(months[1], group=2), months[0], deal
    )


@pytest.mark.parametrize(
    ("table", "key", "what"),
    [("pool", "beginning_pool", "pool"), ("oc", "beginning", "OC")],
)
def test_an_opening_that_is_not_the_closing_before_is_refused(months, deal, table, key, what):
    opening = getattr(months[1], table)[key].value
    text = refusal(with_figure(months[1], table, key, opening + Decimal("0.01")), months[0], deal)
    assert f"opening {what}: found {opening + Decimal('0.01'):,}" in text
    assert f"expected {opening:,}, the closing {what} of 2003-10-27 in the run" in text


def test_an_opening_of_a_class_is_held_against_its_closing(months, deal):
    row = MappingProxyType({**months[1].notes["A-2"], "beginning": Field(Decimal(1), 9)})
    notes = MappingProxyType({**months[1].notes, "A-2": row})
    text = refusal(replace(months[1], notes=notes), months[0], deal)
    assert "opening A-2: found 1; expected 259,510,000.00" in text


def test_what_is_not_shown_is_not_held_against_it(months, deal):
    require_following(with_figure(months[1], "oc", "beginning", None), months[0], deal)
    require_following(replace(months[1], series=None), months[0], deal)
