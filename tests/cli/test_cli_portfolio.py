"""`hemc portfolio` as a user meets it: folder, screen, page, exit codes; the shipped portfolio."""

import json
import os
import platform
import re

import polars as pl
import pytest
from click.testing import CliRunner
from portfolio_file import config, write_portfolio_file

from benchmarks.made_portfolio import FILE, N_DEALS, made_portfolio
from hemc.cli import main
from hemc.engine.portfolio_deal import deal_config, loan_seed, read_portfolio
from hemc.scale.lock import held_folder

FILES = ("manifest.json", "summary.json", "report.html", "portfolio_paths.parquet",
         "portfolio_deals.parquet", "portfolio_measures.parquet",
         "portfolio_contributions.parquet", "portfolio_assumptions.parquet",
         "deals/one.parquet")  # fmt: skip


def hemc(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A portfolio of a deal that runs and one that does not, and what was printed."""
    folder = tmp_path_factory.mktemp("portfolio")
    deals = {
        "one": config("holdings = { A-3 = 0.5 }"),
        "three": 'config = "<i>none.toml"',
    }
    file = write_portfolio_file(folder, deals, capital=5e6)
    return folder / "out", hemc("portfolio", file, "--threads", 1, "--out", folder / "out")


def test_the_folder_is_there_though_a_deal_failed(finished):
    folder, printed = finished
    assert printed.exit_code == 4
    assert printed.stderr == f"hemc: 1 of 2 deals failed and are not in {folder}: three\n"
    assert all((folder / name).is_file() for name in FILES)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["book.toml", "out"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [deal["name"] for deal in manifest["deals"]] == ["one"]
    assert manifest["failed"][0]["deal"] == "three"
    assert manifest["largest_identity_residual_usd"] < 0.01


def test_the_screen_has_the_figures_and_fits(finished):
    folder, printed = finished
    lines = printed.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    measures = pl.read_parquet(folder / "portfolio_measures.parquet")
    share = measures.filter(measure="insurer_fails")["value"][0]
    assert 0.0 < share < 1.0
    assert re.search(rf"P\(the insurer fails\) +{100 * share:.1f} ± ", printed.stdout)
    assert "failed: three: " in printed.stdout


def test_the_page_names_what_failed_and_escapes_it(finished):
    page = (finished[0] / "report.html").read_text()
    assert "Failed deals" in page
    assert "&lt;i&gt;none.toml" in page
    assert "<i>none" not in page
    for title in ("Verdict", "Insurer", "Contributions by deal", "Deals", "Assumptions"):
        assert f"</span> {title}</h2>" in page
    contributions = pl.read_parquet(finished[0] / "portfolio_contributions.parquet")
    row = contributions.filter(measure="pool_loss", statistic="mean").row(0, named=True)
    assert f"{row['value'] / 1e6:,.2f} ± {row['standard_error'] / 1e6:,.2f}" in page


def test_assumptions_name_the_insurers_source(finished):
    table = pl.read_parquet(finished[0] / "portfolio_assumptions.parquet")
    row = table.filter(name="insurer.capital").row(0, named=True)
    assert (row["deal"], row["value"], row["source"]) == ("", "5,000,000", "a test")


def test_commands_on_runs_say_that_it_is_none(finished):
    result = hemc("report", finished[0])
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "found the folder of a portfolio; expected the folder of a finished run\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.toml"], "none.toml: found no such file"),
        (["{file}", "--paths", "0"], "simulation.paths"),
        (["{file}", "--set", "insurer.capital=none"], "insurer.capital"),
        (["{file}", "--out", "{file}"], "no run of hemc"),
    ],
)
def test_bad_usage_is_one_clear_error(tmp_path, arguments, message):
    file = write_portfolio_file(tmp_path, {"one": config()})
    words = [word.format(file=file) for word in arguments]
    result = hemc("portfolio", "--out", tmp_path / "r", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["book.toml"]


def test_a_second_run_into_the_folder_is_refused(tmp_path):
    file = write_portfolio_file(tmp_path, {"one": config()})
    with held_folder(tmp_path / ".r.unfinished"):
        refused = hemc("portfolio", file, "--out", tmp_path / "r")
    assert refused.exit_code == 2
    who = f".r.unfinished: found a run under way (process {os.getpid()} on {platform.node()} since"
    assert who in refused.stderr
    assert not (tmp_path / "r").exists()


def test_its_folder_is_held_while_it_runs(tmp_path, monkeypatch):
    def meanwhile(*_):
        with held_folder(tmp_path / ".r.unfinished"):
            raise AssertionError("two processes hold one folder")

    monkeypatch.setattr("hemc.engine.portfolio.run_portfolio", meanwhile)
    file = write_portfolio_file(tmp_path, {"one": config()})
    refused = hemc("portfolio", file, "--out", tmp_path / "r")
    assert refused.exit_code == 2
    assert "found a run under way" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["book.toml"]


def test_an_earlier_run_comes_back_when_its_replacement_was_killed(tmp_path):
    earlier = tmp_path / ".r.unfinished" / "earlier"
    earlier.mkdir(parents=True)
    (earlier / "manifest.json").write_text("{}")
    (tmp_path / ".r.unfinished" / "new").mkdir()
    file = write_portfolio_file(tmp_path, {"three": 'config = "none.toml"'})
    assert hemc("portfolio", file, "--out", tmp_path / "r").exit_code == 2
    assert (tmp_path / "r" / "manifest.json").read_text() == "{}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.toml", "r"]


def test_the_shipped_portfolio_is_what_its_program_writes():
    assert FILE.read_text(encoding="utf-8") == made_portfolio()


def test_every_deal_of_the_shipped_portfolio_is_another(root):
    portfolio = read_portfolio(root / "configs" / "portfolio.toml", {})
    configs = [deal_config(portfolio, entry).config for entry in portfolio.settings.deals]
    assert len({config.simulation.loan_seed for config in configs}) == N_DEALS
    sets = [(entry.config, *entry.set.items()) for entry in portfolio.settings.deals]
    assert len(set(sets)) == N_DEALS


def test_the_seed_of_loans_is_the_deals_own():
    seeds = {loan_seed(seed, name) for seed in (1, 2) for name in ("a", "b")}
    assert len(seeds) == 4
    assert loan_seed(20040225, "2003-he2-01") == 3451921741660686365


@pytest.mark.slow
def test_the_shipped_portfolio_runs(root, tmp_path):
    file = root / "configs" / "portfolio.toml"
    result = hemc("portfolio", file, "--paths", "2", "--quiet", "--out", tmp_path / "r")
    assert (result.exit_code, result.output) == (0, "")
    assert len(list((tmp_path / "r" / "deals").iterdir())) == N_DEALS
