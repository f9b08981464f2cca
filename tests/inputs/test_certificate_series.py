"""Certificates into deals and dates: what is read, what is refused, what is left out and said."""

import json
from decimal import Decimal

import pytest
from certificate_writer import RECORDS, Style, write_document

from hemc.errors import InputError
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.certificate_series import gather_series
from hemc.states import BANKRUPTCY, CURRENT, D30, D180, FORECLOSURE

FEBRUARY, JANUARY = "gmacm-2002-he4_2004-02-25", "gmacm-2002-he4_2004-01-26"


def changed(name, **parts):
    """A record with some figures replaced: delinq={"FC": {"number": "1"}}."""
    record = json.loads(json.dumps(RECORDS[name]))
    for part, figures in parts.items():
        for key, value in figures.items():
            if isinstance(value, dict):
                record[part][key] |= value
            else:
                record[part][key] = value
    return record


def read(folder, *records, document=None):
    """Write records as JSON, or as documents in a style, and read them."""
    certificates = []
    for i, record in enumerate(records):
        path = folder / f"{i}.{'txt' if document else 'json'}"
        text = write_document(record, document) if document else json.dumps(record)
        path.write_text(text, encoding="utf-8")
        certificates.append(read_document_or_record(path))
    return certificates


def test_a_record_gives_the_figures_of_its_document(tmp_path):
    record = RECORDS[FEBRUARY]
    (tmp_path / "a").mkdir()
    (one,) = gather_series(read(tmp_path, record))
    (other,) = gather_series(read(tmp_path / "a", record, document=Style("text", 1)))
    for name in ("date", "n_loans", "count", "pool", "loss", "loss_to_date_open"):
        assert getattr(one.reports[0], name) == getattr(other.reports[0], name)


def test_dates_are_ordered_and_deals_kept_apart(tmp_path):
    names = (FEBRUARY, "gmacm-2003-he2_2003-11-25", JANUARY, "gmacm-2003-he2_2003-06-25")
    he4, he2 = gather_series(read(tmp_path, *(RECORDS[name] for name in names)))
    assert (he4.series, he2.series) == ("2002-HE4", "2003-HE2")
    assert [f"{r.date}" for r in he4.reports] == ["2004-01-26", "2004-02-25"]
    assert he4.reports[1].count[CURRENT] == 6918 - 57 - 31 - 17 - 12 - 8 - 2 - 94 - 7
    assert he2.reports[0].count[BANKRUPTCY] is None
    assert he2.reports[0].count[CURRENT] is None  # the rest of it is bankrupt, nobody says how many
    assert he2.reports[0].prefunding == Decimal("9867303.44")


def test_a_loss_not_printed_is_what_is_left_of_the_pool_roll(tmp_path):
    record = RECORDS["gmacm-2002-he4_2003-10-27"]
    assert record["losses"]["current_month"] is None
    (deal,) = gather_series(read(tmp_path, record))
    assert deal.reports[0].loss == Decimal("89836.91")
    assert deal.reports[0].loss_to_date_close == Decimal("247645.22") + Decimal("89836.91")


def test_a_date_twice_is_refused_with_both_files(tmp_path):
    certificates = read(tmp_path, RECORDS[FEBRUARY], RECORDS[FEBRUARY])
    with pytest.raises(InputError) as caught:
        gather_series(certificates)
    assert "0.json" in str(caught.value)
    assert "1.json" in str(caught.value)
    assert "one certificate of 2002-HE4 a month" in caught.value.expected


@pytest.mark.parametrize(
    ("parts", "place", "found"),
    [
        ({"pool": {"active_loan_count": "100"}}, "delinquent loans", "228 of 100"),
        ({"pool": {"active_loan_count": "6918.5"}}, "active loan count", "6918.5"),
        ({"delinq": {"FC": {"number": "-1"}}}, "loans foreclosure", "-1"),
    ],
)
def test_counts_that_do_not_add_up_are_refused(tmp_path, parts, place, found):
    certificates = read(tmp_path, changed(FEBRUARY, **parts))
    with pytest.raises(InputError) as caught:
        gather_series(certificates)
    assert caught.value.place == place
    assert found in caught.value.found


def test_a_count_without_a_balance_is_left_out_and_said(tmp_path):
    damaged = changed(FEBRUARY, delinq={"FC": {"number": "17418", "balance": "0"}})
    (deal,) = gather_series(read(tmp_path, damaged))
    assert deal.reports[0].count[FORECLOSURE] is None
    assert deal.reports[0].count[D30] == 57
    assert deal.remarks == ("0.json: 17418 loans foreclosure without a balance; count left out",)


def test_a_footnote_that_changes_the_buckets_leaves_their_counts_out(tmp_path):
    text = write_document(RECORDS[FEBRUARY], Style("text", 1))
    text = text.replace("Do Not include Bankruptcy, Foreclosure, and REO", "include Bankruptcy")
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    (deal,) = gather_series([read_document_or_record(path)])
    count = deal.reports[0].count
    assert all(count[s] is None for s in range(CURRENT, D180 + 1))
    assert (count[BANKRUPTCY], count[FORECLOSURE]) == (94, 7)
    assert deal.remarks == (
        "a.txt: by the footnote the buckets include bankruptcy; 6 bucket counts left out",
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("no JSON", ""),
        ("[]", "series"),
        ('{"series": "2002-HE4", "payment_date": "soon"}', "payment_date"),
        ('{"series": "2002-HE4", "pool": {"ending_pool": "much"}}', "pool.ending_pool"),
        ('{"series": "2002-HE4", "pool": {"ending_pool": 5}}', "pool.ending_pool"),
        ('{"series": "2002-HE4", "delinq": []}', "delinq"),
    ],
)
def test_a_record_that_is_none_names_its_place(tmp_path, text, place):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_document_or_record(path)
    assert caught.value.place == place


def test_a_deal_without_any_loan_count_is_refused(tmp_path):
    certificates = read(tmp_path, changed(FEBRUARY, pool={"active_loan_count": None}))
    with pytest.raises(InputError, match="number of loans on one of them"):
        gather_series(certificates)
