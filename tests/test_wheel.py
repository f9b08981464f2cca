"""Wheel and sdist build, and the package runs its base configuration from the wheel alone."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow

_RUN = """
import sys
from pathlib import Path
import hemc
from hemc.cli import main
from hemc.inputs.shipped import configs_dir
assert Path(hemc.__file__).is_relative_to(sys.argv[1]), hemc.__file__
assert configs_dir().is_relative_to(sys.argv[1]), configs_dir()
main(["run", str(configs_dir() / "base.toml"), "--paths", "64", "--quiet"])
"""


def call(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with both archives."""
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "hatchling", "build", "-d", str(folder), cwd=ROOT)
    return folder


def test_the_wheel_alone_runs_the_base_configuration(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    site = tmp_path / "site"
    call(sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel))
    environment = {**os.environ, "PYTHONPATH": str(site)}
    call(sys.executable, "-c", _RUN, str(site), cwd=tmp_path, env=environment)
    assert (tmp_path / "results" / "base" / "report.html").is_file()
    assert list(site.glob("hemc-*.dist-info/licenses/LICENSE"))


def test_the_sdist_holds_sources_configs_and_tests(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "src/hemc/cli/root.py", "configs/base.toml", "tests/test_wheel.py"}
    assert wanted <= names
    assert not any(name.startswith((".venv", "results", "test-output")) for name in names)
