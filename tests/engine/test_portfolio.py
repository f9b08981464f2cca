"""A portfolio: one world, loans of their own, one insurer; sums, contributions, faults."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from portfolio_file import CONFIGS, config, write_portfolio_file

from hemc import engine
from hemc.engine import portfolio_book
from hemc.engine.portfolio import run_portfolio
from hemc.engine.portfolio_deal import deal_config, prepare_deal, read_portfolio
from hemc.errors import InputError, InternalError
from hemc.kernels import deal_terms
from hemc.model.expected import large_pool
from hemc.model.insurer import performing
from hemc.model.simulation import simulate_block
from hemc.model.waterfall import pay_paths
from hemc.outputs.portfolio_tables import AMOUNTS
from hemc.outputs.portfolio_text import render_portfolio
from hemc.outputs.report.sections import portfolio_deals
from hemc.scale.block import large_pool_loss
from hemc.scale.cluster import connected_cluster
from hemc.scale.threads import Threads

TWO = {"one": config("holdings = { A-3 = 0.5 }"), "two": config("copies = 2", "2002-he4")}
WRAPPED = [a.column for a in AMOUNTS if a.insurer == "wrapped"]
NAMES = [a.column for a in AMOUNTS]


class Run:
    """A finished portfolio with the paths of its deals."""

    def __init__(self, folder, deals, threads=1, strict=False, **options):
        folder.mkdir()
        book = read_portfolio(write_portfolio_file(folder, deals, **options), {})
        self.portfolio = book
        self.result = run_portfolio(book, folder, Threads(threads), lambda n: None, strict)
        self.deals = {
            deal.name: pl.read_parquet(folder / "deals" / f"{deal.name}.parquet")
            for deal in self.result.deals
        }
        self.left = sorted(path.name for path in (folder / "deals").iterdir())

    def entry(self, name):
        return next(deal for deal in self.portfolio.settings.deals if deal.name == name)


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Two deals whose insurer pays everything."""
    return Run(tmp_path_factory.mktemp("rich") / "r", TWO)


@pytest.fixture(scope="module")
def poor(tmp_path_factory):
    """The same with an insurer that fails on some paths."""
    return Run(tmp_path_factory.mktemp("poor") / "r", TWO, capital=40e6)


def test_totals_are_the_sums_of_the_deals_path_by_path(poor):
    for name in NAMES:
        total = sum(rows[name].to_numpy() for rows in poor.deals.values())
        assert (poor.result.paths[name].to_numpy() == total).all()
        assert total.any()
    assert poor.left == ["one.parquet", "two.parquet"]


def test_contributions_add_up_to_the_portfolios_figures(poor):
    measures = poor.result.measures
    keys = ["measure", "insurer", "statistic"]
    sums = poor.result.contributions.group_by(keys).agg(pl.sum("value"), pl.sum("share"))
    both = sums.join(measures, on=keys, nulls_equal=True, suffix="_of_all")
    assert len(both) == len(sums) == 21
    assert both["value"].to_numpy() == pytest.approx(both["value_of_all"].to_numpy())
    assert both["share"].drop_nans().to_numpy() == pytest.approx(1.0)


def test_a_deal_is_the_run_of_its_configuration(rich):
    loaded = deal_config(rich.portfolio, rich.entry("one")).replaced(
        {"outputs.sensitivity_paths": 0, "simulation.oracle_paths": 0}
    )
    alone = engine.run(loaded, lambda n: None).paths
    own = rich.deals["one"]
    for name in ("pool_loss", "draws", "draws_pv", "premium", "insurer_net"):
        assert (own[name] == alone[name]).all(), name
    written = sum(alone[c] for c in alone.columns if c.startswith("writedown_"))
    assert own["writedown"].to_numpy() == pytest.approx(written.to_numpy(), abs=1e-6)
    held = 0.5 * alone["writedown_A-3"].to_numpy()
    assert own["held_writedown"].to_numpy() == pytest.approx(held, abs=1e-6)
    assert held.any()


def test_the_same_deal_twice_meets_the_same_world_with_loans_of_its_own(tmp_path):
    """Losses move together; what the factors leave of them does not."""
    run = Run(tmp_path / "r", {"a": config(), "b": config()}, paths=256, scenario="")
    ready = [prepare_deal(run.portfolio, run.entry(name), False).model for name in "ab"]
    draws = [model.factors.draw(0, 64) for model in ready]
    for mine, yours in zip(*draws, strict=True):
        assert (mine == yours).all()
    expected = large_pool_loss(large_pool(ready[0].pool), ready[0].factors, 0, 256)
    losses = [run.deals[name]["pool_loss"].to_numpy() for name in "ab"]
    assert np.corrcoef(losses)[0, 1] > 0.95
    own = [loss / expected - 1.0 for loss in losses]
    assert np.std(own) > 0.005
    assert abs(np.corrcoef(own)[0, 1]) < 4.0 / np.sqrt(256)


def test_a_deal_more_changes_no_other(rich, tmp_path):
    more = Run(tmp_path / "r", {"new": config("set = { tape.seed = 5 }"), **TWO})
    for name, rows in rich.deals.items():
        assert_frame_equal(rows, more.deals[name], check_exact=True)
    own = more.result.by_deal.filter(pl.col("deal") != "new")
    assert_frame_equal(own, rich.result.by_deal, check_exact=True)


def test_copies_count_amounts_and_nothing_else(rich, tmp_path):
    once = Run(tmp_path / "r", {"two": config("", "2002-he4")}).deals["two"]
    for name in NAMES:
        assert (rich.deals["two"][name] == 2 * once[name]).all()


def test_an_insurer_with_enough_capital_pays_all_claims(rich):
    paths = rich.result.paths
    assert paths["claims"].sum() > 0.0
    assert (paths["draws"] == paths["claims"]).all()
    assert paths["insurer_default_month"].null_count() == len(paths)
    assert rich.result.n_settled == 0


def test_an_insurer_without_capital_is_not_there(tmp_path, rich):
    run = Run(tmp_path / "r", TWO, capital=0)
    for name, rows in run.deals.items():
        assert rows.select("draws", "premium").sum().row(0) == (0.0, 0.0)
        for amount in ("writedown", "interest_shortfall", "held_writedown"):
            assert (rows[f"{amount}_wrapped"] == rows[amount]).all()
            assert (rows[amount] == rich.deals[name][amount]).all()
    assert (run.result.paths["insurer_default_month"] == 1).all()


def test_the_insurer_fails_by_the_claims_of_all_deals_together(poor, rich):
    """Its month of default in another form: month by month over flows paid again."""
    flows = []
    for name in ("one", "two"):
        ready = prepare_deal(poor.portfolio, poor.entry(name), False)
        model = ready.model
        cash = simulate_block(model.pool, model.factors.draw(0, 64), 0).cash
        notes = pay_paths(model.deal, cash, performing(64))
        kinds = list(notes.step_kind)
        kept = [j for j, kind in enumerate(kinds) if kind in _kinds("PREMIUM", "REIMBURSEMENT")]
        income = notes.step_paid[:, :, kept].sum(axis=2)
        draws = notes.draw_interest + notes.draw_principal
        flows.append((ready.position.copies * draws, ready.position.copies * income))
    paid = sum(draws for draws, _ in flows)
    income = sum(income for _, income in flows)
    found = poor.result.paths
    fails = 0
    for p in range(64):
        left, draws_paid, month = 40e6, 0.0, None
        for t in range(paid.shape[1]):
            if left + income[p, t] - paid[p, t] < 0.0:
                month = t + 1
                break
            left += income[p, t] - paid[p, t]
            draws_paid += paid[p, t]
        assert found["insurer_default_month"][p] == month
        assert found["draws"][p] == pytest.approx(draws_paid, abs=0.01)
        fails += month is not None
    assert 5 < fails < 60
    alive = found["insurer_default_month"].is_null()
    for name in ("one", "two"):
        same = poor.deals[name].filter(alive)
        assert_frame_equal(same, rich.deals[name].filter(alive), check_exact=True)
    unpaid = found["claims_unpaid"].to_numpy()
    assert (unpaid[~alive.to_numpy()] > 0.0).all()


def _kinds(*names):
    return [getattr(deal_terms, name) for name in names]


def test_threads_and_blocks_change_no_bit(poor, tmp_path):
    other = Run(
        tmp_path / "r", TWO, threads=2, capital=40e6, paths=64, simulation="block_paths = 128"
    )
    assert_frame_equal(other.result.paths, poor.result.paths, check_exact=True)
    assert_frame_equal(other.result.by_deal, poor.result.by_deal, check_exact=True)
    contributions = poor.result.contributions
    assert_frame_equal(other.result.contributions, contributions, check_exact=True)


def test_first_paths_are_those_of_a_shorter_portfolio(poor, tmp_path):
    longer = Run(tmp_path / "r", TWO, capital=40e6, paths=192, simulation="block_paths = 128")
    assert_frame_equal(longer.result.paths.head(64), poor.result.paths, check_exact=True)


def test_a_share_of_premium_that_is_spent_brings_failure_forward(poor, tmp_path):
    spent = Run(tmp_path / "r", TWO, capital=40e6, insurer="premium_share = 0.0").result.paths
    before = poor.result.paths["insurer_default_month"].fill_null(1_000)
    after = spent["insurer_default_month"].fill_null(1_000)
    assert (after <= before).all()
    assert (after < before).any()


def test_what_a_deal_sets_stays_its_own(tmp_path):
    lines = 'set = { scenario.multiples.severity = 0.5, deal.undercollateralization = "pro_rata" }'
    run = Run(tmp_path / "r", {"plain": config(), "mild": config(lines)})
    loss = {name: rows["pool_loss"].sum() for name, rows in run.deals.items()}
    assert loss["mild"] == pytest.approx(0.5 * loss["plain"], rel=0.1)
    loaded = deal_config(run.portfolio, run.entry("mild"))
    assert loaded.config.scenario.stress_shift == 0.35
    by_name = {one.name: one.where_set for one in run.result.deals[1].assumptions}
    assert by_name["scenario.stress_shift"] == "book.toml"
    assert by_name["scenario.multiples.severity"] == "book.toml, set of the deal"


def test_a_scenario_file_starts_at_the_portfolio(tmp_path):
    (tmp_path / "s").mkdir()
    for file in (CONFIGS / "scenarios").glob("adverse*"):
        (tmp_path / "s" / file.name).write_bytes(file.read_bytes())
    scenario = 'file = "../s/adverse-2025.toml"'
    run = Run(tmp_path / "r", {"one": config()}, scenario=scenario)
    loaded = deal_config(run.portfolio, run.entry("one"))
    assert loaded.scenario.name == "adverse 2025 (ours)"
    assert run.result.deals[0].inputs["scenario"].resolve().parent == tmp_path / "s"


FAULTS = {
    "no file": ('config = "nowhere.toml"', "nowhere.toml: found no such file"),
    "no key": (config("set = { tape.sed = 1 }"), "tape.sed: found an unknown key"),
    "no class": (config("holdings = { B-1 = 0.5 }"), "holdings: found class 'B-1'"),
    "no term": (config("set = { deal.color = 'red' }"), "found deal.color; expected one of"),
    "late": (
        config("set = { inputs.certificate = 'certificates/gmacm-2003-he2_2003-11-25.json' }"),
        "payment date: found 2003-11-25; expected one in 2004-02",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deal_that_does_not_fit_is_named_and_left_out(tmp_path, fault):
    lines, message = FAULTS[fault]
    alone = Run(tmp_path / "alone", {"good": config()})
    both = Run(tmp_path / "both", {"bad": lines, "good": config()})
    (failure,) = both.result.failures
    assert failure.deal == "bad"
    assert message in failure.error
    assert "\n" not in failure.error
    assert_frame_equal(both.result.paths, alone.result.paths, check_exact=True)
    assert both.left == ["good.parquet"]


def wrong_certificate(folder, certificate_txt):
    """Write a certificate of which an identity fails by a cent; return a deal's table with it."""
    text, wrong = certificate_txt.read_text(encoding="utf-8"), folder / "wrong.txt"
    wrong.write_text(text.replace("975,292.71", "975,292.72"), encoding="utf-8")
    return config(f"set = {{ inputs.certificate = '{wrong}' }}")


def test_a_certificate_that_does_not_tie_out_fails_where_strict(tmp_path, certificate_txt):
    deals = {"wrong": wrong_certificate(tmp_path, certificate_txt), "good": config()}
    (failure,) = Run(tmp_path / "r", deals, strict=True).result.failures
    assert failure.deal == "wrong"
    assert "does not tie out" in failure.error


@pytest.mark.parametrize("name", ["claim_block", "settle_block"])
def test_a_fault_of_hemc_is_its_deals_in_either_pass(tmp_path, monkeypatch, name):
    """A deal that breaks in the second pass takes its claims out of the total."""
    whole = getattr(portfolio_book, name)

    def broken(model, position, *rest):
        if position.copies == 3:
            raise InternalError("an identity is off by 1.00 USD on path 7")
        return whole(model, position, *rest)

    monkeypatch.setattr(portfolio_book, name, broken)
    deals = {"bad": config("copies = 3"), **TWO}
    both = Run(tmp_path / "both", deals, capital=40e6)
    (failure,) = both.result.failures
    assert failure == ("bad", "InternalError: an identity is off by 1.00 USD on path 7")
    alone = Run(tmp_path / "alone", TWO, capital=40e6)
    assert_frame_equal(both.result.paths, alone.result.paths, check_exact=True)
    assert both.left == ["one.parquet", "two.parquet"]


def test_an_error_of_disk_or_cluster_ends_the_run(tmp_path, monkeypatch):
    def gone(*arguments):
        raise InputError("--cluster", "x", "that the scheduler is gone", "one that stays")

    monkeypatch.setattr(portfolio_book, "claim_block", gone)
    with pytest.raises(InputError, match="scheduler is gone"):
        Run(tmp_path / "r", TWO)


def test_without_a_deal_that_runs_there_is_one_error(tmp_path):
    with pytest.raises(InputError, match=r"deal bad: found no deal that runs .*nowhere.toml"):
        Run(tmp_path / "r", {"bad": 'config = "nowhere.toml"'})


@pytest.mark.parametrize(
    ("options", "place", "message"),
    [
        ({"simulation": "sampling = 'strata'"}, "simulation", "'plain' or 'antithetic'"),
        ({"simulation": "loan_seed = 1"}, "simulation", "follows from seed and deal's name"),
        ({"capital": -1}, "insurer.capital", "-1"),
        ({"deals": {"a": config("set = { simulation.paths = 5 }")}}, "deal 1.set", "same for all"),
        ({"deals": {"a": config("set = { scenario.file = 'x' }")}}, "deal 1.set", "scenario.file"),
        ({"deals": {"../a": config()}}, "deal 1.name", "../a"),
        ({"deals": {"a": config(), "A": config()}}, "the whole file", "'a' again"),
        ({"deals": {"a": config("holdings = { A-1 = 2 }")}}, "deal 1.holdings.A-1", "2"),
        ({"deals": {"a": config("copies = 0")}}, "deal 1.copies", "0"),
        ({"deals": {}}, "deal", "nothing"),
    ],
)
def test_a_fault_of_the_file_is_one_error(tmp_path, options, place, message):
    deals = options.pop("deals", TWO)
    with pytest.raises(InputError) as caught:
        read_portfolio(write_portfolio_file(tmp_path, deals, **options), {})
    assert caught.value.place == place
    assert message in str(caught.value)


@pytest.mark.slow
def test_a_cluster_changes_no_bit(poor, tmp_path):
    (tmp_path / "r").mkdir()
    with connected_cluster("local:2", False) as workers:
        result = run_portfolio(poor.portfolio, tmp_path / "r", workers, lambda n: None)
    assert_frame_equal(result.paths, poor.result.paths, check_exact=True)
    assert_frame_equal(result.contributions, poor.result.contributions, check_exact=True)


def test_a_plain_run_says_what_does_not_tie_out(tmp_path, certificate_txt):
    run = Run(tmp_path / "r", {"wrong": wrong_certificate(tmp_path, certificate_txt)})
    warnings = run.result.deals[0].warnings
    assert warnings
    text = " ".join(render_portfolio(run.result, tmp_path).split())
    for warning in warnings:
        assert "does not tie out by" in warning
        assert f"warning: wrong: {warning}" in text


def test_errors_of_pairs_are_those_of_their_means(tmp_path):
    run = Run(tmp_path / "r", {"one": config()}, simulation="sampling = 'antithetic'")
    pairs = run.result.paths["pool_loss"].to_numpy().reshape(-1, 2).mean(axis=1)
    for table in (run.result.measures, run.result.by_deal, run.result.contributions):
        row = table.filter(measure="pool_loss", statistic="mean").row(0, named=True)
        assert row["standard_error"] == pytest.approx(pairs.std(ddof=1) / np.sqrt(32))


def test_the_page_shows_the_largest_deals_and_counts_the_others(poor, monkeypatch):
    monkeypatch.setattr(portfolio_deals, "_MOST_SHOWN", 1)
    shown = portfolio_deals.contributions(poor.result).blocks[0].rows
    assert [row.cells[0] for row in shown] == ["two", "and 1 more, in the files", "all"]
    total = poor.result.paths["pool_loss"].mean() / 1e6
    assert shown[-1].cells[1] == f"{total:,.2f}"
    assert len(portfolio_deals.deals(poor.result).blocks[0].rows) == 2
