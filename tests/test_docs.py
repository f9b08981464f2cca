"""The documentation builds without a warning, and no page links to what is not there."""

import re
import subprocess
import sys

import pytest

LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#\s]+)")
CODE = re.compile(r"`((?:src|docs|configs|tests|scripts|benchmarks)/[\w./{},*-]+)`")


def pages(root):
    return [*root.glob("*.md"), *root.glob("docs/**/*.md")]


GENERATED = {"reference/modules.md"}


def test_it_builds_without_a_warning(root, tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*command, str(root / "docs"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "model.html").is_file()


def test_no_link_is_dead(root):
    dead = [
        f"{page.relative_to(root)}: {target}"
        for page in pages(root)
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if target not in GENERATED and not (page.parent / target).exists()
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


@pytest.mark.parametrize("text", ["[a](missing.md)", "see [b](x/missing.md#part)"])
def test_the_link_check_can_fail(text, tmp_path):
    assert not (tmp_path / LINK.findall(text)[0]).exists()
