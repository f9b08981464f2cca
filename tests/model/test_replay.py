"""Certificates' months replay through the kernel of the simulation, to the cent."""

from decimal import Decimal

import pytest
from inputs.certificate_writer import RECORDS, Style, write_document

from hemc.errors import InputError
from hemc.inputs.certificate import read_certificate
from hemc.inputs.deal import read_deal
from hemc.inputs.shipped import shipped_deals
from hemc.model.replay import replay

JUNE = "gmacm-2003-he2_2003-06-25"
JULY = "gmacm-2002-he4_2003-07-25"
FEBRUARY = "gmacm-2003-he2_2004-02-25"
#: Interest that the capitalised-interest account paid in June 2003.
CAPITALISED = Decimal("61245.39")


@pytest.fixture(scope="module")
def deals():
    return {series: read_deal(path) for series, path in shipped_deals().items()}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    for name, record in RECORDS.items():
        (folder / name).write_text(write_document(record, Style("cells", 7)))
    return {name: read_certificate(folder / name) for name in RECORDS}


@pytest.fixture
def replayed(certificates, deals):
    def of(name, **changes):
        deal = deals[certificates[name].series].model_copy(update=changes)
        return {line.name: line for line in replay(certificates[name], deal).lines}

    return of


@pytest.mark.parametrize("name", [name for name in RECORDS if name != JUNE])
def test_every_figure_replays_to_the_cent(replayed, name):
    lines = replayed(name)
    record = RECORDS[name]
    assert [line.name for line in lines.values() if line.status == "fail"] == []
    passed = {line.name for line in lines.values() if line.status == "pass"}
    for note, row in record["notes"].items():
        assert f"{note} interest" in passed
        assert lines[f"{note} interest"].recomputed == Decimal(row["interest"])
        if note != "IO":
            assert lines[f"{note} principal"].recomputed == Decimal(row["principal"])
    assert lines["OC at end"].recomputed == Decimal(record["oc"]["outstanding"])
    assert lines["excess cash"].recomputed == Decimal(record["pool"]["excess_cash"])
    assert lines["residual"].recomputed == Decimal(record["oc"]["certificates_paid"])
    assert {"premium", "interest", "OC at end", "excess cash", "residual"} <= passed


def test_june_misses_what_the_capitalised_interest_account_paid_and_nothing_else(replayed):
    """A month's collections cannot know of it; everything else comes out to the cent."""
    off = {n: line.difference for n, line in replayed(JUNE).items() if line.status == "fail"}
    assert off == {"excess cash": CAPITALISED, "residual": CAPITALISED, "premium": -CAPITALISED}


def test_july_releases_oc_down_to_its_target(replayed):
    lines = replayed(JULY)
    assert lines["OC change"].recomputed == Decimal("-19436.74")
    assert lines["hold_oc"].recomputed == Decimal("29855121.99")  # 19,436.74 less than collected
    assert lines["OC at end"].recomputed == lines["OC target"].recomputed


def test_february_builds_oc_with_all_excess(replayed):
    lines = replayed(FEBRUARY)
    assert lines["build_oc"].recomputed == Decimal("975292.71")
    assert lines["hold_oc"].recomputed == Decimal("16136402.00")  # collections and loss
    assert lines["hold_oc"].status == "not testable"


def changed_steps(deal, kind, **keys):
    return tuple(step.model_copy(update=keys) if step.pay == kind else step for step in deal.steps)


def test_a_wrong_premium_is_off_where_it_shows(replayed, deals):
    steps = changed_steps(deals["2003-HE2"], "premium", rate=0.001176)
    off = {n for n, line in replayed(FEBRUARY, steps=steps).items() if line.status == "fail"}
    assert {"premium", "OC at end", "excess cash", "A-1 principal"} <= off
    assert "A-1 interest" not in off


def test_a_wrong_target_is_off_by_the_release(replayed, deals):
    oc = deals["2002-HE4"].overcollateralization.model_copy(update={"target": Decimal("7681384")})
    lines = replayed(JULY, overcollateralization=oc)
    assert lines["residual"].difference == Decimal("0.06")
    assert lines["OC target"].status == "fail"


def test_a_wrong_day_count_is_off_in_months_of_other_lengths(replayed, deals):
    classes = tuple(c.model_copy(update={"day_count": "30/360"}) for c in deals["2002-HE4"].classes)
    october, july = "gmacm-2002-he4_2003-10-27", JULY
    assert replayed(october, classes=classes)["A-1 interest"].status == "fail"
    assert replayed(july, classes=classes)["A-1 interest"].status == "pass"  # 30 days


def test_a_figure_that_is_missing_is_named(tmp_path, deals):
    record = RECORDS[FEBRUARY]
    record = {**record, "pool": {**record["pool"], "interest_collections": None}}
    path = tmp_path / "gap.txt"
    path.write_text(write_document(record, Style("cells", 7)))
    with pytest.raises(InputError, match="interest collections: found none"):
        replay(read_certificate(path), deals["2003-HE2"])
