"""The script that writes what studies print into the documentation."""

import shutil

import pytest

from benchmarks import studies_page
from benchmarks.studies_page import SCREENS, Screen, main, show


def test_every_screen_stands_between_its_marks(root, tmp_path, monkeypatch):
    for page in {screen.page for screen in SCREENS}:
        shutil.copy(root / "docs" / page, tmp_path)
    monkeypatch.setattr(studies_page, "show", lambda screen, scratch, n: f"{screen.part}: {n}")
    main(["--docs", str(tmp_path), "--paths", "7"])
    for screen in SCREENS:
        text = (tmp_path / screen.page).read_text(encoding="utf-8")
        begin = f"<!-- {screen.part}: written by scripts/studies -->\n"
        assert text.split(begin)[1].startswith(f"{screen.part}: 7\n")


def test_a_screen_is_shown_without_the_folder_of_its_files(root, tmp_path):
    screen = Screen("stress.md", "batch", ("run", "configs/base.toml"), "base")
    shown = show(screen, tmp_path, 64)
    assert shown.startswith("`hemc run configs/base.toml --paths 64` took ")
    assert "Expected lifetime loss" in shown
    assert str(tmp_path) not in shown


def test_a_command_that_fails_writes_nothing(tmp_path):
    broken = Screen("stress.md", "batch", ("stress", "configs/missing.toml"), "stress")
    with pytest.raises(SystemExit, match="exit code 2"):
        show(broken, tmp_path, None)
