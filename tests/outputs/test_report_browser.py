"""report.html in a headless Chromium: drawn, quiet, offline, and readable on a phone."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from planted_certificate import planted
from report_sample import write_sample

from hemc.cli import main
from hemc.outputs.report.document import SECTIONS, write_report

pytestmark = pytest.mark.browser

#: Pixels between the margins of an A4 page: 182 mm.
_PAPER_WIDTH = 688

SCREENSHOTS = Path(__file__).parents[2] / "test-output"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(write_sample(tmp_path_factory.mktemp("browser") / "base"))


FEW = {
    "simulation.paths": "64", "outputs.sensitivity_paths": "64", "roll_rates.draws": "2000",
    "breakeven.paths": "64", "breakeven.scan_steps": "20", "breakeven.step": "0.2",
    "breakeven.cdr_step": "0.01", "sensitivities.paths": "64", "sensitivities.severity": "[1.0]",
    "sensitivities.roll_rate": "[1.0, 2.0]",
}  # fmt: skip
SAMPLER = {
    "calibration.chains": "2", "calibration.draws": "100", "calibration.sweeps_per_draw": "2",
    "backtest.paths": "100",
}  # fmt: skip


@pytest.fixture(scope="module")
def stress_report(root, tmp_path_factory):
    """The report of a folder that every command with a section has written in."""
    folder, configs = tmp_path_factory.mktemp("browser") / "stress", root / "configs"
    of_base = {"scenario.file": "scenarios/base.toml", **FEW}
    for command, file, keys in (
        ("stress", "stress.toml", FEW),
        ("breakeven", "base.toml", of_base),
        ("sensitivities", "base.toml", of_base),
        ("backtest", "two-deals.toml", SAMPLER),
    ):
        words = [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]
        asked = [command, str(configs / file), *words, "--json", "--out", str(folder)]
        result = CliRunner().invoke(main, asked)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["folder"] == str(folder)
    own = json.loads((root / "tests/data/certificates/gmacm-2003-he2_2004-02-25.json").read_text())
    certificate = folder.parent / "march.json"
    certificate.write_text(json.dumps(planted(folder, own, "2004-03-25")))
    result = CliRunner().invoke(main, ["score", str(folder), str(certificate), "--quiet"])
    assert result.exit_code == 0, result.output
    return folder / "report.html"


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "no chromium on the PATH; install Debian's chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, report):
    """Open the report and return the page with what it complained about and asked for."""
    pages = []

    def open_page(width, scheme="light", file=report):
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-charts=drawn]", timeout=60_000)
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_quietly_and_offline(visit, report, width, scheme):
    page = visit(width, scheme)
    assert page.complaints == []
    assert page.requests == [report.as_uri()]
    n_charts = page.locator("figure.chart").count()
    assert n_charts > 20
    assert page.locator("figure.chart .canvas svg").count() == n_charts
    empty = "figures => figures.filter(f => !f.querySelector('svg .mark-group path[d]')).length"
    assert page.locator("figure.chart").evaluate_all(empty) == 0
    # The page itself never scrolls sideways; wide tables do so inside their frames.
    assert page.evaluate("document.documentElement.scrollWidth") == width
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_stress_run_is_drawn_quietly_and_offline(visit, stress_report, width):
    page = visit(width, file=stress_report)
    assert page.complaints == []
    assert page.requests == [stress_report.as_uri()]
    n_sections = page.locator("main section").count()
    assert n_sections == len(SECTIONS), "every section is there"
    assert page.locator("#scenarios table").count() > 2
    for section in ("scenarios", "breakevens", "sensitivities", "backtest"):
        assert page.locator(f"#{section} figure.chart").count() > 1, section
    n_charts = page.locator("figure.chart").count()
    assert page.locator("figure.chart .canvas svg").count() == n_charts > 20
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert stress_report.stat().st_size < 5_000_000
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"stress-{width}-light.png", full_page=True)


@pytest.mark.parametrize("of_run", ["report", "stress_report"])
def test_links_of_the_contents_lead_to_their_sections(visit, request, of_run):
    page = visit(1280, file=request.getfixturevalue(of_run))
    links = page.locator("nav a")
    assert links.count() == page.locator("main section").count() >= 12
    for i in range(links.count()):
        target = links.nth(i).get_attribute("href")
        links.nth(i).click()
        page.wait_for_function(
            "id => { const top = document.querySelector(id).getBoundingClientRect().top;"
            " return top < innerHeight && location.hash === id; }",
            arg=target,
        )
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")


def test_the_first_screen_holds_verdict_figures_and_both_charts(visit):
    page = visit(1280)
    drawn = page.locator("#verdict .canvas svg")
    assert drawn.count() == 2
    bottoms = drawn.evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
    assert max(bottoms) < 900, "the screen's height"
    tops = page.locator("#verdict .figures div").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().top)"
    )
    assert len(tops) == 6
    assert len(set(tops)) == 1, "six figures side by side"


def test_tooltip_names_month_and_figures(visit):
    page = visit(1280)
    canvas = page.locator("#verdict .canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 90)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=5_000)
    text = tooltip.inner_text()
    assert "median" in text
    assert "200" in text, "the calendar month"
    assert "undefined" not in text


def test_colors_follow_the_scheme_and_paper(visit):
    page = visit(1280, "dark")
    background = "() => getComputedStyle(document.body).backgroundColor"
    line = "() => getComputedStyle(document.querySelector('.canvas .mark-line path')).stroke"
    dark = page.evaluate(background), page.evaluate(line)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(background), page.evaluate(line)
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(background) == light[0] == "rgb(255, 255, 255)"
    assert dark[0] != light[0]
    assert dark[1] != light[1] == page.evaluate(line)


def test_tables_sort_by_their_numbers_and_come_back(visit):
    page = visit(1280)
    table = page.locator("table[aria-label^='Writedown without insurer']").first
    first = "rows => rows.map(row => row.cells[0].textContent)"
    rows = table.locator("tbody tr")
    given = rows.evaluate_all(first)
    assert given == ["A-1", "A-2", "all"]
    heading = table.get_by_role("button", name="probability")
    shown = "rows => rows.map(row => row.cells[1].textContent.trim())"
    heading.click()
    assert rows.evaluate_all(first)[-1] == "A-1", "a class that is never hit comes last"
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    heading.click()
    assert rows.evaluate_all(shown)[0].startswith("<")
    heading.click()
    assert rows.evaluate_all(first) == given
    assert page.complaints == []


def test_tables_copy_as_a_spreadsheet_takes_them(visit, report):
    page = visit(1280)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    table = page.get_by_label("Lifetime loss of the pool")
    figure = page.locator("figure.table", has=table)
    figure.get_by_role("button", name="copy").click()
    figure.get_by_role("button", name="copied").wait_for()
    lines = page.evaluate("navigator.clipboard.readText()").split("\n")
    shown = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    wanted = table.locator("tr").evaluate_all(shown)
    assert [line.split("\t") for line in lines] == wanted
    assert len(wanted) > 10


@pytest.mark.parametrize("of_run", ["report", "stress_report"])
def test_paper_cuts_no_table(visit, request, of_run):
    page = visit(_PAPER_WIDTH, file=request.getfixturevalue(of_run))
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true; })")
    reach = "parts => Math.max(...parts.map(part => part.getBoundingClientRect().right))"
    # Half a pixel is rounding.
    assert page.locator("main table, main .canvas").evaluate_all(reach) <= _PAPER_WIDTH + 0.5
    buttons = page.locator("button.copy")
    assert buttons.count() > 10
    assert not buttons.first.is_visible()
    SCREENSHOTS.mkdir(exist_ok=True)
    paper = SCREENSHOTS / f"{of_run.removesuffix('_report')}.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    assert paper.read_bytes().startswith(b"%PDF")
