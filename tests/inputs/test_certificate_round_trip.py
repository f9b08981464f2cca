"""Record → document → reader → record, in both layouts and all that filings vary."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from certificate_writer import RECORDS, Style, figures_of, write_document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemc.errors import InputError
from hemc.inputs.certificate import Certificate, read_certificate
from hemc.outputs.certificate_text import certificate_record

styles = st.builds(
    Style,
    layout=st.sampled_from(["text", "cells"]),
    seed=st.integers(0, 9999),
    capitals=st.booleans(),
    merged=st.booleans(),
    shuffled=st.booleans(),
    plain_dates=st.booleans(),
    percent_signs=st.booleans(),
    bars_between_rows=st.booleans(),
    short_certificates=st.booleans(),
)
names = st.sampled_from(sorted(RECORDS))
quick = settings(
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read_text(folder: Path, text: str) -> Certificate:
    """Write a text to a file and read it as a certificate."""
    path = folder / "certificate.txt"
    path.write_bytes(text.encode())
    return read_certificate(path)


@pytest.mark.parametrize("name", RECORDS)
@quick
@given(style=styles)
def test_a_whole_document_gives_its_record_back(tmp_path: Path, name: str, style: Style) -> None:
    record = RECORDS[name]
    certificate = read_text(tmp_path, write_document(record, style))
    read = certificate_record(certificate)
    assert figures_of(read) == figures_of(record)
    assert read["series"] == record["series"]
    assert read["payment_date"] == record["payment_date"]
    assert certificate.layout == style.layout
    assert certificate.footnote.includes == {"BK": False, "FC": False, "REO": False}


@settings(quick, max_examples=300)
@given(name=names, style=styles, share=st.floats(0, 1), has_line_end=st.booleans())
def test_a_document_cut_after_a_line_gives_what_stands_before(
    tmp_path: Path, name: str, style: Style, share: float, has_line_end: bool
) -> None:
    lines = write_document(RECORDS[name], style).split("\n")
    text = "\n".join(lines[: round(share * len(lines))]) + "\n" * has_line_end
    _require_right_or_missing(tmp_path, name, text)


@settings(quick, max_examples=400)
@given(name=names, style=styles, share=st.floats(0, 1))
def test_a_document_cut_inside_a_figure_does_not_give_the_rest_of_it(
    tmp_path: Path, name: str, style: Style, share: float
) -> None:
    text = write_document(RECORDS[name], style)
    _require_right_or_missing(tmp_path, name, text[: round(share * len(text))])


@settings(quick, max_examples=300)
@given(
    name=names,
    style=styles,
    place=st.floats(0, 1),
    damage=st.sampled_from(["########", "#DIV/0!", "@", "\x00", "1", ".", "|", "\n", "(", "é"]),
)
def test_damage_never_ends_in_a_traceback(
    tmp_path: Path, name: str, style: Style, place: float, damage: str
) -> None:
    text = write_document(RECORDS[name], style)
    cut = round(place * len(text))
    try:
        certificate = read_text(tmp_path, text[:cut] + damage + text[cut:])
    except InputError:
        return
    _require_reasons(certificate)


def _require_right_or_missing(folder: Path, name: str, text: str) -> None:
    """Every figure given must be the record's; every other one must have a reason."""
    whole = figures_of(RECORDS[name])
    try:
        certificate = read_text(folder, text)
    except InputError:
        return
    read = figures_of(certificate_record(certificate))
    assert {path: whole[path] for path in read} == read
    assert certificate.payment_date is None or (
        certificate.payment_date.isoformat() == RECORDS[name]["payment_date"]
    )
    _require_reasons(certificate)


def _require_reasons(certificate: Certificate) -> None:
    for _, table in certificate.tables():
        for field in table.values():
            assert (field.value is None) == bool(field.reason)


def test_a_cut_document_still_gives_its_beginning(tmp_path: Path) -> None:
    name = "gmacm-2002-he4_2004-02-25"
    lines = write_document(RECORDS[name], Style("text", 1)).split("\n")
    cut = next(i for i, line in enumerate(lines) if line.startswith("Class A-2"))
    certificate = read_text(tmp_path, "\n".join(lines[:cut]) + "\n" + lines[cut][:50])
    pool = {k: f.value for k, f in certificate.pool.items()}
    assert pool == {k: Decimal(v) for k, v in RECORDS[name]["pool"].items()}
    assert certificate.notes["A-1"]["coupon_pct"].value == Decimal("1.240")
    assert certificate.notes["A-2"]["beginning"].value == Decimal("215510200.50")
    assert certificate.notes["A-2"]["ending"].value is None
    assert "ends in the figure" in (certificate.notes["A-2"]["ending"].reason or "")
    assert "which ends on line" in (certificate.oc["target"].reason or "")
