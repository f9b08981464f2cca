"""README's figures are those of a run of this code, its times those of the last measurement."""

import json
import re

import pytest

import hemc
from benchmarks.readme_page import figures_text, main, times_text

ESTIMATE = re.compile(r"([\d.,]+) ± ([\d.,]+) %$")


def part(text, name):
    """Return what stands between the marks of a part."""
    begin = f"<!-- {name}: written by scripts/readme -->\n"
    return text.split(begin)[1].split(f"\n<!-- end of {name} -->")[0]


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def few(base_toml):
    """The text of a run of few paths."""
    settings = {"outputs.sensitivity_paths": 0, "simulation.oracle_paths": 0}
    return figures_text(hemc.run(hemc.load_config(base_toml, settings), paths=1024))


def off(shown, fresh):
    """Return the lines that differ: figures by more than 4 errors of both, others at all."""
    wrong = []
    for one, other in zip(shown.splitlines(), fresh.splitlines(), strict=True):
        found = [ESTIMATE.search(line) for line in (one, other)]
        if not all(found):
            if one.replace("10,000 paths", "1,024 paths") != other:
                wrong.append(one)
            continue
        (a, sa), (b, sb) = ([float(text) for text in match.groups()] for match in found)
        if abs(a - b) > 4.0 * (sa**2 + sb**2) ** 0.5 or sa > sb:
            wrong.append(one)
    return wrong


def test_the_figures_are_those_of_the_code(readme, few):
    shown = part(readme, "figures")
    assert len([line for line in shown.splitlines() if ESTIMATE.search(line)]) == 4
    assert off(shown, few) == []


def test_an_old_figure_is_found(readme, few):
    shown = part(readme, "figures")
    value = ESTIMATE.search(shown.splitlines()[5])[1]
    assert len(off(shown.replace(f" {value} ±", " 9.99 ±"), few)) == 1
    assert len(off(shown.replace("51 identities", "50 identities"), few)) == 1


def test_the_times_are_the_measured_ones(root, readme):
    measured = json.loads((root / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    assert part(readme, "times") == times_text(measured)


def test_the_script_writes_both_parts(tmp_path, readme):
    page = tmp_path / "README.md"
    page.write_text(readme.replace(part(readme, "times"), "old"), encoding="utf-8")
    main(["--paths", "64", "--page", str(page)])
    text = page.read_text(encoding="utf-8")
    assert part(text, "times") == part(readme, "times")
    assert "64 paths × 292 months" in part(text, "figures")
