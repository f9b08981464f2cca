"""Two latent classes: the split is exact, the fit finds made classes and explains real counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hemc.errors import InputError
from hemc.inputs.class_fractions import (
    class_fractions_text,
    read_class_fractions,
)
from hemc.inputs.move_counts import read_move_counts
from hemc.inputs.product import read_product
from hemc.model.class_moves import IMPROVING, STAYING, WORSENING, kinds_of_moves, split_by_fractions
from hemc.model.latent_classes import split_classes
from hemc.model.two_class_fit import (
    fit_two_classes,
    fractions_by_state,
    observed_rates,
    rates_ahead,
    rates_of_one_class,
)
from hemc.settings.roll_rates import RollRateSettings
from hemc.states import CURRENT, D30, D60, D180, FORECLOSURE, N_LIVE, N_STATES, PAID_OFF, REO


@pytest.fixture(scope="module")
def product(root):
    return read_product(root / "configs" / "products" / "closed-end-second-2003.toml")


@pytest.fixture(scope="module")
def matrix(product):
    """A matrix of second liens, with a current row."""
    mean = product.row_means()
    mean[CURRENT, [D30, PAID_OFF]] = 0.003, 0.04
    mean[CURRENT, CURRENT] = 1.0 - mean[CURRENT].sum()
    return mean


@pytest.fixture(scope="module")
def shipped(root, product):
    """The shipped counts and their fit."""
    moves = read_move_counts(root / "configs" / "counts" / "first-liens-2014.csv")
    return moves, fit_two_classes(moves.counts, product.order)


def test_kinds_of_moves_follow_the_order_of_loss(product):
    kinds = kinds_of_moves(product.order)
    assert kinds[D30, CURRENT] == IMPROVING
    assert kinds[D30, D30] == STAYING
    assert kinds[D30, D60] == WORSENING
    assert kinds[FORECLOSURE, REO] == WORSENING
    assert (np.diag(kinds) == STAYING).all()


@settings(max_examples=50, derandomize=True, deadline=None)
@given(fractions=arrays(float, (N_LIVE, 3), elements=st.floats(0.001, 0.999)))
def test_the_mix_is_the_matrix_whatever_the_fractions(fractions, matrix, product):
    split = split_by_fractions(matrix, product.order, fractions)
    assert (split.rates >= 0).all()
    np.testing.assert_allclose(split.rates.sum(axis=2), 1.0)
    mix = np.einsum("sk,kst->st", split.share, split.rates)
    np.testing.assert_allclose(mix, matrix, atol=1e-12)
    movers, chronic = split.rates
    np.testing.assert_allclose(chronic[:, PAID_OFF], movers[:, PAID_OFF], atol=1e-12)


def test_one_class_of_every_kind_alike_is_the_matrix(matrix, product):
    split = split_by_fractions(matrix, product.order, np.full((N_LIVE, 3), 0.3))
    np.testing.assert_allclose(split.rates[0], split.rates[1])
    np.testing.assert_allclose(split.share[:, 1], 0.3)


def test_rates_ahead_are_sums_over_paths(matrix, product):
    fractions = np.random.default_rng(1).uniform(0.1, 0.9, (N_LIVE, 3))
    split = split_by_fractions(matrix, product.order, fractions)
    expected = np.zeros((N_LIVE, N_STATES))
    for k in range(2):
        for s in range(N_LIVE):
            for middle in range(N_LIVE):
                step = split.rates[k, s, middle] * split.rates[k, middle]
                expected[s] += split.share[s, k] * step
            ended = split.rates[k, s, PAID_OFF:]
            expected[s, PAID_OFF:] += split.share[s, k] * ended
    np.testing.assert_allclose(rates_ahead(split, 2), expected, atol=1e-12)
    np.testing.assert_allclose(rates_ahead(split, 1), matrix, atol=1e-12)


def test_made_classes_are_found_again(matrix, product):
    """Counts of made classes without noise: the fit meets every table, not only the one-month's."""
    fractions = np.full((N_LIVE, 3), 0.5)
    fractions[CURRENT] = 0.5, 0.03, 0.3
    fractions[D30 : D180 + 1] = 0.1, 0.75, 0.35
    made = split_by_fractions(matrix, product.order, fractions)
    loans = np.full((N_LIVE, 1), 1e7)
    counts = {h: np.rint(loans * rates_ahead(made, h)).astype(np.int64) for h in (1, 3, 6)}
    fit = fit_two_classes(counts, product.order)
    assert fit.log_likelihood > 1e-4 * fit.log_likelihood_one_class
    for months in (3, 6, 12):
        np.testing.assert_allclose(
            rates_ahead(fit.classes, months)[:D180], rates_ahead(made, months)[:D180], atol=0.005
        )
    assert fit.classes.rates[1, D30, D30] > fit.classes.rates[0, D30, D30]


def test_one_class_of_loans_gains_nothing_from_a_second(matrix, product):
    loans = np.full((N_LIVE, 1), 1e6)
    counts = {h: np.rint(loans * rates_of_one_class(matrix, h)).astype(np.int64) for h in (1, 3, 6)}
    fit = fit_two_classes(counts, product.order)
    for months in (3, 6):
        expected = rates_of_one_class(matrix, months)
        np.testing.assert_allclose(rates_ahead(fit.classes, months), expected, atol=2e-4)


def test_the_shipped_counts_refute_one_class_and_fit_two(shipped):
    moves, fit = shipped
    counted = observed_rates(moves.counts[6])
    one, two = rates_of_one_class(fit.one_month, 6), rates_ahead(fit.classes, 6)
    assert counted[D30, CURRENT] == pytest.approx(0.60, abs=0.005)
    assert one[D30, CURRENT] == pytest.approx(0.86, abs=0.006)
    assert 0.58 <= two[D30, CURRENT] <= 0.62
    assert one[CURRENT, D180] < 0.55 * counted[CURRENT, D180]
    assert two[CURRENT, D180] == pytest.approx(counted[CURRENT, D180], rel=0.15)
    np.testing.assert_allclose(
        rates_ahead(fit.classes, 1), observed_rates(moves.counts[1]), atol=1e-12
    )
    assert fit.log_likelihood > 0.03 * fit.log_likelihood_one_class
    assert fit.tops[2] > 1.01 * fit.tops[0], "several searches end at the best top"


def test_the_shipped_classes_are_those_of_the_fit(shipped, root, tmp_path):
    _, fit = shipped
    file = root / "configs" / "classes" / "first-liens-2014.toml"
    read = read_class_fractions(file)
    np.testing.assert_allclose(read.array(0.4)[:D60], fit.fractions[:D60], atol=0.01)
    assert (read.array(0.4)[REO] == 0.4).all(), "REO tells nothing"
    written = tmp_path / "classes.toml"
    written.write_text(class_fractions_text(fractions_by_state(fit, 'a "name"')), encoding="utf-8")
    again = read_class_fractions(written)
    np.testing.assert_allclose(again.array(0.4)[:D180], fit.fractions[:D180], atol=1e-5)
    assert again.name == 'a "name"'


def test_fitted_classes_take_the_place_of_the_settings(matrix, product, root):
    fitted = read_class_fractions(root / "configs" / "classes" / "first-liens-2014.toml")
    two = RollRateSettings(classes=2)
    split = split_classes(matrix, product.order, two, fitted)
    mix = np.einsum("sk,kst->st", split.share, split.rates)
    np.testing.assert_allclose(mix, matrix, atol=1e-12)
    assert not np.allclose(split.rates, split_classes(matrix, product.order, two).rates)
    np.testing.assert_allclose(split.share[FORECLOSURE, 1], two.chronic_share)
    one = split_classes(matrix, product.order, RollRateSettings(classes=1), fitted)
    assert len(one.rates) == 1


@pytest.mark.parametrize("value", ["0.0", "1.0", "'half'"])
def test_a_fraction_outside_zero_and_one_is_named(tmp_path, value):
    file = tmp_path / "classes.toml"
    row = f"30 = {{ improving = 0.5, staying = {value}, worsening = 0.5 }}"
    file.write_text(f"name = 'n'\nsource = 's'\n[chronic]\n{row}\n")
    with pytest.raises(InputError) as caught:
        read_class_fractions(file)
    assert caught.value.place == "chronic.30.staying"
