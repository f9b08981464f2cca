"""hemc backtest: forecasts from two starts, their files and words, and what is refused."""

import json

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from outputs.report_sample import write_sample

from hemc import engine
from hemc.cli import main
from hemc.config import load_config
from hemc.outputs.report.document import render_report
from hemc.outputs.run_files import RunFiles

QUICK = {
    "calibration.chains": "2", "calibration.draws": "100", "calibration.sweeps_per_draw": "2",
    "backtest.paths": "100",
}  # fmt: skip


@pytest.fixture(scope="module")
def two_deals(root):
    return root / "configs" / "two-deals.toml"


def words(root, *names, **more):
    """Options of a quick backtest of some certificates."""
    files = [str(root / "configs" / "certificates" / f"gmacm-{name}") for name in names]
    values = {**QUICK, "roll_rates.certificates": json.dumps(files), **more}
    return [word for k, v in values.items() for word in ("--set", f"{k}={v}")]


@pytest.fixture(scope="module")
def tested(root, two_deals, tmp_path_factory):
    """Words and folder of a backtest from November 2003, in the folder of a finished run."""
    folder = tmp_path_factory.mktemp("tested") / "run"
    write_sample(folder)
    some = words(
        root, "2002-he4_2003-11-25.json", "2002-he4_2003-12-26.json", "2002-he4_2004-01-26.json",
        "2003-he2_2003-06-25.json", "2003-he2_2003-11-25.json", "2003-he2_2004-02-25.txt",
    )  # fmt: skip
    result = CliRunner().invoke(main, ["backtest", str(two_deals), "--out", str(folder), *some])
    assert result.exit_code == 0, result.output
    return result, folder


def test_each_start_forecasts_every_later_certificate(tested):
    table = pl.read_parquet(tested[1] / "backtest.parquet")
    found = table.select("deal", "fitted_to", "months").unique().sort(pl.all()).rows()
    assert [(deal, str(start), months) for deal, start, months in found] == [
        ("2002-HE4", "2003-11-25", 1), ("2002-HE4", "2003-11-25", 2),
        ("2002-HE4", "2003-12-26", 1), ("2003-HE2", "2003-11-25", 3),
    ]  # fmt: skip
    scored = table.filter(pl.col("crps").is_not_null())
    assert set(scored["group"]) == {"counts", "balances", "flows", "deal"}
    certain = table.filter(pl.col("figure") == "notes.IO.interest")
    assert certain["note"].unique().to_list() == ["no forecast variance"]
    drawn = table.filter(pl.col("note").str.contains("drawn"))
    assert set(drawn["figure"]) >= {"delinq.BK.number", "delinq.180+.balance"}
    assert drawn["no_change"].is_null().all()
    assert drawn["chain"].is_null().all()


def test_the_naive_forecasts_are_the_printed_figures_and_their_chain(tested):
    table = pl.read_parquet(tested[1] / "backtest.parquet").filter(pl.col("months") == 1)
    row = table.filter(pl.col("figure") == "pool.ending_pool").row(0, named=True)
    assert row["no_change"] == 250_832_658.55
    assert row["chain"] == pytest.approx(
        250_832_658.55 * (1.0 - (20_435_191.40 + 407_619.61) / 271_675_469.56)
    )
    assert row["crps_chain"] == pytest.approx(abs(row["chain"] - 235_131_149.64))
    assert abs(row["mean"] / row["observed"] - 1.0) < 0.05


def test_the_screen_says_what_was_not_done(tested):
    result, folder = tested
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Backtest: certificates scored 3, starts 3, paths 100"
    said = " ".join(result.stdout.split())
    assert "2003-HE2 2003-06-25: no forecast from here, 9,867,303.44 USD of prefunding" in said
    assert lines[-1] == f"files: {folder}"
    assert "fit to certificates up to 2003-12-26 …" in result.stderr


def test_the_report_of_the_run_has_a_section(tested):
    page = (tested[1] / "report.html").read_text(encoding="utf-8")
    assert page == render_report(RunFiles(tested[1]))
    assert "Backtest" in page
    assert "2003-HE2, fitted to certificates up to 2003-11-25" in page


def test_again_gives_the_same_figures(root, two_deals, tested):
    names = ("2003-he2_2003-11-25.json", "2003-he2_2004-02-25.txt")
    pairs = words(root, *names)[1::2]
    values = dict(pair.split("=", 1) for pair in pairs)
    runs = [
        engine.run_backtest(load_config(two_deals, {**values, "simulation.threads": n}), print)
        for n in ("1", "2")
    ]
    assert runs[0].table.equals(runs[1].table)
    bankrupt = runs[0].table.filter(pl.col("figure") == "delinq.BK.number").row(0, named=True)
    assert bankrupt["p95"] - bankrupt["p5"] > 5.0  # stocks drawn, not one number on all paths
    assert np.isfinite(bankrupt["crps"])


def refused(root, two_deals, *names, **more):
    result = CliRunner().invoke(main, ["backtest", str(two_deals), *words(root, *names, **more)])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    return result.stderr


def test_a_date_twice_is_refused(root, two_deals):
    name = "2002-he4_2003-11-25.json"
    text = refused(root, two_deals, name, name)
    assert "expected one certificate of 2002-HE4 a month" in text


def test_certificates_without_a_later_one_are_refused(root, two_deals):
    one = ("2002-he4_2003-11-25.json", "2003-he2_2003-11-25.json")
    text = refused(root, two_deals, *one)
    assert "roll_rates.certificates" in text
    assert "2002-HE4: one certificate, none later to score" in text
    text = refused(root, two_deals, "2003-he2_2003-06-25.json", "2003-he2_2003-11-25.json")
    assert "prefunding" in text


@pytest.mark.parametrize(
    ("key", "value"),
    [("roll_rates.classes", "2"), ("scenario.file", "scenarios/adverse-2025.toml")],
)
def test_settings_that_a_backtest_cannot_have_are_refused(root, two_deals, key, value):
    names = ("2002-he4_2003-11-25.json", "2002-he4_2003-12-26.json")
    assert key in refused(root, two_deals, *names, **{key: value})


def test_a_prior_that_has_seen_the_certificates_is_refused(root, two_deals):
    names = ("2002-he4_2003-11-25.json", "2002-he4_2003-12-26.json")
    product = {"inputs.product": "products/closed-end-second-2003.toml"}
    assert "has_seen: found 2002-HE4" in refused(root, two_deals, *names, **product)


def test_a_configuration_without_a_list_is_refused(base_toml):
    result = CliRunner().invoke(main, ["backtest", str(base_toml)])
    assert result.exit_code == 2
    assert "roll_rates.certificates" in result.stderr
