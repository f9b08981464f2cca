"""Every dependency is pinned by name and version, without an address, and there are few."""

import re
import tomllib


def test_every_dependency_is_pinned_without_an_address(root):
    lines = (root / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.+]+", pin) for pin in pins)
    pinned = {pin.partition("==")[0].lower() for pin in pins}
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    for requirement in [*project["dependencies"], *extras]:
        name = re.match(r"[A-Za-z0-9._-]+", requirement).group().lower()
        assert name in pinned, f"{requirement} has no line in constraints.txt"


def test_a_run_needs_few_packages(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert len(project["dependencies"]) <= 15
