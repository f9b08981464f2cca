"""docs/deals.md says what the schema of a deal file does, every key with its meaning."""

import re

import pytest
from click.testing import CliRunner
from deal_keys import PAGE, key_tables, written_page

from hemc.cli import main
from hemc.inputs.deal import read_deal
from hemc.inputs.shipped import shipped_deals


def test_the_page_has_the_tables_of_the_schema():
    page = PAGE.read_text(encoding="utf-8")
    assert page == written_page(page), "run python tests/inputs/deal_keys.py"


def test_a_changed_schema_would_be_noticed():
    page = PAGE.read_text(encoding="utf-8")
    changed = page.replace("| `payment_day` |", "| `payment_days` |", 1)
    assert changed != page
    assert written_page(changed) == page


def test_every_key_has_a_meaning():
    rows = [line for table in key_tables() for line in table.splitlines() if line[:3] == "| `"]
    empty = [row for row in rows if row.endswith("|  |")]
    assert len(rows) > 60
    assert empty == []


@pytest.mark.parametrize("series", sorted(shipped_deals()))
def test_every_key_of_a_shipped_deal_is_in_the_tables(series):
    tables = "\n".join(key_tables())
    text = shipped_deals()[series].read_text(encoding="utf-8")
    keys = set(re.findall(r"^([a-z_]+) = ", text.split("[sources]")[0], re.MULTILINE))
    assert read_deal(shipped_deals()[series]).series == series
    assert {key for key in keys if f"| `{key}` |" not in tables} == set()


def test_the_page_shows_the_replay_that_the_command_prints(root):
    """The certificate's own figures do not change, so that the page holds them as they are."""
    page = PAGE.read_text(encoding="utf-8")
    shown = page.split("<!-- replay -->")[1].split("<!-- end -->")[0].strip()
    command, *lines = shown.removeprefix("```text\n").removesuffix("\n```").splitlines()
    words = command.removeprefix("$ hemc ").replace("configs/", f"{root}/configs/").split()
    printed = CliRunner().invoke(main, words).stdout.splitlines()
    assert lines == [line.rstrip() for line in printed]
