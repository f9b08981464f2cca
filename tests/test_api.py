"""The Python API: the same words and the same figures as the command line."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

import hemc
from hemc.cli import main
from hemc.errors import InputError

QUICK = {"outputs.sensitivity_paths": 0, "simulation.oracle_paths": 0, "scenario.stress_shift": 0.1}


@pytest.fixture(scope="module")
def result(base_toml):
    return hemc.run(hemc.load_config(base_toml, QUICK), paths=64, seed=3)


def test_api_and_command_line_write_the_same_summary(result, base_toml, tmp_path):
    options = [f"--set={key}={value}" for key, value in QUICK.items()]
    command = ["run", str(base_toml), "--paths", "64", "--seed", "3", "--quiet", *options]
    done = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "cli")])
    assert done.exit_code == 0, done.output
    hemc.write_run(result, tmp_path / "api")
    files = [(tmp_path / name / "summary.json").read_text("utf-8") for name in ("cli", "api")]
    assert files[0] == files[1]
    assert result.summary.to_dicts() == json.loads(files[0])
    configurations = [
        json.loads((tmp_path / name / "manifest.json").read_text("utf-8"))["configuration"]
        for name in ("cli", "api")
    ]
    assert configurations[0] == configurations[1]


def test_a_result_shows_itself_in_a_notebook(result):
    page = result._repr_html_()
    assert "2003-HE2" in page
    assert "pool_loss_pct" in page
    assert "<table" in page


def test_certificates_are_read_and_bad_settings_refused(certificate_txt, base_toml):
    assert hemc.read_certificate(str(certificate_txt)).series == "2003-HE2"
    with pytest.raises(InputError, match="did you mean 'seed'"):
        hemc.load_config(base_toml, {"simulation.sed": 1})
    with pytest.raises(InputError, match="less than or equal"):
        hemc.run(str(base_toml), paths=2**40)
    with pytest.raises(AttributeError, match="no attribute 'simulate'"):
        hemc.simulate  # noqa: B018  (the access is the test)


def test_importing_hemc_imports_nothing_heavy():
    code = (
        "import sys, hemc\n"
        "heavy = {'numpy', 'numba', 'polars', 'scipy', 'pydantic', 'click'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
