"""The identities on every certificate we have, to the cent, and what breaks each of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from certificate_writer import RECORDS, Style, write_document

from hemc.errors import InputError
from hemc.inputs.certificate import Certificate, read_certificate
from hemc.inputs.deal import Deal, read_deal
from hemc.inputs.shipped import configs_dir, shipped_deals
from hemc.inputs.tieout import TieOutLine, solve_premium_rate, tie_out

COMPLETE = configs_dir() / "certificates" / "gmacm-2003-he2_2004-02-25.txt"
JUNE = "gmacm-2003-he2_2003-06-25"


@pytest.fixture(scope="module")
def deals() -> dict[str, Deal]:
    return {series: read_deal(path) for series, path in shipped_deals().items()}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    """All nine records, printed as cells and read again."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, record in RECORDS.items():
        (folder / name).write_text(write_document(record, Style("cells", 7)))
    return {name: read_certificate(folder / name) for name in RECORDS}


def by_name(lines: list[TieOutLine]) -> dict[str, TieOutLine]:
    assert len({line.name for line in lines}) == len(lines)
    return {line.name: line for line in lines}


def failed(lines: list[TieOutLine]) -> dict[str, Decimal | None]:
    return {line.name: line.difference for line in lines if line.status == "fail"}


def changed(folder: Path, *changes: tuple[str, str]) -> Certificate:
    text = COMPLETE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "changed.txt").write_text(text)
    return read_certificate(folder / "changed.txt")


def test_the_complete_certificate_ties_out(deals: dict[str, Deal]) -> None:
    lines = tie_out(read_certificate(COMPLETE), deals["2003-HE2"])
    assert Counter(line.status for line in lines) == {"pass": 51, "not testable": 1}
    open_lines = [line.name for line in lines if line.status == "not testable"]
    assert open_lines == ["day count"]  # 26 January to 25 February is 30 days
    assert all(line.difference == 0 for line in lines if line.status == "pass")


def test_figures_are_recomputed_to_the_printed_digits(deals: dict[str, Deal]) -> None:
    lines = by_name(tie_out(read_certificate(COMPLETE), deals["2003-HE2"]))
    expected = {
        "pool roll": "390719522.22", "note principal": "17111694.71", "OC": "6258626.61",
        "interest A-1": "133373.59", "interest IO": "443333.33", "factor A-1": "0.3172680",
        "security % A-1": "18.32", "premium": "39320.65", "excess cash": "975292.71",
        "loss to date": "245560.02", "delinquent % 30": "0.37",
    }  # fmt: skip
    for name, value in expected.items():
        assert str(lines[name].recomputed) == str(lines[name].printed) == value
    assert lines["payment date"].recomputed == dt.date(2004, 2, 25)
    assert lines["premium"].note == "0.11750 % of beginning notes, the deal's rate"


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_ties_out_where_its_figures_are_visible(
    name: str, certificates: dict[str, Certificate], deals: dict[str, Deal]
) -> None:
    record = RECORDS[name]
    lines = tie_out(certificates[name], deals[record["series"]])
    # The capitalised-interest account paid 61,245.39 of June's excess cash: a finding, not a pass.
    finding = {"premium": Decimal("-61245.39"), "excess cash": Decimal("61245.39")}
    assert failed(lines) == (finding if name == JUNE else {})
    closed = {line.name for line in lines if line.status != "not testable"}
    assert {"note principal", "OC", "premium", "cash to certificates", "interest A-1"} <= closed
    is_loss_printed = record.get("losses", {}).get("current_month") is not None
    assert ("pool roll" in closed) == is_loss_printed
    assert all(line.note for line in lines if line.status == "not testable")


def test_the_premium_is_the_same_on_every_other_date(
    certificates: dict[str, Certificate], deals: dict[str, Deal]
) -> None:
    rates = {n: solve_premium_rate(c, deals[c.series or ""]) for n, c in certificates.items()}
    assert rates.pop(JUNE) is None
    assert list(rates.values()) == [Decimal("0.0011750")] * 8


def test_june_2003_accrued_29_days(
    certificates: dict[str, Certificate], deals: dict[str, Deal]
) -> None:
    lines = by_name(tie_out(certificates[JUNE], deals["2003-HE2"]))
    assert lines["interest A-1"].status == lines["day count"].status == "pass"
    assert lines["day count"].note == "29 actual days"


def test_a_day_count_is_never_chosen_to_fit(
    certificates: dict[str, Certificate], deals: dict[str, Deal]
) -> None:
    deal = deals["2003-HE2"]
    a1 = deal.classes[0].model_copy(update={"day_count": "30/360"})
    wrong = deal.model_copy(update={"classes": (a1, *deal.classes[1:])})
    line = by_name(tie_out(certificates[JUNE], wrong))["interest A-1"]
    assert line.status == "fail"
    assert "actual/360 would give it" in line.note


def test_without_a_deal_terms_are_not_guessed(certificates: dict[str, Certificate]) -> None:
    lines = by_name(tie_out(read_certificate(COMPLETE)))
    needy = {n for n, line in lines.items() if line.note == "needs deal terms"}
    classes = ["A-1", "A-2", "A-3", "A-4", "A-5", "IO"]
    per_class = {f"{what} {c}" for what in ("interest", "factor", "security %") for c in classes}
    assert needy == per_class | {"payment date", "premium", "excess cash"}
    assert lines["OC"].status == lines["note principal"].status == "pass"


def test_without_a_deal_the_other_dates_give_the_premium(
    certificates: dict[str, Certificate],
) -> None:
    others = [certificates["gmacm-2003-he2_2003-11-25"], certificates[JUNE]]
    line = by_name(tie_out(read_certificate(COMPLETE), None, others))["premium"]
    assert line.status == "pass"
    assert line.note == "0.11750 % of beginning notes, the rate of the other dates"


def test_the_loss_is_inferred_where_it_is_cut_off(
    certificates: dict[str, Certificate], deals: dict[str, Deal]
) -> None:
    # The document ends after "89,836": the pool roll gives the cents.
    lines = by_name(tie_out(certificates["gmacm-2002-he4_2003-10-27"], deals["2002-HE4"]))
    assert lines["pool roll"].status == "not testable"
    assert "89,836.91 inferred" in lines["pool roll"].note
    assert lines["note principal"].status == "pass"


CASH, RECOVERY = "Cash" + " " * 29, "Ending Net Principal Recovery Amount  "
ENDING, TOTAL = "Ending Amount" + " " * 33, "Total Ending Capitalized Interest Account Bala"
FORECLOSED = "192,238.58                    3         0.05%"


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("390,719,522.22", "390,719,522.23", {"pool roll", "OC"}),
        ("15,998,210.91\nAct", "15,998,210.92\nAct", {"net principal collections"}),
        ("Draws" + " " * 34 + "-", "Draws" + " " * 31 + "0.01",
         {"pool roll", "net principal collections"}),
        ("161,627,000.00  1.0", "161,627,000.01  1.0", {"note roll A-2", "OC"}),
        ("17,111,694.71", "17,111,694.72", {"note roll A-1", "note principal", "premium"}),
        ("6,258,626.61", "6,258,626.62", {"OC", "OC roll"}),
        ("133,373.59", "133,373.60", {"interest A-1", "premium", "excess cash"}),
        ("443,333.33", "443,333.34", {"interest IO", "premium", "excess cash"}),
        ("0.3172680", "77.3593781", {"factor A-1"}),
        ("18.32%", "18.33%", {"security % A-1"}),
        ("2,526,009.70", "2,526,009.71", {"premium", "excess cash"}),
        (CASH + "975,292.71", CASH + "975,292.72", {"excess cash", "cash to certificates"}),
        ("138,191.09", "138,191.10",
         {"pool roll", "note principal", "loss to date", "excess cash"}),
        ("67.14\n   ", "67.15\n   ", {"loss to date", "month's recovery"}),
        (RECOVERY + "       67.14", RECOVERY + "       67.15", {"net recoveries to date"}),
        ("0.37%", "0.38%", {"delinquent % 30"}),
        (FORECLOSED, "-   17,418     0.00%", {"delinquent loans have a balance", "active loans"}),
        ("02/25/2004", "02/26/2004", {"payment date"}),
        (ENDING + "   -", ENDING + "0.01", {"special hazard losses"}),
        (TOTAL + "0.00", TOTAL + "0.01", {"capitalized interest account"}),
    ],
)  # fmt: skip
def test_each_identity_can_fail(
    tmp_path: Path, deals: dict[str, Deal], old: str, new: str, names: set[str]
) -> None:
    lines = tie_out(changed(tmp_path, (old, new)), deals["2003-HE2"])
    assert set(failed(lines)) == names


def test_a_share_printed_as_a_fraction_is_compared_as_one(
    tmp_path: Path, deals: dict[str, Deal]
) -> None:
    certificate = changed(tmp_path, ("18.32%", "0.183192"))
    line = by_name(tie_out(certificate, deals["2003-HE2"]))["security % A-1"]
    assert (line.status, line.recomputed) == ("pass", Decimal("0.183192"))
    assert line.note == "printed as a fraction"


def test_a_printed_shortfall_lowers_interest(tmp_path: Path, deals: dict[str, Deal]) -> None:
    certificate = changed(tmp_path, ("422,923.98     0.00", "422,900.00    23.98"))
    assert by_name(tie_out(certificate, deals["2003-HE2"]))["interest A-2"].status == "pass"


def series_2002(certificates: dict[str, Certificate]) -> list[Certificate]:
    return [c for n, c in certificates.items() if n.startswith("gmacm-2002")]


def test_carry_over_of_consecutive_dates(
    certificates: dict[str, Certificate], deals: dict[str, Deal]
) -> None:
    series = series_2002(certificates)
    open_lines = {}
    for certificate in series:
        lines = tie_out(certificate, deals["2002-HE4"], series)
        assert failed(lines) == {}
        carried = {line.name: line for line in lines if line.name.startswith("carry-over")}
        open_lines[certificate.payment_date] = {
            name: line.note for name, line in carried.items() if line.status != "pass"
        }
        assert len(carried) == {dt.date(2003, 7, 25): 0, dt.date(2003, 10, 27): 1}.get(
            certificate.payment_date or dt.date.min, 6
        )
    assert open_lines == {
        dt.date(2003, 7, 25): {},
        dt.date(2003, 10, 27): {
            "carry-over": "the last certificate before 2003-10-27 given is that of 2003-07-25"
        },
        **{
            date: {"carry-over loss to date": f"recoveries of {amount} on {before} follow from it"}
            for date, before, amount in (
                (dt.date(2003, 11, 25), "2003-10-27", "111.98"),
                (dt.date(2003, 12, 26), "2003-11-25", "2,767.94"),
                (dt.date(2004, 1, 26), "2003-12-26", "6,449.64"),
                (dt.date(2004, 2, 25), "2004-01-26", "112.36"),
            )
        },
    }


@pytest.mark.parametrize(
    ("section", "key", "value", "name"),
    [
        ("pool", "ending_pool", "1.00", "carry-over pool"),
        ("pool", "ending_pfa", "1.00", "carry-over prefunding"),
        ("oc", "outstanding", "1.00", "carry-over OC"),
        ("notes", "A-2", "1.00", "carry-over A-2"),
        ("losses", "current_month", "1.00", "carry-over loss to date"),
        ("losses", "ending", "1.00", "carry-over loss to date"),
    ],
)
def test_each_carry_over_can_fail(
    tmp_path: Path,
    certificates: dict[str, Certificate],
    deals: dict[str, Deal],
    section: str,
    key: str,
    value: str,
    name: str,
) -> None:
    before = RECORDS["gmacm-2002-he4_2004-01-26"]
    table = dict(before[section])
    table[key] = {**table[key], "ending": value} if section == "notes" else value
    (tmp_path / "before").write_text(write_document({**before, section: table}, Style("text", 1)))
    now = certificates["gmacm-2002-he4_2004-02-25"]
    lines = tie_out(now, deals["2002-HE4"], [read_certificate(tmp_path / "before")])
    assert set(failed(lines)) == {name}


def test_one_date_twice_and_two_series_are_refused(certificates: dict[str, Certificate]) -> None:
    complete = read_certificate(COMPLETE)
    with pytest.raises(InputError, match="expected each payment date once"):
        tie_out(complete, None, [certificates["gmacm-2003-he2_2004-02-25"]])
    with pytest.raises(InputError, match="expected series 2003-HE2"):
        tie_out(complete, None, [certificates["gmacm-2002-he4_2004-01-26"]])


def test_a_cut_document_leaves_lines_open_with_their_reason(
    tmp_path: Path, deals: dict[str, Deal]
) -> None:
    path = tmp_path / "cut.txt"
    path.write_text("\n".join(COMPLETE.read_text().split("\n")[:33]))
    lines = by_name(tie_out(read_certificate(path), deals["2003-HE2"]))
    assert failed(list(lines.values())) == {}
    assert lines["note roll A-4"].status == "pass"
    assert lines["note principal"].note == "A-5 principal: its row is not in the document"
    assert "which ends on line 33" in lines["OC roll"].note
