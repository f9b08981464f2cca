"""hemc calibrate, and runs that use its posterior: files, words, one draw a path, refusals."""

import json
import re

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from hemc import engine
from hemc.cli import main
from hemc.config import load_config
from hemc.inputs.posterior_file import read_posterior
from hemc.states import CURRENT, D30, D60, PAID_OFF

QUICK = {"calibration.chains": "2", "calibration.draws": "100", "calibration.sweeps_per_draw": "4"}


def sets(**more):
    return [word for k, v in {**QUICK, **more}.items() for word in ("--set", f"{k}={v}")]


@pytest.fixture(scope="module")
def two_deals(root):
    return root / "configs" / "two-deals.toml"


@pytest.fixture(scope="module")
def calibrated(two_deals, tmp_path_factory):
    """The console's words and the folder of a quick calibration of both deals."""
    folder = tmp_path_factory.mktemp("calibrated") / "two-deals"
    result = CliRunner().invoke(main, ["calibrate", str(two_deals), "--out", str(folder), *sets()])
    assert result.exit_code == 0, result.stderr
    return result, folder


def test_the_matrix_fits_the_screen_and_marks_what_is_opinion(calibrated):
    result, folder = calibrated
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Monthly roll rates from certificates (2002-HE4 6, 2003-HE2 3)"
    assert any(line.startswith("2003-HE2, from current") for line in lines)
    assert any(line.endswith("prior") for line in lines)
    assert "rates are prior-driven: opinion, not data" in result.stdout
    assert lines[-1] == f"files: {folder}" or lines[-2].startswith("files:")
    assert "chains have not converged" in result.stderr  # as short as they are


def test_the_files_are_the_contract(calibrated):
    _, folder = calibrated
    rates = pl.read_parquet(folder / "roll_rates.parquet")
    assert rates.columns == [
        "deal", "latent_class", "from_state", "to_state", "reported_ratio", "prior_mean",
        "prior_sd", "posterior_mean", "posterior_sd", "p5", "p95", "sd_ratio", "prior_driven",
    ]  # fmt: skip
    assert rates["deal"].unique().sort().to_list() == ["2002-HE4", "2003-HE2"]
    forward = rates.filter((pl.col("from_state") == "30") & (pl.col("to_state") == "60"))
    assert forward["sd_ratio"].max() < 0.7
    posterior = pl.read_parquet(folder / "posterior.parquet")
    assert len(posterior) == 2 * 2 * 100
    assert posterior["loans 30"].unique().sort().to_list() == [43, 57]  # as reported last
    diagnostics = pl.read_parquet(folder / "diagnostics.parquet")
    assert diagnostics.filter("fitted")["r_hat"].is_finite().all()
    notes = diagnostics.filter(~pl.col("fitted"))["note"].to_list()
    assert any(note.startswith("latent classes: the settings'") for note in notes)


def test_one_certificate_says_what_it_cannot_tell(base_toml, tmp_path):
    folder = tmp_path / "one"
    result = CliRunner().invoke(main, ["calibrate", str(base_toml), "--out", str(folder), *sets()])
    assert result.exit_code == 0, result.stderr
    words = " ".join(result.stdout.split())
    assert "one certificate shows stocks, not moves" in words
    assert "Only ratios of stocks inform its roll rates, as far as the pool is stationary" in words
    rates = pl.read_parquet(folder / "roll_rates.parquet")
    assert rates["prior_driven"].mean() > 0.5


def quick_run(two_deals, folder, **more):
    values = {
        **QUICK, "roll_rates.posterior": str(folder / "posterior.parquet"),
        "simulation.paths": "64", "outputs.sensitivity_paths": "0", **more,
    }  # fmt: skip
    return load_config(two_deals, values)


@pytest.fixture(scope="module")
def run_of_draws(two_deals, calibrated):
    return engine.run(quick_run(two_deals, calibrated[1]), lambda n: None)


def test_each_path_has_a_draw_of_its_own(run_of_draws, calibrated):
    loaded, documents = run_of_draws.loaded, run_of_draws.documents
    calibration = engine.calibrate(loaded, documents)
    model = engine.build_model(loaded.config, documents, calibration)
    file = calibrated[1] / "posterior.parquet"
    digest = pl.read_parquet(file)["inputs_digest"][0]
    draws = read_posterior(file, digest, "2003-HE2")
    assert model.pool.draws is not None
    used = model.pool.draws.rates[:, 0]
    order = np.lexsort(used[:, CURRENT, :2].T), np.lexsort(draws[:, CURRENT, :2].T)
    np.testing.assert_array_equal(used[order[0]], draws[order[1]])  # all, in another order
    parts = list(model.pool.parts(190, 20))
    assert [rows.start for rows, _ in parts] == list(range(20))
    hazard = [-np.log1p(-used[(190 + p) % 200, D30, PAID_OFF]) for p in range(20)]
    found = [moves.payoff_hazard[0, D30] for _, moves in parts]
    curve = [moves.payoff_hazard[0, D60] / -np.log1p(-used[(190 + p) % 200, D60, PAID_OFF])
             for p, (_, moves) in enumerate(parts)]  # fmt: skip
    np.testing.assert_allclose(found, np.array(hazard) * curve, rtol=1e-9)


def test_threads_and_blocks_change_no_path(two_deals, calibrated, run_of_draws):
    more = {"simulation.threads": "2", "simulation.block_paths": "128"}
    again = engine.run(quick_run(two_deals, calibrated[1], **more), lambda n: None)
    assert again.paths.equals(run_of_draws.paths)


def test_the_variance_of_loss_is_split(run_of_draws):
    variance = run_of_draws.variance
    assert variance["share"].sum() == pytest.approx(1.0)
    share = dict(zip(variance["source"], variance["share"], strict=True))
    assert 0.0 < share["idiosyncratic"] < 0.05
    assert -0.2 < share["parameter"] < 0.4
    assert share["systematic"] > 0.5


def test_expected_flows_follow_each_paths_draw(run_of_draws):
    lifetime = run_of_draws.oracle.filter(pl.col("months") == "lifetime")
    assert lifetime["z"].abs().max() < 4.0


@pytest.mark.parametrize(
    "change",
    [
        {"roll_rates.seasoning_peak": "2.0"},
        {"calibration.payoff_mean": "0.04"},
        {"inputs.product": "products/closed-end-second-2003.toml"},
        {"roll_rates.certificates": '["certificates/gmacm-2002-he4_2003-10-27.json"]'},
    ],
)
def test_a_posterior_of_other_inputs_is_refused(two_deals, calibrated, change):
    require_refused(two_deals, calibrated, change)


def test_a_posterior_of_a_deal_of_another_age_is_refused(two_deals, calibrated, root, tmp_path):
    text = (root / "configs/deals/gmacm-2002-he4.toml").read_text(encoding="utf-8")
    older = re.sub(r"(?m)^first_payment_date = .*$", "first_payment_date = 2001-01-25", text)
    assert older != text
    (tmp_path / "older.toml").write_text(older, encoding="utf-8")
    require_refused(two_deals, calibrated, {"roll_rates.deals": f'["{tmp_path}/older.toml"]'})


def require_refused(two_deals, calibrated, change):
    file = calibrated[1] / "posterior.parquet"
    values = {**QUICK, **change, "roll_rates.posterior": str(file)}
    words = [word for k, v in values.items() for word in ("--set", f"{k}={v}")]
    result = CliRunner().invoke(main, ["run", str(two_deals), *words])
    assert result.exit_code == 2
    assert "a posterior of other inputs" in result.stderr
    assert "run `hemc calibrate`" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_posterior_beside_two_classes_is_refused(two_deals, calibrated):
    file = calibrated[1] / "posterior.parquet"
    words = sets(**{"roll_rates.posterior": str(file), "roll_rates.classes": "2"})
    result = CliRunner().invoke(main, ["run", str(two_deals), *words])
    assert result.exit_code == 2
    assert "roll_rates.classes" in result.stderr


def october_and_november(root, folder, **november):
    """The option that calibrates on two certificates, the second with other figures."""
    before = root / "configs/certificates/gmacm-2002-he4_2003-10-27.json"
    record = json.loads((root / "configs/certificates/gmacm-2002-he4_2003-11-25.json").read_text())
    for part, key, figure in november.values():
        record[part][key] = figure
    after = folder / "november.json"
    after.write_text(json.dumps(record))
    return sets(**{"roll_rates.certificates": f'["{before}", "{after}"]'})


def test_counts_that_no_moves_explain_name_the_month(two_deals, root, tmp_path):
    figure = {"number": "300", "balance": "9000000.00", "pct": "3.00"}
    words = october_and_november(root, tmp_path, change=("delinq", "90", figure))
    result = CliRunner().invoke(main, ["calibrate", str(two_deals), *words])
    assert result.exit_code == 2
    assert "2003-11: found counts (" in result.stderr
    assert "90 300" in result.stderr


def test_a_loan_count_against_the_principal_is_left_out_and_said(two_deals, root, tmp_path):
    words = october_and_november(root, tmp_path, change=("pool", "active_loan_count", "9959"))
    out = ["--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, ["calibrate", str(two_deals), *words, *out])
    assert result.exit_code == 0
    found = "9959 loans would be -1408 exits, the principal speaks for 635; loan count left out"
    assert found in result.stderr


def test_a_date_twice_names_both_files(two_deals, root, tmp_path):
    record = root / "configs/certificates/gmacm-2002-he4_2003-11-25.json"
    again = tmp_path / "again.json"
    again.write_text(record.read_text())
    words = sets(**{"roll_rates.certificates": f'["{record}", "{again}"]'})
    result = CliRunner().invoke(main, ["calibrate", str(two_deals), *words])
    assert result.exit_code == 2
    assert "again.json" in result.stderr
    assert "expected one certificate of 2002-HE4 a month" in result.stderr
    assert result.stderr.count("\n") == 1
