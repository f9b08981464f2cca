"""The edges of what a run may be asked: each ends with identities held, or is refused clearly."""

import re

import numpy as np
import polars as pl
import pytest

from hemc import engine
from hemc.config import load_config
from hemc.errors import InputError
from hemc.outputs.report.document import write_report
from hemc.outputs.results import write_run
from hemc.outputs.summary import render_summary

POOL = 390_719_522.22
HEADER = "loan,state,balance,gross_rate,amortization_months,maturity_months,instalments_behind"
FEW = {
    "simulation.paths": 64, "simulation.threads": 1, "simulation.oracle_paths": 64,
    "outputs.sensitivity_paths": 0, "roll_rates.draws": 1_000,
}  # fmt: skip


def write_tape(file, rows):
    """Write rows of (state, balance, rate, amortization, maturity, behind) as a tape."""
    lines = [",".join(map(str, (i, *row))) for i, row in enumerate(rows, start=1)]
    file.write_text("\n".join([HEADER, *lines]))
    return file


def loans(n, state="current", rate=0.0825, months=24, behind=0):
    return [(state, round(POOL / n, 2), rate, months, months, behind)] * n


def run_to_the_report(base_toml, folder, **settings):
    """Run, write everything, and return result and page, which shows no figure that is none."""
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    result = engine.run(load_config(base_toml, FEW | dotted), lambda n: None)
    write_run(result, folder / "run", write_report)
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    shown = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert "Verdict" in shown or "What the notes can lose" in shown
    assert not re.search(r"\b(nan|inf|None|null)\b", re.sub(r"<[^>]*>", " ", shown))
    assert result.store.largest_gap < 0.01
    assert result.deal_name in shown if hasattr(result, "deal_name") else "2003-HE2" in shown
    assert max(map(len, render_summary(result, folder).splitlines()[:-1])) <= 80
    return result, page


EDGES = {
    "one loan": loans(1),
    "one month": loans(20, months=1),
    "a coupon of zero": loans(20, rate=0.0),
    "all delinquent": loans(10, "30", behind=1) + loans(10, "90", behind=3),
    "all in foreclosure": loans(20, "foreclosure", behind=6),
    "balances of a cent": [*loans(1), *[("current", 0.01, 0.08, 24, 24, 0)] * 30],
}


@pytest.mark.parametrize("name", EDGES)
def test_an_odd_pool_runs_to_the_report(base_toml, tmp_path, name):
    tape = write_tape(tmp_path / "tape.csv", EDGES[name])
    settings = {"tape__file": str(tape), "simulation__tail_months": 0}
    result, _ = run_to_the_report(base_toml, tmp_path, **settings)
    assert len(result.calibration.tape) == len(EDGES[name])
    if name == "one month":
        assert result.n_months == 1


def test_a_single_path_has_no_errors_and_says_so(base_toml, tmp_path):
    result, _ = run_to_the_report(base_toml, tmp_path, simulation__paths=1)
    mean = result.measures.filter(measure="pool_loss", statistic="mean")
    assert mean["value"][0] > 0
    assert mean["standard_error"][0] is None


def test_three_hundred_and_sixty_months(base_toml, tmp_path):
    tape = write_tape(tmp_path / "tape.csv", loans(30, months=360))
    settings = {"tape__file": str(tape), "simulation__tail_months": 0}
    result, _ = run_to_the_report(base_toml, tmp_path, **settings)
    assert result.n_months == 360


def test_nothing_left_of_the_pool(base_toml, tmp_path):
    """Everything pays off in the first months; later months hold zeros and the report is whole."""
    tape = write_tape(tmp_path / "tape.csv", loans(20, months=120))
    settings = {"prepayment__current_cpr": 0.99} if _knows(base_toml, "current_cpr") else {}
    result, _ = run_to_the_report(
        base_toml, tmp_path, tape__file=str(tape), prepayment__long_run_cpr=0.99,
        prepayment__half_life_months=0.5, **settings,
    )  # fmt: skip
    balance = result.store.months.frame().filter(
        (pl.col("series") == "pool_balance") & (pl.col("statistic") == "mean")
    )
    assert balance.sort("month")["value"][-1] == 0.0


def _knows(base_toml, key):
    return f"\n{key} =" in base_toml.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_hundred_thousand_loans(base_toml, tmp_path):
    rng = np.random.default_rng(3)
    terms = rng.integers(100, 180, 100_000)
    rows = [("current", round(POOL / 100_000, 2), 0.0825, m, m, 0) for m in terms]
    tape = write_tape(tmp_path / "tape.csv", rows)
    result, _ = run_to_the_report(base_toml, tmp_path, tape__file=str(tape))
    assert len(result.calibration.tape) == 100_000


@pytest.mark.parametrize(
    ("setting", "value", "place"),
    [
        ("simulation.paths", 0, "simulation.paths"),
        ("simulation.paths", -1, "simulation.paths"),
        ("simulation.paths", 2**40, "simulation.paths"),
    ],
)
def test_a_run_of_no_paths_is_refused(base_toml, setting, value, place):
    with pytest.raises(InputError) as caught:
        load_config(base_toml, {setting: value})
    assert caught.value.place == place


def test_a_loan_without_a_balance_is_refused(base_toml, tmp_path):
    tape = write_tape(tmp_path / "tape.csv", [*loans(1), ("current", 0.0, 0.08, 24, 24, 0)])
    with pytest.raises(InputError, match=r"line 3, column balance: found '0\.0'"):
        engine.run(load_config(base_toml, FEW | {"tape.file": str(tape)}), lambda n: None)


@pytest.mark.parametrize("label", ["Ending Pool Balance", "Active Loan Count"])
def test_a_certificate_of_an_empty_pool_is_refused(base_toml, certificate_txt, tmp_path, label):
    text = certificate_txt.read_text()
    line = next(line for line in text.splitlines() if label.lower() in line.lower())
    emptied = re.sub(r"[\d,.]+\s*$", "0.00" if "Balance" in label else "0", line)
    file = tmp_path / "certificate.txt"
    file.write_text(text.replace(line, emptied))
    with pytest.raises(InputError) as caught:
        engine.run(load_config(base_toml, FEW | {"inputs.certificate": str(file)}), lambda n: None)
    assert caught.value.found.startswith("0")
