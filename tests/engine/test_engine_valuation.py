"""Values in whole runs: laws between the passes, the call, the index, and where quotes are kept."""

import numpy as np
import pytest

from hemc import engine
from hemc.config import load_config
from hemc.errors import InputError
from hemc.outputs.results import manifest

TERM_CLASSES = ("A-1", "A-2", "A-3", "A-4", "A-5")
FEW = {
    "simulation.paths": "64", "simulation.oracle_paths": "0", "outputs.sensitivity_paths": "0",
    "scenario.stress_shift": "0.2",
}  # fmt: skip


def run(base_toml, **settings):
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return engine.run(load_config(base_toml, FEW | dotted), lambda _: None)


@pytest.fixture(scope="module")
def base(base_toml):
    return run(base_toml)


def column(result, name):
    return result.paths[name].to_numpy()


def test_the_insurer_never_costs_a_class_its_yield(base):
    for name in TERM_CLASSES:
        gain = column(base, f"yield_{name}") - column(base, f"yield_unwrapped_{name}")
        # A premium paid moves principal by some months: basis points at par, no more.
        assert gain.min() > -5e-4
    assert column(base, "yield_unwrapped_A-4").min() < 0.02


def test_the_wrap_is_worth_what_the_prices_differ(base):
    worth, lost = (
        sum(column(base, f"{measure}_{name}") for name in TERM_CLASSES)
        for measure in ("wrap_value", "writedown")
    )
    assert (lost > 1e5).any()
    assert (worth[lost > 1e5] > 0).all()
    # Draws that only bridge a time and the premium move principal: worth nothing at own coupons.
    assert np.abs(worth[lost == 0]).max() < 1.0
    balance = float(base.documents.certificate.notes["A-4"]["ending"].value)
    prices = column(base, "price_A-4") - column(base, "price_unwrapped_A-4")
    np.testing.assert_allclose(column(base, "wrap_value_A-4"), prices * balance / 100, atol=0.01)


def test_a_call_shortens_lives_and_a_path_without_one_is_unchanged(base):
    call = base.paths["call_month"]
    assert call.null_count() < len(call)
    for name in ("A-4", "A-5"):
        life, to_call = (column(base, f"{m}_{name}") for m in ("wal", "wal_to_call"))
        assert (to_call <= life + 1e-12).all()
        assert (to_call[call.is_null().to_numpy()] == life[call.is_null().to_numpy()]).all()
    last = base.paths.filter(base.paths["call_month"].is_not_null())
    assert (last["window_last_to_call_A-4"] <= last["call_month"]).all()
    assert (last["window_last_to_call_A-4"] == last["call_month"]).any()


def test_an_index_path_moves_the_yield_of_a_floater_and_not_its_margin(base, base_toml, tmp_path):
    file = tmp_path / "index.csv"
    file.write_text("month,rate\n1,0.011\n13,0.051\n")
    rising = run(base_toml, scenario__index_path=f"'{file}'")
    assert rising.documents.paths["index"] == file
    shifted = column(rising, "yield_A-1") - column(base, "yield_A-1")
    assert (shifted > 0.005).all()
    assert np.abs(column(rising, "discount_margin_A-1") - 0.001).max() < 1e-9
    flat = run(base_toml, scenario__index_path="[{ until_month = 400, rate = 0.011 }]")
    assert flat.paths.equals(base.paths)


def test_a_higher_price_yields_less_and_the_manifest_keeps_the_quotes(base, base_toml):
    dear = run(base_toml, valuation__prices="{ A-2 = 102.0, IO = 7.0 }", valuation__delay_days="0")
    assert (column(dear, "yield_A-2") < column(base, "yield_A-2")).all()
    assert (column(dear, "yield_IO") > 0.07).all()
    quotes = {row["note"]: row for row in manifest(dear)["quotes"]}
    assert quotes["A-2"]["clean_price"] == pytest.approx(102.0)
    assert quotes["A-2"]["accrued_interest"] == 0.0
    assert quotes["A-1"]["discount_margin"] == 0.001
    assert quotes["A-1"]["bond_equivalent_yield"] is None


def test_a_quote_of_no_class_stops_the_run(base_toml):
    with pytest.raises(InputError, match=r"valuation\.prices.*class A-9"):
        run(base_toml, valuation__prices="{ A-9 = 100.0 }")
