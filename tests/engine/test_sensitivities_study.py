"""Tornado and heat maps: what they vary, against direct runs, and what people see of them."""

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from outputs.workbook_sheets import Book

from hemc import engine
from hemc.cli import main
from hemc.config import load_config
from hemc.engine.deal_variants import vary_deal
from hemc.engine.sensitivities import explored_paths, play_heat_maps, play_tornado, sides
from hemc.engine.study import prepare_study
from hemc.errors import InputError

SWINGS = """[
    { setting = "scenario.multiples.roll_rate", low = 0.9, high = 1.1, source = "judgement" },
    { setting = "tape.seed", high = 2, source = "another tape" },
    { setting = "insurer.mode", low = "absent", high = "performing", source = "judgement" },
    { setting = "deal.undercollateralization", low = "pro_rata", high = "implied", source = "j" },
    { setting = "deal.notional_schedule", high = "level", source = "unknown" },
    { setting = "roll_rates.chronic_share", low = 0.1, source = "of two classes" },
]""".replace("\n", " ")
FEW = {
    "simulation.paths": "64", "simulation.oracle_paths": "0", "outputs.sensitivity_paths": "0",
    "sensitivities.paths": "64", "sensitivities.tornado": SWINGS,
    "sensitivities.prepayment": "[0.5, 1.0]", "sensitivities.roll_rate": "[1.0, 2.0]",
    "sensitivities.severity": "[0.5, 1.0]", "scenario.stress_shift": "0.1",
}  # fmt: skip


@pytest.fixture(scope="module")
def study(base_toml):
    return prepare_study(load_config(base_toml, FEW))


@pytest.fixture(scope="module")
def tornado(study):
    return play_tornado(study, lambda _: None)


def mean_loss(base_toml, **settings):
    changed = FEW | {key.replace("__", "."): value for key, value in settings.items()}
    result = engine.run(load_config(base_toml, changed), lambda _: None)
    return result.paths["pool_loss_pct"].to_numpy()


def test_a_side_that_is_the_run_itself_is_left_out(study):
    played = [(side.swing.setting, side.side) for side in sides(study)]
    assert played == [
        ("scenario.multiples.roll_rate", "low"), ("scenario.multiples.roll_rate", "high"),
        ("tape.seed", "high"), ("insurer.mode", "low"), ("deal.undercollateralization", "low"),
        ("deal.notional_schedule", "high"),
    ]  # fmt: skip
    assert explored_paths(study) == (6 + 1 + 8 + 1) * 64


def test_a_swing_is_the_difference_of_two_runs_on_the_same_paths(tornado, base_toml):
    for key, value, setting in (
        ("scenario__multiples__roll_rate", "1.1", "1.1"), ("tape__seed", "2", "2"),
    ):  # fmt: skip
        moved = mean_loss(base_toml, **{key: value}) - mean_loss(base_toml)
        row = tornado.filter(
            assumption=key.replace("__", "."), setting=setting, measure="pool_loss_pct"
        ).row(0, named=True)
        assert row["difference"] == pytest.approx(moved.mean())
        assert row["difference_standard_error"] == pytest.approx(moved.std(ddof=1) / 8)
        assert row["paths"] == 64
    one = tornado.filter(assumption="scenario.multiples.roll_rate", measure="pool_loss_pct")
    assert (one["difference_standard_error"] * 3 < one["independent_standard_error"]).all()
    assert one.sort("setting")["difference"].to_list()[0] < 0 < one["difference"].max()


def test_terms_of_the_deal_are_swung(tornado):
    """A notional class that never steps down drains interest: more draws, the same pool."""
    level = tornado.filter(assumption="deal.notional_schedule")
    assert level.filter(measure="draws_pv")["difference"][0] > 0.0
    assert level.filter(measure="pool_loss_pct")["difference"][0] == 0.0
    convention = tornado.filter(assumption="deal.undercollateralization", measure="writedown")
    assert convention["difference"].abs().max() > 0.0
    absent = tornado.filter(assumption="insurer.mode", measure="draws")
    assert absent["value"][0] == 0.0


def test_cells_of_a_heat_map_are_runs_under_multiples(study, base_toml):
    table = play_heat_maps(study, lambda _: None)
    assert table.height == 8 * 3
    cell = table.filter(
        prepayment=0.5, roll_rate=2.0, severity=0.5, measure="pool_loss_pct"
    ).row(0, named=True)  # fmt: skip
    lost = mean_loss(
        base_toml, scenario__multiples__prepayment="0.5", scenario__multiples__roll_rate="2.0",
        scenario__multiples__severity="0.5",
    )  # fmt: skip
    assert cell["value"] == pytest.approx(lost.mean())
    base = table.filter(prepayment=1.0, roll_rate=1.0, severity=1.0)
    assert base["difference"].abs().max() == 0.0
    means = table.filter(pl.col("measure") == "pool_loss_pct")
    by_severity = means.sort("severity").group_by(
        "prepayment", "roll_rate", maintain_order=True
    ).agg(pl.col("value"))  # fmt: skip
    assert all(values == pytest.approx([values[1] / 2, values[1]])
               for values in by_severity["value"].to_list())  # fmt: skip
    assert np.isfinite(means["difference_standard_error"].to_numpy()).all()


def test_variants_of_a_deal_change_one_term(study):
    deal = study.documents.deal
    level = vary_deal(deal, "notional_schedule", "level", 12)
    schedules = [c.schedule for c in level.classes if c.kind == "notional"]
    assert [(s[0].until_payment, s[0].balance) for s in schedules] == [(1000, 76_000_000)]
    ended = vary_deal(deal, "notional_schedule", "ends", 12)
    assert [c.schedule[0].balance for c in ended.classes if c.kind == "notional"] == [0]
    assert len(vary_deal(deal, "lockout", "none", 12).principal) == len(deal.principal) - 1
    stepped = vary_deal(deal, "step_down", "standard", 12)
    assert stepped.overcollateralization.step_down.payment == 31
    assert vary_deal(stepped, "step_down", "standard", 12) is None
    assert vary_deal(deal, "undercollateralization", "implied", 12) is None


@pytest.mark.parametrize(
    ("term", "value", "expected"),
    [("lockouts", "none", "deal.lockout"), ("lockout", "all", "none"),
     ("notional_schedule", "rises", "ends or level")],
)  # fmt: skip
def test_unknown_terms_and_values_are_refused(study, term, value, expected):
    with pytest.raises(InputError, match=expected):
        vary_deal(study.documents.deal, term, value, 12)


def test_the_command_adds_tornado_and_maps_to_the_run(base_toml, tmp_path):
    settings = [word for k, v in FEW.items() for word in ("--set", f"{k}={v}")]
    asked = ["sensitivities", str(base_toml), *settings, "--out", str(tmp_path / "r")]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert "multiples.roll_rate" in result.output
    assert "no effect" not in result.output or "performing" not in result.output
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Change of lifetime loss, points" in page
    assert "Expected lifetime loss, % of the pool" in page
    assert "roll rates × 2" in page
    book = Book(tmp_path / "r" / "report.xlsx")
    table = pl.read_parquet(tmp_path / "r" / "tornado.parquet")
    first = table.row(0, named=True)
    shown = book.rows("Swings")[0]
    assert shown["assumption"] == first["assumption"]
    assert shown["difference"] == pytest.approx(first["difference"] / 100.0)
    assert len(book.rows("Swings")) == table.height
    assert len(book.rows("Heat maps")) == 8 * 3
    assert sum(
        row["value"]
        for row in book.rows("Contributions")
        if (row["measure"], row["statistic"]) == ("pool_loss", "mean")
    ) == pytest.approx(pl.read_parquet(tmp_path / "r" / "paths.parquet")["pool_loss"].mean())


def test_a_swing_that_does_not_exist_is_one_error(base_toml, tmp_path):
    for swings, found in (
        ("[{ setting = 'scenario.credit', low = 1, source = 'x' }]", "did you mean"),
        ("[{ setting = 'scenario.credit_sd', low = -1, source = 'x' }]", "-1"),
        ("[{ setting = 'deal.color', low = 'red', source = 'x' }]", "deal.color"),
        ("[{ setting = 'tape.seed', source = 'x' }]", "'low' or 'high' or both"),
    ):
        settings = FEW | {"sensitivities.tornado": swings}
        words = [word for k, v in settings.items() for word in ("--set", f"{k}={v}")]
        asked = ["sensitivities", str(base_toml), *words, "--out", str(tmp_path / "r")]
        result = CliRunner().invoke(main, asked)
        assert result.exit_code == 2, result.output
        assert found in result.output
        assert "Traceback" not in result.output
        assert not (tmp_path / "r").exists()
