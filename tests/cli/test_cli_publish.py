"""`hemc publish`: a run is in the database once, whole or not at all."""

import shutil
import sqlite3
import subprocess
from contextlib import closing

import polars as pl
import pytest
from click.testing import CliRunner

from hemc.cli import main
from hemc.outputs.run_files import RunFiles
from hemc.outputs.warehouse import scenario_of

QUICK = ("--paths", "64", "--quiet", "--set", "outputs.sensitivity_paths=0",
         "--set", "simulation.oracle_paths=0")  # fmt: skip


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def runs(base_toml, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("a", 1), ("b", 2)):
        done = invoke("run", base_toml, *QUICK, "--seed", seed, "--out", folder / name)
        assert done.exit_code == 0, done.output
    return folder


def count(file, table):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_run_is_published_once(runs, tmp_path):
    file = tmp_path / "risk.sqlite"
    first = invoke("publish", runs / "a", "--to", file)
    assert first.exit_code == 0, first.output
    measures = pl.read_parquet(runs / "a" / "measures.parquet")
    months = pl.read_parquet(runs / "a" / "months.parquet")
    sizes = {"hemc_runs": 1, "hemc_measures": len(measures), "hemc_months": len(months),
             "hemc_classes": measures["note"].drop_nulls().len()}  # fmt: skip
    assert {table: count(file, table) for table in sizes} == sizes
    again = invoke("publish", runs / "a", runs / "b", "--to", file)
    assert "nothing changed" in again.output.splitlines()[0]
    assert count(file, "hemc_runs") == 2
    assert count(file, "hemc_measures") == 2 * len(measures)
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT deal, payment_date, scenario, value FROM hemc_measures"
            " WHERE measure = 'pool_loss_pct' AND statistic = 'mean' ORDER BY run"
        ).fetchall()
    assert {row[:3] for row in rows} == {("2003-HE2", "2004-02-25", "base")}
    assert len({row[3] for row in rows}) == 2


def test_one_bad_run_publishes_none(runs, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(runs / "a", broken)
    (broken / "months.parquet").unlink()
    file = tmp_path / "risk.sqlite"
    done = invoke("publish", runs / "b", broken, "--to", file)
    assert done.exit_code == 2
    assert "no months.parquet" in done.output
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("oracle://x/y", "found 'oracle://'; expected a SQLite file or postgresql://"),
        ("/nowhere/at/all.sqlite", "/nowhere/at/all.sqlite: found no such folder"),
        ("postgresql://user:secret@localhost:1/none", "localhost:1/none"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_clear_error(runs, url, message):
    done = invoke("publish", runs / "a", "--to", url)
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert "secret" not in done.output


def test_the_query_of_the_documentation_runs(runs, tmp_path, root):
    file = tmp_path / "risk.sqlite"
    invoke("publish", runs / "a", runs / "b", "--to", file)
    page = (root / "docs" / "how-to" / "warehouse.md").read_text(encoding="utf-8")
    query = page[page.index("    WITH") : page.index(";", page.index("    WITH"))]
    with closing(sqlite3.connect(file)) as connection:
        one_date = connection.execute(query).fetchall()
        for table in ("hemc_measures", "hemc_runs"):
            connection.execute(f"UPDATE {table} SET payment_date = '2004-03-25' WHERE run ="
                               " (SELECT max(run) FROM hemc_runs)")  # fmt: skip
        rows = connection.execute(query).fetchall()
    assert [row[4] for row in one_date] == [None, None], "two seeds of a date are no change"
    assert [row[1] for row in rows] == ["2004-02-25", "2004-03-25"] * 2
    assert rows[0][4] is None
    assert rows[1][4] == pytest.approx(rows[1][3] - rows[0][3])


@pytest.fixture(scope="module")
def batch(root, runs):
    """A run's folder into which a stress batch of three scenarios has come."""
    folder = runs / "batch"
    words = [word for key in ("simulation.paths", "outputs.sensitivity_paths")
             for word in ("--set", f"{key}=64")]  # fmt: skip
    done = invoke("stress", root / "configs/stress.toml", *words, "--quiet", "--out", folder)
    assert done.exit_code == 0, done.output
    return folder


def test_scenarios_of_a_batch_are_published(batch, tmp_path):
    file = tmp_path / "risk.sqlite"
    alone = tmp_path / "alone"
    shutil.copytree(batch, alone)
    for name in ("scenarios", "scenario_months"):
        (alone / f"{name}.parquet").unlink()
    assert invoke("publish", alone, "--to", file).exit_code == 0
    assert count(file, "hemc_scenarios") == 0
    for _ in range(2):
        assert invoke("publish", batch, "--to", file).exit_code == 0
    tables = {"hemc_scenarios": "scenarios", "hemc_scenario_months": "scenario_months"}
    for table, name in tables.items():
        assert count(file, table) == len(pl.read_parquet(batch / f"{name}.parquet"))
    assert count(file, "hemc_runs") == 1
    with closing(sqlite3.connect(file)) as connection:
        names = {n for (n,) in connection.execute("SELECT DISTINCT scenario FROM hemc_scenarios")}
    assert names == set(pl.read_parquet(batch / "scenarios.parquet")["scenario"])


def test_a_stressed_run_is_no_base_run(base_toml, tmp_path):
    shifted = ("--set", "scenario.stress_shift=0.4", "--set", "scenario.credit_sd=0.3",
               "--set", "scenario.index_rate=0.02")  # fmt: skip
    assert invoke("run", base_toml, *QUICK, *shifted, "--out", tmp_path / "s").exit_code == 0
    assert scenario_of(RunFiles(tmp_path / "s")) == "base, credit_sd=0.3, stress_shift=0.4"


@pytest.mark.slow
def test_postgresql_takes_the_same_rows(runs, batch, tmp_path, postgres_url):
    assert invoke("publish", batch, "--to", postgres_url).exit_code == 0
    done = invoke("publish", runs / "a", runs / "b", runs / "a", "--to", postgres_url)
    assert done.exit_code == 0, done.output
    assert done.output.count("nothing changed") == 1
    lite = tmp_path / "risk.sqlite"
    assert invoke("publish", runs / "a", runs / "b", batch, "--to", lite).exit_code == 0
    query = ("SELECT run, deal, measure, coalesce(note, '-'), statistic, value FROM hemc_measures"
             " ORDER BY run, measure, coalesce(note, '-'), statistic, value")  # fmt: skip
    copy = f"COPY ({query}) TO STDOUT WITH (FORMAT csv)"
    text = subprocess.run(
        ["psql", postgres_url, "-c", copy], check=True, capture_output=True, text=True
    ).stdout
    with closing(sqlite3.connect(lite)) as connection:
        expected = connection.execute(query).fetchall()
    found = [line.split(",") for line in text.splitlines()]
    assert sorted((row[0], row[2], row[3], row[4]) for row in found) == sorted(
        (row[0], row[2], row[3], row[4]) for row in expected
    )
    assert sorted(float(row[5]) for row in found if row[5]) == sorted(
        row[5] for row in expected if row[5] is not None
    )
