"""The documentation builds without a warning, and no page links to what is not there."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import polars as pl
import pytest

LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#\s]+)")
CODE = re.compile(r"`((?:src|docs|configs|tests|scripts|benchmarks)/[\w./{},*-]+)`")


class Anchors(HTMLParser):
    """The ids and the links of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])


def dead_links(folder):
    """Return the links of built pages to a file or an anchor that is not there; none is fetched."""
    pages = {p.resolve(): Anchors(p.read_text(encoding="utf-8")) for p in folder.rglob("*.html")}
    dead = []
    for page, found in pages.items():
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchor = unquote(parts.fragment)
            is_there = target.exists() and (
                not anchor or target not in pages or anchor in pages[target].ids
            )
            if not is_there:
                dead.append(f"{page.relative_to(folder.resolve())}: {link}")
    return dead


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    """The folder of the built pages."""
    folder = tmp_path_factory.mktemp("html")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, str(root / "docs"), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def pages(root):
    return [*root.glob("*.md"), *root.glob("docs/**/*.md")]


def test_it_builds_without_a_warning_or_a_dead_link(built):
    assert len(list(built.rglob("*.html"))) > 25
    assert dead_links(built) == []


@pytest.mark.parametrize("link", ["b.html", "a.html#no", "#no", "c/d.html#x"])
def test_a_dead_link_is_found(link, tmp_path):
    (tmp_path / "a.html").write_text(f'<p id="yes"><a href="{link}">x</a><a href="#yes">y</a></p>')
    assert dead_links(tmp_path) == [f"a.html: {link}"]


def test_generated_tables_hold_what_the_code_says(root, built):
    reference = root / "docs" / "reference"
    keys = (reference / "configuration.md").read_text(encoding="utf-8")
    assert "| `credit_sd` | `0.245` | stationary standard deviation" in keys
    assumptions = (reference / "assumptions.md").read_text(encoding="utf-8")
    row = next(line for line in assumptions.splitlines() if "`roll_rates.stock_weight`" in line)
    assert re.search(r"\| 0: [+-]\d\.\d\d ± \d\.\d\d; 1: [+-]\d\.\d\d ± \d\.\d\d \|$", row)
    checks = (reference / "checks.md").read_text(encoding="utf-8")
    assert "| `gmacm-2003-he2_2004-02-25.txt` | 51 | 0 |" in checks
    commands = (reference / "commands.md").read_text(encoding="utf-8")
    assert "## hemc certificate replay" in commands


def test_every_key_of_a_configuration_is_in_its_table(root, built):
    from hemc.config import _walk, load_config

    text = (root / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    shown, section = set(), ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:] + "."
            shown.add(line[3:])
        elif line.startswith("| `"):
            shown.add(section + line.split("`")[1])
    loaded = load_config(root / "configs" / "base.toml").config
    keys = {name for name, _, _ in _walk(loaded, "") if name != "name"}
    missing = {k for k in keys if k not in shown and k.rpartition(".")[0] not in shown}
    assert missing == set()


def test_no_link_outside_the_built_pages_is_dead(root):
    dead = [
        f"{page.relative_to(root)}: {target}"
        for page in root.glob("*.md")
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert dead == []


def test_every_file_named_in_a_page_exists(root):
    missing = [
        f"{page.relative_to(root)}: {name}"
        for page in pages(root)
        if page.name != "CHANGELOG.md"
        for name in CODE.findall(page.read_text(encoding="utf-8"))
        if not any(character in name for character in "{*") and not (root / name).exists()
    ]
    assert missing == []


def test_the_notebook_runs(root, monkeypatch):
    """Its cells run one after the other, as a kernel runs them, in the folder of the notebook."""
    notebook = json.loads((root / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells), "outputs are stripped: they would go stale"
    monkeypatch.chdir(root / "docs")
    names = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        code = compile("".join(cell["source"]), f"cell {number}", "exec")
        exec(code, names)
    assert isinstance(names["result"].measures, pl.DataFrame)
    assert "<table" in names["result"]._repr_html_()
