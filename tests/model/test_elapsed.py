"""A scenario and roll rates that go on: the months of the longer projection, from its second on."""

import numpy as np
import pytest

from hemc.config import load_config
from hemc.inputs.product import read_product
from hemc.inputs.scenario_file import read_macro_path
from hemc.model.innovations import Sampling
from hemc.model.moves import Elapsed, compile_moves
from hemc.model.scenario import factor_model
from hemc.model.stress import stress_paths
from hemc.states import PAID_OFF

MONTHS, LATER = 30, 3


@pytest.fixture(scope="module", params=["off", "on"])
def stressed(base_toml, request):
    """Configuration and macroeconomic path of the adverse scenario, without and with crises."""
    settings = {
        "scenario.file": "scenarios/adverse-2025.toml", "scenario.crisis.component": request.param,
        "scenario.multiples.roll_rate": 1.2,
    }  # fmt: skip
    loaded = load_config(base_toml, settings)
    return loaded.config, read_macro_path(loaded.scenario, loaded.scenario_path)


@pytest.fixture(scope="module")
def product(root):
    return read_product(root / "configs" / "products" / "closed-end-second-2003.toml")


def moves(product, stressed, n_months, elapsed):
    config, macro = stressed
    rates = product.row_means()
    rates[0, [1, 7, PAID_OFF]] = 0.003, 0.0007, 0.0366
    rates[0, 0] = 1.0 - rates[0, 1:].sum()
    return compile_moves(rates[None], product.order, config, n_months, macro, elapsed)


def test_moves_go_on_where_the_longer_projection_is(product, stressed):
    whole = moves(product, stressed, MONTHS + LATER, Elapsed())
    rest = moves(product, stressed, MONTHS, Elapsed(LATER, LATER))
    assert np.array_equal(rest.threshold, whole.threshold[LATER:])
    assert np.array_equal(rest.payoff_hazard, whole.payoff_hazard[LATER:])


def test_rates_and_scenario_go_on_each_by_itself(product, stressed):
    new, both = (moves(product, stressed, MONTHS, Elapsed(k, LATER)) for k in (0, LATER))
    fresh = moves(product, stressed, MONTHS, Elapsed())
    assert np.array_equal(new.payoff_hazard, fresh.payoff_hazard)  # the curve begins anew
    assert not np.array_equal(both.payoff_hazard, fresh.payoff_hazard)
    late = np.arange(1, new.threshold.shape[2])  # states without a ramp: the scenario alone
    assert np.array_equal(new.threshold[:, :, late], both.threshold[:, :, late])
    assert not np.array_equal(new.threshold[:, :, late], fresh.threshold[:, :, late])


@pytest.mark.parametrize("method", ["plain", "antithetic"])
@pytest.mark.parametrize("factors", ["on", "off"])
def test_factors_of_a_path_go_on(stressed, method, factors):
    config, macro = stressed
    settings = config.scenario.model_copy(update={"factors": factors})
    drawn = []
    for n_months, elapsed in ((MONTHS + LATER, 0), (MONTHS, LATER)):
        model = factor_model(settings, 4.0, n_months, 7, macro, elapsed)
        drawn.append(model.sampled(Sampling(method)).draw(0, 8))
    for whole, rest in zip(*drawn, strict=True):
        assert rest.shape == (8, MONTHS)
        assert np.array_equal(rest, whole[:, LATER:])


def test_stress_after_some_months(stressed):
    config, macro = stressed
    whole = stress_paths(config.scenario, macro, MONTHS + LATER)
    rest = whole.after(LATER)
    assert np.array_equal(rest.shift, whole.shift[LATER:])
    assert np.array_equal(rest.index_rate, whole.index_rate[LATER:])
    assert np.array_equal(rest.prepayment_multiplier, whole.prepayment_multiplier[LATER:])
    flat = stress_paths(config.scenario, None, MONTHS).after(LATER)
    assert flat.prepayment_multiplier is None
