"""Commands that make a run refuse a folder into which another process makes one."""

import os

import pytest
from click.testing import CliRunner

from hemc.cli import main
from hemc.scale.lock import held_folder

FEW = ["--set", "roll_rates.draws=2000"]


@pytest.mark.parametrize(
    ("command", "file"),
    [("stress", "stress.toml"), ("breakeven", "base.toml"), ("sensitivities", "base.toml")],
)
def test_a_folder_that_another_run_holds_is_refused(root, tmp_path, command, file):
    words = [command, str(root / "configs" / file), "--out", str(tmp_path / "r"), *FEW]
    with held_folder(tmp_path / ".r.unfinished"):
        refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 2
    assert f".r.unfinished: found a run under way (process {os.getpid()} on" in refused.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("command", "file", "runner"),
    [
        ("stress", "stress.toml", "hemc.engine.stress.run_stress"),
        ("breakeven", "base.toml", "hemc.engine.run"),
    ],
)
def test_the_folder_is_held_while_the_run_is_made(
    root, tmp_path, monkeypatch, command, file, runner
):
    def meanwhile(*_, **__):
        with held_folder(tmp_path / ".r.unfinished"):
            raise AssertionError("two processes hold one folder")

    monkeypatch.setattr(runner, meanwhile)
    words = [command, str(root / "configs" / file), "--out", str(tmp_path / "r"), *FEW]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 2
    assert "found a run under way" in refused.stderr
    assert list(tmp_path.iterdir()) == []
