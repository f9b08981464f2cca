"""`hemc certificate` as a user meets it: output, exit codes, errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hemc import cli
from hemc.inputs.shipped import configs_dir

COMPLETE = configs_dir() / "certificates" / "gmacm-2003-he2_2004-02-25.txt"
RECORD = Path(__file__).parent / "data" / "certificates" / "gmacm-2003-he2_2004-02-25.json"


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def test_check_prints_every_identity_and_the_verdict() -> None:
    result = run("certificate", "check", COMPLETE)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.rstrip("\n").split("\n")
    assert lines[-1] == (
        "2004-02-25 ties out: 51 pass, 0 fail, 1 not testable; premium 0.11750 % of beginning notes"
    )
    assert all(len(line) <= 80 for line in lines[:-1])
    assert "pool roll                       390,719,522.22" in result.stdout
    assert sum(line.endswith("pass") for line in lines) == 51


def test_a_failing_identity_exits_with_1(tmp_path: Path) -> None:
    path = tmp_path / "changed.txt"
    path.write_text(COMPLETE.read_text().replace("390,719,522.22", "390,719,522.23"))
    result = run("certificate", "check", path)
    assert result.exit_code == 1
    assert "0.01 FAIL" in result.stdout
    assert "does not tie out" in result.stdout


def test_check_as_json() -> None:
    result = run("certificate", "check", COMPLETE, "--json")
    (record,) = json.loads(result.stdout)
    line = next(line for line in record["identities"] if line["name"] == "premium")
    assert (line["printed"], line["difference"], line["status"]) == ("39320.65", "0.00", "pass")
    assert record["payment_date"] == "2004-02-25"


def test_replay_prints_each_step_beside_the_certificate() -> None:
    result = run("certificate", "replay", COMPLETE)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.rstrip("\n").split("\n")
    assert lines[-1] == "2004-02-25, payment 11: replayed, 24 figures to the cent"
    assert all(len(line) <= 80 for line in lines)
    for step in ("premium", "interest", "hold_oc", "reimbursement", "build_oc", "residual"):
        assert any(line.startswith(f"{step} ") for line in lines)


def test_a_month_that_does_not_replay_exits_with_1(tmp_path: Path) -> None:
    path = tmp_path / "changed.txt"
    path.write_text(COMPLETE.read_text().replace("133,373.59", "133,373.60"))
    result = run("certificate", "replay", path)
    assert result.exit_code == 1
    assert "A-1 interest                        133,373.60     133,373.59          0.01 FAIL" in (
        result.stdout
    )
    assert result.stdout.rstrip().endswith("off: premium, interest, A-1 interest")


def test_a_replay_needs_deal_terms(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text(COMPLETE.read_text().replace("2003-HE2", "2001-HE9"))
    result = run("certificate", "replay", path)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].endswith(
        "found no deal terms for it; expected --deal FILE"
    )


def test_show_fits_80_columns_and_names_lines() -> None:
    result = run("certificate", "show", COMPLETE, "--lines")
    assert result.exit_code == 0
    lines = result.stdout.split("\n")
    assert max(len(line) for line in lines) <= 80
    assert "  ending pool                             390,719,522.22   12" in lines
    assert "Nothing is missing." in lines


def test_show_as_json_equals_the_record() -> None:
    read = json.loads(run("certificate", "show", COMPLETE, "--json").stdout)
    record = json.loads(RECORD.read_text())
    assert set(read) == set(record) - {"source", "remarks", "groups", "truncated"}
    assert (read["series"], read["layout"]) == (record["series"], record["layout"])
    for section in ("notes", "delinq", "pool", "oc", "losses"):
        assert _decimals(read[section]) == _decimals(record[section])


def _decimals(table: object) -> object:
    if isinstance(table, dict):
        return {key: _decimals(value) for key, value in table.items()}
    return Decimal(str(table))


def test_a_cut_certificate_is_shown_with_its_gaps(tmp_path: Path) -> None:
    path = tmp_path / "cut.txt"
    path.write_text("\n".join(COMPLETE.read_text().split("\n")[:20]))
    result = run("certificate", "show", path)
    assert result.exit_code == 0
    assert "incomplete" in result.stderr
    assert "notes: no row of a class in the document" in result.stdout


@pytest.mark.parametrize("command", ["show", "check"])
def test_bad_input_is_one_line_and_exits_with_2(tmp_path: Path, command: str) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("")
    result = run("certificate", command, path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"hemc: {path}: found an empty file; expected a servicing certificate (text or HTML)\n"
    )


def test_a_deal_of_another_series_is_refused() -> None:
    deal = configs_dir() / "deals" / "gmacm-2002-he4.toml"
    result = run("certificate", "check", COMPLETE, "--deal", deal)
    assert result.exit_code == 2
    assert "found '2002-HE4'; expected '2003-HE2'" in result.stderr


def test_without_a_shipped_deal_terms_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text(COMPLETE.read_text().replace("2003-HE2", "2001-HE9"))
    result = run("certificate", "check", path)
    assert result.exit_code == 0
    assert "no shipped deal for series 2001-HE9" in result.stderr
    assert "needs deal terms" in result.stdout


def test_wrong_usage_exits_with_2() -> None:
    assert run("certificate", "check").exit_code == 2
    assert run("certificate", "bake").exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(KeyboardInterrupt(), 130, "interrupted"), (ZeroDivisionError("by zero"), 3, "Traceback")],
)
def test_faults_have_their_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("hemc.inputs.certificate.read_certificate", fail)
    result = run("certificate", "show", COMPLETE)
    assert (result.exit_code, words in result.stderr) == (code, True)


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["certificate"],
        ["certificate", "show"],
        ["certificate", "check"],
        ["certificate", "replay"],
    ],
)
def test_every_help_has_an_example(args: list[str]) -> None:
    result = run(*args, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout


def test_version() -> None:
    assert run("--version").stdout.startswith("hemc, version ")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, hemc.cli\n"
        "try: hemc.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numba', 'numpy', 'polars', 'scipy', 'pydantic', 'holidays', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.rstrip().endswith("[]")
