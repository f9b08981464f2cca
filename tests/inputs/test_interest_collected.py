"""Interest collected against interest owed, by hand from printed figures."""

import dataclasses

import pytest

from hemc.inputs.certificate_record import read_record
from hemc.inputs.interest_collected import interest_ratio

SCHEDULED = 0.0025


@pytest.fixture
def february(root):
    return read_record(root / "configs" / "certificates" / "gmacm-2002-he4_2004-02-25.json")


def with_pool(certificate, **values):
    """Return the certificate with other figures of its pool."""
    changed = {k: dataclasses.replace(certificate.pool[k], value=v) for k, v in values.items()}
    return dataclasses.replace(certificate, pool={**certificate.pool, **changed})


def test_the_ratio_of_a_certificate_by_hand(february):
    paid_off = 10_095_370.00 - 0.0025 * 223_191_584.44
    silent = 1_603_094.06 + 77_436.63 + 2_848_484.69 + 215_438.23  # 30, 180+, BK, FC; no REO
    owed = 0.081825 / 12 * (223_191_584.44 - paid_off / 2 - silent)
    assert interest_ratio(february, SCHEDULED) == pytest.approx(1_565_314.60 / owed, rel=1e-12)


@pytest.mark.parametrize(
    "missing",
    ["interest_collections", "net_loan_rate_pct", "beginning_pool", "principal_collections"],
)
def test_a_figure_that_is_missing_leaves_no_ratio(february, missing):
    assert interest_ratio(with_pool(february, **{missing: None}), SCHEDULED) is None


def test_a_month_of_prefunding_leaves_no_ratio(root):
    june = read_record(root / "configs" / "certificates" / "gmacm-2003-he2_2003-06-25.json")
    assert interest_ratio(june, SCHEDULED) is None
    assert interest_ratio(with_pool(june, beginning_pfa=None), SCHEDULED) is not None
