"""`hemc publish`: a run is in the database once, whole or not at all."""

import shutil
import sqlite3
import subprocess
from contextlib import closing

import polars as pl
import pytest
from click.testing import CliRunner

from hemc.cli import main

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
        ("/nowhere/at/all.sqlite", "a database that refuses"),
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
    query = page[page.index("    SELECT") : page.index(";", page.index("    SELECT"))]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE hemc_measures SET payment_date = '2004-03-25' WHERE run ="
                           " (SELECT max(run) FROM hemc_runs)")  # fmt: skip
        rows = connection.execute(query).fetchall()
    assert [row[1] for row in rows] == ["2004-02-25", "2004-03-25"] * 2
    assert rows[0][4] is None
    assert rows[1][4] == pytest.approx(rows[1][3] - rows[0][3])


@pytest.mark.slow
def test_postgresql_takes_the_same_rows(runs, tmp_path, postgres_url):
    done = invoke("publish", runs / "a", runs / "b", runs / "a", "--to", postgres_url)
    assert done.exit_code == 0, done.output
    assert done.output.count("nothing changed") == 1
    lite = tmp_path / "risk.sqlite"
    assert invoke("publish", runs / "a", runs / "b", "--to", lite).exit_code == 0
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
