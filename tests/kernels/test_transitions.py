"""Matrices of a path: means kept in every month, lumps, order, and Φ."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from hemc.config import Config, Inputs
from hemc.inputs.product import read_product
from hemc.inputs.scenario_file import read_macro_path, read_scenario_file
from hemc.kernels.transitions import cumulate_path, lumpy_charge_off, normal_cdf
from hemc.model.latent_classes import split_classes
from hemc.model.moves import compile_moves, normal_table, prepayment_curve, season
from hemc.model.scenario import factor_model
from hemc.model.stress import stress_paths
from hemc.states import CURRENT, D30, N_LIVE, N_STATES, PAID_OFF

MONTHS = 60
PATHS = 12_000


def config(**settings):
    return Config(name="t", inputs=Inputs(certificate="a", deal="b", product="c"), **settings)


def rates_of(root):
    product = read_product(root / "configs/products/closed-end-second-2003.toml")
    rates = product.row_means()
    rates[0, [1, 7, 8, PAID_OFF, 11]] = 0.003, 0.0007, 2e-5, 0.0366, 1e-5
    rates[0, 0] = 1 - rates[0, 1:].sum()
    return product, rates


def seasoned(rates, settings):
    """Return calibrated rates by month, [month, class, state, state]."""
    wanted = np.repeat(rates[None], MONTHS, axis=0)
    wanted[:, :, CURRENT] = season(rates[:, CURRENT], settings, MONTHS)
    return wanted


def cells(moves, factors, months):
    """Return every path's matrices as probabilities, [path, class, state, month, state]."""
    z, y, g = factors
    n_classes = moves.threshold.shape[1]
    cumulative = np.empty((n_classes, N_LIVE, moves.threshold.shape[0], moves.destination.shape[1]))
    out = np.zeros((len(z), n_classes, N_LIVE, len(months), N_STATES))
    for p in range(len(z)):
        cumulate_path(moves, z[p], y[p], g[p], cumulative)
        for s in range(N_LIVE):
            n = moves.n_destinations[s] + 1
            row = cumulative[:, s][:, months, :n]
            out[p, :, s][:, :, moves.destination[s, :n]] = np.diff(row, axis=2, prepend=0.0)
    return out


@pytest.fixture(scope="module", params=[1, 2])
def simulated(request, root):
    """Matrices of many paths at months 1, 12 and 60 with the factors on, and their calibration."""
    settings = config(roll_rates={"classes": request.param})
    product, rates = rates_of(root)
    split = split_classes(rates, product.order, settings.roll_rates)
    moves = compile_moves(split.rates, product.order, settings, MONTHS)
    factors = factor_model(settings.scenario, settings.loss.lumpiness, MONTHS, 11).draw(0, PATHS)
    months = np.array([0, 11, 59])
    wanted = seasoned(split.rates, settings)[months]
    return cells(moves, factors, months), wanted, settings, split.rates


def test_every_cell_averages_to_its_calibrated_value(simulated):
    """Given no payoff, with credit factor, seasoning and lumpy charge-offs on."""
    found, wanted, _, _ = simulated
    stays = 1.0 - found[..., PAID_OFF]
    moves = np.delete(found, PAID_OFF, axis=-1) / stays[..., None]
    calibrated = np.delete(wanted, PAID_OFF, axis=-1) / (1 - wanted[..., PAID_OFF])[..., None]
    calibrated = calibrated.transpose(1, 2, 0, 3)
    error = moves.std(axis=0, ddof=1) / len(moves) ** 0.5
    gap = np.abs(moves.mean(axis=0) - calibrated)
    possible = calibrated > 0
    assert possible.sum() > 150 * found.shape[1]
    assert (gap[possible] < 5 * error[possible] + 1e-9).all()
    assert not moves[:, ~possible].any()


def test_payoff_cell_averages_to_its_integral(simulated):
    """The factor's lognormal and the closing of refinancing, by quadrature instead of draws."""
    found, _, settings, rates = simulated
    s = settings.scenario
    node, weight = np.polynomial.hermite_e.hermegauss(120)
    weight = weight / weight.sum()
    curve = prepayment_curve(rates, settings, MONTHS)
    for place, month in enumerate((1, 12, 60)):
        z = node * s.credit_sd * (1 - s.credit_persistence ** (2 * month)) ** 0.5
        sd = s.prepayment_sd * (1 - s.prepayment_persistence ** (2 * month)) ** 0.5
        still_open = np.clip(1 - 0.5 * np.maximum(z, 0) / 0.18, 0, 1)
        hazard = -np.log1p(-rates[0, :, PAID_OFF]) * curve[month - 1]
        multiplier = np.exp(node * sd - sd**2 / 2)[:, None] * (0.25 + 0.75 * still_open)
        smm = 1 - np.exp(-hazard[:, None, None] * multiplier)
        wanted = np.einsum("i,j,sij->s", weight, weight, smm)
        cell = found[:, 0, :, place, PAID_OFF]
        error = cell.std(axis=0, ddof=1) / len(cell) ** 0.5
        assert (np.abs(cell.mean(axis=0) - wanted) < 5 * error + 2e-5).all()


def test_months_differ_only_by_seasoning_and_curve(root):
    """With the factors off and no lumps, a matrix is its calibration."""
    settings = config(scenario={"factors": "off"}, loss={"lumpiness": 0.0})
    product, rates = rates_of(root)
    moves = compile_moves(rates[None], product.order, settings, MONTHS)
    factors = factor_model(settings.scenario, 0.0, MONTHS, 1).draw(0, 1)
    found = cells(moves, factors, np.arange(MONTHS))[0, 0]
    payoff = found[:, :, PAID_OFF]
    wanted = seasoned(rates[None], settings)[:, 0].transpose(1, 0, 2)
    scaled = wanted * ((1 - payoff) / (1 - wanted[..., PAID_OFF]))[..., None]
    scaled[..., PAID_OFF] = payoff
    np.testing.assert_allclose(found, scaled, atol=5e-10)
    rolls = found[CURRENT, :, D30] / (1 - payoff[CURRENT])
    assert rolls[17] / rolls[0] == pytest.approx(1.5 / (1 + 0.5 / 18), rel=1e-6)
    assert rolls[59] == pytest.approx(rolls[17], rel=1e-9)


def test_stress_shift_moves_every_mean_to_the_shifted_threshold(root):
    settings = config(scenario={"stress_shift": 0.4}, loss={"lumpiness": 0.0})
    product, rates = rates_of(root)
    moves = compile_moves(rates[None], product.order, settings, 24)
    factors = factor_model(settings.scenario, 0.0, 24, 2).draw(0, PATHS)
    found = cells(moves, factors, np.array([23]))[:, 0, :, 0]
    stays = 1 - found[:, :, PAID_OFF]
    for s in range(1, N_LIVE):
        base = rates[s, 11] / (1 - rates[s, PAID_OFF])
        wanted = ndtr(ndtri(base) + 0.4)
        cell = found[:, s, 11] / stays[:, s]
        assert abs(cell.mean() - wanted) < 5 * cell.std() / PATHS**0.5


@pytest.mark.parametrize("crises", ["off", "on"])
def test_a_path_of_shifts_moves_the_means_of_each_month(root, crises):
    """Every cumulative cell averages to Φ(threshold + shift) at months 1, 12 and 60."""
    file = root / "configs/scenarios/severely-adverse-2025.toml"
    macro = read_macro_path(read_scenario_file(file), file)
    crisis = {"component": crises, "months_between": 120.0}
    settings = config(scenario={"crisis": crisis, "stress_shift": -0.1}, loss={"lumpiness": 0.0})
    product, rates = rates_of(root)
    moves = compile_moves(rates[None], product.order, settings, MONTHS, macro)
    factors = factor_model(settings.scenario, 0.0, MONTHS, 2, macro).draw(0, PATHS)
    months = np.array([0, 11, 59])
    found = cells(moves, factors, months)[:, 0]
    shift = stress_paths(settings.scenario, macro, MONTHS).shift[months]
    assert len(set(shift)) == 3
    assert shift[1] > 0.4
    calibrated = np.repeat(rates[None], months.size, axis=0)
    calibrated[:, CURRENT] = season(rates[None, CURRENT], settings, MONTHS)[months, 0]
    given = found / (1 - found[..., [PAID_OFF]])
    for s in range(N_LIVE):
        order = [d for d in product.order if rates[s, d] > 0][:-1]
        base = np.cumsum(calibrated[:, s, order], axis=1) / (1 - calibrated[:, s, [PAID_OFF]])
        wanted = ndtr(ndtri(base) + shift[:, None])
        worse = np.cumsum(given[:, s][:, :, order], axis=2)
        error = worse.std(axis=0, ddof=1) / PATHS**0.5
        assert (np.abs(worse.mean(axis=0) - wanted) < 5 * error + 1e-9).all()


def test_worse_credit_never_helps(root):
    settings = config()
    product, rates = rates_of(root)
    moves = compile_moves(rates[None], product.order, settings, 3)
    flat = np.ones((1, 3))
    matrices = [cells(moves, (flat * z, flat, flat), np.array([2]))[0, 0, :, 0] for z in (0, 0.5)]
    for s in range(N_LIVE):
        worst = np.cumsum(matrices[0][s, product.order])
        stressed = np.cumsum(matrices[1][s, product.order])
        assert (stressed >= worst - 1e-12).all()


def test_lumpy_charge_off_keeps_its_mean():
    gamma = np.random.default_rng(1).gamma(4, 0.25, 400_000)
    for probability in (1e-5, 0.02, 0.41, 0.565):
        lumpy = np.array([lumpy_charge_off(probability, g, 4.0) for g in gamma[:100_000]])
        assert abs(lumpy.mean() - probability) < 5 * lumpy.std() / len(lumpy) ** 0.5
    assert lumpy_charge_off(0.3, 2.0, 0.0) == 0.3


def test_normal_table():
    table = normal_table()
    x = np.linspace(-9.5, 9.5, 40_001)
    found = np.array([normal_cdf(v, table) for v in x])
    assert np.abs(found - ndtr(x)).max() < 1e-10
    assert normal_cdf(-np.inf, table) == 0.0
    assert normal_cdf(np.inf, table) == 1.0
