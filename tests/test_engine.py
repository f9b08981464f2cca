"""Whole runs: same bits for any threads and blocks, identities, files, orders of magnitude."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hemc import engine
from hemc.config import load_config
from hemc.errors import InputError, InternalError, TieOutError
from hemc.model.simulation import simulate_block
from hemc.outputs.results import write_run
from hemc.outputs.summary import render_summary

FEW = {"simulation.paths": "192", "outputs.sensitivity_paths": "0"}

FILES = {
    "manifest.json", "measures.parquet", "summary.json", "paths.parquet", "months.parquet",
    "next_month.parquet", "roll_rates.parquet", "tieout.parquet", "assumptions.parquet",
    "next_certificate.txt", "next_certificate.json", "next_certificate.parquet",
    "sensitivities.parquet", "oracle.parquet",
}  # fmt: skip


def silent(_):
    pass


def run(base_toml, **settings):
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return engine.run(load_config(base_toml, FEW | dotted), silent)


@pytest.fixture(scope="module")
def base(base_toml):
    return run(base_toml, simulation__threads="2")


@pytest.mark.parametrize(
    "settings",
    [
        {"simulation__threads": "1"},
        {"simulation__threads": "2", "simulation__block_paths": "128"},
        {"simulation__threads": "1", "simulation__block_paths": "4096"},
    ],
)
def test_threads_and_blocks_change_no_bit(base, base_toml, settings):
    other = run(base_toml, **settings)
    assert_frame_equal(base.paths, other.paths, check_exact=True)
    assert_frame_equal(base.next_month, other.next_month, check_exact=True)
    assert_frame_equal(base.months, other.months, check_exact=True)
    assert_frame_equal(base.measures, other.measures, check_exact=True)


def test_fewer_paths_are_the_first_of_more(base, base_toml):
    fewer = run(base_toml, simulation__paths="100")
    assert_frame_equal(fewer.paths, base.paths.head(100), check_exact=True)


def test_another_seed_differs_within_errors(base, base_toml):
    other = run(base_toml, simulation__seed="99")
    losses = [r.paths["pool_loss_pct"].to_numpy() for r in (base, other)]
    assert not np.array_equal(*losses)
    error = sum(x.var(ddof=1) / x.size for x in losses) ** 0.5
    assert abs(losses[0].mean() - losses[1].mean()) < 4 * error


def test_identities_hold_below_a_cent(base):
    assert 0.0 < base.store.largest_gap < 0.01


def test_next_month_starts_where_the_certificate_ends(base):
    certificate = base.documents.certificate
    assert (base.next_month["pool.beginning_pool"] - 390_719_522.22).abs().max() < 1e-6
    assert (base.next_month["oc.beginning"] - 6_258_626.61).abs().max() < 1e-6
    for name in ("A-1", "A-5"):
        ending = float(certificate.notes[name]["ending"].value)
        assert (base.next_month[f"notes.{name}.beginning"] - ending).abs().max() < 1e-6
    assert base.next_month["notes.IO.beginning"].unique().to_list() == [76_000_000.0]


def test_next_month_keeps_the_certificates_identities(base):
    m = base.next_month
    loss, principal = m["losses.current_month"], m["pool.principal_collections"]
    gap = m["pool.beginning_pool"] - m["pool.ending_pool"] - principal - loss
    assert gap.abs().max() < 0.01
    paid = sum(m[f"notes.A-{k}.principal"] for k in range(1, 6))
    assert (paid - principal - loss - m["oc.change"]).abs().max() < 0.01
    excess = m["pool.excess_cash"] - m["oc.change"].clip(0) - m["oc.certificates_paid"]
    assert excess.abs().max() < 0.01


def test_tape_meets_the_certificates_totals(base, capsys):
    tape, totals = base.calibration.tape, base.calibration.totals
    cents = (tape["balance"] * 100).round().cast(pl.Int64)
    assert Decimal(cents.sum()) / 100 == totals.pool_balance == Decimal("390719522.22")
    assert len(tape) == totals.n_loans == 11_704
    print("tape", len(tape), Decimal(cents.sum()) / 100, "certificate", totals.n_loans,
          totals.pool_balance)  # fmt: skip
    assert "11704" in capsys.readouterr().out


def test_all_files_are_written_and_replaced(base, tmp_path):
    folder = tmp_path / "results" / "base"
    write_run(base, folder, silent)
    write_run(base, folder, silent)
    assert {p.name for p in folder.iterdir()} >= FILES
    assert [p.name for p in folder.parent.iterdir()] == ["base"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["largest_identity_residual_usd"] == base.store.largest_gap
    assert manifest["effective_sample_size"] == 192
    assert set(manifest["inputs"]) == {"certificate", "deal", "product"}
    assert all(len(entry["sha256"]) == 64 for entry in manifest["inputs"].values())
    assert manifest["configuration"]["simulation"]["paths"] == 192
    headline = json.loads((folder / "summary.json").read_text())
    measures = pl.read_parquet(folder / "measures.parquet")
    assert len(headline) == 6
    assert all(row in measures.to_dicts() for row in headline)


def test_a_foreign_folder_is_refused(base, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="no run of hemc"):
        write_run(base, tmp_path, silent)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_failed_write_leaves_the_old_run(base, tmp_path, monkeypatch):
    folder = tmp_path / "base"
    write_run(base, folder, silent)
    before = (folder / "paths.parquet").read_bytes()
    monkeypatch.setattr(pl.DataFrame, "write_parquet", _disk_full)
    with pytest.raises(InputError, match="No space left"):
        write_run(base, folder, silent)
    assert (folder / "paths.parquet").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["base"]


def _disk_full(*_, **__):
    raise OSError(28, "No space left on device")


def test_assumptions_name_value_place_and_source(base, tmp_path):
    write_run(base, tmp_path / "r", silent)
    table = pl.read_parquet(tmp_path / "r/assumptions.parquet")
    assert table.null_count().sum_horizontal().item() == 0
    assert (table["source"].str.len_chars() > 0).all()
    wanted = {"scenario.credit_sd", "loss.lumpiness", "deal.principal.lockout.shares",
              "product.rows", "deal.class.IO.schedule", "tape.terms"}  # fmt: skip
    assert wanted <= set(table["name"])
    assert table.filter(pl.col("name") == "simulation.paths").is_empty()


def test_roll_rate_table_marks_opinion(base, tmp_path):
    write_run(base, tmp_path / "r", silent)
    table = pl.read_parquet(tmp_path / "r/roll_rates.parquet")
    row = table.filter(pl.col("from_state") == "current", pl.col("to_state") == "30")
    assert row["reported_ratio"].item() == pytest.approx(43 / 11_541)
    assert not row["prior_driven"].item()
    stay = table.filter(pl.col("from_state") == "bankruptcy", pl.col("to_state") == "bankruptcy")
    assert stay["prior_driven"].item()
    sums = table.group_by("from_state").agg(pl.col("posterior_mean").sum())
    assert ((sums["posterior_mean"] - 1).abs() < 1e-12).all()


def test_summary_fits_the_screen(base):
    text = render_summary(base, Path("results/base"))
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 40
    assert "A-5" in text


def test_next_certificate_reads_like_one(base, tmp_path):
    write_run(base, tmp_path / "r", silent)
    text = (tmp_path / "r/next_certificate.txt").read_text()
    assert "Payment Date  03/25/2004" in text
    assert "390,719,522.22" in text
    assert max(map(len, text.splitlines())) <= 80
    record = json.loads((tmp_path / "r/next_certificate.json").read_text())
    figures = {row["figure"]: row for row in record["figures"]}
    row = figures["pool.principal_collections"]
    assert row["p5"] < row["p50"] < row["p95"]
    for level, q in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95)):
        column = base.next_month["pool.principal_collections"]
        assert row[level] == column.quantile(q, interpolation="nearest")


def test_strict_stops_at_a_certificate_that_does_not_tie_out(base_toml, tmp_path, certificate_txt):
    text = certificate_txt.read_text().replace("390,719,522.22", "390,719,522.23")
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(text)
    loaded = load_config(base_toml, FEW | {"inputs.certificate": f"'{wrong}'"})
    with pytest.raises(TieOutError, match="does not tie out"):
        engine.run(loaded, silent, strict=True)
    documents = engine.read_documents(loaded)
    assert any("tie out" in w for w in engine.calibrate(loaded, documents).warnings)


def test_deal_of_another_series_is_refused(base_toml):
    loaded = load_config(base_toml, {"inputs.deal": "deals/gmacm-2002-he4.toml"})
    with pytest.raises(InputError, match="2003-HE2"):
        engine.read_documents(loaded)


@pytest.mark.parametrize("name", ["credit", "prepayment", "charge_off"])
def test_a_factor_that_is_not_finite_stops_with_path_and_month(base_toml, name):
    loaded = load_config(base_toml, FEW)
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    broken = model.factors.draw(64, 64)
    getattr(broken, name)[3, 7] = np.nan
    with pytest.raises(InternalError, match="path 67, month 8"):
        simulate_block(model.pool, broken, 64)


def test_a_flow_that_is_not_finite_stops_with_path_and_month(base_toml):
    loaded = load_config(base_toml, FEW)
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    model.pool.pool.net_share[:] = np.inf
    with pytest.raises(InternalError, match="a flow is not finite on path 0, month 1"):
        simulate_block(model.pool, model.factors.draw(0, 2), 0)


def test_sensitivities_use_the_same_paths(base_toml):
    result = run(base_toml, outputs__sensitivity_paths="64")
    table = result.sensitivities
    assert set(table["assumption"]) == {"roll_rates.classes", "tape.seed",
                                        "deal.undercollateralization"}  # fmt: skip
    base_loss = result.paths["pool_loss_pct"].head(64).mean()
    losses = table.filter(pl.col("measure") == "pool_loss_pct")
    assert losses["base_value"].to_list() == pytest.approx([base_loss] * len(losses))
    seed = losses.filter(pl.col("assumption") == "tape.seed").row(0, named=True)
    assert 0 < seed["difference_standard_error"] < seed["standard_error"]


def test_factors_off_and_the_wrapped_deal_lose_nothing(base_toml):
    result = run(base_toml, scenario__factors="off")
    assert result.paths["draws"].max() == 0.0
    assert result.paths["writedown_A-4"].max() == 0.0
    oc = result.months.filter(series="oc", statistic="mean")["value"]
    assert oc[4] == pytest.approx(7_933_075.0, rel=1e-4)
    assert 2.1 < result.paths["pool_loss_pct"].mean() < 4.3


def test_absent_insurer_pays_nothing(base_toml):
    result = run(base_toml, insurer__mode="absent", scenario__stress_shift="0.6")
    assert result.paths["draws"].max() == 0.0
    assert result.paths["premium"].max() == 0.0
    assert result.paths["writedown_A-4"].max() > 0.0
