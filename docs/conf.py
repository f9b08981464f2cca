"""How Sphinx builds these pages: scripts/docs."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_modules() -> None:
    """Write the list of modules from their first sentences, so that it cannot go stale."""
    lines = ["# Modules", "", "Made from the sources when the pages are built."]
    room = None
    for file in sorted((ROOT / "src" / "hemc").rglob("*.py")):
        place = file.relative_to(ROOT / "src" / "hemc")
        said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        if not said or place.name.startswith("__"):
            continue
        if place.parent != room:
            room = place.parent
            lines += ["", f"## hemc/{room.as_posix()}", "", "| module | |", "|---|---|"]
        sentence = " ".join(said.split("\n\n")[0].split()).replace("|", "\\|")
        lines.append(f"| `{place.stem}` | {sentence} |")
    page = ROOT / "docs" / "reference" / "modules.md"
    text = "\n".join(lines) + "\n"
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


write_modules()

project = "hemc"
copyright = "the hemc authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "hemc"
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"
nitpicky = False
