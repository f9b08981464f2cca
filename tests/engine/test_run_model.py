"""The model of a run: another deal on the same pool is what the documents with it make."""

from hemc import engine
from hemc.config import load_config
from hemc.engine.run_model import with_deal
from hemc.scale.block import run_block


def test_another_deal_on_the_same_pool_is_the_model_of_its_documents(base_toml):
    loaded = load_config(base_toml, {"roll_rates.draws": "2000", "scenario.stress_shift": "0.4"})
    documents = engine.read_documents(loaded)
    calibration = engine.calibrate(loaded, documents)
    model = engine.build_model(loaded.config, documents, calibration)
    deal = documents.deal.model_copy(update={"undercollateralization": "reverse_order"})
    other = documents._replace(deal=deal)
    whole = run_block(engine.build_model(loaded.config, other, calibration), 64, 0, 64)
    again = run_block(with_deal(model, loaded.config, other), 64, 0, 64)
    assert again.paths.equals(whole.paths)
    assert again.next_month.equals(whole.next_month)
    assert not again.paths.equals(run_block(model, 64, 0, 64).paths)
