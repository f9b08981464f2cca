"""`--dry-run`: what would run and its size, with nothing written."""

import json

import pytest
from click.testing import CliRunner

from hemc.cli import main

FEW = ["--set", "outputs.sensitivity_paths=128", "--set", "roll_rates.draws=2000"]


def plan(folder, *words):
    """Return the plan of a command as its record and as its screen."""
    command = [str(word) for word in words] + ["--dry-run", "--out", str(folder / "o")]
    shown, record = (CliRunner().invoke(main, [*command, *FEW, *more]) for more in ([], ["--json"]))
    assert (shown.exit_code, record.exit_code) == (0, 0), shown.output + record.output
    assert list(folder.iterdir()) == []
    return json.loads(record.stdout), shown.stdout


def test_a_run_is_planned_with_its_other_assumptions(base_toml, tmp_path):
    record, screen = plan(tmp_path, "run", base_toml, "--paths", "64000")
    assert record["paths"] == {"the run": 64_000, "4 other assumptions": 4 * 128}
    assert (record["months"], record["loans"]) == (292, 11_704)
    per_path = record["seconds_a_path"]
    assert per_path > 0
    total = record["seconds_to_prepare"] + per_path * (64_000 + 512)
    assert record["seconds"] == pytest.approx(total, abs=0.02)
    assert "the run                    64,000 paths" in screen
    loan_months = 64_512 * 292 * 11_704
    assert f"{loan_months / 1e9:.1f} billion loan-months" in screen
    assert "nothing was run or written" in screen


def test_studies_add_their_paths(root, base_toml, tmp_path):
    more = ["--set", "simulation.paths=640"]
    batch, _ = plan(tmp_path, "stress", root / "configs" / "stress.toml", "--paths", "640")
    assert batch["paths"]["6 more scenarios"] == 6 * 640
    swings, _ = plan(tmp_path, "sensitivities", base_toml, "--paths", "64", *more)
    cells = 3 * 4 * 3 + 1
    assert swings["paths"]["tornado and heat maps"] > 64 * (cells + 25)
    searched, _ = plan(tmp_path, "breakeven", base_toml, "--paths", "64", *more)
    assert searched["paths"]["first scans of multiples"] % 64 == 0
    assert swings["paths"]["the run"] == searched["paths"]["the run"] == 640
