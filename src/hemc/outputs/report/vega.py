"""The plotting library: one JavaScript bundle that draws every chart without a network.

Charts are Vega-Lite specifications written as plain dicts (`charts.py`); nothing else of the
project knows who draws them.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

import platformdirs
import vl_convert

from hemc.errors import InternalError


def chart_script() -> str:
    """Return the JavaScript that defines `vegaEmbed`, ready to stand inside a script element.

    Bundling takes more than a second, so the bundle is kept in the user's cache by version.
    """
    kept = _cache_file()
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return kept.read_text(encoding="utf-8")
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    if "</script" in script.lower() or "<!--" in script:
        raise InternalError("the chart library's bundle would end its script element")
    with contextlib.suppress(OSError):
        _keep(script, kept)
    return script


def _cache_file() -> Path:
    """Return where this version's bundle is kept."""
    root = Path(os.environ.get("HEMC_CACHE_DIR") or platformdirs.user_cache_dir("hemc"))
    return root / "charts" / f"vega-{version('vl-convert-python')}.js"


def _keep(script: str, path: Path) -> None:
    """Write the bundle whole or not at all, since other runs may read it at this moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        part.write_text(script, encoding="utf-8")
        part.replace(path)
