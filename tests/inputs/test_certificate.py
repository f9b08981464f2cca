"""The complete certificate figure by figure, and what damaged or odd documents give."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from hemc.errors import InputError
from hemc.inputs.certificate import Certificate, read_certificate
from hemc.inputs.shipped import configs_dir

COMPLETE = configs_dir() / "certificates" / "gmacm-2003-he2_2004-02-25.txt"
TEXT = COMPLETE.read_text(encoding="ascii")


@pytest.fixture(scope="module")
def complete() -> Certificate:
    return read_certificate(COMPLETE)


def read_changed(folder: Path, *changes: tuple[str, str]) -> Certificate:
    """Read the complete certificate with parts of its text replaced."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "changed.txt"
    path.write_text(text, encoding="utf-8")
    return read_certificate(path)


#: Counted by hand on the document: lines × columns of each block.
COUNTED = {
    "pool": 11 + 1,  # lines 10-24, the last of them excess cash; + substitution adjustment
    "notes": 7 * 8,  # lines 30-36: five classes, IO, certificates
    "oc": 4,  # lines 38-41
    "credit enhancement": 2,  # lines 43-44
    "delinquencies": 9 * 3,  # lines 49-57
    "losses": 4 + 1,  # lines 62-66; + the 0.00 beside the ending amount
    "net recoveries": 3,  # lines 70-72
    "special hazard, fraud, bankruptcy": 3 * 3,  # lines 75-77
    "extraordinary and excess": 2,  # lines 79-80
    "capitalized interest": 7,  # lines 83-90 without the rule
    "prefunding": 7,  # lines 94-97, seven amounts in running text
    "repurchases": 2,  # lines 99-100
}


def test_every_printed_figure_is_read(complete: Certificate) -> None:
    fields = [field for _, table in complete.tables() for field in table.values()]
    # The cash to the certificates is the interest of their row, printed once, exposed twice.
    assert len(fields) - 1 == sum(COUNTED.values()) == 136
    assert complete.gaps() == []


def test_every_figure_stands_on_its_line(complete: Certificate) -> None:
    lines = TEXT.split("\n")
    for name, table in complete.tables():
        for key, field in table.items():
            assert field.value is not None
            assert field.line is not None
            printed = f"{field.value:,f}"
            shown = ("-", printed) if field.value == 0 else (printed,)
            assert any(text in lines[field.line - 1] for text in shown), (name, key)


@pytest.mark.parametrize(
    ("table", "key", "line", "value"),
    [
        ("pool", "beginning_pool", 10, "406855924.22"),
        ("pool", "ending_pfa", 13, "0"),
        ("pool", "active_loan_count", 17, "11704"),
        ("pool_other", "substitution_adjustment", 22, "0.00"),
        ("notes.A-1", "interest", 30, "133373.59"),
        ("notes.IO", "factor", 35, "0.9047619"),
        ("oc", "beginning", 38, "5283333.90"),
        ("oc", "change", 39, "975292.71"),
        ("oc", "outstanding", 40, "6258626.61"),
        ("credit_enhancement", "unreimbursed_prior_draws", 44, "0.00"),
        ("delinquencies.180+", "number", 54, "5"),
        ("losses", "current_month", 63, "138191.09"),
        ("losses", "ending", 66, "245560.02"),
        ("net_recoveries", "ending", 72, "67.14"),
        ("fraud", "current_month", 76, "0.00"),
        ("capitalized_interest", "closing", 86, "0.00"),
        ("prefunding", "excess_draws", 95, "0.00"),
        ("prefunding", "ending", 96, "0.00"),
        ("repurchases", "balance", 100, "0"),
    ],
)
def test_lines_and_values_by_hand(
    complete: Certificate, table: str, key: str, line: int, value: str
) -> None:
    field = dict(complete.tables())[table][key]
    assert (field.value, field.line, field.reason) == (Decimal(value), line, None)


def test_title_and_footnote(complete: Certificate) -> None:
    assert (complete.series, complete.group) == ("2003-HE2", 1)
    assert complete.payment_date == dt.date(2004, 2, 25)
    assert [complete.places[k].line for k in ("series", "payment_date", "group")] == [5, 6, 8]
    assert complete.footnote.line == 59
    assert complete.footnote.includes == {"BK": False, "FC": False, "REO": False}


@pytest.mark.parametrize(
    ("words", "is_in"),
    [
        ("Delinquency Figures Include Foreclosures, REO and Bankruptcy.", True),
        ("DELINQUENCY FIGURES DO NOT INCLUDE BANKRUPTCIES, FORECLOSURE, AND REO", False),
        ("Delinquency Figures Exclude Bankruptcy, Foreclosure and REO.", False),
    ],
)
def test_the_footnote_decides_what_buckets_include(tmp_path: Path, words: str, is_in: bool) -> None:
    old = "Delinquency Figures Do Not include Bankruptcy, Foreclosure, and REO."
    changed = read_changed(tmp_path, (old, words))
    assert changed.footnote.includes == dict.fromkeys(("BK", "FC", "REO"), is_in)


@pytest.mark.parametrize("date", ["02/25/2004", "2/25/2004", "2/25/04", "02/25/04"])
def test_dates(tmp_path: Path, date: str) -> None:
    changed = read_changed(tmp_path, ("02/25/2004", date))
    assert changed.payment_date == dt.date(2004, 2, 25)


@pytest.mark.parametrize("date", ["########", "13/45/2004", "2/30/2004", "25 Feb", ""])
def test_a_date_that_cannot_be_read_is_missing_with_its_line(tmp_path: Path, date: str) -> None:
    changed = read_changed(tmp_path, ("02/25/2004", date))
    assert changed.payment_date is None
    assert changed.places["payment_date"].line is not None
    assert dict(changed.gaps())["payment_date"]


def test_spoilt_figures_are_missing_with_their_line(tmp_path: Path) -> None:
    changed = read_changed(
        tmp_path, ("   7,933,075.00", "        #DIV/0!"), ("0.00      18.32%", "0.0x      18.32%")
    )
    target = changed.oc["target"]
    assert (target.value, target.line) == (None, 41)
    assert target.reason == "'#DIV/0!' stands in its place"
    assert [name for name, _ in changed.gaps()] == ["notes.A-1.shortfall", "oc.target"]


def test_impossible_figures_are_kept_as_printed(tmp_path: Path) -> None:
    changed = read_changed(
        tmp_path,
        ("0.3172680", "77.3593781"),
        ("192,238.58                    3", "-                        17,418"),
    )
    assert changed.notes["A-1"]["factor"].value == Decimal("77.3593781")
    assert changed.delinquencies["FC"]["number"].value == 17418
    assert changed.delinquencies["FC"]["balance"].value == 0


@pytest.mark.parametrize(
    ("cell", "principal", "interest"),
    [
        ("17,111,694.71133,373.59", "17111694.71", "133373.59"),
        ("-133,373.59", "0", "133373.59"),
        ("(0.00)0.00", "0", "0"),
        ("--", "0", "0"),
        ("(1.00)133,373.59", "-1.00", "133373.59"),
    ],
)
def test_principal_and_interest_in_one_cell(
    tmp_path: Path, cell: str, principal: str, interest: str
) -> None:
    row = read_changed(tmp_path, ("17,111,694.71 133,373.59", cell)).notes["A-1"]
    assert row["principal"].value == Decimal(principal)
    assert row["interest"].value == Decimal(interest)
    assert row["coupon_pct"].value == Decimal("1.200")


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("D(19,436.74)", "-19436.74"),
        ("(19,436.74)", "-19436.74"),
        ("D(0.00)", "0"),
        ("D-", "0"),
        ("D          -", "0"),
    ],
)
def test_a_figure_over_the_end_of_its_label(tmp_path: Path, printed: str, value: str) -> None:
    change = read_changed(tmp_path, ("(D975,292.71", f"({printed}"[printed[0] == "(" :])).oc[
        "change"
    ]
    assert (change.value, change.line) == (Decimal(value), 39)
    assert not change.value.is_signed() or change.value < 0


def test_a_shorter_label_is_not_taken_for_a_longer_one_that_is_cut(tmp_path: Path) -> None:
    changed = read_changed(
        tmp_path,
        ("Overcollateralization Amount Increase (D975", "Overcollateralization Amount  975"),
    )
    assert changed.oc["change"].value is None


def test_a_short_row_is_read_only_where_one_reading_fits(tmp_path: Path) -> None:
    changed = read_changed(
        tmp_path,
        ("43         0.37%", "           0.37%"),
        ("422,923.98     0.00 ", "422,923.98          "),
    )
    row = changed.delinquencies["30"]
    assert (row["balance"].value, row["pct"].value) == (Decimal("1451029.62"), Decimal("0.37"))
    assert row["number"].value is None
    assert "7 of 8 figures" in (changed.notes["A-2"]["shortfall"].reason or "")
    assert changed.notes["A-2"]["interest"].value is None


def test_a_figure_without_cents_is_missing(tmp_path: Path) -> None:
    changed = read_changed(tmp_path, ("    138,191.09", "       138,191"))
    assert changed.losses["current_month"].value is None
    assert changed.losses["current_month"].line == 63


def test_two_different_figures_for_one_label_are_missing(tmp_path: Path) -> None:
    line = "Ending Pool Balance                 390,719,522.22\n"
    changed = read_changed(tmp_path, (line, line + line.replace("390", "391")))
    assert "on lines 12 and 13" in (changed.pool["ending_pool"].reason or "")
    assert read_changed(tmp_path, (line, line + line)).gaps() == []


def test_only_the_first_of_two_groups_is_read(tmp_path: Path) -> None:
    second = TEXT.replace("Group 1", "Group 2").replace("390,719", "391,719")
    changed = read_changed(tmp_path, ("</TABLE>", "</TABLE>\n" + second))
    assert changed.gaps() == []
    assert changed.pool["ending_pool"].value == Decimal("390719522.22")
    assert changed.remarks == ("only the first loan group is read; another begins on line 109",)


def test_net_wac_is_not_the_net_loan_rate(tmp_path: Path) -> None:
    changed = read_changed(
        tmp_path, ("Weighted Average Net Loan Rate", "Net WAC                       ")
    )
    assert changed.pool["net_loan_rate_pct"].value is None
    assert "after the notional strip" in (changed.pool["net_loan_rate_pct"].reason or "")
    assert changed.others["pool_other"]["net_wac_pct"].value == Decimal("7.77450")


PAIRS = [
    "Foreclosures", "Bankruptcies", "REO", *["Units", "Dollars"] * 3,
    "3", "192,238.58", "58", "1,848,459.36", "0", "-",
]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["\n|\n".join(PAIRS), " ".join(PAIRS[:9]) + "\n" + " ".join(PAIRS[9:])]
)
def test_states_in_pairs_of_units_and_dollars(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("Series 2005-HE3\nPayment Date 11/25/2005\n|\n" + text + "\n")
    rows = read_certificate(path).delinquencies
    read = {name: (rows[name]["number"].value, rows[name]["balance"].value) for name in rows}
    assert read["FC"] == (3, Decimal("192238.58"))
    assert read["BK"] == (58, Decimal("1848459.36"))
    assert read["REO"] == (0, 0)
    assert rows["FC"]["pct"].value is None


def test_a_balance_is_not_taken_for_a_percentage(tmp_path: Path) -> None:
    changed = read_changed(
        tmp_path, ("1,848,459.36                   58         0.47%", "58     1,848,459.36")
    )
    assert all(field.value is None for field in changed.delinquencies["BK"].values())


@pytest.mark.parametrize("name", ["Class A-6", "Notional IO Class", "CLASS IO", "IO"])
def test_names_of_the_notional_class(tmp_path: Path, name: str) -> None:
    changed = read_changed(tmp_path, ("Class IO", name))
    assert list(changed.notes) == ["A-1", "A-2", "A-3", "A-4", "A-5", "IO", "Certificates"]


def test_html_becomes_cells(tmp_path: Path) -> None:
    rows = [
        ["Home Equity Notes, Series 2002-HE4"], ["Payment Date", "7/25/03"],
        ["Servicing Certificate", "", "Group&nbsp;1"],
        ["Beginning Pool <b>Balance</b>", "", "$394,895,829.88"],
        ["Overcollateralization Amount Increase (Decrease)", "$", "(19,436.74", ")"],
        ["Class A-1", "127,685,009.20", "97,829,887.21", "0.2755771", "29,855,121.99",
         "125,024.90", "0.00", "15.92%", "1.175%"],
        ["Foreclosures", "", "19,238.32", "", "1", "", "0.01%"],
        ["Active Loan Count", "11,116"],
    ]  # fmt: skip
    rows[3][2] = "\n" + rows[3][2]
    cells = "\n".join("<tr>" + "\n".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    path = tmp_path / "certificate.htm"
    path.write_text(f"<html><style>p {{}}</style><table>\n{cells}\n</table></html>")
    read = read_certificate(path)
    assert (read.layout, read.series, read.group) == ("cells", "2002-HE4", 1)
    assert read.payment_date == dt.date(2003, 7, 25)
    assert read.pool["beginning_pool"].value == Decimal("394895829.88")
    assert read.oc["change"].value == Decimal("-19436.74")
    assert read.notes["A-1"]["coupon_pct"].value == Decimal("1.175")
    assert read.delinquencies["FC"]["number"].value == 1
    assert read.pool["active_loan_count"].value == 11116
    line = read.pool["beginning_pool"].line or 0
    assert "394,895,829.88" in path.read_text().split("\n")[line - 1]


def test_html_that_ends_in_a_cell_may_lack_digits(tmp_path: Path) -> None:
    path = tmp_path / "cut.htm"
    path.write_text("<td>Servicing Certificate<td>Group 1<td>Active Loan Count<td>11,116")
    assert "ends in the figure" in (read_certificate(path).pool["active_loan_count"].reason or "")


def test_a_figure_with_one_parenthesis_is_missing(tmp_path: Path) -> None:
    changed = read_changed(tmp_path, ("(D975,292.71", "(D(975,292.71"))
    assert changed.oc["change"].value is None


def test_a_zero_glued_to_a_figure_is_open_where_the_row_is_cut(tmp_path: Path) -> None:
    text = TEXT.replace("17,111,694.71 133,373.59", "-133,373.59")
    path = tmp_path / "cut.txt"
    path.write_text(text[: text.index("-133,373.59") + len("-133,373.59")] + "\n")
    assert read_certificate(path).notes["A-1"]["principal"].value is None


def test_the_last_row_need_not_lack_its_end(tmp_path: Path) -> None:
    text = TEXT.replace("1,848,459.36                   58", "                               58")
    path = tmp_path / "cut.txt"
    path.write_text(text[: text.index("0.47%") + 5] + "\n")
    row = read_certificate(path).delinquencies["BK"]
    assert [f.value for f in row.values()] == [None, Decimal(58), Decimal("0.47")]


def test_running_text_of_an_account_holds_no_pool_figure(tmp_path: Path) -> None:
    changed = read_changed(
        tmp_path,
        ("Principal Collections                15,998,210.91\n", ""),
        ("Beginning Balance 0.00 Additional", "Of all Principal Collections 5.00 Additional"),
    )
    assert changed.pool["principal_collections"].value is None


def test_a_short_row_of_the_certificates_with_two_amounts_is_open(tmp_path: Path) -> None:
    row = TEXT.split("\n")[35]
    assert read_changed(tmp_path, (row, "Certificates 5.00")).oc["certificates_paid"].value == 5
    assert read_changed(tmp_path, (row, "Certificates 5.00 7.00")).oc["certificates_paid"].reason


def test_a_class_a6_beside_a_notional_class_is_a_class(tmp_path: Path) -> None:
    row = TEXT.split("\n")[34]
    changed = read_changed(tmp_path, (row, row + "\n" + row.replace("Class IO", "Class A-6")))
    assert {"A-6", "IO"} <= set(changed.notes)


@pytest.mark.parametrize("n_kept", range(len("02/25/200") + 1))
def test_a_cut_date_is_missing(tmp_path: Path, n_kept: int) -> None:
    path = tmp_path / "cut.txt"
    path.write_text(TEXT[: TEXT.index("02/25/2004") + n_kept])
    assert read_certificate(path).payment_date is None


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b" \n \n", "an empty file"),
        (b"PK\x03\x04\x00\x00", "binary data"),
        (b"<html><table><tr><td></td></tr></table>", "HTML without text"),
        (b"Dear Sir,\nin bankruptcy\nREO 12 houses\nThank you.\n", "no servicing certificate"),
        (b"<TABLE>\n<CAPTION>\n", "no servicing certificate"),
        (b'{"pool": {"beginning_pool": "1.00"}}', "no servicing certificate"),
    ],
)
def test_what_is_no_certificate_gives_one_error(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_certificate(path)
    assert found in str(error.value)
    assert str(path) in str(error.value)


def test_a_folder_and_a_missing_file_give_one_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="expected a servicing certificate"):
            read_certificate(path)
