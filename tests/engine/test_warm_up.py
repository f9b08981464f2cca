"""Two processes compile the kernels; nothing is left to compile after them."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hemc.engine import warm_up as module
from hemc.engine.warm_up import warm_up
from hemc.errors import InternalError

COMPILED_IN_A_RUN = """
import sys
from numba.core.event import Listener, install_listener

class Compiled(Listener):
    def on_start(self, event):
        print(event.data["dispatcher"].py_func.__name__)

    def on_end(self, event):
        pass

with install_listener("numba:compile", Compiled()):
    from hemc.cli import main
    main(["run", sys.argv[1], "--paths", "1", "--out", sys.argv[2], "--quiet"])
"""


@pytest.fixture
def done(monkeypatch, tmp_path):
    """What is done in this process, none of it really; two cores and a folder to write in."""
    done = []
    monkeypatch.setattr(module, "CACHE_DIR", tmp_path)
    monkeypatch.setattr(module, "simulate_base", lambda: done.append("pool"))
    monkeypatch.setattr(module, "run", lambda loaded, progress: done.append("run"))
    monkeypatch.setattr(module, "Threads", lambda: SimpleNamespace(n_threads=2))
    monkeypatch.setattr(module, "_BESIDE", (sys.executable, "-c", ""))
    return done


def test_the_pool_is_compiled_beside_the_notes(done):
    warm_up()
    assert done == ["pool", "run"]


def test_a_process_that_fails_is_an_error_with_its_message(done, monkeypatch):
    fails = (sys.executable, "-c", "raise SystemExit('no room for kernels')")
    monkeypatch.setattr(module, "_BESIDE", fails)
    with pytest.raises(InternalError, match="no room for kernels"):
        warm_up()
    assert done == ["pool"]


@pytest.mark.parametrize("reason", ["one core", "a cache that cannot be written"])
def test_a_process_beside_that_helps_nothing_is_not_started(done, monkeypatch, reason, tmp_path):
    if reason == "one core":
        monkeypatch.setattr(module, "Threads", lambda: SimpleNamespace(n_threads=1))
    else:
        monkeypatch.setattr(module, "CACHE_DIR", tmp_path / "missing")
    warm_up()
    assert done == ["run"]


@pytest.mark.slow
def test_nothing_is_left_to_compile(base_toml, tmp_path):
    environment = os.environ | {"HEMC_CACHE_DIR": str(tmp_path / "cache")}
    warm = [sys.executable, "-m", "hemc.cli", "warmup", "--quiet"]
    subprocess.run(warm, env=environment, check=True)
    command = [sys.executable, "-c", COMPILED_IN_A_RUN, str(base_toml), str(tmp_path / "out")]
    found = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert found.stdout == ""
