"""`hemc panel` as a user meets it: screens of 80 columns, files, errors in one line."""

import polars as pl
import pytest
from click.testing import CliRunner
from inputs.panel_files import freddie_line, write_lines

from benchmarks.made_panel import known_rates, make_parts, write_panel
from hemc import cli
from hemc.inputs.product import read_product

PRODUCT = "configs/products/closed-end-second-2003.toml"


def run(*args):
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def made(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("made")
    rates = known_rates(read_product(root / PRODUCT))
    write_panel(make_parts(rates, 100_000, seed=2), folder, "freddie")
    write_lines(
        folder / "faults.txt",
        [
            freddie_line("F99Q10000001", "201401", "0"),
            freddie_line("F99Q10000001", "201402", "3"),
            freddie_line("F99Q10000001", "201403", "XX"),
        ],
    )
    return folder


@pytest.mark.parametrize("prior", [(), ("--product", PRODUCT)])
def test_count_prints_rates_and_exclusions(made, root, tmp_path, prior):
    prior = tuple(root / part if part == PRODUCT else part for part in prior)
    out, rates = tmp_path / "counts.parquet", tmp_path / "rates.parquet"
    result = run("panel", "count", made / "*.txt", "--out", out, "--rates", rates, *prior)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines if str(tmp_path) not in line)
    assert "Freddie Mac performance file: 2 files, 100,003 rows" in result.stdout
    assert "Not shown by the source, so without rates: bankruptcy, foreclosure." in result.stdout
    assert "1  move over 1 month: more than one bucket worse a month" in result.stdout
    assert "1  row: status not given (XX or blank)" in result.stdout
    assert any(line.startswith("6 months  30 → current") for line in lines)
    table = pl.read_parquet(rates)
    told = table.filter(from_state="30", to_state="60").row(0, named=True)
    known = 0.33 / 0.98
    assert abs(told["posterior_mean"] - known) < 4 * told["posterior_sd"]
    assert pl.read_parquet(out)["months"].unique().to_list() == [1, 3, 6]


def test_fit_reads_what_count_wrote(made, tmp_path):
    counts, classes = tmp_path / "counts.parquet", tmp_path / "classes.toml"
    run("panel", "count", made / "part-*.txt", "--out", counts)
    result = run("panel", "fit", counts, "--out", classes)
    assert result.exit_code == 0, result.output
    assert all(len(line) <= 80 for line in result.stdout.splitlines()[:-1])
    assert "[chronic]" in classes.read_text(encoding="utf-8")


def test_a_fit_needs_a_longer_horizon(tmp_path):
    file = tmp_path / "counts.csv"
    file.write_text("months,from_state,to_state,count\n1,current,30,5\n1,30,current,5\n")
    result = run("panel", "fit", file)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"hemc: {file}: found moves of 1 month alone; expected")


def test_an_unusable_panel_ends_with_one_line(tmp_path):
    file = write_lines(tmp_path / "panel.csv", ["loan,month", "a,2015-01"])
    result = run("panel", "count", file)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "no column status" in result.stderr
