"""A page with marks and new text → the page with the text between its marks."""

from __future__ import annotations

from pathlib import Path

END = "<!-- end -->"


def begin_mark(script: str) -> str:
    """Return the mark before what a script writes."""
    return f"<!-- written by scripts/{script} -->"


def write_between(page: Path, script: str, text: str) -> None:
    """Replace what stands between a script's marks of a page."""
    before, after = split_at_marks(page, script)
    page.write_text(f"{before}{begin_mark(script)}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def split_at_marks(page: Path, script: str) -> tuple[str, str]:
    """Return what stands before and after the text of a script."""
    before, _, rest = page.read_text(encoding="utf-8").partition(begin_mark(script))
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{page}: found no '{begin_mark(script)}' followed by '{END}'")
    return before, after
