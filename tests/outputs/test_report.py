"""report.html: its figures are those of the run's files; it is one safe, self-contained page."""

import itertools
import json
import re

import altair
import numpy as np
import polars as pl
import pytest
from report_page import Page
from report_sample import CLASSES, N_MONTHS, N_PATHS, manifest, paths_table, write_sample

from hemc.errors import InputError
from hemc.outputs.numbers import show_estimate, show_probability
from hemc.outputs.report.blocks import DASH
from hemc.outputs.report.charts import MAX_ROWS
from hemc.outputs.report.document import write_report
from hemc.outputs.report.formats import month_name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("report") / "base")


@pytest.fixture(scope="module")
def html(folder):
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.fixture(scope="module")
def measures(folder):
    return pl.read_parquet(folder / "measures.parquet")


def figure(measures, measure, statistic, note=None):
    return measures.filter(
        pl.col("measure") == measure,
        pl.col("statistic") == statistic,
        pl.col("note").eq_missing(pl.lit(note)),
    ).row(0, named=True)


def is_shown(text, value, error=None, scale=1.0):
    """Tell whether a text is value ± error, both to half a unit of their last digit."""
    numbers = re.findall(r"[−-]?[\d,]*\.?\d+", text.split("(95")[0])
    exact = [value, *([] if error is None else [error])]
    assert len(numbers) == len(exact), text
    for number, wanted in zip(numbers, exact, strict=True):
        shown = float(number.replace(",", "").replace("−", "-"))
        decimals = len(number.partition(".")[2])
        if abs(shown - wanted * scale) > 0.5 * 10.0**-decimals + 1e-9:
            return False
    return True


def test_the_comparison_of_figures_can_fail():
    assert is_shown("1.23 ± 0.05 %", 1.234, 0.052)
    assert not is_shown("1.23 ± 0.05 %", 1.244, 0.052)
    assert not is_shown("1.23 ± 0.05", 1.234, 0.062)


def test_lifetime_loss_equals_the_measures(page, measures):
    header, rows = page.table("Lifetime loss of the pool")
    assert header[1:] == ["USD", "% of the current pool", "% of the original notes"]
    labels = {"mean": "mean", "50 %": "p50", "99.9 %": "p99_9", "expected shortfall 99 %": "es_99"}
    for label, statistic in labels.items():
        for cell, measure in zip(
            rows[label], ("pool_loss", "pool_loss_pct", "pool_loss_pct_original"), strict=True
        ):
            row = figure(measures, measure, statistic)
            assert is_shown(cell, row["value"], row["standard_error"]), (label, measure, cell)


def test_headlines_equal_the_summary_and_the_console(page, folder):
    records = json.loads((folder / "summary.json").read_text())
    tiles = list(page.tiles.items())[5:11]  # after five facts
    assert tiles[0][0] == "Expected lifetime loss"
    for (label, shown), row in zip(tiles, records, strict=True):
        assert shown == show_estimate(row, N_PATHS)
        assert label.endswith(", USD") == (row["unit"] == "USD")
    sentence = next(p for p in page.paragraphs if p.startswith("Over its remaining life"))
    for row in (*records[:2], *records[3:5]):
        assert show_estimate(row, N_PATHS) in sentence
    assert sentence.endswith("most often class A-2, on no path class A-1.")


def test_the_oracle_stands_flow_by_flow(page):
    _, rows = page.table("Simulated and expected sums over months")
    assert rows["loss, lifetime"] == ["46,100", "46,250", "−1.25"]
    assert rows["net rate balance, frequent months"] == ["3", "3", "–"]


def test_notes_equal_measures_and_paths(page, measures):
    header, rows = page.table("Writedown without insurer")
    cells = dict(zip(header[1:], rows["A-2"], strict=True))
    row = figure(measures, "writedown", "probability", "A-2")
    assert is_shown(cells["probability"], row["value"], row["standard_error"], 100.0)
    row = figure(measures, "writedown", "es_99", "A-2")
    assert is_shown(cells["expected shortfall 99 %"], row["value"], row["standard_error"], 1e-6)
    lost = paths_table()["writedown_A-2"].to_numpy()
    lost = lost[lost > 0]
    error = lost.std(ddof=1) / len(lost) ** 0.5
    assert is_shown(cells["mean where any"], lost.mean(), error, 1e-6)
    assert cells == dict(zip(header[1:], rows["all"], strict=True))  # no other class loses


def test_what_is_lost_in_spite_of_the_insurer_has_its_own_table(page, measures):
    header, rows = page.table("Writedown with the insurer")
    cells = dict(zip(header[1:], rows["A-2"], strict=True))
    (row,) = measures.filter(measure="writedown", statistic="mean", note="A-2",
                             insurer="wrapped").rows(named=True)  # fmt: skip
    assert is_shown(cells["mean"], row["value"], row["standard_error"], 1e-6)
    lost = paths_table()["wrapped_writedown_A-2"].to_numpy()
    lost = lost[lost > 0]
    error = lost.std(ddof=1) / len(lost) ** 0.5
    assert is_shown(cells["mean where any"], lost.mean(), error, 1e-6)
    assert not any("unpaid at the end with the insurer" in caption for caption in page.tables)


def test_an_insurer_that_makes_all_good_is_one_sentence(folder, tmp_path):
    copy = changed(folder, tmp_path)
    table = pl.read_parquet(copy / "measures.parquet")
    wrapped = (pl.col("measure") == "writedown") & (pl.col("insurer") == "wrapped")
    zero = pl.when(wrapped).then(0.0).otherwise(pl.col("value")).alias("value")
    table.with_columns(zero).write_parquet(copy / "measures.parquet")
    found = Page(write_report(copy).read_text(encoding="utf-8"))
    (said,) = (p for p in found.paragraphs if p.startswith("With the insurer no class"))
    assert said.endswith(f"{show_probability(0.0, None, N_PATHS)}.")
    assert not any("with the insurer" in caption for caption in found.tables)


def test_writedowns_by_class_are_drawn(page, measures):
    rows = chart_of(page, "error", "% of paths")
    row = figure(measures, "writedown", "probability", "A-2")
    assert [bar["name"] for bar in rows] == list(CLASSES)
    assert rows[0]["value"] == 0.0
    assert rows[1]["value"] == pytest.approx(100.0 * row["value"], abs=1e-5)
    assert rows[1]["to"] - rows[1]["value"] == pytest.approx(
        100.0 * row["standard_error"], abs=2e-5
    )


def test_prior_driven_rates_are_hatched(html):
    heat = html[html.index('<table class="heat"') :]
    heat = heat[: heat.index("</table>")]
    assert len(re.findall(r'<td class="[^"]*hatched', heat)) == 2
    assert heat.count('style="--strength') == 4


def test_values_equal_measures(page, measures):
    tables = {
        "Bond-equivalent yield at a price": ("yield", 100.0, "99.500"),
        "Clean price at a rate": ("price", 1.0, "3.160 %"),
    }
    for caption, (measure, scale, quoted) in tables.items():
        header, *rows = next(t for c, t in page.tables.items() if c.startswith(caption))
        found = {tuple(row[:2]): dict(zip(header, row, strict=True)) for row in rows}
        cells = found["A-2", "without insurer"]
        assert cells[header[2]] == quoted
        rows = measures.filter(measure=measure, insurer="unwrapped", note="A-2")
        row = rows.filter(statistic="mean").row(0, named=True)
        assert is_shown(cells["mean"], row["value"], row["standard_error"], scale)
    assert found["A-1", "with insurer"]["rate"] == "10.0 bp over the index"
    assert found["IO", "with insurer"]["mean"] == "7.940"  # the same on every path: no error
    assert ("IO", "without insurer") not in found  # not measured, not shown


def test_windows_and_the_value_of_the_wrap(page, measures):
    header, rows = page.table("Durations")
    last = [
        measures.filter(measure="window_last_to_call", note="A-2", statistic=s)["value"].item()
        for s in ("p5", "p50", "p95")
    ]
    cells = dict(zip(header[1:], rows["A-2"], strict=True))
    assert cells["last month, to call"] == " / ".join(f"{month:.0f}" for month in last)
    assert "IO" not in rows
    header, rows = page.table("Value of the wrap")
    row = figure(measures, "wrap_value", "mean", "A-2")
    cells = dict(zip(header[1:], rows["A-2"], strict=True))
    assert is_shown(cells["mean"], row["value"], row["standard_error"], 1e-6)
    assert rows["all"] == rows["A-2"]


def test_no_hit_is_bounded_never_zero(page):
    _, rows = page.table("Writedown without insurer")
    assert rows["A-1"] == [f"< {300 / N_PATHS:.2g} % (95 %)", *[DASH] * 6]
    text = " ".join(cell for table in page.tables.values() for row in table for cell in row)
    assert not re.search(r"(?<![\d.])[-−]0(\.0+)?(?![\d.])", text), "a negative zero"


def test_insurer_and_first_months(page, measures):
    header, rows = page.table("Over the life of the deal, USD million")
    cells = dict(zip(header[1:], rows["present value of draws"], strict=True))
    row = figure(measures, "draws_pv", "p99")
    assert is_shown(cells["99 %"], row["value"], row["standard_error"], 1e-6)
    header, rows = page.table("First month, counted from")
    month = round(figure(measures, "first_undercollateralized_month", "p50")["value"])
    cells = dict(zip(header[1:], rows["notes first exceed the pool, no insurer"], strict=True))
    assert cells["50 %"] == f"{month} ({month_name('2004-03', month)})"


def test_a_class_has_its_first_month(page, measures):
    header, rows = page.table("First month of a writedown")
    month = round(figure(measures, "first_undercollateralized_month", "p95", "A-2")["value"])
    cells = dict(zip(header[1:], rows["A-2"], strict=True))
    assert cells["95 %"] == f"{month} ({month_name('2004-03', month)})"
    assert "A-1" not in rows  # on none of the paths


def test_excess_interest_and_step_down(page, measures):
    header, rows = page.table("Excess interest over life")
    cells = dict(zip(header[1:], rows["used: covers losses and builds OC"], strict=True))
    row = figure(measures, "excess_interest_used", "p50")
    assert is_shown(cells["50 %"], row["value"], row["standard_error"], 1e-6)
    share = figure(measures, "oc_target_stepped_down", "probability")["value"]
    (told,) = [p for p in page.paragraphs if "steps down" in p]
    assert told.startswith("The OC target steps down from 2005-10 on.")
    assert f"outstanding): {100 * share:.1f} ±" in told


def test_tie_out_is_exact_with_failures_first(page):
    _, rows = page.table("Identities")
    assert list(rows) == ["note roll A-1", "day count", "pool roll", "factor A-1"]
    assert rows["pool roll"][:4] == ["✓ holds", "390,719,522.22", "390,719,522.22", "0.00"]
    assert rows["note roll A-1"] == ["✗ fails", "-0.50", "1,234,567.89", "-1,234,568.39",
                                     "a repurchase"]  # fmt: skip
    assert rows["day count"][0] == "○ not testable"
    assert rows["factor A-1"][3] == "0"
    assert "1 of 4 identities fail: read what follows with that in mind." in page.paragraphs
    assert any("2 identities hold, 1 fail, 1 cannot be tested" in p for p in page.paragraphs)
    assert "Warning: rows are few" in page.paragraphs


def test_roll_rates_mark_what_is_prior(page):
    header, rows = page.table("All 4 moves")
    assert header[-1] == ""
    assert rows["60 days"][-2:] == ["0.95", "prior-driven"]
    assert rows["30 days"] == ["0.37", "0.32", "0.14", "0.27", "0.08", "0.16", "0.41", "0.57", ""]
    assert rows["charged off"][3:] == ["< 0.01", "0.00", "< 0.01", "< 0.01", DASH, "prior-driven"]
    _, told = page.table("Moves of which the certificate says something")
    assert set(told) == {"from current", "current", "30 days", "from 30 days", "60 days"}
    _, matrix = page.table("Moves of all loans")
    assert matrix["30 days"][2] == "36.0"
    assert any("2 of 4 rates are prior-driven" in p for p in page.paragraphs)


def test_sensitivities_show_both_sides_and_the_difference(page, folder):
    table = pl.read_parquet(folder / "sensitivities.parquet")
    row = table.filter(
        pl.col("assumption") == "roll_rates.classes", pl.col("measure") == "pool_loss_pct"
    ).row(0, named=True)
    for caption in ("The other number of latent classes", "Other assumptions"):
        _, rows = page.table(caption)
        assert is_shown(rows["this run"][0], row["base_value"], row["base_standard_error"])
        own = rows["roll_rates.classes = 2"]
        assert is_shown(own[0], row["value"], row["standard_error"])
        assert is_shown(own[1], row["difference"], row["difference_standard_error"])
        assert "deal.undercollateralization = pro_rata" not in rows  # moves writedowns only
    row = table.filter(
        pl.col("assumption") == "deal.undercollateralization", pl.col("note") == "A-2"
    ).row(0, named=True)
    _, rows = page.table("Expected writedown without insurer under other conventions")
    assert is_shown(rows["A-2"][1], row["value"], row["standard_error"], 1e-6)
    assert rows["A-2"][2].startswith("−")
    assert "A-1" not in rows
    assert any("“implied”" in p for p in page.paragraphs)


def test_next_certificate_equals_the_forecast(page, folder):
    table = pl.read_parquet(folder / "next_certificate.parquet")
    points = {row[0]: row[1:4] for row in table.iter_rows()}
    _, rows = page.table("Servicing certificate")
    assert rows["Ending Balance"] == [f"{x:,.2f}" for x in points["notes.A-1.ending"]]
    assert rows["Active Loan Count"] == [f"{x:,.0f}" for x in points["pool.active_loan_count"]]
    _, rows = page.table("Delinquencies")
    assert rows["Delinquent Loans (30 Days)"] == [
        *(f"{x:,.2f}" for x in points["delinq.30.balance"]),
        *(f"{x:,.0f}" for x in points["delinq.30.number"]),
        *(f"{x:,.2f}" for x in points["delinq.30.pct"]),
    ]


def test_assumptions_and_manifest_are_complete(page):
    _, rows = page.table("Value, meaning, where it was set")
    meaning = "unevenness of a month's losses"
    assert rows["loss.lumpiness"] == ["4.0", meaning, "default", "judgement", DASH]
    assert rows["deal.undercollateralization"][-1] == "pro_rata: none"
    _, rows = page.table("What ran")
    assert rows["kernel_digest"] == [manifest()["kernel_digest"]]
    assert rows["versions.hemc"] == ["0.1.0"]
    _, rows = page.table("Resolved configuration")
    assert rows["tape.terms[0].share"] == ["0.1"]
    assert rows["tape.file"] == ["none"]


def chart_of(page, column, unit):
    """Return the rows of the first chart that has a column and an axis title."""
    for spec in page.charts[:-1]:
        if column in spec["data"]["values"][0] and unit in json.dumps(spec):
            return spec["data"]["values"]
    raise AssertionError(f"no chart of {column} in {unit}")


def test_charts_hold_the_months_rounded(page, folder):
    months = pl.read_parquet(folder / "months.parquet")
    rows = chart_of(page, "p95", "CPR, % a year")
    wanted = months.filter(pl.col("series") == "cpr", pl.col("statistic") == "p95").sort("month")
    assert [row["month"] for row in rows] == list(range(1, len(rows) + 1))
    exact = wanted["value"].to_numpy()[: len(rows)]
    np.testing.assert_allclose([row["p95"] for row in rows], 100.0 * exact, rtol=5e-5)
    assert rows[11]["payment"] == "2005-02"
    note = "Bands from the first 1,000 paths, means from all 1,200."
    assert sum(note in p for p in page.paragraphs) == 4


def test_a_month_of_cash_is_paid_out_to_the_last_dollar(page, folder):
    table = pl.read_parquet(folder / "next_certificate.parquet")
    expected = dict(table.select("figure", "mean").iter_rows())
    rows = chart_of(page, "step", "USD million")
    amounts = {row["step"]: row["amount"] for row in rows}
    assert amounts["principal, class A-1"] == pytest.approx(
        expected["notes.A-1.principal"] / 1e6, abs=1e-6
    )
    assert "principal, class A-2" not in amounts, "nothing is paid"
    top = expected["pool.interest_collections"] + expected["pool.principal_collections"]
    inflows = [row for row in rows if row["style"] == "median"]
    outflows = [row for row in rows if row["style"] == "core"]
    assert inflows[-1]["high"] == outflows[0]["high"] == pytest.approx(top / 1e6, abs=1e-5)
    assert outflows[-1]["low"] == pytest.approx(0.0, abs=1e-5)
    for above, below in itertools.pairwise(outflows):
        assert above["low"] == below["high"]
    assert sum(row["amount"] for row in outflows) == pytest.approx(top / 1e6, abs=1e-5)


def test_charts_end_where_the_pool_is_gone(page, folder):
    months = pl.read_parquet(folder / "months.parquet")
    pool = months.filter(pl.col("series") == "pool_balance", pl.col("statistic") == "mean")
    large = pool.filter(pl.col("value") >= 0.005 * pool["value"][0])["month"].max()
    assert len(chart_of(page, "p95", "CPR, % a year")) == large < N_MONTHS


def test_charts_are_valid_and_small(page):
    *specs, theme = page.charts
    assert len(specs) == 24 + len(CLASSES)
    for spec in specs:
        altair.LayerChart.from_dict(spec, validate=True)
        assert len(spec["data"]["values"]) <= MAX_ROWS
    altair.Config.from_dict(theme, validate=True)


def test_sections_are_numbered_and_linked_without_gaps(page):
    titles = ["Verdict", "Tie-out of the certificate", "Roll rates", "Pool",
              "Overcollateralisation", "Notes", "Insurer", "Sensitivities", "Next certificate",
              "Accuracy", "Assumptions", "Manifest"]  # fmt: skip
    assert page.headings == [f"{i} {title}" for i, title in enumerate(titles, start=1)]
    assert [link.removeprefix("#") for link in page.links] == [
        name for name in page.ids if name != "theme"
    ]


def test_sections_without_data_are_absent(folder, tmp_path):
    part = tmp_path / "part"
    part.mkdir()
    for name in ("manifest.json", "summary.json", "measures.parquet", "months.parquet"):
        (part / name).write_bytes((folder / name).read_bytes())
    found = Page(write_report(part).read_text(encoding="utf-8"))
    assert found.headings == [
        "1 Verdict", "2 Pool", "3 Overcollateralisation", "4 Notes", "5 Insurer", "6 Accuracy",
        "7 Manifest",
    ]  # fmt: skip
    assert len(found.links) == 7


def changed(folder, tmp_path, **changes):
    """Return a copy of the run's folder with another manifest."""
    copy = write_sample(tmp_path / "changed")
    (copy / "manifest.json").write_text(json.dumps(manifest() | changes))
    return copy


def test_triggers_stand_with_value_and_threshold(page):
    rows = page.tables["Trigger “losses”: value, threshold, share of paths"]
    assert rows[0] == ["month", "mean", "5 %", "50 %", "95 %", "threshold", "tripped on"]
    assert all(row[-2:] == ["3.50 %", "25.00 %"] for row in rows[1:])
    assert rows[1][0].startswith("1 (")


def test_the_insurer_has_its_net_and_the_chance_that_it_fails(page):
    cells = [row[0] for rows in page.tables.values() for row in rows]
    assert "net: present value of draws − reimbursement − premium" in cells
    assert "P(the insurer fails while the deal runs)" in cells
    assert "the insurer fails" in cells


def test_a_deal_without_insurer_says_nothing_of_one(folder, tmp_path):
    settings = manifest()["configuration"] | {"insurer": {"mode": "absent"}}
    found = Page(
        write_report(changed(folder, tmp_path, configuration=settings)).read_text(encoding="utf-8")
    )
    assert not any("Insurer" in heading for heading in found.headings)
    sentence = next(p for p in found.paragraphs if p.startswith("Over its remaining life"))
    assert "has to pay" not in sentence
    assert "written down" in sentence
    assert not any("with the insurer" in caption for caption in found.tables)


ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"


def test_texts_of_the_input_stay_texts(folder, tmp_path, page):
    copy = changed(folder, tmp_path, series=ATTACK, issuer=ATTACK, warnings=[ATTACK])
    for name, column in (("tieout", "note"), ("assumptions", "value"), ("roll_rates", "to_state")):
        table = pl.read_parquet(copy / f"{name}.parquet")
        table.with_columns(pl.lit(ATTACK).alias(column)).write_parquet(copy / f"{name}.parquet")
    html = write_report(copy).read_text(encoding="utf-8")
    found = Page(html)
    assert "alert(1)</script>" not in html
    assert found.tags.count("script") == page.tags.count("script")
    assert "img" not in found.tags
    assert f"Warning: {ATTACK}" in found.paragraphs


def test_the_page_is_self_contained(html, page):
    assert len(html.encode()) < 5e6
    assert "iframe" not in page.tags
    for name, value in page.attributes:
        if name in ("src", "href", "srcset", "data", "action"):
            assert value.startswith("#") or value == "data:,", (name, value)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "@import" not in style
    assert "url(" not in style
    policies = [value for _, value in page.attributes if (value or "").startswith("default-src")]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; img-src data:;")


def test_the_same_files_give_the_same_page(folder, html):
    assert write_report(folder).read_text(encoding="utf-8") == html


@pytest.mark.parametrize(
    ("spoil", "place", "words"),
    [
        (lambda f: (f / "manifest.json").unlink(), "changed", "found no manifest.json"),
        (lambda f: (f / "summary.json").write_text("[{"), "summary.json", "found no JSON"),
        (lambda f: (f / "summary.json").write_text("[{}]"), "summary.json", "found nothing"),
        (lambda f: (f / "manifest.json").write_text("{}"), "manifest.json", "found nothing"),
        (lambda f: (f / "months.parquet").write_bytes(b"PAR1"), "months.parquet", "a damaged"),
        (
            lambda f: pl.DataFrame({"name": ["x"]}).write_parquet(f / "tieout.parquet"),
            "tieout.parquet",
            "found no printed, recomputed, difference, status, note",
        ),
        (lambda f: (f / "report.html").mkdir(), "report.html", "cannot be written"),
    ],
)
def test_a_damaged_folder_is_named(folder, tmp_path, spoil, place, words):
    copy = changed(folder, tmp_path)
    spoil(copy)
    with pytest.raises(InputError) as caught:
        write_report(copy)
    assert caught.value.file.endswith(place)
    assert words in str(caught.value)
