"""The import rules of docs/architecture.md, and a test that the check can fail."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "hemc"

KERNELS_MAY_IMPORT = {
    "__future__", "collections", "contextlib", "gc", "hashlib", "math", "os", "pathlib", "shutil",
    "typing", "numpy", "numba", "platformdirs",
}  # fmt: skip
FORBIDDEN = {
    "kernels": {"inputs", "model", "outputs", "scale", "engine", "cli", "config", "settings"},
    "inputs": {"model", "outputs", "scale", "engine", "cli", "config"},
    "model": {"outputs", "scale", "engine", "cli"},
    "outputs": {"cli", "scale"},
    "scale": {"cli", "engine"},
    "settings": {"model", "outputs", "scale", "engine", "cli", "config", "kernels"},
    "config": {"model", "outputs", "scale", "engine", "cli"},
    "engine": {"cli"},
}


def imports(path):
    """Yield the modules that a file imports, anywhere in it, and whether with a star."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module, any(alias.name == "*" for alias in node.names)


def broken_rules(path, room):
    """Return what a file imports against the rules of its room."""
    broken = []
    for module, star in imports(path):
        parts = module.split(".")
        if star:
            broken.append(f"{path.name}: from {module} import *")
        if parts[0] == "hemc" and len(parts) > 1 and parts[1] in FORBIDDEN.get(room, ()):
            broken.append(f"{path.name} in {room} imports {module}")
        if room == "kernels" and parts[0] != "hemc" and parts[0] not in KERNELS_MAY_IMPORT:
            broken.append(f"{path.name} in kernels imports {module}")
    return broken


def test_import_rules_hold():
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 30
    broken = []
    for path in files:
        parts = path.relative_to(SOURCE).parts
        room = parts[0] if len(parts) > 1 else path.stem
        broken += broken_rules(path, room)
        if room != "cli":
            broken += [f"{path} imports {m}" for m, _ in imports(path) if m.startswith("hemc.cli")]
    assert broken == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("kernels", "import polars"),
        ("kernels", "from hemc.model import scenario"),
        ("inputs", "from hemc.model.scenario import factor_model"),
        ("model", "def f():\n    from hemc.outputs import measures"),
        ("model", "from numpy import *"),
        ("outputs", "import hemc.cli"),
    ],
)
def test_the_check_can_fail(tmp_path, room, line):
    path = tmp_path / "module.py"
    path.write_text(line)
    assert broken_rules(path, room)


def test_every_module_has_a_docstring_and_fits_a_room():
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
        assert len(text.splitlines()) <= 400, f"{path} holds more than one idea"
        assert path.stem not in {"utils", "helpers", "common", "manager"}
