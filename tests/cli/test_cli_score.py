"""`hemc score` on consecutive real certificates and on planted ones: places, sums, refusals."""

import json
import re
import shutil

import polars as pl
import pytest
from click.testing import CliRunner
from inputs.certificate_writer import Style, write_document
from outputs.workbook_sheets import Book
from planted_certificate import planted

from hemc.cli import main

PATHS = 256
FEW = ("--paths", str(PATHS), "--quiet", "--set", "outputs.sensitivity_paths=0",
       "--set", "simulation.oracle_paths=0", "--set", "roll_rates.draws=2000")  # fmt: skip
OCTOBER, NOVEMBER, DECEMBER = (
    f"gmacm-2002-he4_{date}.json" for date in ("2003-10-27", "2003-11-25", "2003-12-26")
)
AMOUNTS = ("to_come", "realised", "total")


def hemc(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def done(*words):
    result = hemc(*words)
    assert result.exit_code == 0, result.output
    return result


def configuration(configs, name, certificate, *lines):
    """Write a configuration of 2002-HE4 among the shipped ones and return it."""
    file = configs / f"{name}.toml"
    inputs = {
        "certificate": f"certificates/{certificate}", "deal": "deals/gmacm-2002-he4.toml",
        "product": "products/closed-end-second-before.toml",
    }  # fmt: skip
    text = "\n".join([f'name = "{name}"', "[inputs]", *(f'{k} = "{v}"' for k, v in inputs.items())])
    file.write_text("\n".join([text, *lines]) + "\n")
    return file


@pytest.fixture(scope="module")
def home(root, tmp_path_factory):
    """A folder with a copy of the shipped configurations, which tests may change."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(root / "configs", folder / "configs")
    return folder


@pytest.fixture(scope="module")
def configs(home):
    return home / "configs"


@pytest.fixture(scope="module")
def october(home, configs):
    """The run of October's certificate."""
    folder = home / "results" / "october"
    done("run", configuration(configs, "october", OCTOBER), *FEW, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def november(configs):
    """The configuration of the run that follows: other ages, scenario and discount rate."""
    return configuration(
        configs, "november", NOVEMBER, "[tape]", "lowest_age = 9", "highest_age = 15",
        "[roll_rates]", "draws = 2000", "[insurer]", "discount_rate = 0.05",
        "[scenario]", 'file = "scenarios/adverse-2025.toml"',
        "[simulation]", f"paths = {PATHS}", "oracle_paths = 0",
        "[outputs]", "sensitivity_paths = 0",
    )  # fmt: skip


@pytest.fixture(scope="module")
def closed(october, november, configs, tmp_path_factory):
    """October's run scored in a copy of its folder, closing on November's configuration."""
    folder = shutil.copytree(october, tmp_path_factory.mktemp("closed") / "october")
    certificate = configs / "certificates" / NOVEMBER
    result = done("score", folder, certificate, "--config", november)
    return folder, result.stdout


@pytest.fixture(scope="module")
def unchanged(october, configs, tmp_path_factory):
    """The tables of October's run scored without another configuration, in a folder of its own."""
    folder = tmp_path_factory.mktemp("unchanged") / "tables"
    result = done(
        "score", october, configs / "certificates" / NOVEMBER, "--out", folder, "--json"
    )  # fmt: skip
    return folder, json.loads(result.stdout)


def steps(folder, measure, view="steps"):
    table = pl.read_parquet(folder / "roll_forward.parquet")
    rows = table.filter(pl.col("view") == view, pl.col("measure") == measure).to_dicts()
    return {row["step"]: row for row in rows}


def test_the_real_certificate_has_its_place_in_the_forecast(closed):
    table = pl.read_parquet(closed[0] / "score.parquet")
    forecast = pl.read_parquet(closed[0] / "next_month.parquet")
    row = table.filter(figure="pool.ending_pool").row(0, named=True)
    assert row["observed"] == 250_832_658.55
    below = (forecast["pool.ending_pool"] < row["observed"]).mean()
    assert row["pit"] == pytest.approx(below)
    points = pl.read_parquet(closed[0] / "next_certificate.parquet")
    for name in ("p5", "p50", "p95", "mean"):
        assert row[name] == points.filter(figure="pool.ending_pool")[name][0]
    assert table["crps"].drop_nulls().min() >= 0.0
    assert set(table["group"]) == {"counts", "balances", "flows", "deal"}
    certain = table.filter(figure="notes.IO.interest").row(0, named=True)
    assert (certain["observed"], certain["pit"]) == (384_068.75, None)


def test_what_the_record_does_not_show_is_missing(closed):
    folder, text = closed
    table = pl.read_parquet(folder / "score.parquet")
    gone = table.filter(pl.col("note").str.starts_with("missing"))
    assert set(gone["figure"]) == {"credit_enhancement.draw", "losses.recoveries"}
    assert gone.select("observed", "pit", "crps").null_count().row(0) == (2, 2, 2)
    assert "credit_enhancement.draw is not on the certificate" in " ".join(text.split())


@pytest.mark.parametrize("measure", ["pool_loss", "draws", "draws_pv"])
def test_opening_is_the_run_and_lines_add_up_to_the_closing(closed, measure):
    rows = steps(closed[0], measure)
    paths = pl.read_parquet(closed[0] / "paths.parquet")
    assert rows["opening"]["to_come"] == pytest.approx(paths[measure].mean(), rel=1e-12)
    closing = rows.pop("closing")
    rows.pop("change")
    for column in AMOUNTS:
        if closing[column] is not None:
            assert abs(sum(row[column] for row in rows.values()) - closing[column]) < 0.005
    assert all(row["standard_error"] >= 0.0 for row in rows.values())


def test_the_closing_is_the_next_run_to_the_last_digit(closed, november, tmp_path):
    done("run", november, "--quiet", "--out", tmp_path / "november")
    paths = pl.read_parquet(tmp_path / "november" / "paths.parquet")
    for measure in ("pool_loss", "draws", "draws_pv"):
        assert steps(closed[0], measure)["closing"]["to_come"] == paths[measure].to_numpy().mean()


def test_the_month_s_loss_is_what_the_certificate_prints(closed):
    rows = steps(closed[0], "pool_loss")
    assert rows["realised"]["total"] == 407_619.61
    paths = pl.read_parquet(closed[0] / "paths.parquet")
    assert rows["time"]["to_come"] == pytest.approx(-paths["next_month_loss"].mean())
    assert rows["closing"]["pool"] == 250_832_658.55


def test_steps_are_known_better_than_from_independent_seeds(closed):
    rows = steps(closed[0], "pool_loss")
    for name in ("pool_state", "roll_rates"):
        assert 3 * rows[name]["standard_error"] < rows[name]["independent_standard_error"]


def test_accretion_is_a_month_of_discount(closed):
    rows = steps(closed[0], "draws_pv")
    wanted = rows["opening"]["to_come"] * (1.04 ** (1 / 12) - 1)
    assert rows["accretion"]["to_come"] == pytest.approx(wanted)
    assert rows["discount"]["to_come"] < 0.0  # 5 % instead of 4 %


def test_without_another_configuration_the_scenario_moves_nothing(unchanged, closed):
    folder, record = unchanged
    for measure in ("pool_loss", "draws", "draws_pv"):
        rows, other = steps(folder, measure), steps(closed[0], measure)
        for name in ("scenario", "discount"):
            if name in rows:
                assert (rows[name]["to_come"], rows[name]["standard_error"]) == (0.0, 0.0)
        for name in ("opening", "time", "pool_state", "roll_rates"):
            assert rows[name]["to_come"] == other[name]["to_come"]
    assert record["figures"] == json.loads(json.dumps(record["figures"]))
    assert [row["step"] for row in record["roll_forward"]][:3] == ["opening", "time", "realised"]
    assert any("its scenario going on" in remark for remark in record["remarks"])


def test_tables_for_another_folder_leave_the_run_alone(unchanged, october):
    assert {file.name for file in unchanged[0].iterdir()} == {
        "manifest.json", "score.parquet", "roll_forward.parquet",
    }  # fmt: skip
    assert not (october / "score.parquet").exists()


def test_the_screen_fits_and_says_it_in_words(closed):
    folder, text = closed
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    said = " ".join(text.split())
    assert "What surprised, the farthest out first:" in said
    assert "A-1 Interest: 4,551, where every path has 4,479" in said
    assert "with another order the same change would fall to them otherwise" in said
    for name in ("opening 2003-10-27", "new pool state", "new discount rate", "closing 2003-11-25"):
        assert name in text
    assert lines[-1] == f"files: {folder}"


def test_report_and_workbook_get_their_parts(closed, october):
    folder, _ = closed
    page = re.sub(r"\s+", " ", (folder / "report.html").read_text())
    for title in ("Insurer: roll-forward", "Next certificate: scored"):
        assert title in page
        assert title not in (october / "report.html").read_text()
    book = Book(folder / "report.xlsx")
    rows = {(r["view"], r["measure"], r["step"]): r for r in book.rows("Roll-forward")}
    exact = steps(folder, "pool_loss")["roll_rates"]
    assert rows["steps", "pool_loss", "roll_rates"]["to come"] == pytest.approx(exact["to_come"])
    scored = {r["figure"]: r for r in book.rows("Scored")}
    assert scored["pool.ending_pool"]["observed"] == 250_832_658.55


@pytest.fixture(scope="module")
def before(configs):
    return json.loads((configs / "certificates" / OCTOBER).read_text())


def test_a_pool_that_moved_as_expected_has_little_to_explain(october, before, tmp_path):
    file = tmp_path / "expected.json"
    file.write_text(json.dumps(planted(october, before, "2003-11-25")))
    done("score", october, file, "--out", tmp_path / "tables")
    rows = steps(tmp_path / "tables", "pool_loss")
    state = rows["pool_state"]
    # The tape is synthesised anew, so that a state costs its loans' own chance. Were ramp, curve
    # and factors to begin anew here, the state would cost 6 % of the opening (measured).
    assert abs(state["to_come"]) < 4 * state["standard_error"] + 0.01 * rows["opening"]["to_come"]
    surprise = rows["realised"]["total"] + rows["time"]["total"]
    assert abs(surprise) < 0.01  # what was realised is what was expected, to the printed cent


def test_a_median_certificate_surprises_nobody_and_a_shifted_one_does(october, before, tmp_path):
    record = planted(october, before, "2003-11-25", "median")
    record["pool"]["interest_collections"] = "1000000.00"
    file = tmp_path / "median.json"
    file.write_text(json.dumps(record))
    table = json.loads(done(
        "score", october, file, "--out", tmp_path / "tables", "--json"
    ).stdout)  # fmt: skip
    rows = {row["figure"]: row for row in table["figures"] if row["pit"] is not None}
    assert rows["pool.ending_pool"]["pit"] == pytest.approx(0.5, abs=0.01)
    assert rows["losses.current_month"]["pit"] == pytest.approx(0.5, abs=0.01)
    assert table["surprises"] == ["pool.interest_collections"]
    assert rows["pool.interest_collections"]["pit"] == 0.0


def test_a_printed_document_states_what_was_paid(october, before, tmp_path):
    """A document in the filings' layout, with the insurer's line that records do not have."""
    text = write_document(planted(october, before, "2003-11-25"), Style("text", seed=2))
    file = tmp_path / "november.txt"
    line = "Credit Enhancement Draw Amount            12,345.67\n"
    file.write_text(
        text.replace("Delinquent Loans (30 Days)", f"{line}\nDelinquent Loans (30 Days)")
    )
    done("score", october, file, "--out", tmp_path / "tables")
    rows, reserve = (steps(tmp_path / "tables", "draws_pv", view) for view in ("steps", "reserve"))
    assert rows["realised"]["realised"] == 12_345.67
    assert rows["closing"]["total"] == pytest.approx(rows["closing"]["to_come"] + 12_345.67)
    assert list(reserve) == [
        "opening", "accretion", "discount", "timing_and_assumptions", "paid", "closing",
    ]  # fmt: skip
    closing = reserve.pop("closing")["to_come"]
    assert abs(sum(row["to_come"] for row in reserve.values()) - closing) < 0.005
    assert reserve["paid"]["to_come"] == -12_345.67


def test_stocks_that_are_not_shown_leave_the_roll_forward_out(closed, before, configs, tmp_path):
    """The scored figures come all the same, and a roll-forward of another certificate goes."""
    folder = shutil.copytree(closed[0], tmp_path / "run")
    record = json.loads((configs / "certificates" / NOVEMBER).read_text())
    del record["delinq"]["BK"]
    file = tmp_path / "torn.json"
    file.write_text(json.dumps(record))
    text = " ".join(done("score", folder, file).stdout.split())
    assert "no roll-forward: " in text
    assert "no delinquencies.BK.balance (not in the record)" in text
    table = pl.read_parquet(folder / "score.parquet")
    assert table.filter(figure="delinq.BK.number")["note"][0] == "missing: not in the record"
    assert table.filter(figure="delinq.FC.number")["pit"][0] is not None
    assert not (folder / "roll_forward.parquet").exists()
    assert "Insurer: roll-forward" not in (folder / "report.html").read_text()


def test_roll_rates_of_a_series_are_fitted_again_with_the_new_certificate(configs, tmp_path):
    few = {"chains": 2, "draws": 100, "sweeps_per_draw": 2}
    file = configuration(
        configs, "series", OCTOBER, "[roll_rates]",
        f'certificates = ["certificates/gmacm-2002-he4_2003-07-25.json", "certificates/{OCTOBER}"]',
        "[calibration]", *(f"{k} = {v}" for k, v in few.items()),
    )  # fmt: skip
    done("calibrate", file, "--out", tmp_path / "posterior", "--quiet")
    posterior = f"roll_rates.posterior='{tmp_path}/posterior/posterior.parquet'"
    done("run", file, *FEW, "--set", posterior, "--paths", "64", "--out", tmp_path / "run")
    done("score", tmp_path / "run", configs / "certificates" / NOVEMBER)
    rows = steps(tmp_path / "run", "pool_loss")
    assert rows["roll_rates"]["to_come"] != 0.0
    assert rows["roll_rates"]["standard_error"] > 0.0


def refused(*words):
    """Return the one line of an error that is the input's."""
    result = hemc("score", *words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    (line,) = result.stderr.strip().splitlines()
    return line


def test_a_certificate_that_is_not_the_next_is_refused(october, configs, tmp_path):
    certificates = configs / "certificates"
    line = refused(october, certificates / DECEMBER, "--out", tmp_path / "t")
    assert "found payment date 2003-12-26; expected 2003-11-25" in line
    line = refused(october, certificates / "gmacm-2003-he2_2003-11-25.json")
    assert "found series 2003-HE2; expected series 2002-HE4" in line
    record = json.loads((certificates / NOVEMBER).read_text())
    record["pool"]["beginning_pool"] = "271675469.57"
    file = tmp_path / "other.json"
    file.write_text(json.dumps(record))
    line = refused(october, file)
    assert "opening pool: found 271,675,469.57; expected 271,675,469.56" in line
    assert not (october / "score.parquet").exists()
    assert not (tmp_path / "t").exists()


def test_a_later_configuration_has_to_be_that_of_the_certificate(october, configs, november):
    certificate = configs / "certificates" / NOVEMBER
    line = refused(october, certificate, "--config", configs / "october.toml")
    assert "inputs.certificate: found that of 2002-HE4, 2003-10-27" in line
    assert "expected that of 2002-HE4, 2003-11-25, which is scored" in line
    text = november.read_text().replace("[simulation]", "[simulation]\nseed = 5")
    other = configs / "seed.toml"
    other.write_text(text)
    assert "simulation.seed: found 5" in refused(october, certificate, "--config", other)


def test_loans_of_a_file_need_the_next_tape(configs, tmp_path):
    from hemc import engine
    from hemc.config import load_config

    file = configuration(configs, "loans", OCTOBER)
    loaded = load_config(file, {"roll_rates.draws": "2000"})
    tape = engine.calibrate(loaded, engine.read_documents(loaded)).tape
    tape.write_parquet(configs / "tape.parquet")
    done("run", file, *FEW, "--set", "tape.file=tape.parquet", "--out", tmp_path / "run")
    certificate = configs / "certificates" / NOVEMBER
    text = " ".join(done("score", tmp_path / "run", certificate).stdout.split())
    assert "the loans of tape.parquet are those of 2003-10-27: name the new tape" in text
    line = refused(tmp_path / "run", certificate, "--config", configs / "november.toml")
    assert "tape.file: found none; expected the loan rows of the new date" in line


def test_an_input_changed_since_the_run_is_refused(october, configs, tmp_path):
    moved = shutil.copytree(configs, tmp_path / "moved")
    deal = moved / "deals" / "gmacm-2002-he4.toml"
    deal.write_text(deal.read_text() + "\n# a comment\n")
    line = refused(october, moved / "certificates" / NOVEMBER, "--inputs", moved)
    assert f"{deal}: found a deal changed since the run" in line


def test_a_run_of_other_paths_is_refused(october, configs, tmp_path):
    copy = shutil.copytree(october, tmp_path / "copy")
    rows = pl.read_parquet(copy / "paths.parquet")
    rows.with_columns(pl.col("pool_loss") + 1.0).write_parquet(copy / "paths.parquet")
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"kernel_digest": "older"}))
    line = refused(copy, configs / "certificates" / NOVEMBER)
    assert "expected the kernels of the run (older); run again" in line
    (copy / "next_month.parquet").unlink()
    assert "no next_month.parquet" in refused(copy, configs / "certificates" / NOVEMBER)
