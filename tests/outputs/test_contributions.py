"""Contributions: they add up to the figures of measures.parquet, and are what a plain sum says."""

import numpy as np
import polars as pl
import pytest

from hemc import engine
from hemc.config import load_config
from hemc.outputs.contributions import PREFIX, contributions, origins
from hemc.outputs.report.sections.contributions import contribution_tables
from hemc.outputs.results import write_run
from hemc.outputs.run_files import RunFiles
from hemc.states import N_LIVE

QUICK = {"simulation.paths": "256", "simulation.oracle_paths": "0",
         "outputs.sensitivity_paths": "0", "simulation.method": "large-pool"}  # fmt: skip
KEY = ["measure", "note", "statistic"]


def made(n=2000, classes=1, seed=4):
    """Return paths whose losses have origins of different tails."""
    rng = np.random.default_rng(seed)
    columns = {"path": np.arange(n), "weight": np.ones(n)}
    names = [o.column for row in origins(classes) for o in row]
    parts = {name: rng.gamma(1.0 + k % 3, 1e5, n) * (k < 5) for k, name in enumerate(names)}
    parts[names[0]] += 1e6 * rng.pareto(3.0, n)
    loss = sum(parts.values())
    columns |= {"pool_loss": loss, **parts}
    columns["writedown_A-1"] = np.maximum(loss - 3e6, 0.0)
    columns["writedown_A-2"] = np.where(loss > 2e6, 1e5, 0.0)
    return pl.DataFrame(columns)


@pytest.mark.parametrize("classes", [1, 2])
def test_the_tail_by_a_plain_sum(classes):
    """2000 paths, 99 %: the mean over the 20 worst paths, for every origin."""
    paths = made(classes=classes)
    table = contributions(paths.lazy(), 1)
    assert table.filter(measure="pool_loss", statistic="mean").height == N_LIVE * classes
    worst = paths.sort("pool_loss", descending=True).head(20)
    for row in table.filter(measure="pool_loss", statistic="es_99").to_dicts():
        name = row["from_state"] + ("" if classes == 1 else f"_{row['latent_class']}")
        assert row["value"] == pytest.approx(worst[PREFIX + name].mean())
        assert row["kind"] == "exact"


def test_an_allocation_is_in_proportion_to_losses():
    paths = made()
    table = contributions(paths.lazy(), 1).filter(note="A-1", statistic="es_99")
    assert set(table["kind"]) == {"allocation"}
    worst = paths.sort("writedown_A-1", descending=True).head(20)
    for row in table.to_dicts():
        part = worst[PREFIX + row["from_state"]] / worst["pool_loss"] * worst["writedown_A-1"]
        assert row["value"] == pytest.approx(part.mean())


def test_ties_at_the_quantile_share_what_is_left():
    """A-2 loses the same on more paths than the tail holds: its shortfall is that amount."""
    table = contributions(made().lazy(), 1).filter(note="A-2", statistic="es_99")
    assert table["value"].sum() == pytest.approx(1e5)


def test_errors_are_those_of_other_seeds():
    """The spread of a contribution over 60 samples is its stated error, within a quarter."""
    found = [contributions(made(seed=s).lazy(), 1) for s in range(60)]
    for statistic, state in (("mean", "current"), ("es_97_5", "current"), ("es_97_5", "30")):
        rows = [t.filter(measure="pool_loss", statistic=statistic, from_state=state) for t in found]
        values, errors = (np.array([r[c][0] for r in rows]) for c in ("value", "standard_error"))
        assert np.median(errors) == pytest.approx(values.std(ddof=1), rel=0.3)


@pytest.mark.parametrize(
    "settings",
    [
        {"scenario.stress_shift": "0.3"},
        {"roll_rates.classes": "2"},
        {"simulation.sampling": "'importance'"},
        {"simulation.method": "'event-driven'", "simulation.paths": "128"},
    ],
)
def test_they_add_up_to_the_measures_of_a_run(base_toml, tmp_path, settings):
    result = engine.run(load_config(base_toml, QUICK | settings), lambda _: None)
    write_run(result, tmp_path / "r", lambda _: None)
    table = pl.read_parquet(tmp_path / "r" / "contributions.parquet")
    sums = table.group_by(KEY).agg(pl.col("value").sum().alias("sum"))
    insurer = pl.col("insurer").eq_missing(
        pl.when(pl.col("measure") == "writedown").then(pl.lit("unwrapped"))
    )
    both = sums.join(result.measures.filter(insurer), on=KEY, nulls_equal=True)
    assert both.height == 3 * (2 + len(result.documents.deal.term_classes))
    np.testing.assert_allclose(both["sum"], both["value"], rtol=1e-9, atol=1e-3)
    by_path = result.paths.select(pl.sum_horizontal(pl.col(f"^{PREFIX}.*$"))).to_series()
    np.testing.assert_allclose(by_path, result.paths["pool_loss"], rtol=1e-9, atol=1e-3)
    shown = contribution_tables(RunFiles(tmp_path / "r"))
    assert shown[0].rows[-1].cells[2] == "100.0"
    assert len(shown[0].rows) > 5
