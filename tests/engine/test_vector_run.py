"""`hemc vector`: money adds up, without defaults nobody loses, the desk table's class loses."""

import polars as pl
import pytest
from click.testing import CliRunner

from hemc.cli import main
from hemc.config import load_config
from hemc.engine.study import prepare_study
from hemc.engine.vector_run import run_vectors


def table(base_toml, **vector):
    settings = {f"vector.{k}": f"'{v}'" for k, v in vector.items()}
    return run_vectors(prepare_study(load_config(base_toml, settings)))


def test_without_defaults_both_passes_pay_everything(base_toml):
    found = table(base_toml, cdr="0")
    assert found["pool_loss"].max() == 0.0
    assert found["writedown"].abs().max() == pytest.approx(0.0, abs=1e-6)
    assert found["interest_shortfall"].abs().max() == pytest.approx(0.0, abs=1e-6)
    assert found["principal"].to_numpy() == pytest.approx(found["balance"].to_numpy())
    wrapped, unwrapped = (found.filter(insurer=i) for i in ("wrapped", "unwrapped"))
    assert wrapped.height == unwrapped.height == 5
    assert (wrapped["average_life"] - unwrapped["average_life"]).abs().max() < 0.05


def test_what_is_not_paid_is_written_down_or_drawn(base_toml):
    found = table(base_toml, cdr="0.02 ramp 12 0.10", severity="0.9")
    wrapped, unwrapped = (found.filter(insurer=i) for i in ("wrapped", "unwrapped"))
    paid = unwrapped["principal"] + unwrapped["writedown"]
    assert paid.to_numpy() == pytest.approx(unwrapped["balance"].to_numpy())
    assert unwrapped["writedown"].sum() > 1e6
    assert wrapped["writedown"].abs().max() == pytest.approx(0.0, abs=1e-6)
    # Less is drawn than written down: draws stop the interest on notes in excess of the pool.
    assert 0.5 < wrapped["draws"][0] / unwrapped["writedown"].sum() < 1.0
    assert unwrapped["draws"].max() == 0.0


def test_slower_prepayment_lengthens_every_class(base_toml):
    fast, slow = (table(base_toml, cdr="0", cpr=cpr) for cpr in ("0.4", "0.1"))
    assert (slow["average_life"] > fast["average_life"]).all()


def test_the_command_prints_and_writes(base_toml, tmp_path):
    asked = ["vector", str(base_toml), "--cdr", "0.08", "--lag", "3", "--csv"]
    result = CliRunner().invoke(main, [*asked, str(tmp_path / "v.csv")])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    written = pl.read_csv(tmp_path / "v.csv")
    assert f"pool loss {written['pool_loss'][0]:,.2f} USD" in result.output
    assert "3 months after default" in result.output


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [("--cpr", "1.2", "0 to 1"), ("--cdr", "0.02 ramp", "'ramp'"), ("--lag", "-1", "-1")],
)
def test_a_vector_that_is_none_is_one_error(base_toml, option, value, found):
    result = CliRunner().invoke(main, ["vector", str(base_toml), option, value])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert found in result.output
