"""What a multiple of roll rates is: by hand, at its caps, and in a whole model."""

import numpy as np
import pytest
from pydantic import ValidationError

from hemc.inputs.product import read_product
from hemc.model.roll_rate_multiple import multiplied_cells, multiply_roll_rates
from hemc.settings.multiples import MultipleSettings
from hemc.states import (
    BANKRUPTCY,
    CHARGED_OFF,
    CURRENT,
    D30,
    D60,
    D150,
    D180,
    N_LIVE,
    N_STATES,
    PAID_OFF,
    REO,
)


@pytest.fixture(scope="module")
def product(root):
    return read_product(root / "configs" / "products" / "closed-end-second-2003.toml")


@pytest.fixture(scope="module")
def rates(product):
    rates = product.row_means()
    rates[CURRENT, [PAID_OFF, D30, BANKRUPTCY]] = 0.03, 0.003, 0.001
    rates[CURRENT, CURRENT] = 1.0 - rates[CURRENT].sum()
    return rates


def times(rates, product, multiple, **more):
    return multiply_roll_rates(rates, product.order, MultipleSettings(roll_rate=multiple, **more))


def test_one_row_by_hand():
    """30 days: 0.3 pays off; of the rest 0.2 rolls, 0.1 goes bankrupt, 0.4 cures."""
    row = np.zeros((N_LIVE, N_STATES))
    row[D30, [PAID_OFF, D60, BANKRUPTCY, CURRENT]] = 0.3, 0.2, 0.1, 0.4
    order = np.array([CHARGED_OFF, D180, D150, REO, 4, 3, 8, D60, BANKRUPTCY, D30, CURRENT])
    double = MultipleSettings(roll_rate=2.0, roll_rate_form="probability")
    found = multiply_roll_rates(row, order, double)[D30]
    assert found[[PAID_OFF, D60, BANKRUPTCY, CURRENT]] == pytest.approx([0.3, 0.4, 0.2, 0.1])
    found = multiply_roll_rates(row, order, MultipleSettings(roll_rate=2.0))[D30]
    stays = (0.4 / 0.7) ** 2 * 0.7
    assert found[[PAID_OFF, CURRENT]] == pytest.approx([0.3, stays])
    assert found[D60] == pytest.approx(2 * found[BANKRUPTCY]) == pytest.approx((0.7 - stays) / 1.5)


@pytest.mark.parametrize("form", ["hazard", "probability"])
@pytest.mark.parametrize("cells", ["worsening", "buckets", ("C-30", "150-180")])
@pytest.mark.parametrize("multiple", [0.25, 1.3, 8.0, 100.0])
def test_rows_stay_distributions_and_payoffs_what_they_are(rates, product, form, cells, multiple):
    found = times(rates, product, multiple, roll_rate_form=form, roll_rate_cells=cells)
    assert found.sum(axis=1) == pytest.approx(rates.sum(axis=1))
    assert found.min() >= 0.0
    assert (found[:, PAID_OFF] == rates[:, PAID_OFF]).all()
    chosen = multiplied_cells(product.order, cells)
    worse = [(m * chosen).sum(axis=1) for m in (found, rates)]
    assert ((worse[0] - worse[1]) * np.sign(multiple - 1.0) >= -1e-12).all()
    assert not np.allclose(worse[0], worse[1])


def test_small_probabilities_are_multiplied_in_both_forms(rates, product):
    for form in ("hazard", "probability"):
        found = times(rates, product, 1.1, roll_rate_cells=("C-30",), roll_rate_form=form)
        assert found[CURRENT, D30] == pytest.approx(1.1 * rates[CURRENT, D30], rel=1e-3)
        assert (found[1:] == rates[1:]).all()


def test_probabilities_are_capped_where_hazards_need_no_cap(rates, product):
    capped = times(rates, product, 100.0, roll_rate_form="probability")
    kept = 1.0 - rates[D30, PAID_OFF]
    worse = multiplied_cells(product.order, "worsening")[D30]
    assert capped[D30, worse].sum() == pytest.approx(kept)
    near = times(rates, product, 3.0)
    assert near[D30, worse].sum() < kept


def test_worsening_moves_lead_down_the_products_order(product):
    worse = multiplied_cells(product.order, "worsening")
    assert worse[CURRENT, [D30, BANKRUPTCY, CHARGED_OFF]].all()
    assert not worse[:, [CURRENT, PAID_OFF]].any()
    assert worse[D180, CHARGED_OFF]
    assert not worse[D60, D30]
    buckets = multiplied_cells(product.order, "buckets")
    assert buckets.sum() == 6
    assert buckets[D150, D180]


def test_a_multiple_of_one_is_the_very_same_array(rates, product):
    assert times(rates, product, 1.0) is rates


@pytest.mark.parametrize("move", ["C-P", "30", "C-31", "L-C", "60-60"])
def test_what_is_no_move_is_refused(move):
    with pytest.raises(ValidationError, match="a move such as"):
        MultipleSettings(roll_rate_cells=(move,))
