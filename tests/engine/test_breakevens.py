"""Break-evens of the base deal against direct runs, and of a deal that is not monotone."""

import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from outputs.workbook_sheets import Book

from hemc import engine
from hemc.cli import main
from hemc.config import load_config
from hemc.engine.breakevens import (
    expected_loss,
    find_breakevens,
    scan_multiple,
    scan_shift,
    searched_paths,
)
from hemc.engine.study import prepare_study
from hemc.inputs.overcollateralization import StepDown, Trigger
from hemc.model.insurer import absent
from hemc.model.vector_run import Desk, flat_vectors, play_vectors, triggers_failing
from hemc.model.vectors import Vectors
from hemc.outputs.breakeven_scan import held_classes, projected_rows
from hemc.outputs.breakevens import breakeven_table
from hemc.outputs.estimates import Estimate
from hemc.outputs.path_figures import annual_rate
from hemc.scale.block import pool_flows
from hemc.scale.losses import lose_block

FEW = {
    "simulation.paths": "128", "simulation.oracle_paths": "0", "outputs.sensitivity_paths": "0",
    "breakeven.paths": "128", "breakeven.speeds": "[1.0]", "breakeven.step": "0.05",
    "breakeven.scan_steps": "8", "breakeven.probabilities": "[0.05, 0.5]",
    "breakeven.highest_roll_rate": "4.0", "breakeven.shift_step": "0.01",
}  # fmt: skip
EXPECTED = Estimate(4.5, 0.1)


@pytest.fixture(scope="module")
def study(base_toml):
    return prepare_study(load_config(base_toml, FEW))


@pytest.fixture(scope="module")
def found(study):
    return find_breakevens(study, EXPECTED, lambda _: None)


def row(found, kind, note, target=None):
    rows = found.table.filter(
        pl.col("kind") == kind, pl.col("note").eq_missing(pl.lit(note)),
        pl.col("target").eq_missing(pl.lit(target)),
    )  # fmt: skip
    assert len(rows) == 1
    return rows.row(0, named=True)


def test_a_multiple_agrees_with_direct_runs_just_below_and_above(found, base_toml):
    """A whole run at either neighbour of the lattice lies on its side of the target."""
    at = row(found, "roll_rate", None, 0.5)
    assert at["high"] / at["low"] == pytest.approx(1.05)
    assert at["low"] <= at["value"] <= at["high"]
    for place, above in ((at["low"], False), (at["high"], True)):
        result = engine.run(
            load_config(base_toml, FEW | {"scenario.multiples.roll_rate": place}), lambda _: None
        )
        hit = result.measures.filter(
            measure="writedown", insurer="unwrapped", statistic="probability"
        ).filter(pl.col("note").is_null())["value"][0]
        assert (hit >= 0.5) == above
        assert abs(hit - 0.5) < 0.15
        scanned = found.scan.filter(
            pl.col("kind") == "roll_rate", pl.col("place") == place, pl.col("note").is_null()
        )
        assert scanned["probability"][0] == hit
        assert scanned["pool_loss_pct"][0] == pytest.approx(result.paths["pool_loss_pct"].mean())


def test_errors_are_those_of_the_probability_over_the_slope(found):
    at = row(found, "roll_rate", "A-4", 0.5)
    at_half = (0.25 / 128) ** 0.5
    rise = found.scan.filter(kind="roll_rate", note="A-4").sort("place")
    x, y = rise["place"].to_numpy(), rise["probability"].to_numpy()
    wide = np.interp([0.5 - at_half, 0.5 + at_half], np.maximum.accumulate(y), x)
    assert at["standard_error"] == pytest.approx(np.diff(wide)[0] / 2, rel=0.6)
    assert at["coverage"] == pytest.approx(at["pool_loss_pct"] / 4.5)
    assert at["coverage_standard_error"] > at["coverage"] * 0.1 / 4.5


def test_another_seed_finds_the_same_multiple_within_errors(found, base_toml):
    other = prepare_study(load_config(base_toml, FEW | {"simulation.seed": "3"}))
    scan = scan_multiple(other, "roll_rate", 4.0, lambda _: None)
    again = breakeven_table(scan, [0.5], EXPECTED)
    at = row(found, "roll_rate", None, 0.5)
    there = again.filter(pl.col("note").is_null()).row(0, named=True)
    error = np.hypot(at["standard_error"], there["standard_error"])
    assert abs(at["value"] - there["value"]) < 4 * error


@pytest.mark.parametrize("name", ["A-1", "A-2", "A-4"])
def test_a_desk_break_even_agrees_with_projections_just_below_and_above(study, found, name):
    at = row(found, "cdr", name)
    assert at["high"] - at["low"] == pytest.approx(0.001)
    model = study.model
    k = model.deal.class_names.index(name)
    n = model.n_months
    desk = Desk(model.pool.pool, triggers_failing(model.deal), model.quotes)
    cpr = flat_vectors(study.loaded.config.vector, n).cpr
    lost = []
    for cdr in (at["low"], at["high"]):
        vectors = Vectors(cpr, np.full((1, n), cdr), np.ones((1, n)), 6)
        played = play_vectors(desk, vectors, absent(1))
        lost.append((played.notes.writedown - played.notes.write_up)[0, :, k].sum())
    assert lost[0] < 0.005 < lost[1]
    loss_pct = 100 * played.cash.loss.sum() / played.cash.balance[0, 0]
    assert at["pool_loss_pct"] == pytest.approx(loss_pct)
    assert at["writedown_pct"] == pytest.approx(100 * lost[1] / held_classes(model.deal).balance[k])


def test_a_desk_table_is_ordered_as_credit_enhancement_is(found):
    first = [row(found, "cdr", name)["value"] for name in ("A-1", "A-2", "A-3", "A-4")]
    assert first == sorted(first, reverse=True)
    for name in ("A-1", "A-2", "A-3", "A-4", "A-5"):
        assert row(found, "cdr_zero_yield", name)["value"] >= row(found, "cdr", name)["value"]
        assert row(found, "cdr_zero_yield", name)["yield"] <= 0.0


def test_the_mildest_shift_is_where_expected_flows_first_lose(study, found):
    at = row(found, "shift", "A-2")
    lost = []
    for shift in (at["low"], at["high"]):
        model = study.under({
            "simulation.method": "large-pool", "scenario.factors": "off", "loss.lumpiness": 0.0,
            "scenario.stress_shift": shift,
        })  # fmt: skip
        cash = pool_flows(model, model.factors.standing(np.zeros(1)), 0).cash
        desk = Desk(model.pool.pool, model.deal, model.quotes)
        rows = projected_rows(
            "shift", 1.0, np.zeros(1), _paid(desk, cash), held_classes(model.deal)
        )
        lost.append(rows.filter(note="A-2")["writedown_pct"][0])
    assert lost[0] == 0.0 < lost[1]
    assert at["writedown_pct"] == pytest.approx(lost[1], rel=1e-6)


def _paid(desk, cash):
    from hemc.model.vector_run import pay_and_value

    return pay_and_value(desk, cash, absent(1))


def test_a_deal_whose_losses_are_not_monotone_shows_all_crossings(study):
    """Without excess interest and stepped down to nothing, mild defaults cost principal; enough
    of them trip the trigger that keeps the OC, which then covers them; and many exceed it."""
    base = study.documents.deal
    classes = tuple(
        c.model_copy(update={"coupon": 0.074, "margin": None, "kind": "fixed"})
        if c.kind != "notional"
        else c.model_copy(update={"coupon": 0.0})
        for c in base.classes
    )
    trigger = Trigger(
        name="arrears", measure="delinquency", states=("180+",), threshold_after=0.002,
        effect="stop_step_down",
    )  # fmt: skip
    oc = base.overcollateralization.model_copy(
        update={"triggers": (trigger,), "step_down": StepDown(payment=24, share=1e-6)}
    )
    deal = base.model_copy(update={"classes": classes, "overcollateralization": oc})
    own = study._replace(documents=study.documents._replace(deal=deal))
    model = own.under({})
    cdr = np.arange(0, 41) * 0.0005
    n = model.n_months
    vectors = Vectors(
        np.full((41, n), 0.2), np.repeat(cdr[:, None], n, axis=1), np.ones((41, n)), 6
    )
    played = play_vectors(Desk(model.pool.pool, model.deal, model.quotes), vectors, absent(41))
    table = breakeven_table(
        projected_rows("cdr", 1.0, cdr, played, held_classes(model.deal)), [], EXPECTED
    )
    every = table.filter(pl.col("note").is_null()).sort("crossing")
    assert every["direction"].to_list() == ["rising", "falling", "rising"]
    assert every["crossing"].to_list() == [1, 2, 3]
    lost = (played.notes.writedown - played.notes.write_up).sum(axis=(1, 2)) > 0.005
    assert [lost[round(v / 0.0005)] for v in every["value"]] == [True, False, True]
    assert [lost[round(v / 0.0005) - 1] for v in every["value"]] == [False, True, False]


@pytest.mark.parametrize(("shift", "published"), [(0.3, 5.1), (0.4, 7.8), (0.6, 16.0), (0.8, 31.0)])
def test_shifts_reach_the_plateaus_of_bond_insurers(study, shift, published):
    """Median CDR of months 7 to 36 with a quarter of the payoffs, within a third, in %."""
    model = study.under({
        "simulation.method": "large-pool", "scenario.factors": "off", "loss.lumpiness": 0.0,
        "scenario.stress_shift": shift, "scenario.prepayment_multiplier": 0.25,
    })  # fmt: skip
    flows = pool_flows(model, model.factors.standing(np.zeros(1)), 0)
    charged_off = flows.cash.loss + flows.cash.proceeds
    cdr = 100.0 * np.median(annual_rate(charged_off, flows)[0, 6:36])
    assert published / 1.5 < cdr < published * 4 / 3


def test_losses_are_monotone_in_severity_on_every_path(study):
    """A multiple of severities moves no loan otherwise: on every path the pool loses more, and so
    do all classes together, who get as much less principal. A single class need not."""
    parts = {}
    for multiple in (0.25, 0.5, 1.0, 1.5):
        model = study.under({"scenario.multiples.severity": multiple,
                             "scenario.stress_shift": 0.3})  # fmt: skip
        parts[multiple] = lose_block(model, 0, 64)
    for milder, worse in itertools.pairwise(parts.values()):
        assert (worse.pool >= milder.pool).all()
        assert (worse.notes.sum(axis=1) >= milder.notes.sum(axis=1) - 1e-6).all()
        assert worse.pool.sum() > milder.pool.sum()
        assert worse.notes.sum() > milder.notes.sum()
    np.testing.assert_allclose(parts[0.5].pool, 2.0 * parts[0.25].pool)


def test_losses_are_monotone_in_the_shift(study):
    """On expected flows, where nothing is drawn: every class and the pool lose more."""
    scan = scan_shift(study)
    for _, part in scan.group_by("note"):
        part = part.sort("place")
        assert part["pool_loss_pct"].is_sorted()
        assert part["writedown_pct"].diff().drop_nulls().min() > -1e-9


def test_the_command_adds_to_the_run_that_is_there(base_toml, tmp_path):
    settings = [word for k, v in FEW.items() for word in ("--set", f"{k}={v}")]
    settings += ["--set", "breakeven.scan_steps=40", "--set", "breakeven.cdr_step=0.01"]
    made = CliRunner().invoke(
        main, ["run", str(base_toml), *settings, "--out", str(tmp_path / "r"), "--quiet"]
    )
    assert made.exit_code == 0, made.output
    before = (tmp_path / "r" / "manifest.json").stat().st_mtime_ns
    asked = ["breakeven", str(base_toml), *settings, "--paths", "64", "--out", str(tmp_path / "r")]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "r" / "manifest.json").stat().st_mtime_ns == before
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert "64 paths of each multiple" in result.output
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Break-evens</h2>" in page
    assert "insurer absent" in page
    sheet = Book(tmp_path / "r" / "report.xlsx").rows("Break-evens")
    table = pl.read_parquet(tmp_path / "r" / "breakevens.parquet")
    assert len(sheet) == table.height
    assert [row.get("value") for row in sheet] == pytest.approx(table["value"].to_list())
    assert expected_loss(Path(tmp_path / "r")).value > 0.0


def test_the_first_scan_is_what_progress_counts(study):
    assert searched_paths(study.loaded.config.breakeven) == 128 * (8 + 7)
